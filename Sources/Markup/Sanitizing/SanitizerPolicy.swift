/// What may stay in a customer's HTML. Everything not named here goes.
package struct SanitizerPolicy: Sendable {
    let elements: Set<String>
    let globalAttributes: Set<String>
    let attributes: [String: Set<String>]
    /// `<html>`, `<head>` and `<body>` stay.
    let keepsDocument: Bool
    /// `<style>` and `style=""` stay, through ``CSSPolicy``.
    let keepsStyles: Bool
    /// Links to another window get `rel="noopener noreferrer"`.
    let guardsOpener: Bool

    private static let inline: Set<String> = [
        "a", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big", "span", "br",
        "code",
        "abbr", "cite", "q", "img",
    ]

    private static let blocks: Set<String> = [
        "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr", "div",
    ]

    private static let mail: Set<String> = [
        "html", "head", "title", "meta", "style", "body", "table", "thead", "tbody", "tfoot", "tr", "td", "th",
        "caption",
        "colgroup", "col", "center", "font", "dl", "dt", "dd", "address", "section", "article", "header", "footer",
        "main",
        "nav", "figure", "figcaption", "wbr",
    ]

    private static let layoutAttributes: [String: Set<String>] = [
        "html": ["lang", "dir"],
        "body": ["bgcolor", "text", "link", "vlink", "alink"],
        "a": ["href", "target", "rel", "name"],
        "img": ["src", "alt", "width", "height", "border", "hspace", "vspace", "align"],
        "table": [
            "width", "height", "cellpadding", "cellspacing", "border", "bgcolor", "align", "valign", "summary",
            "background",
        ],
        "td": [
            "colspan", "rowspan", "width", "height", "align", "valign", "bgcolor", "background", "nowrap", "scope",
            "abbr",
        ],
        "th": [
            "colspan", "rowspan", "width", "height", "align", "valign", "bgcolor", "background", "nowrap", "scope",
            "abbr",
        ],
        "tr": ["align", "valign", "bgcolor", "height"], "thead": ["align", "valign"], "tbody": ["align", "valign"],
        "tfoot": ["align", "valign"], "col": ["span", "width", "align", "valign"], "colgroup": ["span", "width"],
        "font": ["color", "face", "size"], "ol": ["start", "type", "reversed"], "ul": ["type"],
        "li": ["value", "type"],
        "hr": ["width", "size", "color", "noshade", "align"], "p": ["align"], "div": ["align"], "caption": ["align"],
        "h1": ["align"], "h2": ["align"], "h3": ["align"], "h4": ["align"], "h5": ["align"], "h6": ["align"],
        "style": ["type", "media"],
    ]

    /// An e-mail's whole HTML, or a part of one.
    package static let emailBody = SanitizerPolicy(
        elements: inline.union(blocks).union(mail),
        globalAttributes: [
            "class", "id", "style", "lang", "dir", "title", "role", "aria-label", "aria-hidden", "data-track",
        ],
        attributes: layoutAttributes, keepsDocument: true, keepsStyles: true, guardsOpener: false)

    /// A page that visitors see on the content domain.
    package static let landingPage = SanitizerPolicy(
        elements: inline.union(blocks).union(mail),
        globalAttributes: [
            "class", "id", "style", "lang", "dir", "title", "role", "aria-label", "aria-hidden", "data-track",
        ],
        attributes: layoutAttributes, keepsDocument: true, keepsStyles: true, guardsOpener: true)

    /// Text with emphasis, lists, links and pictures, and no looks of its own.
    package static let richText = SanitizerPolicy(
        elements: inline.union(blocks), globalAttributes: ["lang", "dir", "title"],
        attributes: [
            "a": ["href", "rel", "target"], "img": ["src", "alt", "width", "height"], "ol": ["start"], "li": ["value"],
        ],
        keepsDocument: false, keepsStyles: false, guardsOpener: true)

    /// These go with everything in them: their content is no text that a reader should see.
    static let droppedWithContent: Set<String> = [
        "script", "style", "iframe", "object", "embed", "applet", "frame", "frameset", "form", "input", "button",
        "select",
        "option", "optgroup", "textarea", "datalist", "keygen", "svg", "math", "noscript", "template", "xmp", "noembed",
        "noframes", "plaintext", "title", "base", "meta", "link", "audio", "video", "source", "track", "canvas", "map",
        "area",
        "marquee", "portal", "slot", "dialog", "param", "bgsound", "xml",
    ]

    /// `<meta name>` that mail programs read and that can do nothing else.
    static let metaNames: Set<String> = [
        "viewport", "color-scheme", "supported-color-schemes", "format-detection",
        "x-apple-disable-message-reformatting",
    ]
}
