import Contacts
import Core
import Postgres

extension RuleQuery {
    static let sampleSize = 10
    /// How many of the newest people a sample looks at before it looks everywhere.
    private static let newest = 3_000

    /// Ten people who match, the newest of those that were found first. Rules that a short set begins with are answered
    /// from it; common ones by a look at some people of the shortest set, or at the newest ones.
    func sample(_ branches: [RuleBranch]) async throws -> [ContactSummary] {
        if let branch = branches.first, branches.count > 1 || branch.start.entries > 2 * RuleStart.exact {
            let some: [ContactSummary] = try await someone(branches.count > 1 ? RuleStart() : branch.start)
            if some.count == Self.sampleSize { return some }
        }
        var found: [ContactSummary] = []
        for branch in branches where found.count < Self.sampleSize {
            found += branch.start.places.isEmpty ? try await everywhere(branch) : try await along(branch)
        }
        return Array(found.sorted { $0.id > $1.id }.prefix(Self.sampleSize))
    }

    private var few: RuleCompiler { RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger, reach: .few) }

    /// The newest of all who match.
    private func everywhere(_ branch: RuleBranch) async throws -> [ContactSummary] {
        let people: RulePeople = compiler.people(branch.group, from: branch.start)
        let found: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample",
            """
            WITH found AS MATERIALIZED (SELECT c.id FROM \(people.source) WHERE \(people.condition)),
            newest AS MATERIALIZED (SELECT id FROM found ORDER BY id DESC LIMIT \(Self.sampleSize))
            SELECT \(ContactSummary.columns) FROM newest n
            JOIN marketing_contacts c ON c.workspace_id = \(scope.workspace) AND c.id = n.id ORDER BY c.id DESC
            """)
        return try await transaction.pipeline(Self.joins(.whole), found).1
    }

    /// The newest of all who match, walking down the sets from the newest of their people and stopping at ten.
    private func along(_ branch: RuleBranch) async throws -> [ContactSummary] {
        let people: RulePeople = few.people(branch.group, from: branch.start, newestFirst: true)
        return try await walk(people, order: " ORDER BY s.contact_id DESC")
    }

    /// Whoever is found soon, if anybody.
    private func someone(_ start: RuleStart) async throws -> [ContactSummary] {
        guard let shortest = start.places.first else {
            return try await walk(
                RulePeople(
                    source: """
                        (SELECT * FROM marketing_contacts w
                        WHERE w.workspace_id = \(scope.workspace) AND w.deleted_at IS NULL
                        ORDER BY w.id DESC LIMIT \(Self.newest)) c
                        """,
                    early: "true", late: few.condition(rule.group)))
        }
        return try await walk(
            few.people(
                rule.group, from: RuleStart(places: [shortest], left: RuleStart.exact), most: entries(of: shortest)))
    }

    /// How much of a set a sample looks at.
    private func entries(of place: Int) -> Int {
        let parts: [RuleNode] = RuleCompiler.parts(rule.group)
        guard parts.indices.contains(place), let set = few.set(parts[place]) else { return RuleStart.exact }
        // Whoever is named in order is named at once: there is nobody who did it at all, but too seldom.
        if set.inOrder != nil { return Self.newest }
        // Of those who did it at all, few did it so often.
        return set.candidates == nil ? RuleStart.exact : 3 * RuleStart.exact
    }

    /// Tests people one by one, in the order in which they come, until ten are found.
    private func walk(_ people: RulePeople, order: SQL = "") async throws -> [ContactSummary] {
        let walking: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample.some",
            """
            SELECT \(ContactSummary.columns) FROM (
                SELECT c.* FROM \(people.source) WHERE \(people.condition)\(order) LIMIT \(Self.sampleSize)
            ) c ORDER BY c.id DESC
            """)
        return try await transaction.pipeline(Self.joins(.walk), walking).1
    }
}
