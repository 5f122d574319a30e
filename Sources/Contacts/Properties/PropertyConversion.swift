import Accounts
import Core
import FoundationEssentials
import Postgres

/// Looks through the stored values of a property before its type or its options change, and brings them into the new
/// form afterwards. Works through people or companies by ascending id, some thousand at a time.
struct PropertyConversion: Sendable {
    let services: AppServices
    let database: Database
    let scope: WorkspaceScope

    private static let batch: Int = 5_000
    /// Up to this many people or companies the work is done while somebody waits.
    static let inlineLimit: Int = 20_000

    /// A stored value in the form of another type; nil when it does not fit. Null stays null.
    static func converted(_ old: JSONValue, to value: PropertyValue) -> JSONValue? {
        if let fits = try? value.normalized(old) { return fits }
        return try? value.normalized(.string(PropertyFormat.machine(old)))
    }

    private struct Holder: PostgresRow {
        let id: UUID
        let value: JSONValue
        let owner: String

        static let columns: SQL = "id, value, owner"

        init(row: inout RowReader) throws {
            id = try row.next()
            value = try row.next()
            owner = try row.next()
        }
    }

    private func holders(
        of property: PropertyDefinition, after: UUID?, forUpdate: Bool, in transaction: PostgresTransaction
    ) async throws -> [Holder] {
        let owner: SQL =
            property.object == .contact
            ? "coalesce(nullif(concat_ws(' ', r.first_name, r.last_name), ''), r.email, r.phone, '')" : "r.name"
        let position: SQL = after.map { " AND r.id > \($0)" } ?? ""
        let lock: SQL = forUpdate ? " FOR NO KEY UPDATE" : ""
        return try await transaction.all(
            Holder.self, "contacts.properties.holders",
            """
            SELECT r.id, r.properties -> \(property.name), \(owner) FROM \(identifier: property.object.table) r
            WHERE r.workspace_id = \(scope.workspace)\(position) AND r.properties ? \(property.name)
            ORDER BY r.id LIMIT \(Self.batch)\(lock)
            """)
    }

    // MARK: Looking

    /// Looks through all values and notes what would not fit.
    /// - Returns: the definition with the outcome; nil when the property or its change are gone.
    func check(_ id: PropertyID) async throws -> PropertyDefinition? {
        guard let property = try await find(id), var change = property.change, change.stage == .checking else {
            return try await find(id)
        }
        let target = PropertyValue(type: change.type, options: change.options)
        change.done = 0
        change.failing = 0
        change.examples = []
        var after: UUID?
        while true {
            try Task.checkCancellation()
            let place: UUID? = after
            let found: [Holder] = try await database.read(scope.workspace, timeout: .seconds(60)) { transaction in
                try await holders(of: property, after: place, forUpdate: false, in: transaction)
            }
            for holder in found where Self.converted(holder.value, to: target) == nil {
                change.failing += 1
                if change.examples.count < 5 { change.examples.append(Self.example(holder, target)) }
            }
            change.done += found.count
            guard found.count == Self.batch, let last = found.last else { break }
            after = last.id
        }
        change.stage = change.failing == 0 ? .converting : .found
        return try await keep(change, id)
    }

    private static func example(_ holder: Holder, _ target: PropertyValue) -> PropertyChange.Example {
        var reason: String = ""
        do throws(PropertyValue.Flaw) { _ = try target.normalized(holder.value) } catch { reason = error.message }
        return PropertyChange.Example(
            value: String(PropertyFormat.machine(holder.value).prefix(100)), owner: String(holder.owner.prefix(100)),
            reason: reason)
    }

