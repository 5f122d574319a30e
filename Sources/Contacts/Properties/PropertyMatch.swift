import Core
import Postgres

/// A value of a fast property as its index knows it.
package struct FastMatch: Sendable, Hashable, Codable {
    let property: PropertyID
    let text: String?
    let number: Double?

    /// Nil when the property is not fast, or the value can only be found among the people themselves.
    init?(_ definition: PropertyDefinition, _ value: String) {
        guard definition.speed == .fast else { return nil }
        property = definition.id
        switch definition.type {
        case .text, .longText, .url:
            text = String(value.prefix(200)).lowercased()
            number = nil
        case .singleSelect, .multiSelect:
            let option: PropertyOption? = definition.options.first {
                $0.value.lowercased() == value.lowercased() || $0.label.lowercased() == value.lowercased()
            }
            text = (option?.value ?? value).lowercased()
            number = nil
        case .number, .boolean:
            guard let wanted = try? definition.value.normalized(.string(value)) else { return nil }
            text = nil
            switch wanted {
            case .int(let whole): number = Double(whole)
            case .double(let exact): number = exact
            case .bool(let flag): number = flag ? 1 : 0
            default: return nil
            }
        case .money, .date, .dateTime: return nil
        }
    }

    /// The condition on `c`.
    func matches(_ scope: WorkspaceScope) -> SQL {
        let value: SQL = text.map { "v.text_value = \($0)" } ?? "v.number_value = \(number)"
        return """
            c.id IN (
                SELECT v.contact_id FROM marketing_contact_property_values v
                WHERE v.workspace_id = \(scope.workspace) AND v.property_id = \(property) AND \(value))
            """
    }
}

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
