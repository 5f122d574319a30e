import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres
import Web

/// Making and changing segments, and asking about them. Pages and API call the same.
package struct SegmentActions: SegmentRules {
    let services: AppServices
    let ledger: any BehaviourLedger
    let references: RuleReferences

    package init(
        services: AppServices, ledger: any BehaviourLedger, references: RuleReferences = RuleReferences()
    ) {
        self.services = services
        self.ledger = ledger
        self.references = references
    }

    var desk: RuleDesk { RuleDesk(services: services, references: references) }

    // MARK: Changing

    package func create(
        name: String, description: String, rules: JSONValue, _ scope: WorkspaceScope
    ) async throws -> ContactList {
        try await ContactLists.refusingTakenName(services) {
            try await services.database.write(scope.workspace) { transaction in
                let rule = try await desk.prepare(rules, scope, in: transaction)
                let list = try await ContactLists.createSegment(
                    name: name, description: description, scope, services: services, in: transaction)
                try await keep(list.id, rule, scope, in: transaction)
                return list
            }
        }
    }

    package func change(_ list: ContactListID, rules: JSONValue, _ scope: WorkspaceScope) async throws {
        try await change(list, rules: rules, revision: nil, scope)
    }

    /// Somebody else saved while a form was open; how the segment is now.
    struct ChangedMeanwhile: Error {
        let segment: StoredSegment
    }

    /// - Parameter revision: the state that the change was made on; nil to change whatever is there.
    /// - Throws: `ValidationErrors`, `ChangedMeanwhile`.
    func change(_ list: ContactListID, rules: JSONValue, revision: String?, _ scope: WorkspaceScope) async throws {
        try await services.database.write(scope.workspace) { transaction in
            let queries = SegmentQueries(workspace: scope.workspace)
            try await queries.lock(list, in: transaction)
            guard let old = try await queries.find(list, in: transaction) else { throw WebError.notFound }
            if let revision, revision != old.revision { throw ChangedMeanwhile(segment: old) }
            let rule = try await desk.prepare(rules, scope, in: transaction)
            if rule.group.json == old.rules { return }
            try await refuseCircle(of: list, rule.group, scope, in: transaction)
            try await keep(list, rule, scope, in: transaction)
            try await services.audit.record(
                "changed the rule of the segment", subject: old.name, href: "/segments/\(list)",
                before: ["rule": .string(try await words(old.rules, scope, in: transaction))],
                after: ["rule": .string(rule.sentence)], by: scope, in: transaction)
        }
    }

    /// A stored rule as a sentence, for the record.
    private func words(
        _ rules: JSONValue, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> String {
        do {
            return try await desk.prepare(rules, scope, requiresReferences: false, in: transaction).sentence
        } catch is ValidationErrors {
            return "a rule that cannot be read any more"
        }
    }

    private func keep(
        _ list: ContactListID, _ rule: PreparedRule, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        try await SegmentQueries(workspace: scope.workspace).save(
            list, rule.group, by: scope.actor, at: services.clock.now, in: transaction)
        try await SegmentRefreshJob.enqueue(
            list, because: .fill, workspace: scope.workspace, services, in: transaction)
    }

    /// Segments may ask for segments, but not in a circle: nobody could say who is in them.
    private func refuseCircle(
        of list: ContactListID, _ rule: RuleGroup, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        let catalog = try await FieldCatalog.load(scope.workspace, in: transaction)
        var asked: [ContactListID: [ContactListID]] = [:]
        for segment in try await SegmentQueries(workspace: scope.workspace).all(in: transaction)
        where segment.list != list {
            asked[segment.list] = (try? RuleParser.parse(segment.rules, catalog))?.lists ?? []
        }
        var waiting: [ContactListID] = rule.lists
        var seen: Set<ContactListID> = []
        while let next = waiting.popLast() {
            if next == list {
                throw ValidationErrors(
                    "filterRules", "The rule asks for a segment that asks for this one. Segments cannot go in a circle."
                )
            }
            if seen.insert(next).inserted { waiting += asked[next] ?? [] }
        }
    }

    package func forget(
        _ list: ContactListID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run([
            Statement(
                "segments.forget",
                "DELETE FROM marketing_segments WHERE workspace_id = \(scope.workspace) AND list_id = \(list)"),
            SegmentQueries.wake(list, scope.workspace, at: nil),
        ])
    }

    /// Looks at everybody again, in the background. False when there is no such segment.
    func recalculate(_ list: ContactListID, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            guard try await SegmentQueries(workspace: scope.workspace).find(list, in: transaction) != nil else {
                return false
            }
            try await SegmentRefreshJob.enqueue(
                list, because: .fill, workspace: scope.workspace, services, in: transaction)
            return true
        }
    }

    // MARK: Asking

    package func states(
        of lists: [ContactListID], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ContactListID: SegmentState] {
        let all = try await SegmentQueries(workspace: scope.workspace).all(in: transaction)
        let wanted = Set(lists)
        return Dictionary(
            all.filter { wanted.contains($0.list) }.map {
                ($0.list, SegmentState(rules: $0.rules, state: $0.state, problem: $0.problem))
            }
        ) { first, _ in first }
    }

    /// How many match a rule that need not be stored, and ten of them.
    struct Preview: Sendable {
        let count: Int
        let sample: [ContactSummary]
        let sentence: String
        let milliseconds: Double
        /// How it was asked, and where counting began.
        let branches: [RuleBranch]
    }

    func preview(_ rules: JSONValue, _ scope: WorkspaceScope) async throws -> Preview {
        try await RuleQuery.narrowing {
            try await services.database.read(scope.workspace, isolation: .repeatableRead) { transaction in
                let rule = try await desk.prepare(rules, scope, in: transaction)
                let query = question(rule, scope, transaction)
                let start = ContinuousClock.now
                let branches: [RuleBranch] = try await query.start()
                let (count, sample) = try await query.preview(branches)
                let took: Duration = start.duration(to: .now)
                return Preview(
                    count: count, sample: sample, sentence: rule.sentence,
                    milliseconds: Double(took.components.attoseconds) / 1e15 + Double(took.components.seconds) * 1000,
                    branches: branches)
            }
        }
    }

    /// How many match a rule.
    package func count(_ rules: JSONValue, _ scope: WorkspaceScope) async throws -> Int {
        try await asking(rules, scope) { try await $0.count($1) }
    }

    /// Ten of those who match a rule.
    package func sample(_ rules: JSONValue, _ scope: WorkspaceScope) async throws -> [ContactSummary] {
        try await asking(rules, scope) { try await $0.sample($1) }
    }

    /// Whether somebody matches a rule, found out condition by condition; nil when there is no such person.
    package func holds(_ rules: JSONValue, _ contact: ContactID, _ scope: WorkspaceScope) async throws -> Bool? {
        try await explain(rules, contact, scope)?.holds
    }

    /// Counts, and says how PostgreSQL went about it.
    package func analyze(_ rules: JSONValue, _ scope: WorkspaceScope) async throws -> [String] {
        try await asking(rules, scope) { try await $0.analysis($1) }
    }

    private func asking<Value>(
        _ rules: JSONValue, _ scope: WorkspaceScope, _ body: (RuleQuery, [RuleBranch]) async throws -> Value
    ) async throws -> Value {
        try await RuleQuery.narrowing {
            try await services.database.read(scope.workspace, isolation: .repeatableRead) { transaction in
                let rule = try await desk.prepare(rules, scope, in: transaction)
                let query = question(rule, scope, transaction)
                return try await body(query, try await query.start())
            }
        }
    }

    /// - Parameter transaction: holds to one moment, so that other connections can see what it sees.
    private func question(
        _ rule: PreparedRule, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) -> RuleQuery {
        RuleQuery(scope: scope, rule: rule, ledger: ledger, transaction: transaction, database: services.database)
    }

    /// The statements that count a rule, with their values, and how PostgreSQL would go about them.
    func query(of rules: JSONValue, _ scope: WorkspaceScope) async throws -> (sql: String, plan: [String]) {
        try await services.database.read(scope.workspace) { transaction in
            let rule = try await desk.prepare(rules, scope, in: transaction)
            let query = RuleQuery(scope: scope, rule: rule, ledger: ledger, transaction: transaction)
            let branches: [RuleBranch] = try await query.start()
            let statements: [String] = branches.map { query.countSQL($0).description }
            return (statements.joined(separator: ";\n\n"), try await query.plan(branches))
        }
    }

    /// Why somebody matches a rule, or does not; nil when there is no such person.
    func explain(
        _ rules: JSONValue, _ contact: ContactID, _ scope: WorkspaceScope
    ) async throws -> RuleEvaluator.Finding? {
        try await RuleQuery.narrowing {
            try await services.database.read(scope.workspace) { transaction in
                let rule = try await desk.prepare(rules, scope, requiresReferences: false, in: transaction)
                return try await RuleQuery(scope: scope, rule: rule, ledger: ledger, transaction: transaction)
                    .explain(contact)
            }
        }
    }

    func find(_ list: ContactListID, _ scope: WorkspaceScope) async throws -> StoredSegment? {
        try await services.database.read(scope.workspace) { transaction in
            try await SegmentQueries(workspace: scope.workspace).find(list, in: transaction)
        }
    }
}
