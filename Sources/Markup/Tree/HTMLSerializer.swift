/// Writes a tree as HTML that every parser reads the same way: all tags closed, all values quoted, all text escaped.
///
/// Scripts are never written, comments only when they are one of ours (``OutlookComment``).
struct HTMLSerializer {
    private let liquid: LiquidMarks
    private var output = ""

    init(liquid: LiquidMarks) {
        self.liquid = liquid
    }

    static let voidElements: Set<String> = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    ]

    /// Elements whose content is no markup, so nothing in it could be escaped.
    private static let rawElements: Set<String> = [
        "script", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript", "textarea", "template",
    ]

    mutating func serialize(_ document: HTMLDocument) -> String {
        output = liquid.restore(document.prologue)
        if document.doctype != nil { output += "<!DOCTYPE html>\n" }
        write(document.roots)
        return output
    }

    private mutating func write(_ nodes: [HTMLNode]) {
        for node in nodes {
            switch node {
            case .text(let text): writeText(text)
            case .comment(let comment): writeComment(comment)
            case .element(let element): write(element)
            }
        }
    }

    private mutating func write(_ element: HTMLElement) {
        guard !Self.rawElements.contains(element.name) else { return }
        output += "<" + element.name
        for attribute in element.attributes { write(attribute) }
        output += ">"
        guard !Self.voidElements.contains(element.name) else { return }
        if element.name == "style" {
            output += liquid.restore(Self.styleText(of: element))
        } else {
            if element.name == "pre", startsWithNewline(element) { output += "\n" }
            write(element.children)
        }
        output += "</" + element.name + ">"
    }

    /// HTML parsers swallow a newline right after `<pre>`.
    private func startsWithNewline(_ element: HTMLElement) -> Bool {
        guard case .text(let text) = element.children.first else { return false }
        return text.hasPrefix("\n")
    }

    /// A style element's own text. `<` cannot be escaped there, and no rule that we keep needs it.
    static func styleText(of element: HTMLElement) -> String {
        var text = ""
        for case .text(let value) in element.children { text += value }
        return text.replacing("<", with: "")
    }

    private mutating func writeComment(_ comment: String) {
        guard OutlookComment.isOurs(comment) else { return }
        output += "<!--" + comment + "-->"
    }

    private mutating func write(_ attribute: HTMLAttribute) {
        if attribute.name.unicodeScalars.first == LiquidMarks.opening {
            for case .tag(let tag, _) in liquid.pieces(of: attribute.name) where tag.isBranch {
                output += " " + tag.source
            }
            return
        }
        var value = ""
        for piece in liquid.pieces(of: attribute.value) {
            switch piece {
            case .text(let text): value += Self.escaped(text, inAttribute: true)
            case .tag(let tag, _):
                guard let source = tag.attributeSource else { return }
                value += source
            }
        }
        output += " " + attribute.name + "=\"" + value + "\""
    }

    private mutating func writeText(_ text: String) {
        for piece in liquid.pieces(of: text) {
            switch piece {
            case .text(let text): output += Self.escaped(text, inAttribute: false)
            case .tag(let tag, _): output += tag.source
            }
        }
    }

    static func escaped(_ text: String, inAttribute: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"" where inAttribute: result += "&quot;"
            case "'" where inAttribute: result += "&#39;"
            case "\u{A0}": result += "&nbsp;"
            case "\u{AD}": result += "&shy;"
            case "\u{200C}": result += "&zwnj;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
