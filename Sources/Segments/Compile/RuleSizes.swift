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

    /// Sets are chosen to begin with, or none. Brings the settings of questions with it.
    func start() async throws -> RuleStart {
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
        let shares: [RuleNode: Double] = try await compiler.shares(
            of: leaves.filter(Self.isOfPerson), people, in: transaction)
        var estimates: [RuleNode: Estimate] = [:]
        for node in leaves {
            if let share = shares[node] {
                let entries = Int(share * Double(people))
                estimates[node] = Estimate(entries: entries, people: entries, isJoined: !node.isOfRow)
                continue
            }
            guard let set = compiler.set(node) else { continue }
            let entries: Int = try await set.extent(in: transaction).entries
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
}
