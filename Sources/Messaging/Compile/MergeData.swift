import Core
import Templates

/// What an author's Liquid can use, for one person after the other. The names are those of `ContactLiquid`, which is for
/// single people; this is for many: what is the same for all is made once, and so are the shapes of people who have the same
/// properties.
struct MergeData {
    private static let names = [
        "id", "email", "phone", "name", "firstName", "first_name", "lastName", "last_name", "fullName", "full_name",
        "tags",
        "properties",
    ]
    private static let reserved = Set(names)
    private static let rootShape = LiquidShape([
        "contact", "email", "first_name", "last_name", "firstName", "lastName", "workspace", "unsubscribe_url",
        "preferences_url",
    ])
    private static let unsubscribe = LiquidValue.html("\u{E000}u\u{E001}")

    private let workspace: LiquidValue
    private var shapes = Shapes([])

    init(workspaceName: String) {
        workspace = .object(LiquidObject([("name", .string(workspaceName))]))
    }

    /// The names of a person with certain properties: these can also be reached without `properties`, unless a field is
    /// called the same.
    private struct Shapes {
        let keys: [String]
        let properties: LiquidShape
        let contact: LiquidShape
        /// Which properties are members of the contact itself.
        let direct: [Int]

        init(_ keys: [String]) {
            self.keys = keys
            properties = LiquidShape(keys)
            direct = keys.indices.filter { !MergeData.reserved.contains(keys[$0]) }
            contact = LiquidShape(MergeData.names + direct.map { keys[$0] })
        }
    }

    mutating func values(of person: ContactSnapshot, id: ContactID) -> LiquidValue {
        let email: LiquidValue = Self.text(person.email)
        let first: LiquidValue = Self.text(person.firstName)
        let last: LiquidValue = Self.text(person.lastName)
        let name: LiquidValue = person.name.isEmpty ? .null : .string(person.name)
        let keys: [String] = person.properties?.keys ?? []
        if keys != shapes.keys { shapes = Shapes(keys) }
        let own: [LiquidValue] = person.properties?.values.map { LiquidValue($0) } ?? []
        var values: [LiquidValue] = []
        values.reserveCapacity(Self.names.count + own.count)
        values += [.string(id.description), email, Self.text(person.phone), name, first, first, last, last, name, name]
        values.append(.array((person.tags ?? []).map { .string($0) }))
        values.append(person.properties == nil ? .null : .object(LiquidObject(shapes.properties, own)))
        for place in shapes.direct { values.append(own[place]) }
        let contact = LiquidObject(shapes.contact, values)
        return .object(
            LiquidObject(
                Self.rootShape,
                [.object(contact), email, first, last, first, last, workspace, Self.unsubscribe, Self.unsubscribe]))
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
