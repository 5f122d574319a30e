import Contacts
import Core
import FoundationEssentials
import Logging
import Postgres
import Templates

/// What one process does for one send: it claims batches, loads them, hands their messages over on the carrier's lanes and
/// writes down what came of it, all at once and within bounds.
struct SendRun: Sendable {
    let run: JournalRecord.Run
    let database: Database
    let carrier: any MessageCarrier
    let journal: HandoverJournal
    let work: BatchWork
    let writer: SettlementWriter
    let control: SendControl
    let clock: WallClock
    let pause: Pause
    let stopwatch: Stopwatch
    /// Messages per second; nil: as fast as it goes.
    let rate: Double?
    /// When to leave for others' sake, seconds from the start.
    let timeLimit: Double
    let logger: Logger
    /// The hashes of erased addresses; nil when nobody was erased.
    var erased: ErasedAddresses?

    private static let settlementsWaiting = 64
    /// A batch that takes longer tells what is known so far.
    static let reportInterval: Duration = .seconds(2)
    /// Messages handed over between two looks at the pace or the database, for senders with a rate.
    private static let slowSliceSeconds = 1.0

    /// Works until nothing is left to claim or there is a reason to stop. Everything that was handed over is written down
    /// when this returns.
    func work() async {
        await writer.settleEarlier()
        let feed = BatchFeed(capacity: max(1, carrier.lanes / 2))
        let results = SettlementQueue(capacity: Self.settlementsWaiting)
        let pace = PaceKeeper(rate: rate)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await writer.work(on: results) }
            let poller = group.addingCancellable { await watch(pace: pace) }
            group.addTask {
                await withTaskGroup(of: Void.self) { lanes in
                    lanes.addTask { await fill(feed) }
                    for _ in 0..<carrier.lanes {
                        lanes.addTask { await lane(feed: feed, results: results, pace: pace) }
                    }
                }
                await results.close()
                poller.stop()
            }
        }
    }

    // MARK: Claiming

    private func fill(_ feed: BatchFeed) async {
        var idleRounds = 0
        var failures = 0
        while control.stopReason == nil {
            let room: Int = await feed.room()
            guard room > 0, control.stopReason == nil else { break }
            do {
                let claimed: Int = try await claim(room, into: feed)
                failures = 0
                if claimed > 0 {
                    idleRounds = 0
                } else {
                    guard try await moreWillCome() else { break }
                    idleRounds += 1
                    await pause.wait(seconds: min(0.5, 0.02 * Double(idleRounds)))
                }
            } catch {
                failures += 1
                logger.warning("Claiming failed", metadata: ["send": "\(run.send)", "error": "\(error)"])
                // The database is away: the job ends and is begun again when it is back.
                if failures > 3 { break }
                await pause.wait(seconds: 0.2 * Double(failures))
            }
        }
        await feed.close()
    }

    private func claim(_ count: Int, into feed: BatchFeed) async throws -> Int {
        let now: Date = clock.now
        let claims: [ClaimedBatch] = try await database.write(run.workspace, keepsPlans: true) { tx in
            try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                .claim(count, by: journal.name, now: now)
        }
        for claim in claims {
            let tag: UInt32 = try journal.begin(.init(run: run, id: claim.id, fence: claim.fence))
            let messages: [LoadedMessage] = try await database.read(run.workspace, keepsPlans: true) { tx in
                try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                    .messages(
                        of: claim, withProperties: work.email.usesProperties, erased: erased, at: now)
            }
            await feed.put(LoadedBatch(claim: claim, messages: messages, tag: tag))
        }
        return claims.count
    }

    /// Whether the snapshot still adds batches.
    private func moreWillCome() async throws -> Bool {
        try await database.read(run.workspace, keepsPlans: true) { tx in
            let queries = SendQueries(workspace: run.workspace, tx: tx)
            guard let summary = try await queries.summary(run.send), summary.state == .sending else { return false }
            // Before its first people the snapshot may wait for a segment; it calls a dispatcher when it has them.
            if !summary.isSnapshotComplete { return summary.recipients + summary.skipped > 0 }
            // A batch may have come between the claim and the end of the snapshot.
            let tally: BatchTally = try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx).tally()
            return tally.unconditional > 0
        }
    }

    // MARK: Handing over

    private func lane(feed: BatchFeed, results: SettlementQueue, pace: PaceKeeper) async {
        var outgoing = OutgoingMessages()
        while let batch = await feed.next() {
            let total: Int = batch.messages.count
            var next = 0
            var unreported: [HandedMessage] = []
            var reported: Duration = stopwatch.elapsed
            repeat {
                let count: Int = await permitted(min(work.partSize, total - next), pace: pace)
                let part: ArraySlice<LoadedMessage> = batch.messages[next..<(next + count)]
                let outcomes: [HandoverOutcome] = await work.run(part, tag: batch.tag, at: clock.now, in: &outgoing)
                unreported += zip(part, outcomes).map { HandedMessage($0, $1) }
                next += count
                let isDone: Bool = next >= total
                if isDone || stopwatch.elapsed - reported > Self.reportInterval {
                    await results.submit(
                        LaneResult(batch: batch.claim, tag: batch.tag, messages: unreported, isPartial: !isDone))
                    // What stays open is told again with the batch's end, which decides what becomes of the batch.
                    unreported.removeAll { !$0.outcome.leavesOpen }
                    reported = stopwatch.elapsed
                }
            } while next < total
        }
    }

    /// How many messages may go now; waits for at least one. With a stop all may: none will be handed over.
    private func permitted(_ wanted: Int, pace: PaceKeeper) async -> Int {
        guard wanted > 0, rate != nil, control.stopReason == nil else { return wanted }
        let (count, wait): (Int, Double) = await pace.take(wanted, within: Self.slowSliceSeconds)
        var left: Double = wait
        while left > 0, control.stopReason == nil {
            await pause.wait(seconds: min(left, 0.5))
            left -= 0.5
        }
        return count
    }

    // MARK: Watching

    /// Keeps claims alive and hears when somebody pauses or cancels.
    private func watch(pace: PaceKeeper) async {
        var rounds = 0
        let roundLimit = Int(timeLimit * 4)
        while !Task.isCancelled {
            await pause.wait(seconds: 0.25)
            rounds += 1
            if rounds > roundLimit { control.stop(.leaving) }
            let renews: Bool = rounds % 40 == 0
            do {
                try await look(renews: renews, pace: pace)
            } catch {
                logger.debug("The state of a send cannot be read", metadata: ["error": "\(error)"])
            }
        }
    }

    private func look(renews: Bool, pace: PaceKeeper) async throws {
        let state: SendState? = try await database.read(run.workspace, keepsPlans: true) { tx in
            try await SendQueries(workspace: run.workspace, tx: tx).state(run.send)
        }
        switch state {
        case .sending: break
        case .paused: control.stop(.paused)
        case .cancelled, .failed, .sent, nil: control.stop(.cancelled)
        }
        guard renews else { return }
        let sharing: Int = try await database.write(run.workspace, keepsPlans: true) { tx in
            try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                .renew(by: journal.name, now: clock.now)
            return try await SendQueries(workspace: run.workspace, tx: tx).dispatchers(run.send)
        }
        await pace.share(among: sharing)
    }
}

