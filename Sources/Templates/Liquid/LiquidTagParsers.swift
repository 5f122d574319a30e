/// The grammar of the single tags.
extension LiquidParser {
    /// The node of a tag; nil for a tag that ends or divides a block, or that nobody knows.
    mutating func statement(_ tag: Tag) throws(TemplateError) -> LiquidNode? {
        switch tag.name {
        case "if", "unless": return .branches(try branches(tag))
        case "case": return .choice(try choice(tag))
        case "for": return .loop(try loop(tag))
        case "tablerow": return .tableRow(try loop(tag))
        case "assign": return try assign(tag)
        case "capture": return .capture(try capture(tag))
        case "ifchanged": return .ifChanged(try block(tag, name: ""))
        case "echo": return .output(try output(in: tag.markup, offset: tag.range.lowerBound))
        case "cycle": return .cycle(try cycle(tag))
        case "increment", "decrement": return .count(counter(tag))
        case "render", "include": return .partial(try partial(tag))
        case "break": return .breakLoop(offset: tag.range.lowerBound)
        case "continue": return .continueLoop(offset: tag.range.lowerBound)
        case "comment":
            try skipComment(tag)
            return .nothing
        case "#":
            try inlineComment(tag)
            return .nothing
        case "raw": return try raw(tag)
        case "doc": return try doc(tag)
        default: return nil
        }
    }

    mutating func note(_ value: FilteredExpression) {
        variables.read(value.expression)
        for filter in value.filters {
            filter.arguments.forEach { variables.read($0) }
            filter.named.forEach { variables.read($0.value) }
        }
    }

    func neverClosed(_ tag: Tag) -> TemplateError {
        error("'\(tag.name)' is never closed", at: tag.range.lowerBound)
    }

    private func wrongEnd(_ end: Tag, in tag: Tag) -> TemplateError {
        if end.name.hasPrefix("end") {
            return error(
                "'\(end.name)' does not close '\(tag.name)', use end\(tag.name)", at: end.range.lowerBound)
        }
        if end.name == "else" || end.name == "elsif" || end.name == "when" {
            return error("'\(tag.name)' has no '\(end.name)'", at: end.range.lowerBound)
        }
        return unexpected(end)
    }

    /// `name` at the start of a tag, where letters, digits, dashes and dots may stand; quotes are taken off.
    private func targetName(_ markup: Range<Int>) -> (name: String, end: Int)? {
        var index: Int = markup.lowerBound
        let bytes: [UInt8] = source.bytes
        while index < markup.upperBound, ASCII.isSpace(bytes[index]) { index += 1 }
        let quote: UInt8? =
            index < markup.upperBound && (bytes[index] == ASCII.singleQuote || bytes[index] == ASCII.doubleQuote)
            ? bytes[index] : nil
        if quote != nil { index += 1 }
        let start: Int = index
        let extra: [UInt8] = Array("-.[]()".utf8)
        while index < markup.upperBound, ASCII.isWord(bytes[index]) || extra.contains(bytes[index]) { index += 1 }
        guard index > start else { return nil }
        let name: String = source.text(start..<index)
        if let quote, index < markup.upperBound, bytes[index] == quote { index += 1 }
        return (name, index)
    }

    private mutating func assign(_ tag: Tag) throws(TemplateError) -> LiquidNode {
        guard let target = targetName(tag.markup) else {
            throw error("assign needs a name and a value: assign name = value", at: tag.range.lowerBound)
        }
        var index: Int = target.end
        while index < tag.markup.upperBound, ASCII.isSpace(source.bytes[index]) { index += 1 }
        guard index < tag.markup.upperBound, source.bytes[index] == UInt8(ascii: "=") else {
            throw error(
                "assign needs a name and a value: assign name = value", at: min(index, tag.range.upperBound - 1))
        }
        let value: LiquidOutput = try output(
            in: (index + 1)..<tag.markup.upperBound, offset: tag.range.lowerBound, isPrinted: false)
        variables.assign(target.name)
        return .assign(name: target.name, value)
    }

    private mutating func capture(_ tag: Tag) throws(TemplateError) -> LiquidBlock {
        guard let target = targetName(tag.markup) else {
            throw error("capture needs a name", at: tag.range.lowerBound)
        }
        let block: LiquidBlock = try block(tag, name: target.name)
        variables.assign(target.name)
        return block
    }

    private mutating func block(_ tag: Tag, name: String) throws(TemplateError) -> LiquidBlock {
        let body: Body = try parseBody()
        guard let end = body.end else { throw neverClosed(tag) }
        guard end.name == "end\(tag.name)" else { throw wrongEnd(end, in: tag) }
        return LiquidBlock(name: name, nodes: body.nodes, isBlank: body.isBlank, offset: tag.range.lowerBound)
    }

    /// The nodes of a block that puts out nothing but white space, without that white space.
    private func tidy(_ nodes: [LiquidNode], isBlank: Bool) -> [LiquidNode] {
        guard isBlank else { return nodes }
        return nodes.filter { if case .text = $0 { false } else { true } }
    }

