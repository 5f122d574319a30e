import Core
import Templates

/// What an author's Liquid can use, for one person. The names are those of `ContactLiquid`, which is for single people; this
/// is for many: what is the same for all is made once, and properties only when the e-mail uses them.
enum MergeData {
    private static let names = [
        "id", "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "fullName", "full_name",
        "tags",
        "properties",
    ]
    private static let reserved = Set(names)
    private static let contactShape = LiquidShape(names)
    private static let rootShape = LiquidShape([
        "contact", "email", "first_name", "last_name", "firstName", "lastName", "workspace", "unsubscribe_url",
        "preferences_url",
    ])
    private static let unsubscribe = LiquidValue.html("\u{E000}u\u{E001}")

    /// What is the same for everybody in a workspace.
    static func workspace(named name: String) -> LiquidValue {
        .object(LiquidObject([("name", .string(name))]))
    }

    static func values(of person: ContactSnapshot, id: ContactID, workspace: LiquidValue) -> LiquidValue {
        let email: LiquidValue = text(person.email)
        let first: LiquidValue = text(person.firstName)
        let last: LiquidValue = text(person.lastName)
        let name: LiquidValue = person.name.isEmpty ? .null : .string(person.name)
        let tags: LiquidValue = .array((person.tags ?? []).map { .string($0) })
        var values: [LiquidValue] = [
            .string(id.description), email, text(person.phone), name, first, first, last, last, name, name, tags, .null,
        ]
        var contact = LiquidObject(contactShape, values)
        if case .object(let properties) = person.properties {
            let own: [(String, LiquidValue)] = properties.map { ($0.key, LiquidValue($0.value)) }
            values[values.count - 1] = .object(LiquidObject(own))
            let direct: [(String, LiquidValue)] = own.filter { !reserved.contains($0.0) }
            contact = LiquidObject(LiquidShape(names + direct.map(\.0)), values + direct.map(\.1))
        }
        return .object(
            LiquidObject(
                rootShape, [.object(contact), email, first, last, first, last, workspace, unsubscribe, unsubscribe]))
    }

    private static func text(_ value: String?) -> LiquidValue {
        value.map { .string($0) } ?? .null
    }

    /// Whether a variable is one of those that need no look at a contact's properties or tags.
    static func isCheap(_ path: String) -> Bool {
        guard path == "contact" || path.hasPrefix("contact.") || path.hasPrefix("contact[") else { return true }
        let field: Substring = path.dropFirst("contact.".count).prefix { $0 != "." && $0 != "[" }
        return reserved.contains(String(field)) && field != "tags" && field != "properties"
    }
}

/// The names that an author may use, for checks.
package enum MergeFields {
    private static let fields: Set<String> = [
        "id", "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "fullName", "full_name",
        "tags",
        "properties",
    ]
    private static let roots: Set<String> = [
        "contact", "email", "first_name", "last_name", "firstName", "lastName", "workspace", "workspace.name",
        "unsubscribe_url", "unsubscribe_link", "preferences_url",
    ]

    /// - Parameter properties: the names of contacts' properties in the workspace.
    package static func isKnown(_ path: String, properties: Set<String>) -> Bool {
        if roots.contains(path) || path.hasPrefix("contact[") { return true }
        guard path.hasPrefix("contact.") else { return false }
        var field: Substring = path.dropFirst("contact.".count)
        if field.hasPrefix("properties[") { return true }
        if field.hasPrefix("properties.") { field = field.dropFirst("properties.".count) }
        let name = String(field.prefix { $0 != "." && $0 != "[" })
        return fields.contains(name) || properties.contains(name) || properties.contains(String(field))
    }
}
