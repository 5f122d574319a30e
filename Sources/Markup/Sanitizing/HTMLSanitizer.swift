/// HTML that went through ``HTMLSanitizer``. Only the sanitizer makes one.
package struct SanitizedHTML: Sendable, Equatable {
    package let html: String

    fileprivate init(_ html: String) {
        self.html = html
    }
}

/// Makes a customer's HTML harmless by writing it anew from what the policy names.
///
/// Liquid stays where it was, with these exceptions: between attributes only branches (`if`, `case`, `unless` and their
/// ends) stay; `raw` and `endraw` go (their content would be shown unescaped); a Liquid tag in an attribute gets
/// single-quoted literals. Cleaning cleaned HTML changes nothing.
package struct HTMLSanitizer: Sendable {
    private let policy: SanitizerPolicy
    private let limits: MarkupLimits

    package init(policy: SanitizerPolicy, limits: MarkupLimits = .standard) {
        self.policy = policy
        self.limits = limits
    }

    /// Cleans until another pass changes nothing, so that no parser finds more in the result than we did.
    package func clean(_ html: String) throws(MarkupError) -> SanitizedHTML {
        var current = html
        for _ in 0..<8 {
            let next = try pass(current)
            if next == current { return SanitizedHTML(next) }
            current = next
        }
        throw .unstable
    }

    private func pass(_ html: String) throws(MarkupError) -> String {
        var document = try HTMLDocument.parse(html, limits: limits, liquid: true)
        var cleaner = TreeCleaner(policy: policy, liquid: document.liquid)
        if policy.keepsDocument {
            document.roots = cleaner.clean(document.roots, in: .top)
        } else {
            document.roots = cleaner.clean(document.roots.withoutDocument, in: .body)
            document.doctype = nil
            document.prologue = ""
        }
        return document.html
    }
}

extension [HTMLNode] {
    /// What stands in the body, without the elements that make a document.
    var withoutDocument: [HTMLNode] {
        flatMap { node -> [HTMLNode] in
            guard case .element(let element) = node else { return [node] }
            switch element.name {
            case "html", "body": return element.children.withoutDocument
            case "head": return []
            default: return [node]
            }
        }
    }
}

/// One pass over a tree.
private struct TreeCleaner {
    enum Region {
        case top
        case head
        case body
    }

    private let policy: SanitizerPolicy
    private let liquid: LiquidMarks
    private let attributes: AttributeCleaner

    init(policy: SanitizerPolicy, liquid: LiquidMarks) {
        self.policy = policy
        self.liquid = liquid
        attributes = AttributeCleaner(policy: policy, liquid: liquid)
    }

    private var ids: Set<String> = []

    mutating func clean(_ nodes: [HTMLNode], in region: Region) -> [HTMLNode] {
        var result: [HTMLNode] = []
        for node in nodes {
            switch node {
            case .text(let text): result.append(contentsOf: clean(text: text, in: region))
            case .comment(let comment): result.append(contentsOf: clean(comment: comment))
            case .element(let element): result.append(contentsOf: clean(element, in: region))
            }
        }
        return result.joiningTexts
    }

    /// Text in the head would move into the body; only Liquid and white space may stand there.
    private func clean(text: String, in region: Region) -> [HTMLNode] {
        guard region == .head else { return [.text(text)] }
        let kept = liquid.pieces(of: text).compactMap { piece -> String? in
            switch piece {
            case .text(let text): text.allSatisfy(\.isWhitespace) ? text : nil
            case .tag(let tag, let index): tag.isControl ? LiquidMarks.mark(index) : nil
            }
        }
        return kept.isEmpty ? [] : [.text(kept.joined())]
    }

    /// Comments go, but not the Liquid that authors hide in them around table rows.
    private func clean(comment: String) -> [HTMLNode] {
        if OutlookComment.isOurs(comment) { return [.comment(comment)] }
        let marks = liquid.pieces(of: comment).compactMap { piece -> String? in
            guard case .tag(let tag, let index) = piece, tag.isControl else { return nil }
            return LiquidMarks.mark(index)
        }
        return marks.isEmpty ? [] : [.text(marks.joined())]
    }

    private mutating func clean(_ element: HTMLElement, in region: Region) -> [HTMLNode] {
        switch element.name {
        case "html" where policy.keepsDocument && region == .top:
            return [.element(rebuilt(element, children: clean(element.children, in: .top)))]
        case "head" where policy.keepsDocument && region == .top:
            return [.element(rebuilt(element, children: clean(element.children, in: .head)))]
        case "body" where policy.keepsDocument && region == .top:
            return [.element(rebuilt(element, children: clean(element.children, in: .body)))]
        case "html", "head", "body":
            return clean(element.children, in: region)
        case "style" where policy.keepsStyles:
            return clean(style: element)
        case "meta" where region == .head && policy.keepsDocument:
            return clean(meta: element)
        case "title" where region == .head && policy.keepsDocument:
            return [.element(HTMLElement("title", children: element.text.isEmpty ? [] : [.text(element.text)]))]
        default:
            return cleanContent(element, in: region)
        }
    }

    private mutating func cleanContent(_ element: HTMLElement, in region: Region) -> [HTMLNode] {
        if region == .head || SanitizerPolicy.droppedWithContent.contains(element.name) { return [] }
        let children = clean(element.children, in: region == .top ? .body : region)
        guard policy.elements.contains(element.name) else { return children }
        return [.element(rebuilt(element, children: children))]
    }

    private mutating func rebuilt(_ element: HTMLElement, children: [HTMLNode]) -> HTMLElement {
        var kept = attributes.clean(element)
        // The first of equal ids wins, as in a browser.
        kept.removeAll { $0.name == "id" && !ids.insert($0.value).inserted }
        return HTMLElement(element.name, attributes: kept, children: children)
    }

    private func clean(style element: HTMLElement) -> [HTMLNode] {
        let sheet = CSSStylesheet.parse(HTMLSerializer.styleText(of: element))
        let text = CSSPolicy(liquid: liquid).cleaned(sheet).text
        guard !text.isEmpty else { return [] }
        return [.element(HTMLElement("style", attributes: attributes.clean(element), children: [.text(text)]))]
    }

    private func clean(meta element: HTMLElement) -> [HTMLNode] {
        if element["charset"] != nil || element["http-equiv"]?.lowercased() == "content-type" {
            return [.element(HTMLElement("meta", attributes: [HTMLAttribute("charset", "utf-8")]))]
        }
        guard let name = element["name"]?.lowercased(), SanitizerPolicy.metaNames.contains(name) else { return [] }
        let kept = [HTMLAttribute("name", name), HTMLAttribute("content", element["content"] ?? "")]
        return [.element(HTMLElement("meta", attributes: kept))]
    }
}

extension [HTMLNode] {
    /// Neighbouring texts as one, as a parser would read them.
    fileprivate var joiningTexts: [HTMLNode] {
        var result: [HTMLNode] = []
        for node in self {
            if case .text(let text) = node, case .text(let before) = result.last {
                result[result.count - 1] = .text(before + text)
            } else {
                result.append(node)
            }
        }
        return result
    }
}
