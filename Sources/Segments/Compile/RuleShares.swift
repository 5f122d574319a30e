import Core
import Postgres

extension RuleCompiler {
    /// So many people, spread over the table, tell what share of all has some value.
    private static let sampled = 2_000

    /// What share of the people each condition holds for, by a sample of the table's pages; nothing where too few are there to
    /// tell. PostgreSQL cannot tell of properties, whose values its statistics mix, nor of texts that begin or end with something.
    /// - Parameter people: how many there are in the workspace.
    func shares(
        of nodes: [RuleNode], _ people: Int, in transaction: PostgresTransaction
    ) async throws -> [RuleNode: Double] {
        guard !nodes.isEmpty else { return [:] }
        let percent: Double = min(100, Double(100 * Self.sampled) / Double(people))
        let few = RuleCompiler(workspace, clock: clock, ledger: ledger, reach: .few)
        let counts: [SQL] = nodes.map { "count(*) FILTER (WHERE \(few.condition([$0])))" }
        let found: [Int] = try await transaction.value(
            [Int].self, "segments.shares",
            """
            SELECT ARRAY[count(*), \(SQL.join(counts, separator: ", "))]
            FROM marketing_contacts c TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)
            WHERE c.workspace_id = \(workspace) AND c.deleted_at IS NULL
            """)
        guard let seen = found.first, seen >= Self.sampled / 10 else { return [:] }
        let shares = zip(nodes, found.dropFirst()).map { ($0, Double($1) / Double(seen)) }
        return Dictionary(shares) { first, _ in first }
    }
}

extension RuleSet {
    /// What reading it takes, as PostgreSQL expects.
    struct Extent {
        var entries = 0
        /// How many tables or indexes, as partitions are, it has them from.
        var scans = 0
    }

    func extent(in transaction: PostgresTransaction) async throws -> Extent {
        let plan: [String] = try await transaction.values(
            String.self, "segments.estimate", "EXPLAIN SELECT FROM (\(estimate)) x")
        var extent = Extent()
        if let line = plan.first, let range = line.firstRange(of: "rows=") {
            extent.entries = Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0
        }
        extent.scans = plan.count { $0.contains(" Scan ") }
        return extent
    }
}