    private mutating func branches(_ tag: Tag) throws(TemplateError) -> LiquidBranches {
        var found: [LiquidBranches.Branch] = []
        var condition: LiquidCondition? = try condition(in: tag.markup)
        var isNegated: Bool = tag.name == "unless"
        var isBlank = true
        while true {
            let body: Body = try parseBody()
            isBlank = isBlank && body.isBlank
            found.append(LiquidBranches.Branch(condition: condition, isNegated: isNegated, nodes: body.nodes))
            guard let end = body.end else { throw neverClosed(tag) }
            if end.name == "end\(tag.name)" { break }
            switch end.name {
            case "elsif": condition = try self.condition(in: end.markup)
            case "else": condition = nil
            default: throw wrongEnd(end, in: tag)
            }
            isNegated = false
        }
        let branches: [LiquidBranches.Branch] = found.map {
            LiquidBranches.Branch(
                condition: $0.condition, isNegated: $0.isNegated, nodes: tidy($0.nodes, isBlank: isBlank))
        }
        return LiquidBranches(branches: branches, isBlank: isBlank, offset: tag.range.lowerBound)
    }

    private mutating func condition(in range: Range<Int>) throws(TemplateError) -> LiquidCondition {
        var parser = try ExpressionParser(source, in: range)
        let first: LiquidComparisonTerm = try term(&parser)
        var rest: [(LiquidCondition.Connective, LiquidComparisonTerm)] = []
        while !parser.isAtEnd {
            if parser.take(word: "and") {
                rest.append((.and, try term(&parser)))
            } else if parser.take(word: "or") {
                rest.append((.or, try term(&parser)))
            } else {
                throw parser.error("expected 'and', 'or' or the end of the condition\(parser.found)")
            }
        }
        return LiquidCondition(first: first, rest: rest)
    }

    private mutating func term(_ parser: inout ExpressionParser) throws(TemplateError) -> LiquidComparisonTerm {
        let left: Expression = try parser.expression()
        variables.read(left)
        guard case .comparison(let operation) = parser.current.kind else {
            return LiquidComparisonTerm(left: left, operation: nil, right: .null)
        }
        parser.advance()
        let right: Expression = try parser.expression()
        variables.read(right)
        return LiquidComparisonTerm(left: left, operation: operation, right: right)
    }

    private mutating func choice(_ tag: Tag) throws(TemplateError) -> LiquidChoice {
        var parser = try ExpressionParser(source, in: tag.markup)
        let subject: Expression = try parser.expression()
        try parser.expectEnd()
        variables.read(subject)
        var found: [LiquidChoice.Branch] = []
        var body: Body = try parseBody()
        var isBlank: Bool = body.isBlank
        while true {
            guard let end = body.end else { throw neverClosed(tag) }
            if end.name == "endcase" { break }
            let values: [Expression]?
            switch end.name {
            case "when": values = try whenValues(end)
            case "else":
                guard source.bytes[end.markup].allSatisfy(ASCII.isSpace) else {
                    throw error("else takes nothing here", at: end.range.lowerBound)
                }
                values = nil
            default: throw wrongEnd(end, in: tag)
            }
            body = try parseBody()
            isBlank = isBlank && body.isBlank
            found.append(LiquidChoice.Branch(values: values, nodes: body.nodes))
        }
        let branches: [LiquidChoice.Branch] = found.map {
            LiquidChoice.Branch(values: $0.values, nodes: tidy($0.nodes, isBlank: isBlank))
        }
        return LiquidChoice(
            subject: subject, branches: branches, isBlank: isBlank, offset: tag.range.lowerBound)
    }

    private mutating func whenValues(_ tag: Tag) throws(TemplateError) -> [Expression] {
        var parser = try ExpressionParser(source, in: tag.markup)
        var values: [Expression] = [try parser.expression()]
        while parser.take(.comma) || parser.take(word: "or") { values.append(try parser.expression()) }
        try parser.expectEnd()
        values.forEach { variables.read($0) }
        return values
    }

    private mutating func cycle(_ tag: Tag) throws(TemplateError) -> LiquidCycle {
        var parser = try ExpressionParser(source, in: tag.markup)
        guard !parser.isAtEnd else { throw error("cycle needs values: cycle 'one', 'two'", at: tag.range.lowerBound) }
        var values: [Expression] = [try parser.expression()]
        var group: LiquidCycle.Group?
        if parser.take(.colon) {
            group = .named(values[0])
            variables.read(values[0])
            values = [try parser.expression()]
        }
        while parser.take(.comma), !parser.isAtEnd { values.append(try parser.expression()) }
        try parser.expectEnd()
        values.forEach { variables.read($0) }
        let hasVariables: Bool = values.contains {
            switch $0 {
            case .variable, .range: true
            default: false
            }
        }
        return LiquidCycle(
            group: group ?? (hasVariables ? .own : .values(values)), values: values, offset: tag.range.lowerBound)
    }

    private mutating func counter(_ tag: Tag) -> LiquidCounter {
        var range: Range<Int> = tag.markup
        while !range.isEmpty, ASCII.isSpace(source.bytes[range.lowerBound]) { range = range.dropFirst() }
        while !range.isEmpty, ASCII.isSpace(source.bytes[range.upperBound - 1]) { range = range.dropLast() }
        let name: String = source.text(range)
        variables.assign(name)
        return LiquidCounter(name: name, isIncrement: tag.name == "increment", offset: tag.range.lowerBound)
    }
}
