import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Logging
import Mail
import Postgres
import Synchronization
import Templates
import Tracking

/// Carries sends from the ledger to the mail server. One per process; several processes share a send through its batches.
struct SendDispatcher: Sendable {
    let services: AppServices
    let senders: SenderDirectory
    let links: LinkFactory
    let journals: HandoverJournals
    /// The connections of a sender; tests put their own in its place.
    let carrier: @Sendable (Sender, WorkspaceID) throws -> any MessageCarrier
    let recovery: SendRecovery
    let running: RunningSends
    let pause: Pause
    var stopwatch: Stopwatch = .running
    /// A dispatcher leaves after so many seconds, so that sends of other workspaces get their turn; the send goes on at once.
    var timeLimit: Double = 600

    /// Works on a send until nothing can be done for it now.
    /// - Parameter leaving: asked for when the process ends.
    func dispatch(_ run: JournalRecord.Run, whenStopped leaving: SendControl = SendControl()) async throws {
        guard running.begin(run) else { return }
        defer { running.end(run) }
        await recovery.takeOverAbandonedJournals()
        try await recovery.parkExpired(run)
        let journal: HandoverJournal = try journals.current()
        try await returnForgotten(run, journal)
        guard let prepared = try await prepare(run, control: leaving, journal) else { return }
        try journal.noteRun(run)
        await withTaskCancellationHandler {
            // The work is finished and written down even when the job is cancelled: only new messages are not begun.
            await Task { await prepared.work() }.value
        } onCancel: {
            leaving.stop(.leaving)
        }
        try await conclude(run, control: leaving)
    }

    /// Claims in our name that no run of this process knows: the answer to the claim was lost.
    private func returnForgotten(_ run: JournalRecord.Run, _ journal: HandoverJournal) async throws {
        try await services.workerDatabase.write(run.workspace, keepsPlans: true) { tx in
            try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                .returnUnknown(claimedBy: journal.name, except: running.unsettledBatches(run))
        }
    }

    private func prepare(
        _ run: JournalRecord.Run, control: SendControl, _ journal: HandoverJournal
    ) async throws -> SendRun? {
        guard let workspace = try await services.directory.workspace(run.workspace) else { return nil }
        let (work, sender, erased) = try await services.workerDatabase.read(run.workspace, keepsPlans: true) { tx in
            (
                try await SendQueries(workspace: run.workspace, tx: tx).work(run.send),
                try await senders.sender(of: run.workspace, in: tx),
                try await ErasedAddresses.load(run.workspace, services: services, in: tx)
            )
        }
        guard let work, work.state == .sending else { return nil }
        do {
            let email = try CompiledEmail(
                work.content, links: links.links(for: run.workspace), routingKey: workspace.routingKey)
            let carrier: any MessageCarrier = try carrier(sender, run.workspace)
            let batchWork = BatchWork(
                email: email, returnPath: links.returnPath(work.content.identity),
                workspaceName: work.content.email.workspaceName, carrier: carrier,
                journal: carrier.isExternal ? journal : nil, control: control)
            var made: SendRun = makeRun(run, work: batchWork, carrier: carrier, rate: sender.rate, journal)
            made.erased = erased
            return made
        } catch {
            try await pauseSend(run, notice: "The message cannot be made: \(BatchWork.explanation(error))")
            return nil
        }
    }

    private func makeRun(
        _ run: JournalRecord.Run, work: BatchWork, carrier: any MessageCarrier, rate: Double?,
        _ journal: HandoverJournal
    ) -> SendRun {
        let writer = SettlementWriter(
            run: run, database: services.workerDatabase,
            rules: SettlementRules(clock: services.clock, randomness: services.randomness), carrier: carrier,
            journal: journal, bounces: BounceFollowUp(services: services), control: work.control, running: running,
            ids: services.ids, clock: services.clock,
            pause: pause, logger: services.logger)
        return SendRun(
            run: run, database: services.workerDatabase, carrier: carrier, journal: journal, work: work, writer: writer,
            control: work.control, clock: services.clock, pause: pause, stopwatch: stopwatch, rate: rate,
            timeLimit: timeLimit,
            logger: services.logger)
    }

    // MARK: Afterwards

    /// Says what becomes of the send, in one transaction with what follows from it.
    private func conclude(_ run: JournalRecord.Run, control: SendControl) async throws {
        switch control.stopReason {
        case .harmful(let notice): try await pauseSend(run, notice: notice)
        case .unreachable(let detail): try await waitForServer(run, detail: detail)
        case .paused, .cancelled: break
        case .leaving, nil: try await finishOrWait(run, madeProgress: control.handedOver > 0)
        }
    }

    private func pauseSend(_ run: JournalRecord.Run, notice: String) async throws {
        try await services.workerDatabase.write(run.workspace, keepsPlans: true) { tx in
            let paused: Bool = try await SendActions(services: services)
                .pause(run.send, notice: notice, workspace: run.workspace, in: tx)
            if paused { try await tell(run, .paused, notice: notice, in: tx) }
        }
    }

