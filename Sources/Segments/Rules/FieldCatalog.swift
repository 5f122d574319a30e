import Accounts
import Contacts
import Core
import Postgres

/// The fields that rules of a workspace may name: those that every workspace has, and its own properties.
package struct FieldCatalog: Sendable {
    /// A property as it is declared.
    package struct Definition: Sendable {
        package let property: RuleProperty
        package let isOfCompany: Bool
        package let label: String
        package let group: String
        package let options: [PropertyOption]
    }

    package let definitions: [Definition]
    private let fields: [String: RuleField]
    private let byID: [PropertyID: Definition]

    package init(_ definitions: [Definition] = []) {
        self.definitions = definitions
        var fields: [String: RuleField] = [:]
        for field in RuleField.fixed { fields[field.path] = field }
        for definition in definitions {
            let field = Self.field(definition)
            fields[field.path] = field
        }
        self.fields = fields
        byID = Dictionary(definitions.map { ($0.property.id, $0) }) { first, _ in first }
    }

    static func field(_ definition: Definition) -> RuleField {
        definition.isOfCompany ? .companyProperty(definition.property) : .property(definition.property)
    }

    /// The field with this name in rules; nil when the workspace has none.
    package func field(_ path: String) -> RuleField? { fields[path] }

    /// How pages call a field.
    package func label(_ field: RuleField) -> String {
        switch field {
        case .property(let property): byID[property.id]?.label ?? property.name
        case .companyProperty(let property):
            "Company " + (byID[property.id]?.label ?? property.name)
        default: field.label
        }
    }

    /// The values that a field can have, where they are few and known.
    package func options(_ field: RuleField) -> [PropertyOption] {
        switch field {
        case .emailStatus: EmailStatus.allCases.map { PropertyOption(value: $0.rawValue, label: $0.words) }
        case .property(let property), .companyProperty(let property): byID[property.id]?.options ?? []
        default: []
        }
    }

    /// The declared properties of a workspace.
    static func query(_ workspace: WorkspaceID) -> Query<DefinitionRow> {
        Query(
            DefinitionRow.self, "segments.fields",
            """
            SELECT \(DefinitionRow.columns) FROM marketing_property_definitions
            WHERE workspace_id = \(workspace) ORDER BY object DESC, group_name, position, label LIMIT 2000
            """)
    }

    package static func load(_ workspace: WorkspaceID, in transaction: PostgresTransaction) async throws -> FieldCatalog
    {
        let (rows) = try await transaction.pipeline(query(workspace))
        return FieldCatalog(rows.map(\.definition))
    }

    struct DefinitionRow: PostgresRow {
        static let columns: SQL = "id, object, name, label, type, group_name, options, speed"
        let definition: Definition

        private struct Option: Codable {
            let value: String
            let label: String
        }

        init(row: inout RowReader) throws {
            let id: PropertyID = try row.next()
            let object: String = try row.next()
            let name: String = try row.next()
            let label: String = try row.next()
            let type: String = try row.next()
            let group: String = try row.next()
            let options = try row.next(JSONB<[Option]>.self).value
            let speed: String = try row.next()
            definition = Definition(
                property: RuleProperty(
                    id: id, name: name, type: PropertyType(rawValue: type) ?? .text, isFast: speed == "fast"),
                isOfCompany: object == "company", label: label.isEmpty ? name : label, group: group,
                options: options.map { PropertyOption(value: $0.value, label: $0.label) })
        }
    }
}
