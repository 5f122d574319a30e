import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Looks at everybody for one segment: after it was made or changed, when a day begins, when somebody asks, and at
/// night to see whether all is well.
struct SegmentRefreshJob: Job {
    static let kind = "segments.refresh"
    static let lane: JobLane = .bulk
    static let timeout: Duration = .seconds(3600)

    let list: ContactListID
    let cause: SegmentChange.Cause

    static func enqueue(
        _ list: ContactListID, because cause: SegmentChange.Cause, workspace: WorkspaceID, _ services: AppServices,
        in session: some PostgresSession
    ) async throws {
        // A check must not replace a refresh that waits under the same key.
        let key: String = cause == .check ? "check:\(list)" : "refresh:\(list)"
        try await services.jobs.enqueue(
            SegmentRefreshJob(list: list, cause: cause), workspace: workspace, key: key, in: session)
    }
}

/// The difference between a segment's members and who matches its rule, and the way to remove it.
///
/// One statement finds who is on the wrong side, without holding anything. Whom it names are decided anew in small
/// transactions that hold the workspace's membership: what was committed in the meantime is seen by them, and what
/// commits later leaves a note that waits until they are done. So nothing is lost and nobody waits long.
struct SegmentRefresh: Sendable {
    let services: AppServices
    let ledger: any BehaviourLedger
    let workspace: WorkspaceID
    private static let peoplePerTransaction = 10_000

    /// Answers how many people were moved; nil when there is no such segment, or its rule cannot be read.
    @discardableResult
    func run(_ list: ContactListID, because cause: SegmentChange.Cause) async throws -> Int? {
        let clock: RuleClock = try await RuleDesk(services: services, references: RuleReferences()).clock(workspace)
        guard let segment = try await load(list) else { return nil }
        let start = ContinuousClock.now
        let wrong: [ContactID] = try await wrongPeople(segment, clock)
        let took: Duration = start.duration(to: .now)
        var moved = 0
        for first in stride(from: 0, to: wrong.count, by: Self.peoplePerTransaction) {
            try Task.checkCancellation()
            let part = Array(wrong[first..<min(first + Self.peoplePerTransaction, wrong.count)])
            moved += try await settle(segment, part, clock, cause)
        }
        try await finish(segment, clock, cause, moved: moved, took: took)
        return moved
    }

    private func load(_ list: ContactListID) async throws -> LiveSegment? {
        try await services.workerDatabase.write(workspace) { transaction in
            try await ChangeProcessor.segments(workspace, in: transaction).first { $0.stored.list == list }
        }
    }

    /// Everybody who matches and is no member, or is one and does not match.
    private func wrongPeople(_ segment: LiveSegment, _ clock: RuleClock) async throws -> [ContactID] {
        let compiler = RuleCompiler(workspace, clock: clock, ledger: ledger)
        return try await services.workerDatabase.read(workspace, timeout: .seconds(600)) { transaction in
            let branches: [RuleBranch] = try await RuleBranch.of(segment.rule, compiler, in: transaction)
            let wrong: Query<ContactID> = .values(
                ContactID.self, "segments.wrong",
                """
                SELECT coalesce(found.id, member.contact_id) FROM (
                    SELECT f.id FROM (\(compiler.ids(branches))) f OFFSET 0
                ) found FULL JOIN (
                    SELECT m.contact_id FROM marketing_list_members m
                    WHERE m.workspace_id = \(workspace) AND m.list_id = \(segment.stored.list) OFFSET 0
                ) member ON member.contact_id = found.id
                WHERE found.id IS NULL OR member.contact_id IS NULL
                """)
            let looksUp: Bool = branches.allSatisfy(\.start.looksUp)
            return try await transaction.pipeline(RuleQuery.joins(looksUp ? .some : .whole), wrong).1
        }
    }

    private func settle(
        _ segment: LiveSegment, _ people: [ContactID], _ clock: RuleClock, _ cause: SegmentChange.Cause
    ) async throws -> Int {
        try await services.workerDatabase.write(workspace, timeout: .seconds(120)) { transaction in
            _ = try await MembershipWriter.hold(workspace, waits: true, in: transaction)
            if cause == .check {
                // What waits to be worked off is no mistake.
                let processor = ChangeProcessor(services: services, ledger: ledger)
                while try await processor.take(workspace, in: transaction) > 0 {}
            }
            let segments: [LiveSegment] = try await ChangeProcessor.segments(workspace, in: transaction)
            guard let current = segments.first(where: { $0.stored.list == segment.stored.list }) else { return 0 }
            let writer = MembershipWriter(
                services: services, workspace: workspace, clock: clock, ledger: ledger, transaction: transaction)
            let moves = try await writer.settle(
                [current], for: people, because: cause,
                notesLists: segments.contains { $0.stored.fields.contains("list") })
            return moves.count
        }
    }

    private func finish(
        _ segment: LiveSegment, _ clock: RuleClock, _ cause: SegmentChange.Cause, moved: Int, took: Duration
    ) async throws {
        let queries = SegmentQueries(workspace: workspace)
        let now: Date = services.clock.now
        let wake: Date? = segment.rule.isRelative ? clock.nextMidnight : nil
        try await services.workerDatabase.write(workspace) { transaction in
            try await queries.markFilled(segment.stored, at: now, wake: wake, in: transaction)
            guard cause == .check else { return }
            let milliseconds = Int(took.components.seconds * 1000 + took.components.attoseconds / 1_000_000_000_000_000)
            try await queries.noteCheck(
                segment.stored.list, differences: moved, milliseconds: milliseconds, at: now, in: transaction)
        }
        if cause == .check, moved > 0 {
            services.logger.warning(
                "The nightly check moved people whom no change had moved",
                metadata: ["segment": "\(segment.stored.list)", "people": "\(moved)"])
        }
    }
}

/// For benchmarks: the nightly check of one segment, now.
package enum SegmentCheck {
    package static func enqueue(
        _ list: ContactListID, workspace: WorkspaceID, in session: some PostgresSession
    ) async throws {
        try await JobQueue().enqueue(
            SegmentRefreshJob(list: list, cause: .check), workspace: workspace, key: "check:\(list)", in: session)
    }
}