    private func waitForServer(_ run: JournalRecord.Run, detail: String) async throws {
        try await services.workerDatabase.write(run.workspace, keepsPlans: true) { tx in
            let queries = SendQueries(workspace: run.workspace, tx: tx)
            let setbacks: Int = try await queries.noteSetback(run.send, isSetback: true)
            try await queries.setNotice(run.send, "The mail server can't be reached: \(detail)")
            let wait: Double = Backoff.seconds(afterSetbacks: setbacks)
            try await queries.wake(run.send, at: services.clock.now.addingTimeInterval(wait))
        }
    }

    private func finishOrWait(_ run: JournalRecord.Run, madeProgress: Bool) async throws {
        try await services.workerDatabase.write(run.workspace, keepsPlans: true) { tx in
            let queries = SendQueries(workspace: run.workspace, tx: tx)
            guard try await queries.lockedState(run.send) == .sending, let summary = try await queries.summary(run.send)
            else { return }
            if madeProgress {
                _ = try await queries.noteSetback(run.send, isSetback: false)
                try await queries.setNotice(run.send, nil)
            }
            let tally: BatchTally = try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx).tally()
            let now: Date = services.clock.now
            if summary.isSnapshotComplete, tally.ready == 0, tally.claimed == 0 {
                try await queries.setState(run.send, .sent, notice: nil, now: now)
                try await queries.rest(run.send)
                try await tell(run, .sent, notice: nil, in: tx)
            } else {
                try await queries.wake(run.send, at: nextLook(tally, now: now))
            }
        }
    }

    /// When somebody should look again: at once for free batches, in a few seconds for claims of others, else when the
    /// first retry is due.
    private func nextLook(_ tally: BatchTally, now: Date) -> Date {
        if tally.unconditional > 0 { return now }
        let soon: Date = now.addingTimeInterval(5)
        guard tally.claimed == 0, let due = tally.nextDue else { return soon }
        return max(due, now)
    }

    private func tell(
        _ run: JournalRecord.Run, _ state: SendState, notice: String?, in tx: PostgresTransaction
    ) async throws {
        try await services.jobs.enqueue(
            SendStateChanged(workspace: run.workspace, send: run.send, state: state, notice: notice),
            workspace: run.workspace, in: tx)
    }
}

/// The sends that this process works on: a second job for the same one has nothing to add here.
final class RunningSends: Sendable {
    private let runs = Mutex<Set<JournalRecord.Run>>([])
    /// Results that the database refused. Their batches stay claimed, and the journal tells of them when the process ends.
    private let unsettled = Mutex<[JournalRecord.Run: [LaneResult]]>([:])

    func begin(_ run: JournalRecord.Run) -> Bool {
        runs.withLock { $0.insert(run).inserted }
    }

    func end(_ run: JournalRecord.Run) {
        runs.withLock { _ = $0.remove(run) }
    }

    func keepUnsettled(_ results: [LaneResult], of run: JournalRecord.Run) {
        unsettled.withLock { $0[run, default: []] += results }
    }

    func takeUnsettled(_ run: JournalRecord.Run) -> [LaneResult] {
        unsettled.withLock { $0.removeValue(forKey: run) ?? [] }
    }

    func unsettledBatches(_ run: JournalRecord.Run) -> [BatchID] {
        unsettled.withLock { $0[run]?.map(\.batch.id) ?? [] }
    }
}

/// Makes the links and return paths of messages from the portal's keys.
struct LinkFactory: Sendable {
    let tracking: TrackingLinks
    let unsubscribing: UnsubscribeLinks
    let bounceKey: @Sendable ([UInt8]) -> [UInt8]
    /// Keys of earlier secrets: mail that was sent under them still comes back.
    let earlierBounceKeys: [@Sendable ([UInt8]) -> [UInt8]]

    init(services: AppServices) {
        tracking = TrackingSlice.links(services)
        unsubscribing = MessagingSlice.unsubscribeLinks(services)
        let key = services.keys.key(for: "bounce")
        bounceKey = { key.authenticate($0) }
        earlierBounceKeys = services.keys.earlierKeys(for: "bounce").map { earlier in { earlier.authenticate($0) } }
    }

    func links(for workspace: WorkspaceID) -> MessageLinks {
        MessageLinks(workspace: workspace, tracking: tracking, unsubscribing: unsubscribing)
    }

    func returnPath(_ identity: SendIdentity) -> ReturnPath {
        let sender: String = BatchWork.wireForm(of: identity.fromEmail) ?? identity.fromEmail
        let bounces: BounceAddress? = identity.bounceDomain.map { BounceAddress(domain: $0, authenticate: bounceKey) }
        return ReturnPath(fallback: sender, bounces: bounces)
    }
}
