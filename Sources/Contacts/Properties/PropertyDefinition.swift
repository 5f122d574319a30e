import Core
import FoundationEssentials
import Postgres
import Web

package enum PropertyTag {}
package typealias PropertyID = Identifier<PropertyTag>

/// Whose property it is. The raw value is what is stored and what the API says.
package enum PropertyObject: String, Sendable, CaseIterable, Codable, PostgresCodable {
    case contact, company

    /// The table whose rows hold the values in `properties`.
    var table: String { self == .contact ? "marketing_contacts" : "marketing_companies" }

    /// As pages say several of them.
    func counted(_ count: Int) -> String {
        self == .contact ? CountWords.people(count) : NumberWords.counted(count, "company", "companies")
    }

    /// The word for the heading above the properties of one kind.
    var plural: String { self == .contact ? "Contacts" : "Companies" }
}

/// Whether values of a property also stand in the table of property values, where conditions find people by an index.
package enum PropertySpeed: String, Sendable, PostgresCodable {
    case normal
    /// The values of people who are there already are being copied; new changes are kept at once.
    case building
    case fast
}

/// What a property of people or companies holds.
package struct PropertyDefinition: Sendable, Equatable {
    package let id: PropertyID
    package let object: PropertyObject
    /// The key in `properties`; it never changes.
    package let name: String
    package var label: String
    package var type: PropertyType
    /// The heading that it stands under; empty for none.
    package var group: String
    /// Lower numbers stand higher within the group.
    package var position: Int
    package var isRequired: Bool
    /// What new people get who bring no value; null for nothing.
    package var defaultValue: JSONValue
    package var description: String
    package var options: [PropertyOption]
    package var speed: PropertySpeed
    package let createdAt: Date
    package var updatedAt: Date
    package var version: Int
    /// A change of type that is being checked or made.
    package var change: PropertyChange?

    /// What `ETag`, `If-Match` and edit forms carry.
    package var revision: String { String(version) }

    /// Checks and normalises values.
    package var value: PropertyValue { PropertyValue(type: type, options: options) }
}

extension PropertyType: PostgresCodable {}

extension PropertyDefinition: PostgresRow {
    package static let columns: SQL = """
        d.id, d.object, d.name, d.label, d.type, d.group_name, d.position, d.required, d.default_value, d.description,
        d.options, d.speed, d.created_at, d.updated_at, d.version, d.change
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        object = try row.next()
        name = try row.next()
        label = try row.next()
        type = try row.next()
        group = try row.next()
        position = try row.next()
        isRequired = try row.next()
        defaultValue = try row.next(JSONValue?.self) ?? .null
        description = try row.next()
        options = try row.next(JSONB<[PropertyOption]>.self).value
        speed = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
        version = try row.next()
        change = try row.next(JSONB<PropertyChange>?.self)?.value
    }
}

/// A change of a property's type or options on its way: first the values are looked through, then they are changed.
package struct PropertyChange: Sendable, Codable, Equatable {
    /// How far it is.
    package enum Stage: String, Sendable, Codable {
        /// The values are being looked through.
        case checking
        /// They have been looked through, and some do not fit: somebody has to decide.
        case found
        /// The values are being brought into the new form.
        case converting
    }

    /// A stored value that does not fit, and whose it is.
    package struct Example: Sendable, Codable, Equatable {
        package let value: String
        package let owner: String
        package let reason: String
    }

    package var type: PropertyType
    package var options: [PropertyOption]
    package var stage: Stage
    /// How many people or companies were looked at or changed so far.
    package var done: Int = 0
    /// How many hold a value that does not fit.
    package var failing: Int = 0
    package var examples: [Example] = []
}

/// All reading of definitions.
package struct PropertyQueries: Sendable {
    let scope: WorkspaceScope

    package init(scope: WorkspaceScope) {
        self.scope = scope
    }

    /// The definitions of one kind, or of all, in the order of pages, for a pipeline.
    package func all(_ object: PropertyObject? = nil) -> Query<PropertyDefinition> {
        let condition: SQL = object.map { " AND d.object = \($0)" } ?? ""
        return Query(
            PropertyDefinition.self, "contacts.properties.all",
            """
            SELECT \(PropertyDefinition.columns) FROM marketing_property_definitions d
            WHERE d.workspace_id = \(scope.workspace)\(condition)
            ORDER BY d.object DESC, d.group_name <> '', lower(d.group_name), d.position, lower(d.label), d.id
            """)
    }

    package func all(
        _ object: PropertyObject? = nil, in session: some PostgresSession
    ) async throws -> [PropertyDefinition] {
        try await session.pipeline(all(object))
    }

    package func find(_ id: PropertyID, in session: some PostgresSession) async throws -> PropertyDefinition? {
        try await session.first(PropertyDefinition.self, "contacts.properties.find", select(id))
    }

    /// The definition, held until the end of the transaction.
    func lock(_ id: PropertyID, in transaction: PostgresTransaction) async throws -> PropertyDefinition? {
        try await transaction.first(PropertyDefinition.self, "contacts.properties.lock", select(id) + " FOR UPDATE")
    }

    private func select(_ id: PropertyID) -> SQL {
        """
        SELECT \(PropertyDefinition.columns) FROM marketing_property_definitions d
        WHERE d.workspace_id = \(scope.workspace) AND d.id = \(id) LIMIT 1
        """
    }
}
