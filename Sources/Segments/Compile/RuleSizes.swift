import Core
import Postgres

/// Looks how long the sets are that a rule could begin with.
struct RuleSizes {
    let group: RuleGroup
    let compiler: RuleCompiler
    let transaction: PostgresTransaction

    /// Sets up to this length are counted.
    var exact = RuleStart.exact
    /// Whether the question may be answered from copies of people.
    var mayReadCopies = false

    private typealias Candidate = (place: Int, node: RuleNode, set: RuleSet)

    /// So many people, spread over the table, tell what share of all has some value.
    private static let sampled = 2_000

    /// Sets are chosen to begin with, or none. Brings the settings of questions with it.
    func start() async throws -> RuleStart {
        var start: RuleStart = try await sets()
        guard start.places.isEmpty, start.hasCopies, start.people >= RuleBranch.leastToCut else { return start }
        let parts: [RuleNode] = RuleCompiler.parts(group)
        let rows: [RuleNode] = parts.filter(\.isOfRow)
        guard !rows.isEmpty, rows.count < parts.count else { return start }
        let whole: RuleNode = .group(RuleGroup(.all, rows))
        if let share = try await shares(of: [whole], start.people)[whole] {
            start.rowsLeft = Int(share * Double(start.people))
        }
        return start
    }

    private func sets() async throws -> RuleStart {
        let candidates: [Candidate] = RuleCompiler.parts(group).enumerated().compactMap { place, node in
            compiler.set(node).map { (place, node, $0) }
        }
        let (people, hasCopies, counts) = try await counted(candidates)
        guard people > exact, !candidates.isEmpty else { return RuleStart(people: people, hasCopies: hasCopies) }
        var sizes: [RuleStart.Size] = []
        var long: [Candidate] = []
        for candidate in candidates {
            let count: Int = counts[candidate.place] ?? 0
            if count > exact {
                long.append(candidate)
            } else {
                sizes.append(RuleStart.Size(place: candidate.place, entries: count))
            }
        }
        // People of a short set are fetched sooner than anything is found out about the long ones.
        if sizes.isEmpty { sizes = try await estimated(long, of: people) }
        return RuleStart.choose(sizes, of: people, exact: exact, hasCopies: hasCopies)
    }

    private struct Count: PostgresRow {
        static let columns: SQL = "place, size"
        let place: Int
        let size: Int

        init(row: inout RowReader) throws {
            place = try row.next()
            size = try row.next()
        }
    }

    /// How many people there are, whether there are copies of them, and the length of each set as far as it is worth
    /// counting.
    private func counted(
        _ candidates: [Candidate]
    ) async throws -> (people: Int, hasCopies: Bool, counts: [Int: Int]) {
        let limit: Int = exact
        let counts: [SQL] =
            ["(-1::bigint, t.people), (-2, t.copied)"]
            + candidates.map { place, _, set in
                """
                (\(place), CASE WHEN t.people > \(limit) THEN
                    (SELECT count(*) FROM (SELECT FROM (\(set.estimate)) x LIMIT \(limit + 1)) y) END)
                """
            }
        let counting: Query<Count> = Query(
            Count.self, "segments.sizes",
            """
            SELECT v.place, coalesce(v.size, 0) FROM (SELECT coalesce((
                SELECT contact_count FROM marketing_contact_totals WHERE workspace_id = \(compiler.workspace)), 0) AS people,
                (SELECT count(*) FROM marketing_contact_facts_state WHERE workspace_id = \(compiler.workspace) AND is_filled)
                    AS copied) t
            CROSS JOIN LATERAL (VALUES \(SQL.join(counts, separator: ", "))) AS v(place, size)
            """)
        let (_, found) = try await transaction.pipeline(RuleQuery.settingsQuery, counting)
        let sizes: [Int: Int] = Dictionary(found.map { ($0.place, $0.size) }) { first, _ in first }
        return (sizes[-1] ?? 0, mayReadCopies && sizes[-2] == 1, sizes)
    }

    private func estimated(_ candidates: [Candidate], of people: Int) async throws -> [RuleStart.Size] {
        let estimates: [RuleNode: Estimate] = try await estimates(
            of: candidates.flatMap { Self.leaves($0.node) }, people)
        return candidates.map { place, node, _ in
            let estimate: Estimate = Self.estimate(of: node, by: estimates)
            return RuleStart.Size(
                place: place, entries: max(exact + 1, estimate.entries), people: max(1, min(people, estimate.people)),
                isJoined: estimate.isJoined)
        }
    }

