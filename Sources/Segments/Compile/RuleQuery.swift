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
    private static let settingsQuery: Query<String> = .values(
        String.self, "segments.settings",
        """
        SELECT set_config('plan_cache_mode', 'force_custom_plan', true) || set_config('work_mem', '64MB', true)
            || set_config('jit', 'off', true) || set_config('random_page_cost', '1.1', true)
        """)

    static func settings(in transaction: PostgresTransaction) async throws {
        _ = try await transaction.pipeline(settingsQuery)
    }

    private var condition: SQL {
        RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger).condition(rule.group)
    }

    /// The statement that counts, as `EXPLAIN` and the page show it.
    var countSQL: SQL {
        """
        SELECT count(*) FROM marketing_contacts c
        WHERE c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL AND \(condition)
        """
    }

    func count() async throws -> Int {
        let counting: Query<Int> = .values(Int.self, "segments.count", countSQL)
        let (_, counts) = try await transaction.pipeline(Self.settingsQuery, counting)
        return counts.first ?? 0
    }

    /// The newest people who match, ten at most. Common rules are answered by the newest people alone.
    func sample() async throws -> [ContactSummary] {
        let walked: Query<ContactSummary> = Query(
            ContactSummary.self, "segments.sample.newest",
            """
            SELECT \(ContactSummary.columns) FROM (
                SELECT * FROM marketing_contacts w WHERE w.workspace_id = \(scope.workspace) AND w.deleted_at IS NULL
                ORDER BY w.id DESC LIMIT \(Self.newest)
            ) c
            WHERE \(RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger, reach: .few).condition(rule.group))
            ORDER BY c.id DESC LIMIT \(Self.sampleSize)
            """)
        let (_, newest) = try await transaction.pipeline(Self.settingsQuery, walked)
        if newest.count == Self.sampleSize { return newest }
        return try await transaction.all(
            ContactSummary.self, "segments.sample",
            """
            WITH found AS MATERIALIZED (
                SELECT c.id FROM marketing_contacts c
                WHERE c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL AND \(condition)
            ),
            newest AS MATERIALIZED (SELECT id FROM found ORDER BY id DESC LIMIT \(Self.sampleSize))
            SELECT \(ContactSummary.columns) FROM newest n
            JOIN marketing_contacts c ON c.workspace_id = \(scope.workspace) AND c.id = n.id ORDER BY c.id DESC
            """)
    }

    /// How PostgreSQL would go about counting, with its estimate of the cost.
    func plan() async throws -> [String] {
        try await Self.settings(in: transaction)
        return try await transaction.values(String.self, "segments.plan", "EXPLAIN \(countSQL)")
    }

    /// The same after counting, with times and buffers.
    func analysis() async throws -> [String] {
        try await Self.settings(in: transaction)
        return try await transaction.values(
            String.self, "segments.analysis", "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) \(countSQL)")
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