/// The pace of a send, shared by the lanes of one process.
actor PaceKeeper {
    private let rate: Double?
    private var pace: SendingPace?
    private var sharing = 1
    private let start = ContinuousClock.now

    init(rate: Double?) {
        self.rate = rate
        pace = rate.map { SendingPace(perSecond: $0) }
    }

    /// Other processes send for the same sender: each takes its part of the rate.
    func share(among processes: Int) {
        let processes: Int = max(1, processes)
        guard processes != sharing, let rate else { return }
        sharing = processes
        pace = SendingPace(perSecond: rate / Double(processes))
    }

    /// - Returns: how many messages go together, at least one, and how many seconds to wait before.
    func take(_ wanted: Int, within seconds: Double) -> (Int, Double) {
        guard let rate, pace != nil else { return (wanted, 0) }
        let count: Int = min(wanted, max(1, Int(rate / Double(sharing) * seconds / 4)))
        let duration = ContinuousClock.now - start
        let now = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        var wait = 0.0
        for index in 0..<count {
            let next: Double = pace?.take(at: now) ?? 0
            if index == 0 { wait = next }
        }
        return (count, wait)
    }
}

/// A task of a group that can be stopped on its own.
struct StoppableTask: Sendable {
    let stop: @Sendable () -> Void
}

extension TaskGroup where ChildTaskResult == Void {
    /// Adds a task that ends when it is stopped, without the rest of the group.
    mutating func addingCancellable(_ body: @escaping @Sendable () async -> Void) -> StoppableTask {
        let task = Task { await body() }
        addTask { await task.value }
        return StoppableTask { task.cancel() }
    }
}
