/// Conditions, captures, cycles and counters.
extension LiquidRenderer {
    mutating func branches(_ node: LiquidBranches) throws(LiquidFailure) -> Signal {
        for branch in node.branches {
            guard let condition = branch.condition else { return try render(branch.nodes) }
            if try isTrue(condition) != branch.isNegated { return try render(branch.nodes) }
        }
        return .none
    }

    private mutating func isTrue(_ condition: LiquidCondition) throws(LiquidFailure) -> Bool {
        var result: Bool = try isTrue(condition.first)
        for (connective, term) in condition.rest {
            if (connective == .or) == result { return result }
            result = try isTrue(term)
        }
        return result
    }

    private mutating func isTrue(_ term: LiquidComparisonTerm) throws(LiquidFailure) -> Bool {
        guard let operation = term.operation else {
            switch term.left {
            case .empty, .blank: return true
            default: return LiquidComparison.isTruthy(try evaluate(term.left))
            }
        }
        switch operation {
        case .equal: return try areEqual(term.left, term.right)
        case .notEqual: return try !areEqual(term.left, term.right)
        case .contains: return try contains(term.left, term.right)
        default:
            if term.left.isLiteralWord || term.right.isLiteralWord { return false }
            return try LiquidComparison.compare(try evaluate(term.left), operation, try evaluate(term.right))
        }
    }

    private mutating func contains(_ left: Expression, _ right: Expression) throws(LiquidFailure) -> Bool {
        if left.isLiteralWord { return false }
        let container: LiquidValue = try evaluate(left)
        try charge(container)
        if right.isLiteralWord {
            switch container {
            case .string, .html: return true
            default: return false
            }
        }
        return LiquidComparison.contains(container, try evaluate(right))
    }

    /// `empty` and `blank` are questions to the other side, not values.
    mutating func areEqual(_ left: Expression, _ right: Expression) throws(LiquidFailure) -> Bool {
        switch (left, right) {
        case (.empty, .empty), (.empty, .blank), (.blank, .empty), (.blank, .blank): return false
        case (.empty, let other), (let other, .empty): return LiquidComparison.isEmpty(try evaluate(other))
        case (.blank, let other), (let other, .blank): return LiquidComparison.isBlank(try evaluate(other))
        default:
            let value: LiquidValue = try evaluate(left)
            try charge(value)
            return LiquidComparison.areEqual(value, try evaluate(right))
        }
    }

    mutating func choice(_ node: LiquidChoice) throws(LiquidFailure) -> Signal {
        let subject: LiquidValue = try evaluate(node.subject)
        var hasMatched = false
        for branch in node.branches {
            guard let values = branch.values else {
                if !hasMatched {
                    let signal: Signal = try render(branch.nodes)
                    if signal != .none { return signal }
                }
                continue
            }
            for value in values where try matches(subject, value) {
                hasMatched = true
                let signal: Signal = try render(branch.nodes)
                if signal != .none { return signal }
            }
        }
        return .none
    }

    private mutating func matches(_ subject: LiquidValue, _ value: Expression) throws(LiquidFailure) -> Bool {
        switch value {
        case .empty: LiquidComparison.isEmpty(subject)
        case .blank: LiquidComparison.isBlank(subject)
        default: LiquidComparison.areEqual(subject, try evaluate(value))
        }
    }

    /// Renders into a buffer of its own.
    private mutating func aside(_ nodes: [LiquidNode]) throws(LiquidFailure) -> (text: [UInt8], signal: Signal) {
        let outer: [UInt8] = output
        let base: Int = capturedBase
        output = []
        capturedBase += outer.count
        do throws(LiquidFailure) {
            let signal: Signal = try render(nodes)
            let text: [UInt8] = output
            output = outer
            capturedBase = base
            return (text, signal)
        } catch {
            output = outer
            capturedBase = base
            throw error
        }
    }

    mutating func capture(_ node: LiquidBlock) throws(LiquidFailure) -> Signal {
        let captured: (text: [UInt8], signal: Signal) = try aside(node.nodes)
        try step(captured.text.count / 64)
        let text = String(decoding: captured.text, as: UTF8.self)
        scope.assign(node.name, mode == .html ? .html(text) : .string(text))
        return captured.signal
    }

    mutating func ifChanged(_ node: LiquidBlock) throws(LiquidFailure) -> Signal {
        let captured: (text: [UInt8], signal: Signal) = try aside(node.nodes)
        if captured.text != scope.lastChanged {
            scope.lastChanged = captured.text
            output += captured.text
        }
        return captured.signal
    }

    mutating func cycle(_ node: LiquidCycle) throws(LiquidFailure) {
        let key: LiquidScope.CycleKey =
            switch node.group {
            case .named(let name): .named(LiquidText.inspect(try evaluate(name)))
            case .values(let values): .values(values)
            case .own: .own(ObjectIdentifier(node))
            }
        let place: Int = scope.cycles[key] ?? 0
        if node.values.indices.contains(place) {
            append(try evaluate(node.values[place]), escaped: mode == .html)
        }
        scope.cycles[key] = place + 1 >= node.values.count ? 0 : place + 1
        try checkSize()
    }

    mutating func count(_ node: LiquidCounter) throws(LiquidFailure) {
        let value: Int = try scope.count(node.name, up: node.isIncrement)
        append(String(value), escaped: false)
    }
}

extension Expression {
    /// `empty` or `blank`.
    var isLiteralWord: Bool {
        switch self {
        case .empty, .blank: true
        default: false
        }
    }
}