    private func find(_ id: PropertyID) async throws -> PropertyDefinition? {
        try await database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).find(id, in: transaction)
        }
    }

    private func keep(_ change: PropertyChange?, _ id: PropertyID) async throws -> PropertyDefinition? {
        try await database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.properties.change",
                """
                UPDATE marketing_property_definitions
                SET change = \(change.map { JSONB($0) }), version = version + 1, updated_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            return try await PropertyQueries(scope: scope).find(id, in: transaction)
        }
    }

    // MARK: Changing

    /// Gives the property its new type and options, then its values their new form. Values that do not fit go away.
    func convert(_ id: PropertyID) async throws {
        let begun: PropertyDefinition? = try await database.write(scope.workspace) { transaction in
            let queries = PropertyQueries(scope: scope)
            guard let property = try await queries.lock(id, in: transaction), let change = property.change,
                change.stage == .converting
            else { return nil }
            let keepsDefault: JSONValue? = Self.converted(
                property.defaultValue, to: PropertyValue(type: change.type, options: change.options))
            // Fast values are made anew at the end: conditions do without them until then.
            let speed: PropertySpeed = property.speed == .normal ? .normal : .building
            try await transaction.run(
                "contacts.properties.retype",
                """
                UPDATE marketing_property_definitions
                SET type = \(change.type), options = \(JSONB(change.options)), speed = \(speed),
                    default_value = nullif(\(keepsDefault ?? .null), 'null'), version = version + 1,
                    updated_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            return try await queries.find(id, in: transaction)
        }
        guard let property = begun else { return }
        var after: UUID?
        while true {
            try Task.checkCancellation()
            let (last, isFull) = try await convertBatch(property, after: after)
            guard isFull, let last else { break }
            after = last
        }
        guard let done = try await keep(nil, id), done.speed == .building else { return }
        try await database.write(scope.workspace) { transaction in
            try await services.jobs.enqueue(
                PropertyIndexJob(propertyID: id, horizon: nil), workspace: scope.workspace, key: "property-fast-\(id)",
                in: transaction)
        }
    }

    private func convertBatch(_ property: PropertyDefinition, after: UUID?) async throws -> (UUID?, Bool) {
        try await database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let found: [Holder] = try await holders(of: property, after: after, forUpdate: true, in: transaction)
            var ids: [UUID] = []
            var values: [JSONValue] = []
            for holder in found {
                let value: JSONValue = Self.converted(holder.value, to: property.value) ?? .null
                if value == holder.value { continue }
                ids.append(holder.id)
                values.append(value)
            }
            if !ids.isEmpty {
                try await transaction.run([
                    Statement(
                        "contacts.properties.convert",
                        """
                        UPDATE \(identifier: property.object.table) r
                        SET properties = CASE WHEN n.value = 'null' THEN r.properties - \(property.name)::text
                                ELSE jsonb_set(r.properties, ARRAY[\(property.name)::text], n.value) END,
                            updated_at = \(services.clock.now), version = r.version + 1
                        FROM unnest(\(ids), \(values)) AS n(id, value)
                        WHERE r.workspace_id = \(scope.workspace) AND r.id = n.id
                        """),
                    property.audienceChange(ids, scope, at: services.clock.now),
                ])
            }
            return (found.last?.id, found.count == Self.batch)
        }
    }

    // MARK: Taking away

    /// Takes the values of a deleted property away from everybody, unless its name has been given to a new one.
    func remove(_ name: String, of object: PropertyObject, _ id: PropertyID) async throws {
        while true {
            try Task.checkCancellation()
            let count: Int = try await database.write(scope.workspace, timeout: .seconds(60)) { transaction in
                let isBack: Bool = try await transaction.value(
                    Bool.self, "contacts.properties.isBack",
                    """
                    SELECT EXISTS (
                        SELECT FROM marketing_property_definitions
                        WHERE workspace_id = \(scope.workspace) AND object = \(object) AND name = \(name))
                    """)
                if isBack { return 0 }
                let ids: [UUID] = try await transaction.values(
                    UUID.self, "contacts.properties.strip",
                    """
                    UPDATE \(identifier: object.table) r
                    SET properties = r.properties - \(name)::text, updated_at = \(services.clock.now),
                        version = r.version + 1
                    WHERE r.workspace_id = \(scope.workspace) AND r.id IN (
                        SELECT p.id FROM \(identifier: object.table) p
                        WHERE p.workspace_id = \(scope.workspace) AND p.properties ? \(name)
                        LIMIT \(Self.batch) FOR NO KEY UPDATE)
                    RETURNING r.id
                    """)
                if !ids.isEmpty {
                    try await transaction.run([
                        PropertyDefinition.audienceChange(name, object, ids, scope, at: services.clock.now)
                    ])
                }
                return ids.count
            }
            if count < Self.batch { break }
        }
        _ = try await database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.run(
                "contacts.properties.forget",
                """
                DELETE FROM marketing_contact_property_values
                WHERE workspace_id = \(scope.workspace) AND property_id = \(id)
                """)
        }
    }
}

extension PropertyDefinition {
    /// The note that the values of these people, or of these companies, changed.
    func audienceChange(_ ids: [UUID], _ scope: WorkspaceScope, at now: Date) -> Statement {
        Self.audienceChange(name, object, ids, scope, at: now)
    }

    static func audienceChange(
        _ name: String, _ object: PropertyObject, _ ids: [UUID], _ scope: WorkspaceScope, at now: Date
    ) -> Statement {
        switch object {
        case .contact:
            AudienceChanges.record(ids.map { ContactID($0) }, fields: ["properties.\(name)"], scope.workspace, at: now)
        case .company:
            AudienceChanges.record(nil, fields: ["company.properties.\(name)"], scope.workspace, at: now)
        }
    }
}
