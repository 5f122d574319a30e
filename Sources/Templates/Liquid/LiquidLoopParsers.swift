/// `for`, `tablerow`, `render` and `include`.
extension LiquidParser {
    mutating func loop(_ tag: Tag) throws(TemplateError) -> LiquidLoop {
        let isTable: Bool = tag.name == "tablerow"
        let head: LiquidLoopHead = try loopHead(tag, isTable: isTable)
        variables.enter([head.variable, isTable ? "tablerowloop" : "forloop"])
        let main: Body
        do throws(TemplateError) {
            main = try parseBody()
            variables.leave()
        } catch {
            variables.leave()
            throw error
        }
        var isBlank: Bool = main.isBlank
        var end: Tag? = main.end
        var otherwise: [LiquidNode] = []
        if !isTable, end?.name == "else" {
            let rest: Body = try parseBody()
            isBlank = isBlank && rest.isBlank
            otherwise = rest.nodes
            end = rest.end
        }
        guard let end else { throw neverClosed(tag) }
        guard end.name == "end\(tag.name)" else {
            throw end.name == "else" || end.name.hasPrefix("end")
                ? error("'\(end.name)' does not belong here, use end\(tag.name)", at: end.range.lowerBound)
                : unexpected(end)
        }
        let drops: Bool = isBlank && !isTable
        return LiquidLoop(
            head: head, nodes: drops ? Self.withoutText(main.nodes) : main.nodes,
            otherwise: drops ? Self.withoutText(otherwise) : otherwise, isBlank: isBlank,
            offset: tag.range.lowerBound)
    }

    private static func withoutText(_ nodes: [LiquidNode]) -> [LiquidNode] {
        nodes.filter { if case .text = $0 { false } else { true } }
    }

    private mutating func loopHead(_ tag: Tag, isTable: Bool) throws(TemplateError) -> LiquidLoopHead {
        var parser = try ExpressionParser(source, in: tag.markup)
        let variable: String = try parser.identifier("a name for the items: \(tag.name) item in items")
        guard parser.take(word: "in") else {
            throw parser.error("expected 'in': \(tag.name) item in items")
        }
        let start: Int = parser.current.range.lowerBound
        let collection: Expression = try parser.expression()
        variables.read(collection)
        let written: String = source.text(start..<parser.previousEnd).filter { !$0.isWhitespace }
        var head = LiquidLoopHead(variable: variable, collection: collection, name: "\(variable)-\(written)")
        while !parser.isAtEnd {
            if parser.take(.comma) { continue }
            if !isTable, parser.take(word: "reversed") {
                head.isReversed = true
                continue
            }
            try option(of: &head, &parser, isTable: isTable)
        }
        return head
    }

    private mutating func option(
        of head: inout LiquidLoopHead, _ parser: inout ExpressionParser, isTable: Bool
    ) throws(TemplateError) {
        let place: ExpressionToken = parser.current
        let key: String = try parser.identifier(isTable ? "cols, limit or offset" : "limit, offset or reversed")
        let isKnown: Bool = key == "limit" || key == "offset" || (isTable && (key == "cols" || key == "range"))
        guard isKnown else {
            let options: String = isTable ? "tablerow: cols, limit, offset" : "for: limit, offset, reversed"
            throw error("'\(key)' is no option of \(options)", at: place.range.lowerBound)
        }
        try parser.expect(.colon, "a colon after \(key)")
        if key == "offset", !isTable, parser.current.kind == .identifier("continue") {
            parser.advance()
            head.start = .continued
            return
        }
        let value: Expression = try parser.expression()
        variables.read(value)
        switch key {
        case "limit": head.limit = value
        case "offset": head.start = .at(value)
        case "cols": head.columns = value
        default: break
        }
    }

    mutating func partial(_ tag: Tag) throws(TemplateError) -> LiquidPartialCall {
        let isRender: Bool = tag.name == "render"
        var parser = try ExpressionParser(source, in: tag.markup)
        let place: Int = parser.current.range.lowerBound
        let snippet: Expression = try parser.expression()
        if case .string(let name) = snippet {
            snippets.append(LiquidTemplate.Snippet(name: name, offset: place))
        } else if isRender {
            throw error("the name of a snippet stands in quotes: render 'name'", at: place)
        } else {
            variables.read(snippet)
        }
        var binding: LiquidPartialCall.Binding = .none
        if parser.take(word: "with") {
            binding = .with(try parser.expression())
        } else if parser.take(word: "for") {
            binding = .each(try parser.expression())
        }
        switch binding {
        case .none: break
        case .with(let value), .each(let value): variables.read(value)
        }
        let alias: String? = parser.take(word: "as") ? try parser.identifier("a name after 'as'") : nil
        let arguments: [FilterCall.NamedArgument] = try namedArguments(&parser)
        return LiquidPartialCall(
            snippet: snippet, isIsolated: isRender, binding: binding, alias: alias, arguments: arguments,
            offset: tag.range.lowerBound)
    }

    private mutating func namedArguments(
        _ parser: inout ExpressionParser
    ) throws(TemplateError) -> [FilterCall.NamedArgument] {
        var arguments: [FilterCall.NamedArgument] = []
        while !parser.isAtEnd {
            if parser.take(.comma) { continue }
            let name: String = try parser.identifier("name: value")
            try parser.expect(.colon, "a colon after \(name)")
            let value: Expression = try parser.expression()
            variables.read(value)
            arguments.append(FilterCall.NamedArgument(name: name, value: value))
        }
        return arguments
    }
}
