import Core
import FoundationEssentials
import Templates
import Web

/// A field that somebody else saved while a form was open: both values, side by side (`contacts/_conflicts`).
package struct ContactConflict: ViewRecord {
    package let field: String
    package let theirs: String
    package let yours: String

    package init(field: String, theirs: String, yours: String) {
        self.field = field
        self.theirs = theirs
        self.yours = yours
    }

    package static let fields = Fields<ContactConflict> { f in
        f.text("field") { $0.field }
        f.text("theirs") { $0.theirs }
        f.text("yours") { $0.yours }
    }
    package static var viewType: String { "ContactConflict" }

    /// The fields of which both values are known, where they differ.
    package static func differing(_ fields: [(String, theirs: String, yours: String)]) -> [ContactConflict] {
        fields.filter { $0.theirs != $0.yours }.map { name, theirs, yours in
            ContactConflict(
                field: name, theirs: theirs.isEmpty ? "—" : theirs, yours: yours.isEmpty ? "—" : yours)
        }
    }

    /// Where what was typed differs from what somebody else saved.
    /// - Parameters:
    ///   - changes: what saving would change, with both values.
    ///   - typed: the fields that were really changed.
    ///   - definitions: the properties, for their labels.
    ///   - names: what stands for values that are ids.
    static func between(
        _ changes: [String: JSONValue], _ typed: FormValues, _ definitions: [PropertyDefinition],
        names shownNames: [String: String] = [:]
    ) -> [ContactConflict] {
        let names: Set<String> = Set(typed.names.map { $0 == "trackingShown" ? "trackingAllowed" : $0 })
        let zone: String = typed.optional(LocalMoment.zoneField) ?? "UTC"
        return changes.sorted { $0.key < $1.key }.compactMap { field, change in
            guard case .array(let values) = change, values.count == 2 else { return nil }
            let name: String = field.hasPrefix("properties.") ? String(field.dropFirst(11)) : field
            let isMoment: Bool = names.contains("moment:\(name)")
            guard isMoment || !names.isDisjoint(with: [field, "property:\(name)"]) else { return nil }
            let definition: PropertyDefinition? =
                field == name ? nil : definitions.first { $0.name == name }
            func shown(_ value: JSONValue) -> String {
                if let text = value.stringValue, let known = shownNames[text] { return known }
                if isMoment, let text = value.stringValue { return LocalMoment.words(text, zone: zone) }
                return PropertyFormat.shown(value, definition)
            }
            return ContactConflict(
                field: definition?.label ?? labels[field] ?? name, theirs: shown(values[0]), yours: shown(values[1])
            )
        }
    }

    /// What forms call the fields of contacts and companies.
    static let labels: [String: String] = [
        "email": "E-mail", "phone": "Phone", "firstName": "First name", "lastName": "Last name",
        "emailStatus": "E-mail status", "consentBasis": "Why we may write", "tags": "Tags",
        "trackingAllowed": "Opens and clicks", "company": "Company", "name": "Name", "domain": "Domain",
        "website": "Website", "owner": "Owner",
    ]
}
