/// Which styles may stay: named properties, values of known functions, pictures over https.
///
/// Everything that could reach outside a mail's own box, load something else than a picture, or run code is not named
/// and so goes: `position`, `@import`, `expression()`, `behavior`, `-moz-binding`, escapes.
struct CSSPolicy: Sendable {
    private let liquid: LiquidMarks

    init(liquid: LiquidMarks) {
        self.liquid = liquid
    }

    func cleaned(_ sheet: CSSStylesheet) -> CSSStylesheet {
        CSSStylesheet(items: sheet.items.compactMap(cleaned))
    }

    func cleaned(_ declarations: [CSSDeclaration]) -> [CSSDeclaration] {
        declarations.compactMap { declaration in
            let prefix = branches(of: declaration.prefix)
            if declaration.property.isEmpty { return prefix.isEmpty ? nil : CSSDeclaration("", "", prefix: prefix) }
            guard Self.allows(declaration.property), allows(declaration.value, of: declaration.property) else {
                return nil
            }
            return CSSDeclaration(
                declaration.property, declaration.value, isImportant: declaration.isImportant, prefix: prefix)
        }
    }

    private func cleaned(_ item: CSSItem) -> CSSItem? {
        switch item {
        case .liquid(let marks):
            let kept = branches(of: marks)
            return kept.isEmpty ? nil : .liquid(kept)
        case .media(let query, let rules):
            let kept = rules.compactMap(cleaned)
            return Self.isMediaQuery(query) && !kept.isEmpty ? .media(query: query, rules: kept) : nil
        case .rule(let rule):
            let selectors = rule.selectors.filter(Self.isSelector)
            let declarations = cleaned(rule.declarations)
            return selectors.isEmpty || declarations.isEmpty
                ? nil : .rule(CSSRule(selectors: selectors, declarations: declarations))
        }
    }

    private func branches(of marks: String) -> String {
        let kept = liquid.pieces(of: marks).compactMap { piece -> String? in
            guard case .tag(let tag, let index) = piece, tag.isControl else { return nil }
            return LiquidMarks.mark(index)
        }
        return kept.joined()
    }

    static func isMediaQuery(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { isWord($0) || " ():,./\n\t".unicodeScalars.contains($0) }
    }

    private static func isSelector(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { isWord($0) || " .#:>+~*=^$|[]\"'()\n\t".unicodeScalars.contains($0) }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
        default: false
        }
    }

    static func allows(_ property: String) -> Bool {
        if properties.contains(property) { return true }
        guard property.hasPrefix("mso-") || property.hasPrefix("border-") || property.hasPrefix("text-decoration-")
        else { return false }
        return property.unicodeScalars.allSatisfy(isWord)
    }

    private func allows(_ value: String, of property: String) -> Bool {
        guard value.utf8.count <= 1000, Self.hasBalancedQuotes(value) else { return false }
        let forbidden = value.unicodeScalars.contains { scalar in
            "<>{}\\;@`\u{200D}".unicodeScalars.contains(scalar) || scalar.properties.isGraphemeExtend
                || scalar.value < 32 && scalar != "\n" && scalar != "\t" && scalar != "\r"
        }
        guard !forbidden else { return false }
        let printing = liquid.pieces(of: value).contains { piece in
            guard case .tag(let tag, _) = piece else { return false }
            return !tag.isOutput && !tag.isControl
        }
        return !printing && hasKnownFunctions(value.lowercased(), property: property)
    }

    /// Each `name(` must be known, and `url(` must hold an https address.
    private func hasKnownFunctions(_ value: String, property: String) -> Bool {
        var rest = value[...]
        while let bracket = rest.firstIndex(of: "(") {
            let name = String(rest[..<bracket].reversed().prefix { $0.isLetter || $0 == "-" || $0.isNumber }.reversed())
            guard name.isEmpty || Self.functions.contains(name) else { return false }
            let inside = rest[rest.index(after: bracket)...]
            if name == "url" {
                let address = inside.drop { $0 == "\"" || $0 == "'" || $0.isWhitespace }
                guard Self.pictured.contains(property), address.hasPrefix("https://") else { return false }
            }
            rest = inside
        }
        return !value.contains("javascript:") && !value.contains("expression")
    }

    private static func hasBalancedQuotes(_ text: String) -> Bool {
        var quote: Character?
        for character in text where character == "\"" || character == "'" {
            if quote == nil { quote = character } else if quote == character { quote = nil }
        }
        return quote == nil
    }

    private static let pictured: Set<String> = ["background", "background-image", "list-style", "list-style-image"]

    private static let functions: Set<String> = [
        "rgb", "rgba", "hsl", "hsla", "url", "linear-gradient", "radial-gradient", "calc", "min", "max", "clamp",
    ]

    private static let properties: Set<String> = [
        "align-items", "align-self", "background", "background-color", "background-image", "background-position",
        "background-repeat", "background-size", "border", "box-shadow", "box-sizing", "caption-side", "clear", "color",
        "color-scheme", "column-gap", "direction", "display", "empty-cells", "flex", "flex-basis", "flex-direction",
        "flex-grow", "flex-shrink", "flex-wrap", "float", "font", "font-family", "font-size", "font-style",
        "font-variant",
        "font-weight", "gap", "height", "justify-content", "letter-spacing", "line-height", "list-style",
        "list-style-image", "list-style-position", "list-style-type", "margin", "margin-bottom", "margin-left",
        "margin-right", "margin-top", "max-height", "max-width", "min-height", "min-width", "object-fit", "opacity",
        "order",
        "outline", "overflow", "overflow-wrap", "padding", "padding-bottom", "padding-left", "padding-right",
        "padding-top",
        "row-gap", "table-layout", "text-align", "text-decoration", "text-indent", "text-overflow", "text-shadow",
        "text-transform", "vertical-align", "visibility", "white-space", "width", "word-break", "word-spacing",
        "word-wrap",
        "-webkit-text-size-adjust", "-ms-text-size-adjust", "text-size-adjust", "-ms-interpolation-mode",
        "-webkit-font-smoothing", "-moz-osx-font-smoothing", "-webkit-text-fill-color",
    ]
}
