/// A selector of types, classes, ids and attributes, joined by descendant and child combinators.
///
/// Pseudo-classes and sibling combinators are not read: nil, so the caller leaves their rules where they are.
package struct CSSSelector: Sendable, Equatable {
    /// How often ids, classes and attributes, and types occur; compared in this order (CSS Selectors §17).
    package struct Specificity: Sendable, Comparable {
        var ids = 0
        var classes = 0
        var types = 0

        package static func < (left: Self, right: Self) -> Bool {
            (left.ids, left.classes, left.types) < (right.ids, right.classes, right.types)
        }
    }

    struct AttributeTest: Sendable, Equatable {
        let name: String
        /// `=`, `^=`, `$=`, `*=`, `~=`, or empty: the attribute is there.
        let comparison: String
        let value: String
    }

    struct Compound: Sendable, Equatable {
        var type: String?
        var ids: [String] = []
        var classes: [String] = []
        var attributes: [AttributeTest] = []
        /// The compound to the left must be the parent, not any ancestor.
        var isChild = false
    }

    let compounds: [Compound]

    package init?(_ text: String) {
        var parser = SelectorParser(text)
        guard let compounds = parser.parse() else { return nil }
        self.compounds = compounds
    }

    /// The selectors of a comma list that can be read.
    package static func list(_ text: String) -> [CSSSelector] {
        CSSScanner.split(text, at: ",").compactMap { CSSSelector($0) }
    }

    package var specificity: Specificity {
        var sum = Specificity()
        for compound in compounds {
            sum.ids += compound.ids.count
            sum.classes += compound.classes.count + compound.attributes.count
            if compound.type != nil { sum.types += 1 }
        }
        return sum
    }

    /// Whether the selector fits an element that stands inside `ancestors`, the outermost first.
    package func matches(_ element: HTMLElement, ancestors: [HTMLElement]) -> Bool {
        guard let last = compounds.last, fits(last, element) else { return false }
        return matches(upTo: compounds.count - 1, ancestors: ancestors[...])
    }

    private func matches(upTo index: Int, ancestors: ArraySlice<HTMLElement>) -> Bool {
        guard index > 0 else { return true }
        let compound = compounds[index - 1]
        var rest = ancestors
        while let ancestor = rest.popLast() {
            if fits(compound, ancestor), matches(upTo: index - 1, ancestors: rest) { return true }
            if compounds[index].isChild { return false }
        }
        return false
    }

    private func fits(_ compound: Compound, _ element: HTMLElement) -> Bool {
        if let type = compound.type, type != element.name { return false }
        if let id = compound.ids.first, element["id"] != id { return false }
        if !compound.classes.isEmpty {
            let classes = element.classes
            guard compound.classes.allSatisfy({ name in classes.contains { $0 == name } }) else { return false }
        }
        return compound.attributes.allSatisfy { fits($0, element[$0.name]) }
    }

    private func fits(_ test: AttributeTest, _ value: String?) -> Bool {
        guard let value else { return false }
        switch test.comparison {
        case "=": return value == test.value
        case "^=": return !test.value.isEmpty && value.hasPrefix(test.value)
        case "$=": return !test.value.isEmpty && value.hasSuffix(test.value)
        case "*=": return !test.value.isEmpty && value.contains(test.value)
        case "~=": return value.split(whereSeparator: \.isWhitespace).contains { $0 == test.value }
        default: return true
        }
    }
}

/// Reads one selector.
private struct SelectorParser {
    private var rest: Substring

    init(_ text: String) {
        rest = text.trimmed[...]
    }

    mutating func parse() -> [CSSSelector.Compound]? {
        var compounds: [CSSSelector.Compound] = []
        var isChild = false
        while !rest.isEmpty {
            guard var compound = compound() else { return nil }
            compound.isChild = isChild
            compounds.append(compound)
            let before = rest.count
            rest = rest.drop(while: \.isWhitespace)
            isChild = rest.first == ">"
            if isChild {
                rest = rest.dropFirst().drop(while: \.isWhitespace)
                if rest.isEmpty { return nil }
            } else if !rest.isEmpty, before == rest.count {
                return nil
            }
        }
        return compounds.isEmpty ? nil : compounds
    }

    private mutating func compound() -> CSSSelector.Compound? {
        var compound = CSSSelector.Compound()
        let start = rest.startIndex
        while let first = rest.first, !first.isWhitespace, first != ">" {
            switch first {
            case "*": rest = rest.dropFirst()
            case ".":
                guard let name = name(after: 1) else { return nil }
                compound.classes.append(name)
            case "#":
                guard let name = name(after: 1) else { return nil }
                compound.ids.append(name)
            case "[":
                guard let test = attributeTest() else { return nil }
                compound.attributes.append(test)
            default:
                guard compound.type == nil, rest.startIndex == start, let name = name(after: 0) else { return nil }
                compound.type = name.lowercased()
            }
        }
        return rest.startIndex == start ? nil : compound
    }

    private mutating func name(after count: Int) -> String? {
        let text = rest.dropFirst(count)
        let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        guard !name.isEmpty else { return nil }
        rest = text[name.endIndex...]
        return String(name)
    }

    private mutating func attributeTest() -> CSSSelector.AttributeTest? {
        guard let end = closingBracket() else { return nil }
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        let name = inside.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == ":" }
        guard !name.isEmpty else { return nil }
        let comparison = inside[name.endIndex...].prefix { "^$*~=".contains($0) }
        guard ["", "=", "^=", "$=", "*=", "~="].contains(comparison) else { return nil }
        var value = inside[comparison.endIndex...].trimmed
        if let quote = value.first, quote == "\"" || quote == "'" {
            guard value.count > 1, value.last == quote else { return nil }
            value = String(value.dropFirst().dropLast())
        }
        if comparison.isEmpty, !value.isEmpty { return nil }
        return CSSSelector.AttributeTest(name: name.lowercased(), comparison: String(comparison), value: value)
    }

    private func closingBracket() -> Substring.Index? {
        var quote: Character?
        for index in rest.indices {
            let character = rest[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "]" {
                return index
            }
        }
        return nil
    }
}
