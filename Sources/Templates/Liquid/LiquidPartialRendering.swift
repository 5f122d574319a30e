/// Snippets.
extension LiquidRenderer {
    mutating func partial(_ node: LiquidPartialCall) throws(LiquidFailure) -> Signal {
        if !node.isIsolated, isIsolated { throw LiquidFailure("include usage is not allowed in this context") }
        guard let name = try evaluate(node.snippet).stringValue else {
            throw LiquidFailure("Argument error in tag 'include' - Illegal template name")
        }
        let template: LiquidTemplate = try snippet(named: name)
        if mode == .html, template.mode == .text {
            throw LiquidFailure("the snippet '\(name)' is written for plain text")
        }
        guard partialDepth < limits.partialDepth else {
            throw LiquidFailure(limit: "snippets bring each other in too deeply")
        }
        partialDepth += 1
        let outer: TemplateSource = source
        let outerMode: LiquidMode = mode
        source = template.source
        mode = template.mode
        defer {
            partialDepth -= 1
            source = outer
            mode = outerMode
        }
        let variable: String = node.alias ?? name.split(separator: "/").last.map(String.init) ?? name
        if node.isIsolated {
            try isolated(node, template, name: name, variable: variable)
            return .none
        }
        return try shared(node, template, name: name, variable: variable)
    }

    private func snippet(named name: String) throws(LiquidFailure) -> LiquidTemplate {
        do throws(TemplateError) {
            if let template = try partials.template(named: name) { return template }
        } catch {
            throw style == .raise ? LiquidFailure(error, isLimit: false) : LiquidFailure(error.summary)
        }
        throw LiquidFailure("there is no snippet named '\(name)'")
    }

    /// `render`: the snippet sees its arguments and the data. A `break` in it stays in it.
    private mutating func isolated(
        _ node: LiquidPartialCall, _ template: LiquidTemplate, name: String, variable: String
    ) throws(LiquidFailure) {
        var bound: LiquidValue = .null
        var loop: [LiquidValue]?
        switch node.binding {
        case .none: break
        case .with(let expression): bound = try evaluate(expression)
        case .each(let expression):
            bound = try evaluate(expression)
            loop = try elements(of: bound)
        }
        var arguments: [(String, LiquidValue)] = []
        for argument in node.arguments { arguments.append((argument.name, try evaluate(argument.value))) }
        let outer: LiquidScope = scope
        let outerIsolated: Bool = isIsolated
        isIsolated = true
        defer {
            scope = outer
            isIsolated = outerIsolated
        }
        guard let loop else {
            scope = outer.isolated()
            for argument in arguments { scope.assign(argument.0, argument.1) }
            if !LiquidArrayFilters.isNull(bound) { scope.assign(variable, bound) }
            _ = try render(template.nodes)
            return
        }
        for (index, item) in loop.enumerated() {
            try round()
            scope = outer.isolated()
            var state = LiquidLoopState(name: name, length: loop.count, parent: nil, columns: nil)
            state.index = index
            scope.assign("forloop", state.object(in: []))
            for argument in arguments { scope.assign(argument.0, argument.1) }
            if !LiquidArrayFilters.isNull(item) { scope.assign(variable, item) }
            _ = try render(template.nodes)
        }
    }

    /// What `render … for` goes through; nil for what is no collection.
    private func elements(of value: LiquidValue) throws(LiquidFailure) -> [LiquidValue]? {
        switch value {
        case .array(let items): return items
        case .object(let object): return object.typeName == nil ? object.pairs : nil
        case .range(let first, let last):
            guard LiquidLookup.rangeCount(first, last) <= limits.loopRounds else {
                throw LiquidFailure(limit: "loops run more than \(limits.loopRounds) times")
            }
            return last < first ? [] : (first...last).map { .int($0) }
        default: return nil
        }
    }

    /// `include`: the snippet shares every variable; a `break` in it ends the loop around it.
    private mutating func shared(
        _ node: LiquidPartialCall, _ template: LiquidTemplate, name: String, variable: String
    ) throws(LiquidFailure) -> Signal {
        let bound: LiquidValue
        switch node.binding {
        case .none: bound = scope.find(name) ?? .null
        case .with(let expression), .each(let expression): bound = try evaluate(expression)
        }
        let base: Int = scope.localCount
        defer { scope.dropLocals(to: base) }
        for argument in node.arguments { scope.push(argument.name, try evaluate(argument.value)) }
        let place: Int = scope.localCount
        scope.push(variable, bound)
        guard case .array(let items) = bound else { return try render(template.nodes) }
        for item in items {
            try round()
            scope.setLocal(item, at: place)
            let signal: Signal = try render(template.nodes)
            if signal != .none { return signal }
        }
        return .none
    }
}
