/// Loops.
extension LiquidRenderer {
    /// The part of a collection that a loop goes through. Ranges are not written out.
    enum Items {
        case list([LiquidValue])
        case numbers(first: Int, count: Int)

        var count: Int {
            switch self {
            case .list(let items): items.count
            case .numbers(_, let count): count
            }
        }

        subscript(index: Int) -> LiquidValue {
            switch self {
            case .list(let items): items[index]
            case .numbers(let first, _): .int(first + index)
            }
        }
    }

    private func items(
        of collection: LiquidValue, from: Int, limit: Int?
    ) -> Items {
        let start: Int = max(0, from)
        let end: Int =
            limit.map { from.addingReportingOverflow($0) }.map { $0.overflow ? Int.max : $0.partialValue } ?? .max
        func slice(_ items: [LiquidValue]) -> Items {
            let first: Int = min(start, items.count)
            let last: Int = min(max(first, end), items.count)
            return .list(first == 0 && last == items.count ? items : Array(items[first..<last]))
        }
        switch collection {
        case .array(let items): return slice(items)
        case .object(let object): return object.typeName == nil ? slice(object.pairs) : .list([])
        case .string(let text), .html(let text): return .list(text.isEmpty ? [] : [collection])
        case .range(let first, let last):
            let total: Int = LiquidLookup.rangeCount(first, last)
            let skipped: Int = min(start, total)
            let count: Int = min(max(skipped, end), total) - skipped
            return .numbers(first: count > 0 ? first + skipped : first, count: count)
        default: return .list([])
        }
    }

    mutating func loop(_ node: LiquidLoop) throws(LiquidFailure) -> Signal {
        var from = 0
        switch node.start {
        case .first: break
        case .at(let expression): from = try wholeNumber(expression) ?? 0
        case .continued: from = scope.loopOffsets[node.name] ?? 0
        }
        let collection: LiquidValue = try evaluate(node.collection)
        var limit: Int?
        if let expression = node.limit { limit = try wholeNumber(expression) }
        let items: Items = items(of: collection, from: from, limit: limit)
        scope.loopOffsets[node.name] = from.addingReportingOverflow(items.count).partialValue
        if items.count == 0 { return try render(node.otherwise) }
        return try rounds(of: node, items)
    }

    private mutating func wholeNumber(_ expression: Expression) throws(LiquidFailure) -> Int? {
        let value: LiquidValue = try evaluate(expression)
        if case .null = value { return nil }
        return try LiquidInteger.strict(value)
    }

    private mutating func rounds(of node: LiquidLoop, _ items: Items) throws(LiquidFailure) -> Signal {
        let base: Int = scope.localCount
        let place: Int = scope.loops.count
        let parent: Int? = scope.loops.lastIndex { $0.columns == nil }
        scope.loops.append(
            LiquidLoopState(name: node.name, length: items.count, parent: parent, columns: nil))
        scope.push("forloop", .range(LiquidLoopState.marker, place))
        scope.push(node.variable, .null)
        defer {
            scope.dropLocals(to: base)
            scope.loops.removeLast(scope.loops.count - place)
        }
        for index in 0..<items.count {
            try round()
            scope.setLocal(items[node.isReversed ? items.count - 1 - index : index], at: base + 1)
            let signal: Signal = try render(node.nodes)
            if signal == .breakLoop { break }
            scope.loops[place].advance()
        }
        return .none
    }

    mutating func tableRow(_ node: LiquidLoop) throws(LiquidFailure) {
        let collection: LiquidValue = try evaluate(node.collection)
        guard LiquidComparison.isTruthy(collection) else { return }
        var from = 0
        if case .at(let expression) = node.start { from = try LiquidInteger.lenient(try evaluate(expression)) }
        var limit: Int?
        if let expression = node.limit { limit = try LiquidInteger.lenient(try evaluate(expression)) }
        let items: Items = items(of: collection, from: from, limit: limit)
        var columns: Int = items.count
        if let expression = node.columns { columns = try LiquidInteger.lenient(try evaluate(expression)) }
        append("<tr class=\"row1\">\n", escaped: false)
        try cells(of: node, items, columns: columns)
        append("</tr>\n", escaped: false)
    }

    private mutating func cells(of node: LiquidLoop, _ items: Items, columns: Int) throws(LiquidFailure) {
        let base: Int = scope.localCount
        let place: Int = scope.loops.count
        scope.loops.append(
            LiquidLoopState(name: node.name, length: items.count, parent: nil, columns: columns))
        scope.push("tablerowloop", .range(LiquidLoopState.marker, place))
        scope.push(node.variable, .null)
        defer {
            scope.dropLocals(to: base)
            scope.loops.removeLast(scope.loops.count - place)
        }
        for index in 0..<items.count {
            try round()
            scope.setLocal(items[index], at: base + 1)
            append("<td class=\"col\(scope.loops[place].column)\">", escaped: false)
            let signal: Signal = try render(node.nodes)
            append("</td>", escaped: false)
            if signal == .breakLoop { break }
            let state: LiquidLoopState = scope.loops[place]
            if state.column == columns, state.index != state.length - 1 {
                append("</tr>\n<tr class=\"row\(state.row + 1)\">", escaped: false)
            }
            scope.loops[place].advance()
        }
    }
}
