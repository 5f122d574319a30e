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
    /// Where other connections are to be had, for a transaction that holds to one moment.
    var database: Database?

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

    var compiler: RuleCompiler { RuleCompiler(scope.workspace, clock: rule.clock, ledger: ledger) }

    /// How the question is asked. The settings of questions hold from here to the end of the transaction.
    func start() async throws -> [RuleBranch] {
        try await RuleBranch.of(rule.group, compiler, mayReadCopies: database != nil, in: transaction)
    }

    // MARK: Questions

    /// What PostgreSQL may choose from for its joins.
    enum Joins {
        /// Anything: there are some people.
        case some
        /// Whole sets by hash, as nobody knows how many people there are.
        case whole
        /// The same for a part of everybody, whose deeds are held against its people without being sorted out first.
        case part
        /// People one by one, in the order in which they come.
        case walk
    }

    /// How statements join from now on.
    static func joins(_ joins: Joins) -> Query<String> {
        let (loops, others, sorting): (SQL, SQL, SQL) =
            switch joins {
            case .some: ("'on'", "'on'", "'on'")
            case .whole: ("'off'", "'on'", "'on'")
            case .part: ("'off'", "'on'", "'off'")
            case .walk: ("'on'", "'off'", "'on'")
            }
        return .values(
            String.self, "segments.joins",
            """
            SELECT set_config('enable_nestloop', \(loops), true) || set_config('enable_hashjoin', \(others), true)
                || set_config('enable_mergejoin', \(others), true) || set_config('enable_hashagg', \(sorting), true)
                || set_config('enable_sort', \(sorting), true)
            """)
    }

    /// How PostgreSQL would go about counting, with its estimate of the cost.
    func plan(_ branches: [RuleBranch]) async throws -> [String] {
        try await explained(branches, "EXPLAIN ")
    }

    /// The same after counting, with times and buffers.
    func analysis(_ branches: [RuleBranch]) async throws -> [String] {
        try await explained(branches, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ")
    }

    private func explained(_ branches: [RuleBranch], _ words: SQL) async throws -> [String] {
        var lines: [String] = []
        for branch in branches {
            let plan: Query<String> = .values(String.self, "segments.plan", words + countSQL(branch))
            lines += try await transaction.pipeline(Self.joins(branch.start.looksUp ? .some : .whole), plan).1
        }
        return lines
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
        if let owner = facts.person.companyRow?.owner, names.users[owner] == nil {
            names.users[owner] = try await transaction.value(
                String?.self, "segments.explain.owner",
                """
                SELECT u.name FROM marketing_users u
                JOIN marketing_memberships m ON m.user_id = u.id AND m.workspace_id = \(scope.workspace)
                WHERE u.id = \(owner)
                """)
        }
        let words = RuleWords(rule.catalog, names, clock: rule.clock)
        return RuleEvaluator(clock: rule.clock, words: words, facts: facts).explain(rule.group)
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
