import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Copies what rules compare of everybody: when a workspace has become so large that counting gains by it, and when its
/// properties have changed.
struct FactsFillJob: Job {
    static let kind = "segments.facts"
    static let lane: JobLane = .bulk
    static let maxAttempts = 1000
    static let timeout: Duration = .seconds(3 * 3600)

    static func enqueue(
        _ workspace: WorkspaceID, _ services: AppServices, in session: some PostgresSession
    ) async throws {
        try await services.jobs.enqueue(FactsFillJob(), workspace: workspace, key: "facts:\(workspace)", in: session)
    }
}

/// What the job does.
///
/// From the moment there is a state, a trigger notes who changes. Whoever began to change people before that moment may not have
/// been seen by it, so copying waits until those transactions are over.
struct FactsFill: Sendable {
    let services: AppServices
    let workspace: WorkspaceID

    private static let batch = 5_000

    private var database: Database { services.workerDatabase }

    func run() async throws {
        guard try await database.write(workspace, { try await isDue(in: $0) }) else { return }
        try await begin()
        guard let assignments = try await assign() else { return }
        try await waitForOlder()
        var after: ContactID?
        repeat {
            try Task.checkCancellation()
            after = try await copy(after: after)
        } while after != nil
        try await finish(assignments)
    }

    /// Has the trigger note who changes.
    func begin() async throws {
        try await database.write(
            workspace, "segments.facts.begin",
            "INSERT INTO marketing_contact_facts_state (workspace_id) VALUES (\(workspace)) ON CONFLICT DO NOTHING")
    }

    /// Whether there is something to copy: nobody's copies are complete although that is worth it, or properties have changed.
    func isDue(in transaction: PostgresTransaction) async throws -> Bool {
        let isFilled: Bool? = try await transaction.value(
            Bool?.self, "segments.facts.isFilled",
            """
            SELECT coalesce(s.is_filled, CASE WHEN t.contact_count >= \(RuleBranch.leastToCut) THEN false END)
            FROM (SELECT) one
            LEFT JOIN marketing_contact_facts_state s ON s.workspace_id = \(workspace)
            LEFT JOIN marketing_contact_totals t ON t.workspace_id = \(workspace)
            """)
        guard let isFilled else { return false }
        let (old, settled) = try await assignments(in: transaction)
        return !isFilled || old != settled || !settled.allSatisfy(\.isFilled)
    }

    private func assignments(
        in transaction: PostgresTransaction
    ) async throws -> (old: [FactAssignment], settled: [FactAssignment]) {
        let (old, fields) = try await transaction.pipeline(
            FactAssignment.all(workspace), FieldCatalog.query(workspace))
        let properties: [RuleProperty] = fields.map(\.definition).filter { !$0.isOfCompany }.map(\.property)
        return (old, FactAssignment.settled(old, for: properties))
    }

    /// Gives columns to properties that have none. Answers all that are to be copied; nil when everybody's copies are complete.
    private func assign() async throws -> [FactAssignment]? {
        try await database.write(workspace) { transaction in
            guard try await FactsCopy(workspace: workspace, transaction: transaction).hold(waits: true),
                try await isDue(in: transaction)
            else { return nil }
            let (old, settled) = try await assignments(in: transaction)
            for assignment in settled where !old.contains(assignment) {
                try await transaction.run(
                    "segments.facts.assign",
                    """
                    INSERT INTO marketing_fact_columns (workspace_id, name, property_id, property, kind)
                    VALUES (\(workspace), \(assignment.column.name), \(assignment.property), \(assignment.key),
                        \(assignment.column.kind))
                    ON CONFLICT (workspace_id, name) DO UPDATE
                        SET property_id = EXCLUDED.property_id, is_filled = false
                    """)
            }
            return settled
        }
    }

    /// - Throws: `JobRetry` while transactions are under way that began before there was a state.
    private func waitForOlder() async throws {
        let isOver: Bool = try await database.session { session in
            try await session.run(
                "segments.facts.horizon",
                """
                UPDATE marketing_contact_facts_state SET horizon = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                WHERE workspace_id = \(workspace) AND horizon IS NULL
                """)
            return try await session.value(
                Bool.self, "segments.facts.isOver",
                """
                SELECT is_filled OR pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= horizon
                FROM marketing_contact_facts_state WHERE workspace_id = \(workspace)
                """)
        }
        guard isOver else { throw JobRetry(after: .seconds(1), "older transactions are still under way") }
    }

    /// Answers the last one who was copied; nil when nobody is left.
    private func copy(after: ContactID?) async throws -> ContactID? {
        try await database.write(workspace, timeout: .seconds(60)) { transaction -> ContactID? in
            let copies = FactsCopy(workspace: workspace, transaction: transaction)
            guard try await copies.hold(waits: true) else { return nil }
            let position: SQL = after.map { " AND id > \($0)" } ?? ""
            let next: Query<ContactID> = .values(
                ContactID.self, "segments.facts.next",
                """
                SELECT id FROM marketing_contacts WHERE workspace_id = \(workspace)\(position)
                ORDER BY id LIMIT \(Self.batch)
                """)
            let (people, assignments) = try await transaction.pipeline(next, FactAssignment.all(workspace))
            guard let first = people.first, let last = people.last else { return nil }
            try await copies.copy({ "\($0) BETWEEN \(first) AND \(last)" }, assignments)
            return people.count == Self.batch ? last : nil
        }
    }

    private func finish(_ assignments: [FactAssignment]) async throws {
        try await database.write(workspace) { transaction in
            guard try await FactsCopy(workspace: workspace, transaction: transaction).hold(waits: true) else { return }
            for assignment in assignments {
                try await transaction.run(
                    "segments.facts.settle",
                    assignment.property == nil
                        ? """
                        DELETE FROM marketing_fact_columns
                        WHERE workspace_id = \(workspace) AND name = \(assignment.column.name) AND property_id IS NULL
                        """
                        : """
                        UPDATE marketing_fact_columns SET is_filled = true
                        WHERE workspace_id = \(workspace) AND name = \(assignment.column.name)
                            AND property_id = \(assignment.property) AND NOT is_filled
                        """)
            }
            try await transaction.run(
                "segments.facts.finish",
                """
                UPDATE marketing_contact_facts_state SET is_filled = true
                WHERE workspace_id = \(workspace) AND NOT is_filled
                """)
        }
    }
}
