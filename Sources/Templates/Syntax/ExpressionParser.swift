/// Reads expressions from tokens, strictly. Tags with a grammar of their own drive it token by token.
package struct ExpressionParser {
    package let source: TemplateSource
    private let tokens: [ExpressionToken]
    private var place = 0
    private var depth = 0

    /// Brackets and parentheses inside each other, at most.
    private static let deepest = 60

    package init(_ source: TemplateSource, in range: Range<Int>) throws(TemplateError) {
        self.source = source
        self.tokens = try ExpressionLexer.tokens(of: source, in: range)
    }

    /// The token that comes next; `.end` for ever after the last one.
    package var current: ExpressionToken { tokens[place] }

    /// The token after the next one.
    package var following: ExpressionToken { tokens[min(place + 1, tokens.count - 1)] }

    /// Where the token that was taken last ends.
    package var previousEnd: Int { place > 0 ? tokens[place - 1].range.upperBound : current.range.lowerBound }

    package var isAtEnd: Bool { current.kind == .end }

    package func error(_ message: String) -> TemplateError {
        TemplateError(message, at: current.range.lowerBound, in: source)
    }

    package mutating func advance() {
        if place + 1 < tokens.count { place += 1 }
    }

    /// Takes the token when it is the next one.
    package mutating func take(_ kind: ExpressionToken.Kind) -> Bool {
        guard current.kind == kind else { return false }
        advance()
        return true
    }

    /// Takes a bare word when it is the next token.
    package mutating func take(word: String) -> Bool {
        take(.identifier(word))
    }

    package mutating func expect(_ kind: ExpressionToken.Kind, _ name: String) throws(TemplateError) {
        guard take(kind) else { throw error("expected \(name)\(found)") }
    }

    package mutating func identifier(_ name: String = "a name") throws(TemplateError) -> String {
        guard case .identifier(let text) = current.kind else { throw error("expected \(name)\(found)") }
        advance()
        return text
    }

    package mutating func expectEnd() throws(TemplateError) {
        guard isAtEnd else { throw error("expected the end of this tag\(found)") }
    }

    /// `, but found …` for messages; nothing at the end.
    package var found: String {
        isAtEnd ? "" : ", but found \(source.text(current.range))"
    }

    /// A literal, a range or a variable path.
    package mutating func expression() throws(TemplateError) -> Expression {
        guard depth < Self.deepest else { throw error("this expression is nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        let token: ExpressionToken = current
        switch token.kind {
        case .integer(let value):
            advance()
            return .integer(value)
        case .double(let value):
            advance()
            return .double(value)
        case .string(let value):
            advance()
            return .string(value)
        case .openParenthesis: return try range()
        case .identifier(let name):
            advance()
            return try path(root: .name(name), from: token.range.lowerBound)
        case .openBracket:
            advance()
            let key: Expression = try expression()
            try expect(.closeBracket, "]")
            return try path(root: .computed(key), from: token.range.lowerBound)
        case .end: throw error("something is missing here")
        default: throw error("expected a value\(found)")
        }
    }

    private mutating func range() throws(TemplateError) -> Expression {
        advance()
        let first: Expression = try expression()
        try expect(.dotDot, "..")
        let last: Expression = try expression()
        try expect(.closeParenthesis, ")")
        return .range(first, last)
    }

    private mutating func path(root: VariablePath.Root, from start: Int) throws(TemplateError) -> Expression {
        var segments: [VariablePath.Segment] = []
        var end: Int = tokens[place - 1].range.upperBound
        while true {
            if take(.dot) {
                segments.append(.name(try identifier("a name after the dot")))
            } else if take(.openBracket) {
                segments.append(.index(try expression()))
                try expect(.closeBracket, "]")
            } else {
                break
            }
            end = tokens[place - 1].range.upperBound
        }
        if segments.isEmpty, case .name(let name) = root, let literal = Self.literal(named: name) { return literal }
        return .variable(VariablePath(root: root, segments: segments, range: start..<end))
    }

    /// The words that are values.
    package static func literal(named word: String) -> Expression? {
        switch word {
        case "nil", "null": .null
        case "true": .bool(true)
        case "false": .bool(false)
        case "empty": .empty
        case "blank": .blank
        default: nil
        }
    }

    /// An expression and its filters.
    package mutating func filteredExpression() throws(TemplateError) -> FilteredExpression {
        let value: Expression = try expression()
        var filters: [FilterCall] = []
        while take(.pipe) { filters.append(try filter()) }
        return FilteredExpression(expression: value, filters: filters)
    }

    private mutating func filter() throws(TemplateError) -> FilterCall {
        let range: Range<Int> = current.range
        let name: String = try identifier("a filter's name")
        var arguments: [Expression] = []
        var named: [FilterCall.NamedArgument] = []
        guard take(.colon) else { return FilterCall(name: name, arguments: [], named: [], range: range) }
        repeat {
            if current.kind == .pipe || isAtEnd { break }
            if case .identifier(let key) = current.kind, following.kind == .colon {
                advance()
                advance()
                named.append(FilterCall.NamedArgument(name: key, value: try expression()))
            } else {
                arguments.append(try expression())
            }
        } while take(.comma)
        return FilterCall(name: name, arguments: arguments, named: named, range: range)
    }
}
