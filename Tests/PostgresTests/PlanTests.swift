import Core
import FoundationEssentials
import PostgresTesting
import Testing

@testable import Postgres

@Suite("Plans that are kept")
struct PlanTests {
    private func makeTable(_ database: Database) async throws {
        try await TestDatabase.asOwner(of: database) { session in
            try await session.run(
                "test.table",
                """
                CREATE TABLE marketing_people (
                    workspace_id uuid NOT NULL, n bigint, name text NOT NULL, PRIMARY KEY (workspace_id, n)
                )
                """)
            try await session.run("test.names", "CREATE INDEX ON marketing_people (workspace_id, name)")
            try await session.run("test.protect", "SELECT marketing_protect('marketing_people')")
        }
    }

    private func fill(_ database: Database, _ workspace: WorkspaceID, from first: Int, to last: Int) async throws {
        try await database.write(workspace) { transaction in
            _ = try await transaction.run(
                "test.fill",
                """
                INSERT INTO marketing_people
                SELECT \(workspace), n, 'a name of some length, number ' || n
                FROM generate_series(\(first)::bigint, \(last)) AS n
                """)
        }
    }

    /// Has PostgreSQL count the rows of each workspace.
    private func count(_ database: Database) async throws {
        try await TestDatabase.asOwner(of: database) { session in
            _ = try await session.run("test.count", "ANALYZE marketing_people")
        }
    }

    /// How many rows looking up the third person reads. The connection reports what it has read now and then, between
    /// transactions: so it is compared within one.
    private func rowsRead(by transaction: PostgresTransaction, in workspace: WorkspaceID) async throws -> Int {
        let read: SQL = """
            SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
            WHERE relname = 'marketing_people'
            """
        let before: Int = try await transaction.value(Int.self, "test.read", read)
        let found: [Int] = try await transaction.values(
            Int.self, "test.find",
            """
            SELECT n FROM marketing_people
            WHERE workspace_id = \(workspace) AND name = \("a name of some length, number 3")
            """)
        #expect(found == [3])
        return try await transaction.value(Int.self, "test.read", read) - before
    }

    @Test("what keeps its plan finds somebody by name in a workspace that is not counted yet, and reads nobody else")
    func unknownWorkspace() async throws {
        let (counted, new) = (WorkspaceID(UUID()), WorkspaceID(UUID()))
        try await TestDatabase.withDatabase(connections: 1) { database in
            try await makeTable(database)
            try await fill(database, counted, from: 1, to: 5000)
            try await count(database)
            try await fill(database, new, from: 1, to: 5000)
            let read: Int = try await database.write(new, keepsPlans: true) { try await rowsRead(by: $0, in: new) }
            #expect(read == 1)
            let setting: String = try await database.read(new) { transaction in
                try await transaction.value(String.self, "test.setting", "SELECT current_setting('plan_cache_mode')")
            }
            #expect(setting == "auto")
        }
    }

    /// Looks up in a transaction whose plans may be so old.
    private func rowsRead(
        in workspace: WorkspaceID, planLife: Duration, _ connection: PostgresConnection
    ) async throws -> Int {
        let lease = PostgresLease(
            connection, prelude: [SQL(trusted: "BEGIN"), .enter(workspace)], isTransaction: true, planLife: planLife,
            timeout: nil, statementLimit: .seconds(5))
        defer { lease.end() }
        let read: Int = try await rowsRead(by: PostgresTransaction(lease: lease), in: workspace)
        await lease.rollBack()
        return read
    }

    @Test("a plan that was kept for a small table is made anew for the table that it became")
    func grownTable() async throws {
        let workspace = WorkspaceID(UUID())
        try await TestDatabase.withDatabase(connections: 2) { database in
            try await makeTable(database)
            try await fill(database, workspace, from: 1, to: 5)
            try await count(database)
            let connection = try await database.pool.lease()
            defer { database.pool.release(connection) }
            let small: Int = try await rowsRead(in: workspace, planLife: .seconds(3600), connection)
            try await fill(database, workspace, from: 6, to: 5000)
            let stale: Int = try await rowsRead(in: workspace, planLife: .seconds(3600), connection)
            let fresh: Int = try await rowsRead(in: workspace, planLife: .zero, connection)
            #expect([small, stale, fresh] == [5, 5000, 1])
        }
    }

    @Test("tables that grow, and each new month of them, are counted anew after two changes in a hundred rows")
    func countsOften() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                _ = try await session.run(
                    "test.partition", "SELECT marketing_add_month_partition('marketing_email_events', '2031-05-01')")
            }
            let eager: [String] = try await TestDatabase.asOwner(of: database) { session in
                try await session.values(
                    String.self, "test.options",
                    """
                    SELECT relname::text FROM pg_class
                    WHERE reloptions @> '{autovacuum_analyze_scale_factor=0.02,autovacuum_analyze_threshold=1000}'
                    """)
            }
            let wanted: Set<String> = [
                "marketing_contacts", "marketing_messages", "marketing_list_members", "marketing_email_events_2031_05",
            ]
            #expect(wanted.isSubset(of: eager))
            #expect(eager.contains { $0.hasPrefix("marketing_events_2") })
        }
    }
}
