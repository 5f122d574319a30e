/// One `property: value` of a rule or a style attribute.
package struct CSSDeclaration: Sendable, Equatable {
    /// Lower case.
    package let property: String
    package let value: String
    package let isImportant: Bool
    /// Liquid branches that stood before the property: `{% if a %}color: red{% endif %}`.
    let prefix: String

    init(_ property: String, _ value: String, isImportant: Bool = false, prefix: String = "") {
        self.property = property
        self.value = value
        self.isImportant = isImportant
        self.prefix = prefix
    }

    var text: String {
        "\(prefix)\(property):\(value)" + (isImportant ? " !important" : "")
    }

    /// The declarations of a style attribute or a rule's block; what cannot be read is left out.
    package static func list(_ text: String) -> [CSSDeclaration] {
        CSSScanner.split(CSSScanner.withoutComments(text), at: ";").compactMap(one)
    }

    private static func one(_ text: String) -> CSSDeclaration? {
        let (prefix, rest) = CSSScanner.leadingMarks(of: text.trimmed)
        guard let colon = rest.firstIndex(of: ":") else {
            // Branches that close after the last semicolon have no property of their own.
            return rest.trimmed.isEmpty && !prefix.isEmpty ? CSSDeclaration("", "", prefix: prefix) : nil
        }
        let property = rest[..<colon].trimmed.lowercased()
        var value = rest[rest.index(after: colon)...].trimmed
        var isImportant = false
        if let mark = value.lastIndex(of: "!"), value[value.index(after: mark)...].trimmed.lowercased() == "important" {
            value = value[..<mark].trimmed
            isImportant = true
        }
        guard !property.isEmpty, !value.isEmpty else { return nil }
        return CSSDeclaration(property, value, isImportant: isImportant, prefix: prefix)
    }
}

extension [CSSDeclaration] {
    /// As the value of a style attribute.
    package var styleText: String {
        map { $0.property.isEmpty ? $0.prefix : $0.text }.joined(separator: ";")
    }
}

/// Selectors with their declarations.
package struct CSSRule: Sendable, Equatable {
    package var selectors: [String]
    package var declarations: [CSSDeclaration]
}

/// A piece of a style sheet. At-rules other than `@media` are not read.
package enum CSSItem: Sendable, Equatable {
    case rule(CSSRule)
    case media(query: String, rules: [CSSItem])
    /// Liquid between rules.
    case liquid(String)

    var text: String {
        switch self {
        case .rule(let rule): rule.selectors.joined(separator: ", ") + " { " + rule.declarations.styleText + " }"
        case .media(let query, let rules): "@media \(query) {\n" + rules.map(\.text).joined(separator: "\n") + "\n}"
        case .liquid(let marks): marks
        }
    }
}

/// The content of a `<style>` element.
package struct CSSStylesheet: Sendable, Equatable {
    package var items: [CSSItem]

    package static func parse(_ text: String) -> CSSStylesheet {
        let source = CSSScanner.withoutComments(text).replacing("<!--", with: "").replacing("-->", with: "")
        return CSSStylesheet(items: CSSScanner.items(source, isNested: false))
    }

    package var text: String {
        items.map(\.text).joined(separator: "\n")
    }
}
