import Contacts
import Core
import FoundationEssentials
import Postgres

/// How everybody is cut into parts, for several connections to count them as they are at one moment.
struct RuleCut: Sendable {
    /// As many as there are processors, which the database's machine has too, by and large: more of them keep each other
    /// waiting.
    private static let mostConnections: Int = min(8, max(2, ProcessInfo.processInfo.activeProcessorCount))
    /// So many people, spread over the table, tell where to cut.
    private static let sampled = 6_000

    let snapshot: Snapshot
    /// How many processes PostgreSQL would have helped with a statement.
    let helpers: Int
    let connections: Int
    /// Nil where people are to be read themselves.
    let facts: RuleFacts?
    private let people: Table
    private let copies: Table
    private let some: [ContactID]

    /// A table with people in it.
    private struct Table {
        let pages: Int
        /// Whether few of its people belong to other workspaces.
        let isMostlyOwn: Bool
    }

    /// Nil where nothing is to be gained.
    /// - Parameter transaction: holds to one moment (`REPEATABLE READ`).
    static func of(
        _ branches: [RuleBranch], _ workspace: WorkspaceID, _ database: Database, _ transaction: PostgresTransaction
    ) async throws -> RuleCut? {
        let cut: [RuleBranch] = branches.filter(\.isCut)
        guard let people = cut.first?.start.people, database.spareConnections > 0 else { return nil }
        let joins: Bool = !cut.allSatisfy(\.isOfRows)
        let percent: Double = min(100, Double(100 * sampled) / Double(people))
        let finding: Query<Found> = Query(
            Found.self, "segments.cut",
            """
            SELECT \(Found.columns), CASE WHEN \(joins) OR \(people) * 2 <= greatest(p.reltuples, f.reltuples) THEN ARRAY(
                SELECT c.id FROM marketing_contacts c TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)
                WHERE c.workspace_id = \(workspace) ORDER BY c.id) ELSE '{}' END
            FROM pg_class p, pg_class f
            WHERE p.oid = 'marketing_contacts'::regclass AND f.oid = 'marketing_contact_facts'::regclass
            """)
        let (rows, facts) = try await transaction.pipeline(finding, RuleFacts.query(workspace))
        guard let found = rows.first, let snapshot = Snapshot(name: found.snapshot) else { return nil }
        let connections: Int = min(found.helpers, database.spareConnections, mostConnections - 1) + 1
        let tables: [Table] = [found.people, found.copies].map { table in
            Table(pages: table.pages, isMostlyOwn: people * 2 > table.tuples)
        }
        guard connections > 1, found.some.count >= 8 * connections || (tables.allSatisfy(\.isMostlyOwn) && !joins)
        else { return nil }
        return RuleCut(
            snapshot: snapshot, helpers: found.helpers, connections: connections, facts: facts.first,
            people: tables[0], copies: tables[1], some: found.some)
    }

    /// The copies, where they tell what a branch asks.
    func facts(for branch: RuleBranch) -> RuleFacts? {
        guard let facts, facts.answers(branch.group) else { return nil }
        return facts
    }

    /// What share of everybody all connections together take, round after round: less and less, so that in the end none waits
    /// long for the others.
    private static let rounds: [Double] = [0.3, 0.28, 0.2, 0.14, 0.08]

    /// The share of everybody at which each part ends.
    private var ends: [Double] {
        var end = 0.0
        return Self.rounds.flatMap { round in
            (0..<connections).map { _ in
                end += round / Double(connections)
                return end
            }
        }
    }

    func slices(_ branch: RuleBranch) -> [RuleSlice] {
        let table: Table = facts(for: branch) == nil ? people : copies
        return table.isMostlyOwn && branch.isOfRows
            ? RuleSlice.pages(table.pages, ends: ends) : RuleSlice.people(some, ends: ends)
    }

    private struct Found: PostgresRow {
        static let columns: SQL = """
            pg_export_snapshot(), current_setting('max_parallel_workers_per_gather')::bigint,
            \(table("p")), \(table("f"))
            """

        private static func table(_ name: SQL) -> SQL {
            """
            pg_relation_size(\(name).oid) / current_setting('block_size')::bigint,
            greatest(\(name).reltuples, 0)::bigint
            """
        }

        let snapshot: String
        let helpers: Int
        let people: (pages: Int, tuples: Int)
        let copies: (pages: Int, tuples: Int)
        let some: [ContactID]

        init(row: inout RowReader) throws {
            snapshot = try row.next()
            helpers = try row.next()
            people = (try row.next(), try row.next())
            copies = (try row.next(), try row.next())
            some = try row.next()
        }
    }
}
