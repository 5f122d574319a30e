import Core
import Web

/// Values of properties as texts.
package enum PropertyFormat {
    /// The value as forms, exports and files write it; reading it back gives the same value. Empty for null.
    package static func machine(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: return ""
        case .string(let text)?: return text
        case .bool(let flag)?: return flag ? "true" : "false"
        case .int(let number)?: return String(number)
        case .double(let number)?: return String(number)
        case .array(let values)?: return values.map(machine).joined(separator: "; ")
        case .object(let members)?:
            if let money = money(members) { return money }
            return members.keys.sorted().map { "\($0): \(machine(members[$0]))" }.joined(separator: ", ")
        }
    }

    /// The value as templates say it: an amount of money as `12.50 EUR`, everything else as it is.
    static func sayable(_ value: JSONValue) -> JSONValue {
        guard case .object(let members) = value, members.count == 2, let text = money(members) else { return value }
        return .string(text)
    }

    /// The value as pages show it; “—” for null.
    /// - Parameter zone: the workspace's time zone, for moments; nil: they stay as they are stored.
    package static func shown(
        _ value: JSONValue?, _ definition: PropertyDefinition?, zone: String? = nil
    ) -> String {
        if let text = value?.stringValue {
            switch definition?.type {
            case .dateTime?: return zone.map { LocalMoment.words(text, zone: $0) } ?? text
            case .date?: return LocalMoment.dayWords(text)
            default: break
            }
        }
        return switch value {
        case nil, .null: "—"
        case .bool(let flag)?: flag ? "Yes" : "No"
        case .string(let text)?: label(text, definition)
        case .array(let values)?: values.map { label(machine($0), definition) }.joined(separator: ", ")
        case .int(let number)? where definition?.type == .number: NumberWords.grouped(number)
        case .double(let number)? where definition?.type == .number: NumberWords.grouped(decimal: String(number))
        case .object(let members)?: money(members).map(NumberWords.grouped(decimal:)) ?? machine(value)
        default: machine(value)
        }
    }

    private static func label(_ text: String, _ definition: PropertyDefinition?) -> String {
        definition?.options.first { $0.value == text }?.label ?? text
    }

    /// `12.50 EUR` from the amount in the currency's smallest unit.
    private static func money(_ members: [String: JSONValue]) -> String? {
        guard case .int(let amount)? = members["amount"], let code = members["currency"]?.stringValue,
            let decimals = Currency.decimals(code), members.count == 2
        else { return nil }
        guard decimals > 0 else { return "\(amount) \(code)" }
        var digits: String = String(amount.magnitude)
        if digits.count <= decimals { digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits }
        return "\(amount < 0 ? "-" : "")\(digits.dropLast(decimals)).\(digits.suffix(decimals)) \(code)"
    }
}
