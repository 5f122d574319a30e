/// Filters over arrays. Whatever comes in is made one: nested arrays become flat, a single value stands alone.
struct LiquidArrayFilters {
    let limits: LiquidLimits

    func apply(
        _ filter: LiquidFilter, to input: LiquidValue, _ arguments: [LiquidValue]
    ) throws(LiquidFailure) -> LiquidValue {
        switch filter {
        case .size:
            if case .null = LiquidLookup.size(of: input) { return 0 }
            return LiquidLookup.size(of: input)
        case .first: return LiquidLookup.first(of: input)
        case .last: return LiquidLookup.last(of: input)
        default: break
        }
        let items: [LiquidValue] = try items(of: input)
        let property: LiquidValue = arguments.first ?? .null
        switch filter {
        case .join: return try join(items, glue: arguments.isEmpty ? " " : LiquidText.text(property))
        case .reverse: return .array(items.reversed())
        case .concat:
            guard case .array(let more) = property else {
                throw LiquidFailure("concat filter requires an array argument")
            }
            return .array(items + more)
        case .map: return try map(items, property)
        case .compact: return try compact(items, property)
        case .uniq: return try unique(items, property)
        case .sum: return try sum(items, property)
        case .sort, .sortNatural: return try LiquidSort.sorted(items, by: property, naturally: filter == .sortNatural)
        default: return try select(filter, items, property, target: arguments.count > 1 ? arguments[1] : .null)
        }
    }

    private func items(of input: LiquidValue) throws(LiquidFailure) -> [LiquidValue] {
        switch input {
        case .null: return []
        case .array(let items): return Self.flattened(items)
        case .range(let first, let last):
            guard LiquidLookup.rangeCount(first, last) <= limits.loopRounds else {
                throw LiquidFailure(limit: "this range has more than \(limits.loopRounds) numbers")
            }
            return last < first ? [] : (first...last).map { .int($0) }
        default: return [input]
        }
    }

    static func flattened(_ items: [LiquidValue]) -> [LiquidValue] {
        let isNested: Bool = items.contains { if case .array = $0 { true } else { false } }
        guard isNested else { return items }
        return items.flatMap { item -> [LiquidValue] in
            if case .array(let inner) = item { flattened(inner) } else { [item] }
        }
    }

    private func join(_ items: [LiquidValue], glue: String) throws(LiquidFailure) -> LiquidValue {
        var result = ""
        for (index, item) in items.enumerated() {
            if index > 0 { result += glue }
            result += LiquidText.text(item)
            if result.utf8.count > limits.outputBytes {
                throw LiquidFailure(limit: "this text grows over \(limits.outputBytes) bytes")
            }
        }
        return .string(result)
    }

    private func map(_ items: [LiquidValue], _ property: LiquidValue) throws(LiquidFailure) -> LiquidValue {
        var result: [LiquidValue] = []
        result.reserveCapacity(items.count)
        for item in items {
            switch try LiquidLookup.property(property, of: item) {
            case .value(let value): result.append(value)
            case .unsupported: result.append(.null)
            }
        }
        return .array(result)
    }

    private func compact(_ items: [LiquidValue], _ property: LiquidValue) throws(LiquidFailure) -> LiquidValue {
        var result: [LiquidValue] = []
        for item in items {
            var value: LiquidValue = item
            if !Self.isNull(property) {
                guard case .value(let found) = try LiquidLookup.property(property, of: item) else { return .null }
                value = found
            }
            if !Self.isNull(value) { result.append(item) }
        }
        return .array(result)
    }

    private func unique(_ items: [LiquidValue], _ property: LiquidValue) throws(LiquidFailure) -> LiquidValue {
        var seen: Set<String> = []
        var result: [LiquidValue] = []
        for item in items {
            var value: LiquidValue = item
            if !Self.isNull(property) {
                guard case .value(let found) = try LiquidLookup.property(property, of: item) else { return .null }
                value = found
            }
            if seen.insert(LiquidText.inspect(value)).inserted { result.append(item) }
        }
        return .array(result)
    }

    private func sum(_ items: [LiquidValue], _ property: LiquidValue) throws(LiquidFailure) -> LiquidValue {
        var values: [LiquidValue] = items
        if !Self.isNull(property) {
            values = []
            for item in items {
                if case .value(let value) = try LiquidLookup.property(property, of: item) { values.append(value) }
            }
        }
        var total = LiquidNumber.zero
        for value in Self.flattened(values) { total = LiquidNumber.plus(total, LiquidNumber(value)) }
        return total.value
    }

    /// where, reject, has, find and find_index: items whose property is true, or equal to the target.
    private func select(
        _ filter: LiquidFilter, _ items: [LiquidValue], _ property: LiquidValue, target: LiquidValue
    ) throws(LiquidFailure) -> LiquidValue {
        var kept: [LiquidValue] = []
        for (index, item) in items.enumerated() {
            guard case .value(let value) = try LiquidLookup.property(property, of: item) else { return .null }
            let matches: Bool =
                Self.isNull(target) ? LiquidComparison.isTruthy(value) : LiquidComparison.areEqual(value, target)
            switch filter {
            case .where: if matches { kept.append(item) }
            case .reject: if !matches { kept.append(item) }
            case .has: if matches { return true }
            case .find: if matches { return item }
            default: if matches { return .int(index) }
            }
        }
        switch filter {
        case .where, .reject: return .array(kept)
        case .has: return false
        default: return .null
        }
    }

    static func isNull(_ value: LiquidValue) -> Bool {
        if case .null = value { true } else { false }
    }
}

/// sort and sort_natural. Items that compare as equal keep their order; nil goes last.
enum LiquidSort {
    static func sorted(
        _ items: [LiquidValue], by property: LiquidValue, naturally: Bool
    ) throws(LiquidFailure) -> LiquidValue {
        if items.isEmpty { return .array([]) }
        var keys: [LiquidValue] = items
        if !LiquidArrayFilters.isNull(property) {
            keys = []
            for item in items {
                guard case .value(let value) = try LiquidLookup.property(property, of: item) else { return .null }
                keys.append(value)
            }
        }
        var failure: LiquidFailure?
        let texts: [String] = naturally ? keys.map { folded(LiquidText.text($0)) } : []
        let order: [Int] = items.indices.sorted { first, second in
            if failure != nil { return first < second }
            do throws(LiquidFailure) {
                let result: Int =
                    naturally
                    ? natural(keys[first], keys[second], texts[first], texts[second])
                    : try plain(keys[first], keys[second])
                return result == 0 ? first < second : result < 0
            } catch {
                failure = error
                return first < second
            }
        }
        if let failure { throw failure }
        return .array(order.map { items[$0] })
    }

    private static func plain(_ first: LiquidValue, _ second: LiquidValue) throws(LiquidFailure) -> Int {
        if let order = LiquidComparison.order(first, second) { return order }
        if LiquidArrayFilters.isNull(first) { return 1 }
        if LiquidArrayFilters.isNull(second) { return -1 }
        throw LiquidFailure("cannot sort values of incompatible types")
    }

    private static func natural(
        _ first: LiquidValue, _ second: LiquidValue, _ firstText: String, _ secondText: String
    ) -> Int {
        switch (LiquidArrayFilters.isNull(first), LiquidArrayFilters.isNull(second)) {
        case (true, true): 0
        case (true, false): 1
        case (false, true): -1
        case (false, false): LiquidComparison.bytewise(firstText, secondText)
        }
    }

    private static func folded(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }, as: UTF8.self)
    }
}
