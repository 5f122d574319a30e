import Accounts
import Contacts
import Core
import Postgres
import Synchronization

/// Counting.
///
/// Where very many people have to be read, several connections count a part of them each. PostgreSQL would have several
/// processes do the same, but starts them for each statement, and each of them maps anew, page by page, the memory that it
/// reads: a fifth of the work. Connections that are kept have done that.
extension RuleQuery {
    /// The statement that counts, as `EXPLAIN` and the page show it.
    func countSQL(_ branch: RuleBranch, _ slice: RuleSlice? = nil) -> SQL {
        var compiler: RuleCompiler = self.compiler
        compiler.slice = slice
        let people: RulePeople = compiler.people(branch.group, from: branch.start)
        return "SELECT count(*) FILTER (WHERE \(people.late)) FROM \(people.source) WHERE \(people.early)"
    }

    func count(_ branches: [RuleBranch]) async throws -> Int {
        guard let database, let cut = try await RuleCut.of(branches, scope.workspace, database, transaction) else {
            return try await count(CountingTurns(branches.map { CountingStep($0, countSQL($0)) }), transaction)
        }
        // One process reads each part, so a choice costs it no more as a whole: everybody is read once.
        let isWhole: Bool = branches.count > 1 && branches.allSatisfy(\.isCut)
        let branches: [RuleBranch] =
            isWhole ? [RuleBranch(group: rule.group, start: RuleStart(people: branches[0].start.people))] : branches
        // What is not cut comes first, for nobody to wait for it at the end.
        let whole: [CountingStep] = branches.filter { !$0.isCut }.map { CountingStep($0, countSQL($0)) }
        let sliced: [CountingStep] = branches.filter(\.isCut).flatMap { branch in
            cut.slices(branch).map { CountingStep(joins: .part, sql: countSQL(branch, $0)) }
        }
        let turns = CountingTurns(whole + sliced, within: database.statementLimit)
        try await Self.processes(0, in: transaction)
        let sum: Int = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1..<cut.connections {
                group.addTask {
                    try await database.readBeside(scope.workspace, seeing: cut.snapshot) { other in
                        try await Self.settings(in: other)
                        try await Self.processes(0, in: other)
                        return try await count(turns, other)
                    } ?? 0
                }
            }
            var sum: Int = try await count(turns, transaction)
            for try await part in group { sum += part }
            return sum
        }
        try await Self.processes(cut.helpers, in: transaction)
        return sum
    }

    private func count(_ turns: CountingTurns, _ transaction: PostgresTransaction) async throws -> Int {
        var sum = 0
        while let step = try turns.next() {
            let counting: Query<Int> = .values(Int.self, "segments.count", step.sql)
            sum += try await transaction.pipeline(Self.joins(step.joins), counting).1.first ?? 0
        }
        return sum
    }

    /// How many processes may help with each statement from now on.
    private static func processes(_ count: Int, in transaction: PostgresTransaction) async throws {
        try await transaction.run(
            "segments.processes",
            "SELECT set_config('max_parallel_workers_per_gather', \(String(count)), true)")
    }
}

extension RuleBranch {
    /// From so many people on it is worth bringing in other connections.
    static let leastToCut = 100_000

    /// Whether everybody is read for it, in parts.
    var isCut: Bool { start.places.isEmpty && start.people >= Self.leastToCut }
}

/// A statement that counts some of those who are to be counted.
private struct CountingStep: Sendable {
    let joins: RuleQuery.Joins
    let sql: SQL
}

extension CountingStep {
    init(_ branch: RuleBranch, _ sql: SQL) {
        self.init(joins: branch.start.looksUp ? .some : .whole, sql: sql)
    }
}

/// Hands out steps to those who count, one after the other.
private final class CountingTurns: Sendable {
    private let steps: [CountingStep]
    private let end: ContinuousClock.Instant?
    private let taken = Atomic<Int>(0)

    init(_ steps: [CountingStep], within limit: Duration? = nil) {
        self.steps = steps
        end = limit.map { .now + $0 }
    }

    /// - Throws: `RuleQuery.tooBroad` when all of them together take longer than one statement may.
    func next() throws -> CountingStep? {
        let turn: Int = taken.add(1, ordering: .relaxed).oldValue
        guard turn < steps.count else { return nil }
        if let end, .now > end { throw RuleQuery.tooBroad }
        return steps[turn]
    }
}
