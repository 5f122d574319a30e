import Core
import FoundationEssentials
import Jobs
import Portal
import Postgres
import Testing

@testable import Segments

extension FactsKeeper {
    /// Has a workspace's people copied, however few they are.
    func copyEverybody(of workspace: WorkspaceID) async throws {
        try await begin(workspace)
        for _ in 0..<600 {
            do { return try await fill(workspace) } catch is JobRetry {
                // Other tests' transactions are under way.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        try await fill(workspace)
    }
}

extension SegmentStage {
    /// Counts as in a workspace of very many people, and by one look at the people themselves.
    /// - Returns: both, and how many people's copies were out of date; nil where everybody was read themselves.
    func count(_ rules: String) async throws -> (cut: Int, whole: Int, stale: Int?) {
        let json: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
        let database: Database = portal.services.database
        return try await database.read(workspace, isolation: .repeatableRead) { tx in
            let rule = try await portal.assembly.segments.actions.desk.prepare(json, ana.scope, in: tx)
            var query = RuleQuery(scope: ana.scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
            let whole: Int = try await query.count([RuleBranch(group: rule.group, start: RuleStart())])
            let branch = RuleBranch(group: rule.group, start: RuleStart(people: RuleBranch.leastToCut))
            let cut = try #require(try await RuleCut.of([branch], workspace, database, tx))
            query.database = database
            return (try await query.count([branch]), whole, cut.facts(for: branch)?.stale.count)
        }
    }
}
