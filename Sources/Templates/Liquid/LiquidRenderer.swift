import Core
import FoundationEssentials

/// One rendering: the buffer, the variables and the counts against the limits.
struct LiquidRenderer {
    /// What a tag does to the loops around it.
    enum Signal {
        case none, breakLoop, continueLoop
    }

    var output: [UInt8] = []
    var scope: LiquidScope
    var source: TemplateSource
    let limits: LiquidLimits
    /// Of the template or snippet that is being rendered.
    var mode: LiquidMode
    let style: LiquidErrorStyle
    let partials: any LiquidPartials
    let clock: WallClock
    var steps = 0
    var rounds = 0
    /// Blocks and snippets that have been entered and not left.
    var depth = 0
    var partialDepth = 0
    /// `include` may not stand in a snippet that `render` brought in.
    var isIsolated = false
    /// Bytes that were written before the current capture began.
    var capturedBase = 0

    /// Blocks inside each other over all snippets together: what keeps the stack small.
    private static let deepest = 250

    mutating func render(_ nodes: [LiquidNode]) throws(LiquidFailure) -> Signal {
        guard depth < Self.deepest else { throw LiquidFailure(limit: "tags and snippets are nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        for node in nodes {
            do throws(LiquidFailure) {
                let signal: Signal = try render(node)
                if signal != .none { return signal }
            } catch {
                try settle(error, of: node)
            }
        }
        return .none
    }

    private mutating func render(_ node: LiquidNode) throws(LiquidFailure) -> Signal {
        try step()
        switch node {
        case .text(let bytes), .raw(let bytes):
            output += bytes
            try checkSize()
        case .output(let node): try print(node)
        case .assign(let name, let node): scope.assign(name, try evaluate(node))
        case .branches(let node): return try branches(node)
        case .choice(let node): return try choice(node)
        case .loop(let node): return try loop(node)
        case .tableRow(let node): try tableRow(node)
        case .capture(let node): return try capture(node)
        case .ifChanged(let node): return try ifChanged(node)
        case .cycle(let node): try cycle(node)
        case .count(let node): try count(node)
        case .partial(let node): return try partial(node)
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        case .nothing: break
        }
        return .none
    }

    /// Raises an error with its place, or writes it down where the tag stood.
    private mutating func settle(_ failure: LiquidFailure, of node: LiquidNode) throws(LiquidFailure) {
        if failure.located != nil { throw failure }
        let error = TemplateError(failure.message, at: node.offset, in: source)
        if failure.isLimit { throw LiquidFailure(error, isLimit: true) }
        if node.isBlank { return }
        if style == .raise { throw LiquidFailure(error, isLimit: false) }
        let place: String = error.name.map { "\($0) line \(error.line)" } ?? "line \(error.line)"
        append("Liquid error (\(place)): \(failure.message)", escaped: false)
    }

    mutating func step(_ count: Int = 1) throws(LiquidFailure) {
        steps += count
        if steps > limits.steps { throw LiquidFailure(limit: "this template takes too long") }
    }

    mutating func round() throws(LiquidFailure) {
        rounds += 1
        if rounds > limits.loopRounds { throw LiquidFailure(limit: "loops run more than \(limits.loopRounds) times") }
    }

    func checkSize() throws(LiquidFailure) {
        if output.count + capturedBase > limits.outputBytes {
            throw LiquidFailure(limit: "the result grows over \(limits.outputBytes) bytes")
        }
    }

    // MARK: Values

    mutating func evaluate(_ expression: Expression) throws(LiquidFailure) -> LiquidValue {
        switch expression {
        case .variable(let path): return try evaluate(path)
        case .string(let text): return .string(text)
        case .integer(let value): return .int(value)
        case .double(let value): return .double(value)
        case .bool(let value): return .bool(value)
        case .null: return .null
        case .empty, .blank: return .string("")
        case .range(let first, let last): return .range(try bound(first), try bound(last))
        }
    }

    private mutating func bound(_ expression: Expression) throws(LiquidFailure) -> Int {
        switch try evaluate(expression) {
        case .int(let value): return value
        case .null: return 0
        case .string(let text), .html(let text): return LiquidNumber.leadingInteger(Array(text.utf8))
        case .double(let value):
            if case .double = expression { return Int(exactly: value.rounded(.towardZero)) ?? 0 }
            throw LiquidFailure("invalid integer")
        default: throw LiquidFailure("invalid integer")
        }
    }

    private mutating func evaluate(_ path: VariablePath) throws(LiquidFailure) -> LiquidValue {
        // The part of the path that is looked at next: cheaper than a slice of what is left.
        var next = 0
        var value: LiquidValue
        switch path.root {
        case .name(let name):
            if let found = scope.find(name) {
                value = found
            } else if name == "self", let first = path.segments.first {
                next = 1
                value = scope.find(try key(first)) ?? .null
            } else {
                return .null
            }
        case .computed(let expression):
            guard let name = try evaluate(expression).stringValue else { return .null }
            value = scope.find(name) ?? .null
        }
        while next < path.segments.count {
            switch path.segments[next] {
            case .name(let name):
                try charge(value)
                value = LiquidLookup.member(name, of: value)
            case .index(let expression): value = LiquidLookup.element(try evaluate(expression), of: value)
            }
            next += 1
        }
        return value
    }

    private mutating func key(_ segment: VariablePath.Segment) throws(LiquidFailure) -> String {
        switch segment {
        case .name(let name): name
        case .index(let expression): LiquidText.text(try evaluate(expression))
        }
    }

    mutating func evaluate(_ node: LiquidOutput) throws(LiquidFailure) -> LiquidValue {
        var value: LiquidValue = try evaluate(node.expression)
        for filter in node.filters {
            var arguments: [LiquidValue] = []
            for argument in filter.arguments { arguments.append(try evaluate(argument)) }
            if !filter.named.isEmpty {
                var options: [(String, LiquidValue)] = []
                for argument in filter.named { options.append((argument.name, try evaluate(argument.value))) }
                arguments.append(.object(LiquidObject(options)))
            }
            let clock: WallClock = self.clock
            let context = LiquidFilterContext(limits: limits) { clock.now.timeIntervalSince1970 }
            try charge(value)
            value = try context.apply(filter.filter, to: value, arguments)
        }
        if !node.filters.isEmpty { try charge(value) }
        return value
    }

    /// Looking at a value costs by its size, so that nothing can be doubled, or looked at, for ever.
    mutating func charge(_ value: LiquidValue) throws(LiquidFailure) {
        switch value {
        case .string(let text), .html(let text):
            let size: Int = text.utf8.count
            if size > limits.outputBytes {
                throw LiquidFailure(limit: "this text grows over \(limits.outputBytes) bytes")
            }
            if size >= 64 { try step(size / 64) }
        case .array(let items): try step(items.count / 8)
        default: break
        }
    }

    // MARK: Output

    private mutating func print(_ node: LiquidOutput) throws(LiquidFailure) {
        let value: LiquidValue = node.filters.isEmpty ? try evaluate(node.expression) : try evaluate(node)
        switch node.escaping {
        case .none: append(value, escaped: false)
        case .escape: append(value, escaped: true)
        case .escapeThenBreaks:
            if case .html(let text) = value {
                append(LiquidMarkup.breaks(text), escaped: false)
            } else {
                append(LiquidMarkup.breaks(HTMLEntity.escape(LiquidText.text(value))), escaped: false)
            }
        }
        try checkSize()
    }

    mutating func append(_ value: LiquidValue, escaped: Bool) {
        switch value {
        case .null: break
        case .string(let text): append(text, escaped: escaped)
        case .html(let text): output.appendText(text)
        case .array(let items): for item in items { append(item, escaped: escaped) }
        default: append(LiquidText.text(value), escaped: escaped)
        }
    }

    mutating func append(_ text: String, escaped: Bool) {
        if escaped { output.appendEscaped(text) } else { output.appendText(text) }
    }
}
