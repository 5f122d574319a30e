/// A parsed HTML text as a tree of Swift values. libxml2 reads it; nothing of libxml2 outlives the parse.
///
/// With `liquid: true` Liquid tags are set aside before parsing and put back by ``html``; until then a tag is a *mark*,
/// three or more characters that no HTML parser touches (see ``LiquidMarks``).
package struct HTMLDocument: Sendable {
    /// The document type's name (`html`), when there is one.
    package var doctype: String?
    /// White space and Liquid before the document type.
    package var prologue: String
    package var roots: [HTMLNode]
    /// The source had no `<html>`, `<head>` or `<body>`; ``roots`` are then what would stand in the body.
    package let isFragment: Bool
    package let liquid: LiquidMarks

    /// Reads HTML, repairing what is broken. Only the limits can be an error.
    package static func parse(
        _ html: String, limits: MarkupLimits = .standard, liquid: Bool = false
    ) throws(MarkupError) -> HTMLDocument {
        guard html.utf8.count <= limits.bytes else { throw .tooLarge(limit: limits.bytes) }
        var guardian = LiquidGuard(source: html, limits: limits, keepsLiquid: liquid)
        let source = try guardian.protect()
        let builder = HTMLTreeBuilder(limits: limits, nonce: guardian.nonce)
        try HTMLParser.parse(source.bytes, into: builder)
        let roots = source.isFragment ? builder.roots.bodyChildren : builder.roots
        return HTMLDocument(
            doctype: builder.doctype, prologue: source.prologue, roots: roots, isFragment: source.isFragment,
            liquid: guardian.marks)
    }

    /// The document as HTML, with Liquid back in its places.
    package var html: String {
        var serializer = HTMLSerializer(liquid: liquid)
        return serializer.serialize(self)
    }

    /// A text of this document with its Liquid marks turned back into Liquid.
    package func restored(_ text: String) -> String {
        liquid.restore(text)
    }

    package func walk(_ visit: (_ element: HTMLElement, _ ancestors: [HTMLElement]) -> Void) {
        roots.walk(visit)
    }

    /// All elements that a selector fits, in document order. A selector that cannot be read fits nothing.
    package func all(_ selector: String) -> [HTMLElement] {
        let selectors = CSSSelector.list(selector)
        var found: [HTMLElement] = []
        walk { element, ancestors in
            if selectors.contains(where: { $0.matches(element, ancestors: ancestors) }) { found.append(element) }
        }
        return found
    }

    /// The first element that a selector fits.
    package func first(_ selector: String) -> HTMLElement? {
        all(selector).first
    }
}

extension [HTMLNode] {
    /// What stands in the body of a parsed fragment, wherever the parser put it.
    fileprivate var bodyChildren: [HTMLNode] {
        var children: [HTMLNode] = []
        for node in self {
            if case .element(let element) = node,
                element.name == "html" || element.name == "body" || element.name == "head"
            {
                children += element.children.bodyChildren
            } else {
                children.append(node)
            }
        }
        return children
    }
}
