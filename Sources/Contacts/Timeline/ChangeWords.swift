import Core
import FoundationEssentials

/// What changed, field by field: “First name: Anna → Ana · Tier: Silver → Gold”.
struct ChangeWords {
    /// The properties, by name, for their labels and options.
    var definitions: [String: PropertyDefinition] = [:]
    /// The workspace's time zone; nil: moments stay as they are stored.
    var zone: String?
    /// What ids stand for, such as owners.
    var names: [String: String] = [:]

    /// Nil when nothing did.
    func words(_ changes: [String: JSONValue]) -> String? {
        let parts: [String] = changes.keys.sorted().compactMap { name in
            guard case .array(let values)? = changes[name], values.count == 2 else { return nil }
            let property: String? = name.hasPrefix("properties.") ? String(name.dropFirst(11)) : nil
            let definition: PropertyDefinition? = property.flatMap { definitions[$0] }
            let label: String = definition?.label ?? property ?? ContactConflict.labels[name] ?? name
            return "\(label): \(said(values[0], name, definition)) → \(said(values[1], name, definition))"
        }
        return parts.isEmpty ? nil : parts.joined(separator: " · ")
    }

    private func said(_ value: JSONValue, _ name: String, _ definition: PropertyDefinition?) -> String {
        switch value {
        case .null: return "nothing"
        case .string(""): return "nothing"
        case .string(let text) where name == "emailStatus": return EmailStatus(rawValue: text)?.words ?? text
        case .string(let text) where UUID(canonical: text) != nil: return names[text] ?? "somebody"
        case .string("true") where name == "trackingAllowed": return "yes"
        case .string("false") where name == "trackingAllowed": return "no"
        default:
            let text: String = PropertyFormat.shown(value, definition, zone: zone)
            return text.isEmpty ? "nothing" : text
        }
    }
}
