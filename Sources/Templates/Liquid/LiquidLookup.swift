/// Reaching into values: `.name` and `[key]` in a path, and the property that a filter names.
enum LiquidLookup {
    /// `value.name`: a member of that name, else the size, the first or the last.
    static func member(_ name: String, of value: LiquidValue) -> LiquidValue {
        if case .object(let object) = value {
            if let member = object[name] { return member }
            if object.typeName != nil { return .null }
        }
        return switch name {
        case "size": size(of: value)
        case "first": first(of: value)
        case "last": last(of: value)
        default: .null
        }
    }

    /// `value[key]`
    static func element(_ key: LiquidValue, of value: LiquidValue) -> LiquidValue {
        switch (value, key) {
        case (.array(let items), .int(let index)):
            let place: Int = index < 0 ? items.count + index : index
            return items.indices.contains(place) ? items[place] : .null
        case (.object(let object), .string(let name)), (.object(let object), .html(let name)):
            return object[name] ?? .null
        default: return .null
        }
    }

    static func size(of value: LiquidValue) -> LiquidValue {
        switch value {
        case .string(let text), .html(let text): .int(text.unicodeScalars.count)
        case .array(let items): .int(items.count)
        case .object(let object): .int(object.count)
        case .range(let first, let last): .int(rangeCount(first, last))
        case .int: .int(8)
        default: .null
        }
    }

    static func rangeCount(_ first: Int, _ last: Int) -> Int {
        guard last >= first else { return 0 }
        let (distance, overflow) = last.subtractingReportingOverflow(first)
        return overflow || distance == .max ? .max : distance + 1
    }

    static func first(of value: LiquidValue) -> LiquidValue {
        switch value {
        case .string(let text), .html(let text): .string(text.unicodeScalars.first.map { String($0) } ?? "")
        case .array(let items): items.first ?? .null
        case .object(let object): object.pairs.first ?? .null
        case .range(let first, _): .int(first)
        default: .null
        }
    }

    static func last(of value: LiquidValue) -> LiquidValue {
        switch value {
        case .string(let text), .html(let text): .string(text.unicodeScalars.last.map { String($0) } ?? "")
        case .array(let items): items.last ?? .null
        case .range(_, let last): .int(last)
        default: .null
        }
    }

    /// What a filter finds under a property of an item.
    enum Property {
        case value(LiquidValue)
        /// The item is nothing that has properties.
        case unsupported
    }

    /// Strings answer with the part of themselves that is asked for, numbers with a bit: the reference does so.
    static func property(_ key: LiquidValue, of item: LiquidValue) throws(LiquidFailure) -> Property {
        switch item {
        case .object: return .value(element(key, of: item))
        case .array(let items):
            guard let index = index(key) else { throw cannotSelect(key) }
            return .value(element(.int(index), of: .array(items)))
        case .string(let text), .html(let text):
            if let part = key.stringValue {
                return .value(LiquidBytes.find(part, in: text) == nil ? .null : .string(part))
            }
            guard let index = index(key) else { throw cannotSelect(key) }
            let scalars: [Unicode.Scalar] = Array(text.unicodeScalars)
            let place: Int = index < 0 ? scalars.count + index : index
            return .value(scalars.indices.contains(place) ? .string(String(scalars[place])) : .null)
        case .int(let number):
            guard let index = index(key) else { throw cannotSelect(key) }
            if index < 0 { return .value(.int(0)) }
            return .value(.int(number >> min(index, 63) & 1))
        default: return .unsupported
        }
    }

    private static func index(_ key: LiquidValue) -> Int? {
        switch key {
        case .int(let value): value
        case .double(let value): Int(exactly: value.rounded(.towardZero))
        default: nil
        }
    }

    private static func cannotSelect(_ key: LiquidValue) -> LiquidFailure {
        LiquidFailure("cannot select the property '\(LiquidText.text(key))'")
    }
}
