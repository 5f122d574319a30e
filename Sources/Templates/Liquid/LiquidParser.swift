/// Compiles a customer's template: tokens to nodes. The grammar of the single tags stands in `LiquidTagParsers.swift`.
struct LiquidParser {
    let source: TemplateSource
    let mode: LiquidMode
    let limits: LiquidLimits
    var input: LiquidInput
    var depth = 0
    var variables = LiquidVariables()
    var warnings: [TemplateError] = []
    var snippets: [LiquidTemplate.Snippet] = []

    init(_ source: TemplateSource, mode: LiquidMode, limits: LiquidLimits) {
        self.source = source
        self.mode = mode
        self.limits = limits
        self.input = .document(LiquidTokens(TemplateLexer.tokens(of: source)))
    }

    /// Where statements come from: the tokens of the document, or the lines of a `liquid` tag.
    enum LiquidInput {
        case document(LiquidTokens)
        case lines(LiquidTokens)
    }

    /// A tag's name and the place of what follows it.
    struct Tag {
        let name: String
        let markup: Range<Int>
        let range: Range<Int>
        let trimsAfter: Bool
    }

    /// What ended a block.
    struct Body {
        let nodes: [LiquidNode]
        let isBlank: Bool
        /// The tag that no node could be made of: `endif`, `else`; nil at the end of the input.
        let end: Tag?
    }

    func error(_ message: String, at offset: Int) -> TemplateError {
        TemplateError(message, at: offset, in: source)
    }

    mutating func document() throws(TemplateError) -> [LiquidNode] {
        guard source.bytes.count <= limits.sourceBytes else {
            throw error("this template is larger than \(limits.sourceBytes) bytes", at: 0)
        }
        let body: Body = try parseBody()
        if let end = body.end { throw unexpected(end) }
        return body.nodes
    }

    func unexpected(_ tag: Tag) -> TemplateError {
        switch tag.name {
        case "": error("this tag has no name", at: tag.range.lowerBound)
        case "else", "elsif", "when": error("\(tag.name) stands outside its block", at: tag.range.lowerBound)
        default:
            tag.name.hasPrefix("end")
                ? error("\(tag.name) has no beginning", at: tag.range.lowerBound)
                : error("unknown tag '\(tag.name)'", at: tag.range.lowerBound)
        }
    }

    /// Nodes up to a tag that is no statement of its own.
    mutating func parseBody() throws(TemplateError) -> Body {
        guard depth < limits.nesting else { throw error("tags are nested too deeply", at: place) }
        depth += 1
        defer { depth -= 1 }
        var nodes: [LiquidNode] = []
        while let token = take() {
            switch token.kind {
            case .text:
                let bytes: [UInt8] = text(token)
                if bytes.isEmpty { continue }
                nodes.append(.text(bytes))
            case .output: nodes.append(.output(try output(in: token.content, offset: token.range.lowerBound)))
            case .unclosedOutput: throw error("this {{ has no }}", at: token.range.lowerBound)
            case .unclosedTag: throw error("this {% has no %}", at: token.range.lowerBound)
            case .tag:
                let tag: Tag = tag(of: token)
                if tag.name == "liquid" {
                    nodes += try lines(of: tag)
                } else if let node = try statement(tag) {
                    if case .nothing = node { continue }
                    nodes.append(node)
                } else {
                    return finished(nodes, end: tag)
                }
            }
        }
        return finished(nodes, end: nil)
    }

    private func finished(_ nodes: [LiquidNode], end: Tag?) -> Body {
        Body(nodes: nodes, isBlank: nodes.allSatisfy(\.isBlank), end: end)
    }

    /// The nodes of a `liquid` tag: every line is a tag.
    private mutating func lines(of tag: Tag) throws(TemplateError) -> [LiquidNode] {
        let outer: LiquidInput = input
        input = .lines(LiquidTokens(LiquidTokens.lines(of: source, in: tag.markup)))
        defer { input = outer }
        let body: Body = try parseBody()
        if let end = body.end { throw unexpected(end) }
        return body.nodes
    }

