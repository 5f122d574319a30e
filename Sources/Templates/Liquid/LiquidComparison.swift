/// Equality, order and membership as the reference implementation has them.
enum LiquidComparison {
    static func isTruthy(_ value: LiquidValue) -> Bool {
        switch value {
        case .null, .bool(false): false
        default: true
        }
    }

    static func areEqual(_ left: LiquidValue, _ right: LiquidValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let first), .bool(let second)): first == second
        case (.int(let first), .int(let second)): first == second
        case (.int(let first), .double(let second)): Double(first) == second
        case (.double(let first), .int(let second)): first == Double(second)
        case (.double(let first), .double(let second)): first == second
        case (.string(let first), .string(let second)), (.string(let first), .html(let second)),
            (.html(let first), .string(let second)), (.html(let first), .html(let second)):
            first.utf8.elementsEqual(second.utf8)
        case (.range(let first, let last), .range(let otherFirst, let otherLast)):
            first == otherFirst && last == otherLast
        case (.array(let first), .array(let second)):
            first.count == second.count && zip(first, second).allSatisfy { areEqual($0, $1) }
        case (.object(let first), .object(let second)):
            first.count == second.count
                && zip(first.shape.keys, first.values).allSatisfy { key, value in
                    second[key].map { areEqual(value, $0) } ?? false
                }
        default: false
        }
    }

    /// Nothing in it: an empty string, array or object. Nil is not empty.
    static func isEmpty(_ value: LiquidValue) -> Bool {
        switch value {
        case .string(let text), .html(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let object): object.isEmpty && object.typeName == nil
        default: false
        }
    }

    /// Empty, nil, false or only white space.
    static func isBlank(_ value: LiquidValue) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text), .html(let text): text.utf8.allSatisfy(ASCII.isSpace)
        default: isEmpty(value)
        }
    }

    /// Less, equal or greater; nil where the two cannot be compared.
    static func order(_ left: LiquidValue, _ right: LiquidValue) -> Int? {
        switch (left, right) {
        case (.int(let first), .int(let second)): order(first, second)
        case (.int(let first), .double(let second)): order(Double(first), second)
        case (.double(let first), .int(let second)): order(first, Double(second))
        case (.double(let first), .double(let second)): first.isNaN || second.isNaN ? nil : order(first, second)
        case (.string(let first), .string(let second)), (.string(let first), .html(let second)),
            (.html(let first), .string(let second)), (.html(let first), .html(let second)):
            bytewise(first, second)
        case (.null, .null): 0
        default: areEqual(left, right) ? 0 : nil
        }
    }

    private static func order<Value: Comparable>(_ first: Value, _ second: Value) -> Int {
        first < second ? -1 : (first == second ? 0 : 1)
    }

    static func bytewise(_ first: String, _ second: String) -> Int {
        if first.utf8.lexicographicallyPrecedes(second.utf8) { return -1 }
        return first.utf8.elementsEqual(second.utf8) ? 0 : 1
    }

    /// `<`, `>`, `<=`, `>=`. Numbers and strings have an order; anything else is simply not smaller or greater.
    static func compare(
        _ left: LiquidValue, _ operation: Comparison, _ right: LiquidValue
    ) throws(LiquidFailure) -> Bool {
        guard isComparable(left), isComparable(right) else { return false }
        if case .double(let value) = left, value.isNaN { return false }
        if case .double(let value) = right, value.isNaN { return false }
        guard let order = order(left, right) else {
            throw LiquidFailure("comparison of \(typeName(left)) with \(described(right)) failed")
        }
        return switch operation {
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }

    private static func isComparable(_ value: LiquidValue) -> Bool {
        switch value {
        case .int, .double, .string, .html: true
        default: false
        }
    }

    private static func typeName(_ value: LiquidValue) -> String {
        switch value {
        case .int: "Integer"
        case .double: "Float"
        default: "String"
        }
    }

    private static func described(_ value: LiquidValue) -> String {
        switch value {
        case .int, .double: LiquidText.text(value)
        default: typeName(value)
        }
    }

    /// A string in a string, an item in an array, a key in an object, a number in a range.
    static func contains(_ left: LiquidValue, _ right: LiquidValue) -> Bool {
        guard isTruthy(left), isTruthy(right) else { return false }
        switch left {
        case .string(let text), .html(let text): return LiquidBytes.find(LiquidText.text(right), in: text) != nil
        case .array(let items): return items.contains { areEqual($0, right) }
        case .object(let object):
            guard let key = right.stringValue else { return false }
            return object[key] != nil
        case .range(let first, let last):
            switch right {
            case .int(let value): return value >= first && value <= last
            case .double(let value): return value >= Double(first) && value <= Double(last)
            default: return false
            }
        default: return false
        }
    }
}
