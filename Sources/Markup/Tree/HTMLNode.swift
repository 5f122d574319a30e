/// A piece of an HTML tree. Texts and values are decoded: they hold `&`, not `&amp;`.
package enum HTMLNode: Sendable, Equatable {
    case element(HTMLElement)
    case text(String)
    case comment(String)

    package var element: HTMLElement? {
        guard case .element(let element) = self else { return nil }
        return element
    }
}

/// An attribute with its decoded value. A name that is a Liquid mark stands for a Liquid tag between attributes.
package struct HTMLAttribute: Sendable, Equatable {
    package let name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// An element: its lower-case name, its attributes in source order and what it contains.
package struct HTMLElement: Sendable, Equatable {
    package let name: String
    package var attributes: [HTMLAttribute]
    package var children: [HTMLNode]

    package init(_ name: String, attributes: [HTMLAttribute] = [], children: [HTMLNode] = []) {
        self.name = name
        self.attributes = attributes
        self.children = children
    }

    /// The value of an attribute; nil when it is not there. Setting nil removes it.
    package subscript(name: String) -> String? {
        get { attributes.first { $0.name == name }?.value }
        set {
            guard let newValue else {
                attributes.removeAll { $0.name == name }
                return
            }
            if let index = attributes.firstIndex(where: { $0.name == name }) {
                attributes[index].value = newValue
            } else {
                attributes.append(HTMLAttribute(name, newValue))
            }
        }
    }

    package var classes: [Substring] {
        (self["class"] ?? "").split(whereSeparator: \.isWhitespace)
    }

    /// All text inside, as written, without the contents of scripts and styles.
    package var text: String {
        var text = ""
        appendText(to: &text)
        return text
    }

    /// All text inside with runs of white space as one space, as a reader sees it.
    package var readableText: String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func appendText(to text: inout String) {
        guard name != "script", name != "style" else { return }
        for child in children {
            switch child {
            case .text(let value): text += value
            case .element(let element): element.appendText(to: &text)
            case .comment: break
            }
        }
    }
}

extension [HTMLNode] {
    /// Visits every element in document order with the elements around it, the outermost first.
    package func walk(_ visit: (_ element: HTMLElement, _ ancestors: [HTMLElement]) -> Void) {
        var ancestors: [HTMLElement] = []
        walk(&ancestors, visit)
    }

    private func walk(_ ancestors: inout [HTMLElement], _ visit: (HTMLElement, [HTMLElement]) -> Void) {
        for case .element(let element) in self {
            visit(element, ancestors)
            ancestors.append(element)
            element.children.walk(&ancestors, visit)
            ancestors.removeLast()
        }
    }

    /// Changes every element in document order, outermost first; the closure sees the elements around it unchanged.
    package mutating func transform(_ change: (_ element: inout HTMLElement, _ ancestors: [HTMLElement]) -> Void) {
        var ancestors: [HTMLElement] = []
        transform(&ancestors, change)
    }

    private mutating func transform(
        _ ancestors: inout [HTMLElement], _ change: (inout HTMLElement, [HTMLElement]) -> Void
    ) {
        for index in indices {
            guard case .element(var element) = self[index] else { continue }
            ancestors.append(element)
            var above = ancestors
            above.removeLast()
            change(&element, above)
            element.children.transform(&ancestors, change)
            ancestors.removeLast()
            self[index] = .element(element)
        }
    }
}
