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
    private let pages: Int
    /// Whether few of the table's people belong to others.
    private let isMostOfTable: Bool
    private let some: [ContactID]

    /// Nil where nothing is to be gained, or where what is read with people cannot be cut as they are.
    /// - Parameter transaction: holds to one moment (`REPEATABLE READ`).
    static func of(
        _ branches: [RuleBranch], _ workspace: WorkspaceID, _ database: Database, _ transaction: PostgresTransaction
    ) async throws -> RuleCut? {
        let cut: [RuleBranch] = branches.filter(\.isCut)
        guard let people = cut.first?.start.people, cut.allSatisfy(\.isSliceable), database.spareConnections > 0
        else { return nil }
        let joins: Bool = !cut.allSatisfy(\.isOfRows)
        let percent: Double = min(100, Double(100 * sampled) / Double(people))
        let found: Found = try await transaction.one(
            Found.self, "segments.cut",
            """
            SELECT \(Found.columns), CASE WHEN \(joins) OR \(people) * 2 <= reltuples THEN ARRAY(
                SELECT c.id FROM marketing_contacts c TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)
                WHERE c.workspace_id = \(workspace) ORDER BY c.id) ELSE '{}' END
            FROM pg_class WHERE oid = 'marketing_contacts'::regclass
            """)
        let connections: Int = min(found.helpers, database.spareConnections, mostConnections - 1) + 1
        let isMostOfTable: Bool = people * 2 > found.tuples
        guard connections > 1, found.some.count >= 8 * connections || (isMostOfTable && !joins),
            let snapshot = Snapshot(name: found.snapshot)
        else { return nil }
        return RuleCut(
            snapshot: snapshot, helpers: found.helpers, connections: connections, pages: found.pages,
            isMostOfTable: isMostOfTable, some: found.some)
    }

    /// More parts than connections, so that none waits long for the slowest; fewer where each part reads companies anew.
    func slices(_ branch: RuleBranch) -> [RuleSlice] {
        isMostOfTable && branch.isOfRows
            ? RuleSlice.pages(pages, parts: 8 * connections) : RuleSlice.people(some, parts: 4 * connections)
    }

    private struct Found: PostgresRow {
        static let columns: SQL = """
            pg_export_snapshot(), current_setting('max_parallel_workers_per_gather')::bigint,
            pg_relation_size(oid) / current_setting('block_size')::bigint, greatest(reltuples, 0)::bigint
            """
        let snapshot: String
        let helpers: Int
        let pages: Int
        let tuples: Int
        let some: [ContactID]

        init(row: inout RowReader) throws {
            snapshot = try row.next()
            helpers = try row.next()
            pages = try row.next()
            tuples = try row.next()
            some = try row.next()
        }
    }
}
