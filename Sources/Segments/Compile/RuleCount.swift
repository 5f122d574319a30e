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
    func countSQL(_ branch: RuleBranch) -> SQL {
        Self.countSQL(compiler.people(branch.group, from: branch.start))
    }

    private static func countSQL(_ people: RulePeople) -> SQL {
        "SELECT count(*) FILTER (WHERE \(people.late)) FROM \(people.source) WHERE \(people.early)"
    }

    /// The same with the ids of the newest of them.
    private static func namingSQL(_ people: RulePeople) -> SQL {
        """
        SELECT \(FoundPeople.columns) FROM (
            SELECT array_agg(c.id ORDER BY c.id DESC) FILTER (WHERE \(people.late)) AS ids
            FROM \(people.source) WHERE \(people.early)
        ) q
        """
    }

    func count(_ branches: [RuleBranch]) async throws -> Int {
        try await found(branches, naming: false).count
    }

    /// How many match.
    /// - Parameter isNaming: with the newest of them. It costs next to nothing where few match, and a tenth where most do.
    func found(_ branches: [RuleBranch], naming isNaming: Bool) async throws -> FoundPeople {
        func step(_ people: RulePeople, _ joins: Joins) -> CountingStep {
            let sql: SQL = isNaming ? Self.namingSQL(people) : Self.countSQL(people)
            return CountingStep(joins: joins, sql: sql, isNaming: isNaming)
        }
        func step(_ branch: RuleBranch) -> CountingStep {
            step(compiler.people(branch.group, from: branch.start), branch.start.looksUp ? .some : .whole)
        }
        guard let database, let cut = try await RuleCut.of(branches, scope.workspace, database, transaction) else {
            return try await count(CountingTurns(branches.map { step($0) }), transaction).newest
        }
        let companies: [RuleNode: RuleNode] = try await self.companies(of: rule.group)
        // One process reads each part, so a choice costs it no more as a whole: everybody is read once.
        let isWhole: Bool = branches.filter(\.isCut).count > 1
        let branches: [RuleBranch] =
            isWhole ? [RuleBranch(group: rule.group, start: RuleStart(people: branches[0].start.people))] : branches
        // What is not cut comes first, for nobody to wait for it at the end.
        let whole: [CountingStep] = branches.filter { !$0.isCut }.map { step($0) }
        var sliced: [CountingStep] = []
        for branch in branches.filter(\.isCut) {
            let branch = RuleBranch(group: branch.group.replacing(companies), start: branch.start)
            let facts: RuleFacts? = cut.facts(for: branch)
            var compiler: RuleCompiler = self.compiler
            compiler.facts = facts
            compiler.lookups = try await lookups(in: branch.group, of: branch.start.people)
            if let stale = facts?.stale, !stale.isEmpty {
                sliced.append(step(few.people(branch.group, among: stale), .some))
            }
            sliced += cut.slices(branch).map { slice in
                compiler.slice = slice
                return step(compiler.people(branch.group, from: branch.start), .part)
            }
        }
        let turns = CountingTurns(whole + sliced, within: database.statementLimit)
        try await Self.processes(0, in: transaction)
        let sum: FoundPeople = try await withThrowingTaskGroup(of: FoundPeople.self) { group in
            for _ in 1..<cut.connections {
                group.addTask {
                    try await database.readBeside(scope.workspace, seeing: cut.snapshot) { other in
                        try await Self.settings(in: other)
                        try await Self.processes(0, in: other)
                        return try await count(turns, other)
                    } ?? FoundPeople()
                }
            }
            var sum: FoundPeople = try await count(turns, transaction)
            for try await part in group { sum += part }
            return sum
        }
        try await Self.processes(cut.helpers, in: transaction)
        return sum.newest
    }

    private func count(_ turns: CountingTurns, _ transaction: PostgresTransaction) async throws -> FoundPeople {
        var sum = FoundPeople()
        while let step = try turns.next() {
            if step.isNaming {
                let naming: Query<FoundPeople> = Query(FoundPeople.self, "segments.name", step.sql)
                sum += try await transaction.pipeline(Self.joins(step.joins), naming).1.first ?? FoundPeople()
            } else {
                let counting: Query<Int> = .values(Int.self, "segments.count", step.sql)
                sum.count += try await transaction.pipeline(Self.joins(step.joins), counting).1.first ?? 0
            }
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
    /// Whether it names people too.
    let isNaming: Bool
}

/// How many match, and some of them.
struct FoundPeople: PostgresRow {
    /// Of all ids, as `q.ids`, the newest first.
    static let columns: SQL = """
        coalesce(cardinality(q.ids), 0)::bigint, coalesce(q.ids[1:\(RuleQuery.sampleSize)], '{}')
        """

    var count = 0
    private(set) var ids: [ContactID] = []

    init() {}

    init(row: inout RowReader) throws {
        count = try row.next()
        ids = try row.next()
    }

    /// Adds others, who are nobody of these.
    static func += (sum: inout FoundPeople, others: FoundPeople) {
        sum.count += others.count
        sum.ids += others.ids
    }

    /// With no more of them than a sample has.
    var newest: FoundPeople {
        var newest: FoundPeople = self
        newest.ids = Array(ids.sorted(by: >).prefix(RuleQuery.sampleSize))
        return newest
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
