import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Copies the values of a property into the table that conditions find people by.
///
/// From the moment the property is `building`, a trigger keeps every change. Whoever began to change people before that
/// moment may not have been seen by it, so the copying waits until those transactions are over; then each batch holds its
/// people while it copies them.
struct PropertyIndexJob: Job {
    static let kind = "contacts.properties.index"
    static let lane: JobLane = .bulk
    static let maxAttempts = 1000
    static let timeout: Duration = .seconds(3 * 3600)

    let propertyID: PropertyID
    /// The transactions below this number began before the property was `building`; nil: not looked up yet.
    let horizon: Int?
}

/// Looks through the values before a change of type, and changes them when all fit.
struct PropertyCheckJob: Job {
    static let kind = "contacts.properties.check"
    static let lane: JobLane = .bulk
    static let maxAttempts = 10
    static let timeout: Duration = .seconds(3 * 3600)

    let propertyID: PropertyID
}

/// Takes the values of a deleted property away.
struct PropertyRemovalJob: Job {
    static let kind = "contacts.properties.remove"
    static let lane: JobLane = .bulk
    static let maxAttempts = 10
    static let timeout: Duration = .seconds(3 * 3600)

    let propertyID: PropertyID
    let object: String
    let name: String
}

/// What the jobs of properties do.
struct PropertyIndexing: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    private static let batch: Int = 5_000

    private var database: Database { services.workerDatabase }

    static func register(in registry: inout JobRegistry, services: AppServices) {
        registry.register(PropertyIndexJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await PropertyIndexing(services: services, scope: WorkspaceScope(workspace: workspace)).run(job)
        }
        registry.register(PropertyCheckJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await PropertyIndexing(services: services, scope: WorkspaceScope(workspace: workspace)).run(job)
        }
        registry.register(PropertyRemovalJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await PropertyIndexing(services: services, scope: WorkspaceScope(workspace: workspace)).run(job)
        }
    }

    func run(_ job: PropertyIndexJob) async throws {
        guard let property = try await property(job.propertyID) else { return }
        switch property.speed {
        case .fast: return
        case .normal: return try await forget(property)
        case .building: break
        }
        guard let horizon = job.horizon else { return try await noteHorizon(property) }
        let isOver: Bool = try await database.session { session in
            try await session.value(
                Bool.self, "contacts.properties.isOver",
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= \(horizon)")
        }
        guard isOver else { throw JobRetry(after: .seconds(1), "older transactions are still under way") }
        var after: ContactID?
        while true {
            try Task.checkCancellation()
            let people: [ContactID] = try await copy(property, after: after)
            guard people.count == Self.batch else { break }
            after = people.last
        }
        try await database.write(
            scope.workspace, "contacts.properties.isFast",
            """
            UPDATE marketing_property_definitions SET speed = 'fast', updated_at = \(services.clock.now)
            WHERE workspace_id = \(scope.workspace) AND id = \(property.id) AND speed = 'building'
                AND type = \(property.type)
            """)
    }

    private func property(_ id: PropertyID) async throws -> PropertyDefinition? {
        try await database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).find(id, in: transaction)
        }
    }

    private func noteHorizon(_ property: PropertyDefinition) async throws {
        try await database.write(scope.workspace) { transaction in
            let horizon: Int = try await transaction.value(
                Int.self, "contacts.properties.horizon",
                "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            try await services.jobs.enqueue(
                PropertyIndexJob(propertyID: property.id, horizon: horizon), workspace: scope.workspace,
                in: transaction)
        }
    }

    private func copy(_ property: PropertyDefinition, after: ContactID?) async throws -> [ContactID] {
        let position: SQL = after.map { " AND c.id > \($0)" } ?? ""
        return try await database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let people: [ContactID] = try await transaction.values(
                ContactID.self, "contacts.properties.hold",
                """
                SELECT c.id FROM marketing_contacts c
                WHERE c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL AND c.properties ? \(property.name)\(position)
                ORDER BY c.id LIMIT \(Self.batch) FOR SHARE
                """)
            try await transaction.run([
                Statement(
                    "contacts.properties.uncopy",
                    """
                    DELETE FROM marketing_contact_property_values
                    WHERE workspace_id = \(scope.workspace) AND property_id = \(property.id)
                        AND contact_id = ANY (\(people))
                    """),
                Statement(
                    "contacts.properties.copy",
                    """
                    INSERT INTO marketing_contact_property_values (
                        workspace_id, property_id, contact_id, text_value, number_value)
                    SELECT c.workspace_id, d.id, c.id, v.text_value, v.number_value
                    FROM marketing_contacts c
                    JOIN marketing_property_definitions d ON d.workspace_id = c.workspace_id AND d.id = \(property.id)
                        AND d.speed <> 'normal'
                    CROSS JOIN LATERAL marketing_property_index(d.type, c.properties -> d.name) v
                    WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(people)) AND c.deleted_at IS NULL
                        AND (v.text_value IS NOT NULL OR v.number_value IS NOT NULL)
                    """),
            ])
            return people
        }
    }

    /// Takes the copies of a property away that is to be an ordinary one.
    private func forget(_ property: PropertyDefinition) async throws {
        _ = try await database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.run(
                "contacts.properties.forget",
                """
                DELETE FROM marketing_contact_property_values
                WHERE workspace_id = \(scope.workspace) AND property_id = \(property.id)
                """)
        }
    }

    func run(_ job: PropertyCheckJob) async throws {
        let conversion = PropertyConversion(services: services, database: database, scope: scope)
        let property: PropertyDefinition? = try await conversion.check(job.propertyID)
        if property?.change?.stage == .converting { try await conversion.convert(job.propertyID) }
    }

    func run(_ job: PropertyRemovalJob) async throws {
        guard let object = PropertyObject(rawValue: job.object) else { return }
        let conversion = PropertyConversion(services: services, database: database, scope: scope)
        try await conversion.remove(job.name, of: object, job.propertyID)
    }
}
