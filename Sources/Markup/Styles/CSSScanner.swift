/// The small part of CSS's grammar that style sheets for mail need: blocks, strings, brackets, comments.
enum CSSScanner {
    /// Without `/* … */`; a comment that never ends takes the rest with it.
    static func withoutComments(_ text: String) -> String {
        guard text.contains("/*") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "/*") {
            result += rest[..<start.lowerBound]
            result += " "
            guard let end = rest[start.upperBound...].firstRange(of: "*/") else { return result }
            rest = rest[end.upperBound...]
        }
        return result + rest
    }

    /// The text cut at a character that stands outside of quotes and brackets.
    static func split(_ text: String, at separator: Character) -> [String] {
        var parts: [String] = []
        var part = ""
        var quote: Character?
        var depth = 0
        for character in text {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "(" || character == "[" {
                depth += 1
            } else if character == ")" || character == "]" {
                depth = max(0, depth - 1)
            } else if character == separator, depth == 0 {
                parts.append(part)
                part = ""
                continue
            }
            part.append(character)
        }
        parts.append(part)
        return parts
    }

    /// The Liquid marks at the beginning of a text, and the rest.
    static func leadingMarks(of text: String) -> (marks: String, rest: String) {
        var rest = text.unicodeScalars[...]
        var marks = String.UnicodeScalarView()
        while rest.first == LiquidMarks.opening, let end = rest.firstIndex(of: LiquidMarks.closing) {
            marks.append(contentsOf: rest[...end])
            rest = rest[rest.index(after: end)...]
            while let first = rest.first, first.properties.isWhitespace { rest = rest.dropFirst() }
        }
        return (String(marks), String(rest))
    }

    /// The rules of a style sheet or of a media block.
    static func items(_ text: String, isNested: Bool) -> [CSSItem] {
        var items: [CSSItem] = []
        var rest = text[...]
        while true {
            let (marks, _) = leadingMarks(of: rest.trimmed)
            if !marks.isEmpty {
                items.append(.liquid(marks))
                rest = afterMarks(rest)
            }
            guard let stop = rest.firstIndex(where: { $0 == "{" || $0 == ";" || $0 == "}" }) else { return items }
            let prelude = rest[..<stop].trimmed
            let after = rest[rest.index(after: stop)...]
            guard rest[stop] == "{" else {
                rest = after
                continue
            }
            let (block, remaining) = takeBlock(after)
            rest = remaining
            if let item = item(prelude: prelude, block: String(block), isNested: isNested) { items.append(item) }
        }
    }

    private static func afterMarks(_ text: Substring) -> Substring {
        var rest = text.drop(while: \.isWhitespace)
        while rest.unicodeScalars.first == LiquidMarks.opening,
            let end = rest.unicodeScalars.firstIndex(of: LiquidMarks.closing)
        {
            rest = rest[rest.unicodeScalars.index(after: end)...].drop(while: \.isWhitespace)
        }
        return rest
    }

    private static func item(prelude: String, block: String, isNested: Bool) -> CSSItem? {
        if prelude.hasPrefix("@") {
            guard !isNested, prelude.lowercased().hasPrefix("@media") else { return nil }
            return .media(query: prelude.dropFirst(6).trimmed, rules: items(block, isNested: true))
        }
        let selectors = split(prelude, at: ",").map(\.trimmed).filter { !$0.isEmpty }
        let declarations = CSSDeclaration.list(block)
        guard !selectors.isEmpty, !declarations.isEmpty else { return nil }
        return .rule(CSSRule(selectors: selectors, declarations: declarations))
    }

    /// What stands before the brace that closes an opened block, and what comes after it.
    private static func takeBlock(_ text: Substring) -> (Substring, Substring) {
        var depth = 1
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open || character == "\n" { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "{" {
                depth += 1
            } else if character == "}" {
                depth -= 1
                if depth == 0 { return (text[..<index], text[text.index(after: index)...]) }
            }
        }
        return (text, text[text.endIndex...])
    }
}
