import Core
import Markup

/// From what the author wrote to what is sent: markdown to HTML, cleaning, footer, wrapping, inlined styles, slots for
/// links, text version. Done once for a send; the preview uses the same steps.
package enum EmailPreparation {
    /// Why a draft cannot be prepared.
    package struct Flaw: Error, Sendable, Equatable {
        package let message: String
    }

    /// - Parameter footers: make what is added at the end.
    package static func prepare(
        _ draft: EmailDraft, frame: EmailFrame, footers: EmailFooters
    ) throws(Flaw) -> PreparedEmail {
        do {
            let cleaned: String = try cleaned(draft)
            let body: String = try withFooter(cleaned, frame: frame, footers)
            let wrapped: String = try EmailDocument.wrap(
                fragment: body, title: draft.subject, language: frame.language, previewText: draft.previewText)
            let inlined: String = try CSSInliner.inline(wrapped)
            let slotted: SlottedHTML = try LinkSlots.prepare(inlined, tracksLinks: frame.tracksClicks)
            return PreparedEmail(
                subject: draft.subject, html: EmailFooter.withReferences(slotted.html),
                text: EmailFooter.withQuotes(try PlainText.from(inlined)),
                links: slotted.links.map { link in
                    PreparedEmail.Link(url: link.href, isLiquid: link.href.contains("{{") || link.href.contains("{%"))
                },
                workspaceName: frame.workspaceName, tracksOpens: frame.tracksOpens, tracksClicks: frame.tracksClicks)
        } catch let error as MarkupError {
            throw Flaw(message: error.description)
        } catch {
            throw Flaw(message: "The text cannot be read as HTML.")
        }
    }

    private static func cleaned(_ draft: EmailDraft) throws -> String {
        let source: String = draft.format == .markdown ? try Markdown.toHTML(draft.body) : draft.body
        return try HTMLSanitizer(policy: .emailBody).clean(source).html
    }

    /// Adds what the law asks for and the author left out: the postal address and a way to unsubscribe.
    private static func withFooter(_ html: String, frame: EmailFrame, _ footers: EmailFooters) throws -> String {
        let links: [DiscoveredLink] = try LinkDiscovery.discover(html).links
        let hasLink: Bool = links.contains { $0.purpose == .unsubscribe }
        let address: String = frame.postalAddress
        let hasAddress: Bool = address.isEmpty || mentions(address, in: html)
        if hasLink, hasAddress { return html }
        let footer: String = try footers.html(
            EmailFooter(
                workspaceName: frame.workspaceName,
                address: hasAddress ? nil : address.split(whereSeparator: \.isNewline).map { String($0) },
                needsLink: !hasLink))
        return inserting(footer, into: html)
    }

    /// Whether the author wrote the address: its first line is enough.
    private static func mentions(_ address: String, in html: String) -> Bool {
        guard let first = address.split(whereSeparator: \.isNewline).first else { return true }
        return html.contains(String(first)) || html.contains(escaped(String(first)))
    }

    private static func inserting(_ footer: String, into html: String) -> String {
        guard let end = html.lastRange(of: "</body") else { return html + "\n" + footer }
        return html[..<end.lowerBound] + footer + "\n" + html[end.lowerBound...]
    }

    /// As a cleaned text has it.
    private static func escaped(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            default: output.append(character)
            }
        }
        return output
    }
}

extension String {
    fileprivate func lastRange(of text: String) -> Range<String.Index>? {
        ranges(of: text).last
    }
}