    private func text(_ token: TemplateToken) -> [UInt8] {
        var range: Range<Int> = token.range
        guard case .document(let tokens) = input else { return [] }
        if tokens.trimsStartOfCurrent {
            while !range.isEmpty, Self.isTrimmed(source.bytes[range.lowerBound]) { range = range.dropFirst() }
        }
        if tokens.next?.trimsBefore == true {
            while !range.isEmpty, Self.isTrimmed(source.bytes[range.upperBound - 1]) { range = range.dropLast() }
        }
        return Array(source.bytes[range])
    }

    private static func isTrimmed(_ byte: UInt8) -> Bool {
        ASCII.isSpace(byte) || byte == 0
    }

    func tag(of token: TemplateToken) -> Tag {
        var index: Int = token.content.lowerBound
        let end: Int = token.content.upperBound
        while index < end, ASCII.isSpace(source.bytes[index]) { index += 1 }
        let start: Int = index
        if index < end, source.bytes[index] == UInt8(ascii: "#") {
            index += 1
        } else {
            while index < end, ASCII.isWord(source.bytes[index]) { index += 1 }
        }
        return Tag(
            name: source.text(start..<index), markup: index..<end, range: token.range, trimsAfter: token.trimsAfter)
    }

    /// The next token, which is then used up.
    mutating func take() -> TemplateToken? {
        switch input {
        case .document(var tokens):
            let token: TemplateToken? = tokens.take()
            input = .document(tokens)
            return token
        case .lines(var tokens):
            let token: TemplateToken? = tokens.take()
            input = .lines(tokens)
            return token
        }
    }

    /// True inside a `liquid` tag.
    var isInLines: Bool {
        if case .lines = input { true } else { false }
    }

    /// The place that has been reached, for messages.
    private var place: Int {
        switch input {
        case .document(let tokens), .lines(let tokens): tokens.next?.range.lowerBound ?? source.bytes.count
        }
    }

    /// The output `{{ … }}` or the value of `echo` and `assign`.
    mutating func output(
        in range: Range<Int>, offset: Int, isPrinted: Bool = true
    ) throws(TemplateError) -> LiquidOutput {
        var parser = try ExpressionParser(source, in: range)
        guard !parser.isAtEnd else {
            return LiquidOutput(expression: .null, filters: [], escaping: .none, offset: offset)
        }
        let value: FilteredExpression = try parser.filteredExpression()
        try parser.expectEnd()
        note(value)
        var steps: [LiquidFilterStep] = []
        for call in value.filters { if let step = try step(call) { steps.append(step) } }
        let escaping: LiquidOutput.Escaping = isPrinted && mode == .html ? Self.escaping(&steps) : .none
        return LiquidOutput(expression: value.expression, filters: steps, escaping: escaping, offset: offset)
    }

    /// An unknown filter changes nothing, as in the reference; the author gets a warning.
    private mutating func step(_ call: FilterCall) throws(TemplateError) -> LiquidFilterStep? {
        guard let filter = LiquidFilter.named(call.name) else {
            warnings.append(error("unknown filter '\(call.name)'", at: call.range.lowerBound))
            return nil
        }
        let given: Int = call.arguments.count + (call.named.isEmpty ? 0 : 1)
        let expected: ClosedRange<Int> = filter.argumentCounts
        guard expected.contains(given) else {
            let wanted: String =
                expected.lowerBound == expected.upperBound
                ? "\(expected.lowerBound)" : "\(expected.lowerBound) to \(expected.upperBound)"
            throw error(
                "wrong number of arguments for \(call.name): \(given) given, \(wanted) expected",
                at: call.range.lowerBound)
        }
        return LiquidFilterStep(filter: filter, arguments: call.arguments, named: call.named)
    }

    /// A chain that ends in an escaping filter is not escaped twice.
    private static func escaping(_ steps: inout [LiquidFilterStep]) -> LiquidOutput.Escaping {
        switch steps.last?.filter {
        case .escape, .escapeOnce: return .none
        case .newlineToBr:
            if let before = steps.dropLast().last?.filter, before == .escape || before == .escapeOnce { return .none }
            steps.removeLast()
            return .escapeThenBreaks
        default: return .escape
        }
    }
}
