import Core
import Postgres

/// People whose property has a value, as the filter of the contacts list asks for it: texts and options whatever their
/// case, numbers, days, yes and no, amounts like `12.50 EUR`, one of several choices.
struct PropertyMatch: Sendable {
    private let name: String
    private let value: String?

    /// - Parameter value: nil for anybody who has a value at all.
    init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }

    /// The condition on `c`.
    var matches: SQL {
        guard let value else { return "c.properties ? \(name)" }
        var wanted: [String] = [value.lowercased()]
        switch value.lowercased() {
        case "yes": wanted.append("true")
        case "no": wanted.append("false")
        default: break
        }
        if case .double(let number)? = try? PropertyValue(type: .number).normalized(.string(value)) {
            wanted.append(number.description)
        }
        var sql: SQL = "(lower(c.properties ->> \(name)) = ANY (\(wanted))"
        sql += """
             OR (jsonb_typeof(c.properties -> \(name)) = 'array' AND EXISTS (
                SELECT FROM jsonb_array_elements_text(c.properties -> \(name)) AS o(item)
                WHERE lower(o.item) = ANY (\(wanted))))
            """
        if let money = try? PropertyValue(type: .money).normalized(.string(value)) {
            sql += " OR c.properties -> \(name) = \(money)"
        }
        return sql + ")"
    }
}
