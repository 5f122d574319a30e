import Core
import Postgres

/// Looks how long the sets are that a rule could begin with.
struct RuleSizes {
    let group: RuleGroup
    let compiler: RuleCompiler
    let transaction: PostgresTransaction

    /// Sets up to this length are counted.
    var exact = RuleStart.exact

    private typealias Candidate = (place: Int, node: RuleNode, set: RuleSet)

    /// So many people, spread over the table, tell what share of all has some value.
    private static let sampled = 2_000

    /// Sets are chosen to begin with, or none. Brings the settings of questions with it.
    func start() async throws -> RuleStart {
        let candidates: [Candidate] = RuleCompiler.parts(group).enumerated().compactMap { place, node in
            compiler.set(node).map { (place, node, $0) }
        }
        let (people, counts) = try await counted(candidates)
        guard people > exact, !candidates.isEmpty else { return RuleStart(people: people) }
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
        return RuleStart.choose(sizes, of: people, exact: exact)
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

    /// How many people there are, and the length of each set as far as it is worth counting.
    private func counted(_ candidates: [Candidate]) async throws -> (people: Int, counts: [Int: Int]) {
        let limit: Int = exact
        let counts: [SQL] =
            ["(-1::bigint, t.people)"]
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
                SELECT contact_count FROM marketing_contact_totals WHERE workspace_id = \(compiler.workspace)), 0) AS people) t
            CROSS JOIN LATERAL (VALUES \(SQL.join(counts, separator: ", "))) AS v(place, size)
            """)
        let (_, found) = try await transaction.pipeline(RuleQuery.settingsQuery, counting)
        let people: Int = found.first { $0.place < 0 }?.size ?? 0
        return (people, Dictionary(found.map { ($0.place, $0.size) }) { first, _ in first })
    }

    private func estimated(_ candidates: [Candidate], of people: Int) async throws -> [RuleStart.Size] {
        let shares: [Int: Double] = try await shares(of: candidates.filter { Self.isOfPerson($0.node) }, people)
        var sizes: [RuleStart.Size] = []
        for (place, node, set) in candidates {
            let least: Int = exact + 1
            if let share = shares[place] {
                let entries: Int = max(least, Int(share * Double(people)))
                sizes.append(RuleStart.Size(place: place, entries: entries, isJoined: !node.isOfRow))
                continue
            }
            let plan: [String] = try await transaction.values(
                String.self, "segments.estimate", "EXPLAIN SELECT FROM (\(set.estimate)) x")
            let entries: Int = max(least, Self.rows(in: plan))
            if case .behaviour(let behaviour) = node, !behaviour.isEver {
                sizes.append(
                    RuleStart.Size(
                        place: place, deeds: entries, atLeast: behaviour.threshold, of: people,
                        isJoined: behaviour.threshold == 1))
            } else {
                sizes.append(RuleStart.Size(place: place, entries: entries, isJoined: !node.isOfRow))
            }
        }
        return sizes
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
    private func shares(of candidates: [Candidate], _ people: Int) async throws -> [Int: Double] {
        guard !candidates.isEmpty else { return [:] }
        let percent: Double = min(100, Double(100 * Self.sampled) / Double(people))
        let few = RuleCompiler(compiler.workspace, clock: compiler.clock, ledger: compiler.ledger, reach: .few)
        let counts: [SQL] = candidates.map { "count(*) FILTER (WHERE \(few.condition([$0.node])))" }
        let found: [Count] = try await transaction.all(
            Count.self, "segments.shares",
            """
            SELECT v.place, v.size FROM (
                SELECT ARRAY[\(SQL.join(counts, separator: ", "))] AS counts, count(*) AS seen
                FROM marketing_contacts c TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)
                WHERE c.workspace_id = \(compiler.workspace) AND c.deleted_at IS NULL
            ) s CROSS JOIN LATERAL (
                SELECT -1::bigint AS place, s.seen AS size
                UNION ALL SELECT p.place, s.counts[p.number]
                FROM unnest(\(candidates.map(\.place))) WITH ORDINALITY AS p (place, number)
            ) v
            """)
        let seen: Int = found.first { $0.place < 0 }?.size ?? 0
        guard seen >= Self.sampled / 10 else { return [:] }
        return Dictionary(found.filter { $0.place >= 0 }.map { ($0.place, Double($0.size) / Double(seen)) }) { $1 }
    }

    /// What the first line of a plan says it will find.
    private static func rows(in plan: [String]) -> Int {
        guard let line = plan.first, let range = line.firstRange(of: "rows=") else { return 0 }
        return Int(line[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
