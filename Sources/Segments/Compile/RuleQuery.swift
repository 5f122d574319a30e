import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// Questions about who matches a rule, with a time limit.
struct RuleQuery: Sendable {
    let scope: WorkspaceScope
    let rule: PreparedRule
    let ledger: any BehaviourLedger
    let transaction: PostgresTransaction

    /// How many of the newest people a sample looks at before it looks everywhere.
    private static let newest = 3_000
    static let sampleSize = 10

    /// Plans for the values at hand, with room for sorting and hashing: rules differ too much for a plan of all.
    static let settingsQuery: Query<String> = .values(
        String.self, "segments.settings",
        """
        SELECT set_config('plan_cache_mode', 'force_custom_plan', true) || set_config('work_mem', '64MB', true)
            || set_config('jit', 'off', true) || set_config('random_page_cost', '1.1', true)
        """)

    static func settings(in transaction: PostgresTransaction) async throws {
        _ = try await transaction.pipeline(settingsQuery)
    }

    private var compiler: RuleCompiler { RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger) }

    /// Where the question begins. The settings of questions hold from here to the end of the transaction.
    func start() async throws -> RuleStart {
        try await RuleSizes(group: rule.group, compiler: compiler, transaction: transaction).start()
    }

    // MARK: Questions

    /// The statement that counts, as `EXPLAIN` and the page show it.
    func countSQL(_ start: RuleStart) -> SQL {
        let people: RulePeople = compiler.people(rule.group, from: start)
        return "SELECT count(*) FROM \(people.source) WHERE \(people.condition)"
    }

    func count(_ start: RuleStart) async throws -> Int {
        let counting: Query<Int> = .values(Int.self, "segments.count", countSQL(start))
        let (_, counts) = try await transaction.pipeline(Self.joins(looksUp: start.looksUp), counting)
        return counts.first ?? 0
    }

    /// How statements join from now on.
    static func joins(looksUp: Bool) -> Query<String> {
        .values(
            String.self, "segments.joins",
            "SELECT set_config('enable_nestloop', \(looksUp ? "on" : "off"), true)")
    }

    /// Ten people who match, the newest of those that were found first. Rules that a short set begins with are answered
    /// from it; common ones by a look at some people of the shortest set, or at the newest ones.
    func sample(_ start: RuleStart) async throws -> [ContactSummary] {
        if start.entries > 2 * RuleStart.exact {
            let some: [ContactSummary] = try await someone(start)
            if some.count == Self.sampleSize { return some }
        }
        let people: RulePeople = compiler.people(rule.group, from: start)
        let found: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample",
            """
            WITH found AS MATERIALIZED (SELECT c.id FROM \(people.source) WHERE \(people.condition)),
            newest AS MATERIALIZED (SELECT id FROM found ORDER BY id DESC LIMIT \(Self.sampleSize))
            SELECT \(ContactSummary.columns) FROM newest n
            JOIN marketing_contacts c ON c.workspace_id = \(scope.workspace) AND c.id = n.id ORDER BY c.id DESC
            """)
        let (_, sample) = try await transaction.pipeline(Self.joins(looksUp: start.looksUp), found)
        return sample
    }

    private func someone(_ start: RuleStart) async throws -> [ContactSummary] {
        let few = RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger, reach: .few)
        let people: RulePeople
        if let shortest = start.places.first {
            people = few.people(
                rule.group, from: RuleStart(places: [shortest], left: RuleStart.exact), most: RuleStart.exact)
        } else {
            people = RulePeople(
                source: """
                    (SELECT * FROM marketing_contacts w WHERE w.workspace_id = \(scope.workspace) AND w.deleted_at IS NULL
                    ORDER BY w.id DESC LIMIT \(Self.newest)) c
                    """,
                condition: few.condition(rule.group))
        }
        let looking: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample.some",
            """
            SELECT \(ContactSummary.columns) FROM (
                SELECT c.* FROM \(people.source) WHERE \(people.condition) LIMIT \(Self.sampleSize)
            ) c ORDER BY c.id DESC
            """)
        let (_, some) = try await transaction.pipeline(Self.joins(looksUp: true), looking)
        return some
    }

    /// How PostgreSQL would go about counting, with its estimate of the cost.
    func plan(_ start: RuleStart) async throws -> [String] {
        let plan: Query<String> = .values(String.self, "segments.plan", "EXPLAIN \(countSQL(start))")
        return try await transaction.pipeline(Self.joins(looksUp: start.looksUp), plan).1
    }

    /// The same after counting, with times and buffers.
    func analysis(_ start: RuleStart) async throws -> [String] {
        let analysis: Query<String> = .values(
            String.self, "segments.analysis", "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) \(countSQL(start))")
        return try await transaction.pipeline(Self.joins(looksUp: start.looksUp), analysis).1
    }

    /// Whether a person matches, and what was seen of each condition; nil when there is no such person.
    func explain(_ contact: ContactID) async throws -> RuleEvaluator.Finding? {
        let reader = FactsReader(
            workspace: scope.workspace, clock: rule.clock, ledger: ledger, transaction: transaction)
        guard let facts = try await reader.facts(of: contact, for: rule.group) else { return nil }
        var names: RuleNames = rule.names
        if let company = facts.person.company, names.companies[company] == nil, let own = facts.person.companyRow?.name
        {
            names.companies[company] = own
        }
        return RuleEvaluator(clock: rule.clock, words: RuleWords(rule.catalog, names), facts: facts).explain(rule.group)
    }

    /// What a rule that takes too long is answered with.
    static let tooBroad = WebError(
        .unprocessableContent, code: "too_broad",
        detail:
            "This rule takes too long to answer. Narrow it: add a condition that few people match, or a shorter time.")

    /// Runs a question and answers a passed time limit with `tooBroad`.
    static func narrowing<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.isTooSlow {
            throw tooBroad
        }
    }
}

extension PostgresError {
    /// The time limit passed here or in the server (57014), or the server ran out of room for it (53xxx, 54xxx).
    fileprivate var isTooSlow: Bool {
        if case .timedOut = self { return true }
        guard let sqlState else { return false }
        return sqlState == "57014" || sqlState.hasPrefix("53") || sqlState.hasPrefix("54")
    }
}
