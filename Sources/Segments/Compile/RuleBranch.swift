import Core
import Postgres

/// One of the rules that a question is asked with, and where it begins. What they find together is what the rule finds,
/// each person once.
struct RuleBranch: Sendable {
    let group: RuleGroup
    let start: RuleStart

    /// Takes a rule apart where that helps, and looks where each part begins. Brings the settings of questions with it.
    /// - Parameter mayReadCopies: whether the question may be answered from copies of people, as counting is.
    static func of(
        _ group: RuleGroup, _ compiler: RuleCompiler, mayReadCopies: Bool = false, in transaction: PostgresTransaction
    ) async throws -> [RuleBranch] {
        var branches: [RuleBranch] = []
        for part in RuleBranches.of(group, compiler) {
            let sizes = RuleSizes(
                group: part, compiler: compiler, transaction: transaction, mayReadCopies: mayReadCopies)
            branches.append(RuleBranch(group: part, start: try await sizes.start()))
        }
        return branches
    }
}

extension RuleCompiler {
    /// A `SELECT` of the ids of everybody whom branches find.
    func ids(_ branches: [RuleBranch]) -> SQL {
        let parts: [SQL] = branches.map { branch in
            let people: RulePeople = self.people(branch.group, from: branch.start)
            return "SELECT c.id FROM \(people.source) WHERE \(people.condition)"
        }
        return SQL.join(parts, separator: " UNION ALL ")
    }
}