    /// How long a set is, about.
    private struct Estimate {
        var entries: Int
        var people: Int
        var isJoined: Bool
    }

    /// The parts of a choice that are estimated by themselves. PostgreSQL gets a join in the middle of a union wrong by orders of
    /// magnitude.
    private static func leaves(_ node: RuleNode) -> [RuleNode] {
        guard case .group(let group) = node, !isOfPerson(node) else { return [node] }
        return group.nodes.flatMap(leaves)
    }

    private static func estimate(of node: RuleNode, by estimates: [RuleNode: Estimate]) -> Estimate {
        if let estimate = estimates[node] { return estimate }
        guard case .group(let group) = node else { return Estimate(entries: 0, people: 0, isJoined: false) }
        var whole = Estimate(entries: 0, people: group.match == .any ? 0 : .max, isJoined: false)
        for inner in group.nodes {
            let part: Estimate = estimate(of: inner, by: estimates)
            whole.entries += part.entries
            whole.people = group.match == .any ? whole.people + part.people : min(whole.people, part.people)
            whole.isJoined = whole.isJoined || part.isJoined
        }
        return whole
    }

    private func estimates(of leaves: [RuleNode], _ people: Int) async throws -> [RuleNode: Estimate] {
        let shares: [RuleNode: Double] = try await shares(of: leaves.filter(Self.isOfPerson), people)
        var estimates: [RuleNode: Estimate] = [:]
        for node in leaves {
            if let share = shares[node] {
                let entries = Int(share * Double(people))
                estimates[node] = Estimate(entries: entries, people: entries, isJoined: !node.isOfRow)
                continue
            }
            guard let set = compiler.set(node) else { continue }
            let plan: [String] = try await transaction.values(
                String.self, "segments.estimate", "EXPLAIN SELECT FROM (\(set.estimate)) x")
            let entries: Int = Self.rows(in: plan)
            guard case .behaviour(let behaviour) = node, !behaviour.isEver else {
                estimates[node] = Estimate(entries: entries, people: entries, isJoined: !node.isOfRow)
                continue
            }
            let size = RuleStart.Size(
                place: 0, deeds: max(exact + 1, entries), atLeast: behaviour.threshold, of: people)
            estimates[node] = Estimate(entries: entries, people: size.people, isJoined: behaviour.threshold == 1)
        }
        return estimates
    }

    /// Whether a person's own row answers it, with the company and the lists that it leads to.
    private static func isOfPerson(_ node: RuleNode) -> Bool {
        switch node {
        case .condition: true
        case .behaviour: false
        case .group(let group): group.nodes.allSatisfy(isOfPerson)
        }
    }

    /// What share of the people each condition holds for, by a sample of the table's pages. PostgreSQL cannot tell of
    /// properties, whose values its statistics mix, nor of texts that begin or end with something.
    private func shares(of nodes: [RuleNode], _ people: Int) async throws -> [RuleNode: Double] {
        guard !nodes.isEmpty else { return [:] }
        let percent: Double = min(100, Double(100 * Self.sampled) / Double(people))
        let few = RuleCompiler(compiler.workspace, clock: compiler.clock, ledger: compiler.ledger, reach: .few)
        let counts: [SQL] = nodes.map { "count(*) FILTER (WHERE \(few.condition([$0])))" }
        let found: [Int] = try await transaction.value(
            [Int].self, "segments.shares",
            """
            SELECT ARRAY[count(*), \(SQL.join(counts, separator: ", "))]
            FROM marketing_contacts c TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)
            WHERE c.workspace_id = \(compiler.workspace) AND c.deleted_at IS NULL
            """)
        guard let seen = found.first, seen >= Self.sampled / 10 else { return [:] }
        let shares = zip(nodes, found.dropFirst()).map { ($0, Double($1) / Double(seen)) }
        return Dictionary(shares) { first, _ in first }
    }

    /// What the first line of a plan says it will find.
    private static func rows(in plan: [String]) -> Int {
        guard let line = plan.first, let range = line.firstRange(of: "rows=") else { return 0 }
        return Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
