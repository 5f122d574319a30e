/// Whole e-mails from parts of HTML.
package enum EmailDocument {
    /// Wraps a fragment in a page for mail programs: one column of 600 px, readable without style sheets, with the preview
    /// text hidden at the top. HTML that is a whole document already only gets the preview text, unless it has one.
    ///
    /// `fragment` is cleaned HTML, with Liquid. `title` and `previewText` are plain text and may hold Liquid. `language`
    /// is a BCP 47 tag.
    package static func wrap(
        fragment: String, title: String, language: String = "en", previewText: String = ""
    ) throws(MarkupError) -> String {
        let parsed = try HTMLDocument.parse(fragment, liquid: true)
        guard parsed.isFragment else { return adding(previewText: previewText, to: parsed) }
        let direction = rightToLeft.contains(String(language.lowercased().prefix(2))) ? "rtl" : "ltr"
        return """
            <!DOCTYPE html>
            <html lang="\(plain(language, inAttribute: true))" dir="\(direction)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="supported-color-schemes" content="light dark">
            <title>\(text(title))</title>
            <style>
            \(style)
            </style>
            </head>
            <body style="margin:0;padding:0;background-color:#f4f4f5;-webkit-text-size-adjust:100%">
            \(preheader(previewText))<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" \
            style="background-color:#f4f4f5">
            <tr><td align="center" class="outer" style="padding:24px 12px">
            <!--\(OutlookComment.openTable)--><table role="presentation" class="column" width="100%" cellpadding="0" \
            cellspacing="0" border="0" style="max-width:600px;background-color:#ffffff">
            <tr><td class="content" style="padding:32px;font-family:Arial,Helvetica,sans-serif;font-size:16px;\
            line-height:1.5;color:#1f2328;text-align:\(direction == "rtl" ? "right" : "left");mso-line-height-rule:exactly">
            \(fragment)
            </td></tr>
            </table><!--\(OutlookComment.closeTable)-->
            </td></tr>
            </table>
            </body>
            </html>

            """
    }

    private static let rightToLeft: Set<String> = ["ar", "fa", "he", "ur", "yi"]

    /// Small enough for every mail program, and without a comment (email.md §10).
    private static let style = """
        .content a { color:#0b57d0 }
        .content img { max-width:100%;border:0 }
        .content p, .content ul, .content ol { margin:0 0 16px }
        .content h1 { margin:0 0 16px;font-size:26px;line-height:1.25 }
        .content h2 { margin:24px 0 12px;font-size:21px;line-height:1.3 }
        .content h3 { margin:24px 0 12px;font-size:18px;line-height:1.3 }
        @media only screen and (max-width:480px) {
        .outer { padding:0 !important }
        .content { padding:24px 16px !important }
        }
        """

    /// The hidden line that inboxes show after the subject, and filler so that they show nothing of the body after it.
    private static func preheader(_ previewText: String) -> String {
        guard !previewText.trimmed.isEmpty else { return "" }
        let filler = String(repeating: "&zwnj;&nbsp;", count: 60)
        return "<div class=\"preheader\" style=\"\(hidden)\">\(text(previewText))\(filler)</div>\n"
    }

    private static let hidden =
        "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;color:#f4f4f5;mso-hide:all"

    private static func adding(previewText: String, to document: HTMLDocument) -> String {
        let hasOne = !document.all(".preheader").isEmpty
        guard !hasOne, !previewText.trimmed.isEmpty else { return document.html }
        let html = document.html
        guard let tag = html.firstRange(of: "<body"), let end = BodyTag.end(in: html, from: tag.lowerBound) else {
            return html
        }
        return html[..<end] + "\n" + preheader(previewText) + html[end...]
    }

    /// Plain text with Liquid as HTML text.
    private static func text(_ text: String) -> String {
        var guardian = LiquidGuard(source: text, limits: .standard, keepsLiquid: true)
        return guardian.escapedText()
    }

    private static func plain(_ text: String, inAttribute: Bool) -> String {
        HTMLSerializer.escaped(text, inAttribute: inAttribute)
    }
}

enum BodyTag {
    /// The index after the `>` that ends a tag of our serializer. Bytes, not characters: a combining mark may follow a
    /// quote.
    static func end(in html: String, from start: String.Index) -> String.Index? {
        var isQuoted = false
        var index = start
        while index < html.endIndex {
            let byte = html.utf8[index]
            index = html.utf8.index(after: index)
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ">"), !isQuoted { return index }
        }
        return nil
    }
}
