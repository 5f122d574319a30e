import Contacts
import Core
import Postgres

extension RuleQuery {
    static let sampleSize = 10
    /// How many of the newest people a sample looks at before it looks everywhere.
    private static let newest = 3_000

    /// How many match, and ten of them. Of common rules ten are found at once; where they are not, counting names the
    /// newest.
    func preview(_ branches: [RuleBranch]) async throws -> (count: Int, sample: [ContactSummary]) {
        let soon: [ContactSummary] = try await soon(branches)
        if soon.count == Self.sampleSize { return (try await count(branches), soon) }
        let found: FoundPeople = try await found(branches, naming: true)
        return (found.count, try await people(found.ids))
    }

    /// Ten people who match.
    func sample(_ branches: [RuleBranch]) async throws -> [ContactSummary] {
        let soon: [ContactSummary] = try await soon(branches)
        if soon.count == Self.sampleSize { return soon }
        return try await people(try await found(branches, naming: true).ids)
    }

    /// Whoever is found by a look at some people of the shortest set, or at the newest ones; nobody where a short set is
    /// counted as soon.
    private func soon(_ branches: [RuleBranch]) async throws -> [ContactSummary] {
        guard let branch = branches.first, branches.count > 1 || branch.start.entries > 2 * RuleStart.exact else {
            return []
        }
        if branches.count > 1 { return try await newest() }
        if let shortest = branch.start.places.first { return try await someone(of: shortest) }
        let newest: [ContactSummary] = try await newest()
        guard newest.count < Self.sampleSize, let sampled = branch.start.sampled else { return newest }
        return try await someone(of: sampled)
    }

    private func people(_ ids: [ContactID]) async throws -> [ContactSummary] {
        if ids.isEmpty { return [] }
        let named: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample",
            """
            SELECT \(ContactSummary.columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(ids)) ORDER BY c.id DESC
            """)
        return try await transaction.pipeline(Self.joins(.some), named).1
    }

    var few: RuleCompiler { RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger, reach: .few) }

    /// Whoever is found among the newest people, if anybody.
    private func newest() async throws -> [ContactSummary] {
        try await walk(
            RulePeople(
                source: """
                    (SELECT * FROM marketing_contacts w
                    WHERE w.workspace_id = \(scope.workspace) AND w.deleted_at IS NULL
                    ORDER BY w.id DESC LIMIT \(Self.newest)) c
                    """,
                early: "true", late: few.condition(rule.group)))
    }

    /// Whoever is found among some people of a set, if anybody.
    private func someone(of place: Int) async throws -> [ContactSummary] {
        try await walk(
            few.people(
                rule.group, from: RuleStart(places: [place], left: RuleStart.exact), most: entries(of: place)))
    }

    /// How much of a set a sample looks at.
    private func entries(of place: Int) -> Int {
        let parts: [RuleNode] = RuleCompiler.parts(rule.group)
        guard parts.indices.contains(place), let set = few.set(parts[place]) else { return RuleStart.exact }
        // Whoever is named in order is named at once: there is nobody who did it at all, but too seldom.
        return set.inOrder == nil ? RuleStart.exact : Self.newest
    }

    /// Tests people one by one, in the order in which they come, until ten are found.
    private func walk(_ people: RulePeople) async throws -> [ContactSummary] {
        let walking: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample.some",
            """
            SELECT \(ContactSummary.columns) FROM (
                SELECT c.* FROM \(people.source) WHERE \(people.condition) LIMIT \(Self.sampleSize)
            ) c ORDER BY c.id DESC
            """)
        return try await transaction.pipeline(Self.joins(.walk), walking).1
    }
}
