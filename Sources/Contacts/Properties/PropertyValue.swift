import Core
import FoundationEssentials
import Web

/// Checks a property's value against its type and brings it into the one form that is stored.
package struct PropertyValue: Sendable {
    /// Why a value does not fit, in words for the person who gave it.
    package struct Flaw: Error, Sendable, Equatable {
        package let message: String
    }

    let type: PropertyType
    let options: [PropertyOption]

    package init(type: PropertyType, options: [PropertyOption] = []) {
        self.type = type
        self.options = options
    }

    /// The value as it is stored; null for a blank one.
    ///
    /// Texts, as forms and files give them, become what the type holds: numbers, booleans, `YYYY-MM-DD`, moments in UTC
    /// to the second, `{amount, currency}` in minor units, option values.
    package func normalized(_ value: JSONValue) throws(Flaw) -> JSONValue {
        if value == .null { return .null }
        if let text = value.stringValue, text.trimmed.isEmpty { return .null }
        switch type {
        case .text: return .string(try text(value, limit: 1000, allowsLines: false))
        case .longText: return .string(try text(value, limit: 20_000, allowsLines: true))
        case .number: return try number(value)
        case .money: return try money(value)
        case .boolean: return try boolean(value)
        case .date: return try date(value)
        case .dateTime: return try moment(value)
        case .singleSelect: return .string(try option(value))
        case .multiSelect: return try choices(value)
        case .url: return try url(value)
        }
    }

    private func text(_ value: JSONValue, limit: Int, allowsLines: Bool) throws(Flaw) -> String {
        guard let text = value.stringValue?.trimmed else { throw Flaw(message: "This must be text.") }
        if text.utf8.count > limit, text.count > limit {
            throw Flaw(message: "This is longer than \(limit) characters.")
        }
        if text.isPlainASCII { return text }
        let isClean: Bool = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control || (allowsLines && ["\n", "\r", "\t"].contains($0))
        }
        guard isClean else { throw Flaw(message: "There is a control character in this, like a line break.") }
        return text
    }

    private func number(_ value: JSONValue) throws(Flaw) -> JSONValue {
        switch value {
        case .int: return value
        case .double(let number) where number.isFinite: return value
        case .string(let text):
            if let whole = Int(text.trimmed) { return .int(whole) }
            let isPlain: Bool = text.trimmed.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
            if isPlain, let number = Double(text.trimmed), number.isFinite { return .double(number) }
        default: break
        }
        throw Flaw(message: "This must be a number, like 12 or 3.5.")
    }

    private func boolean(_ value: JSONValue) throws(Flaw) -> JSONValue {
        if case .bool = value { return value }
        switch value.stringValue?.trimmed.lowercased() {
        case "true", "yes", "1": return .bool(true)
        case "false", "no", "0": return .bool(false)
        default: throw Flaw(message: "This must be yes or no.")
        }
    }

    private func money(_ value: JSONValue) throws(Flaw) -> JSONValue {
        if case .object(let members) = value, members.count == 2, case .int(let amount)? = members["amount"],
            let code = members["currency"]?.stringValue, Currency.decimals(code) != nil
        {
            return .object(["amount": .int(amount), "currency": .string(code)])
        }
        let words = (value.stringValue ?? "").split(separator: " ")
        guard words.count == 2, let decimals = Currency.decimals(words[1].uppercased()),
            let amount = Self.minorUnits(words[0], decimals: decimals)
        else { throw Flaw(message: "This must be an amount and a currency, like 12.50 EUR.") }
        return .object(["amount": .int(amount), "currency": .string(words[1].uppercased())])
    }

    private static func minorUnits(_ text: Substring, decimals: Int) -> Int? {
        let isNegative: Bool = text.hasPrefix("-")
        let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty else { return nil }
        let fraction: Substring = parts.count == 2 ? parts[1] : ""
        guard fraction.count <= decimals, parts.count == 1 || !fraction.isEmpty else { return nil }
        let digits: String = whole + fraction + String(repeating: "0", count: decimals - fraction.count)
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let amount = Int(digits) else { return nil }
        return isNegative ? -amount : amount
    }

    private func date(_ value: JSONValue) throws(Flaw) -> JSONValue {
        guard let text = value.stringValue?.trimmed, Self.isDay(text) else {
            throw Flaw(message: "This must be a day, like 2026-03-31.")
        }
        return .string(text)
    }

    private static func isDay(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year > 0, (1...12).contains(month)
        else { return false }
        let isLeap: Bool = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...lengths[month - 1]).contains(day)
    }

    private func moment(_ value: JSONValue) throws(Flaw) -> JSONValue {
        let text: String = value.stringValue?.trimmed ?? ""
        guard Self.isDay(String(text.prefix(10))), let moment = try? Date(text, strategy: .iso8601) else {
            throw Flaw(message: "This must be a day and time with its zone, like 2026-03-31T09:30:00Z.")
        }
        return .string(moment.formatted(.iso8601))
    }

    /// Options are named by their value; by their label too where people type.
    private func option(_ value: JSONValue) throws(Flaw) -> String {
        if let text = value.stringValue?.trimmed {
            if let exact = options.first(where: { $0.value == text }) { return exact.value }
            if let named = options.first(where: { $0.label.lowercased() == text.lowercased() }) { return named.value }
        }
        throw Flaw(message: "This must be one of \(options.map(\.label).joined(separator: ", ")).")
    }

    private func choices(_ value: JSONValue) throws(Flaw) -> JSONValue {
        var wanted: [JSONValue]
        switch value {
        case .array(let values): wanted = values
        case .string(let text): wanted = text.split(separator: ";").map { .string(String($0)) }
        default: throw Flaw(message: "This must be a list of options.")
        }
        wanted.removeAll { $0.stringValue?.trimmed.isEmpty ?? false }
        var chosen: Set<String> = []
        for value in wanted { chosen.insert(try option(value)) }
        let inOrder: [JSONValue] = options.filter { chosen.contains($0.value) }.map { .string($0.value) }
        return inOrder.isEmpty ? .null : .array(inOrder)
    }

    private func url(_ value: JSONValue) throws(Flaw) -> JSONValue {
        let text: String = value.stringValue?.trimmed ?? ""
        guard text.count <= 2000, !text.contains(where: \.isWhitespace), let url = URL(string: text),
            ["http", "https"].contains(url.scheme?.lowercased() ?? ""), !(url.host ?? "").isEmpty
        else { throw Flaw(message: "This must be a web address that begins with https:// or http://.") }
        return .string(text)
    }
}
