import Core
import FoundationEssentials
import Logging
import Postgres

/// Brings results into the ledger: one transaction for all that wait, again and again until the database takes it. What it
/// refuses for good is taken apart: see `bring`.
struct SettlementWriter: Sendable {
    let run: JournalRecord.Run
    let database: Database
    let rules: SettlementRules
    let carrier: any MessageCarrier
    let journal: HandoverJournal?
    let bounces: BounceFollowUp
    let control: SendControl
    let running: RunningSends
    let ids: IdentifierSource
    let clock: WallClock
    let pause: Pause
    let logger: Logger

    /// Writes what an earlier run could not. This comes before anything is claimed: what goes back with it is claimed again.
    func settleEarlier() async {
        await keep(await bring(running.takeUnsettled(run)))
    }

    /// Works until the queue is closed and empty.
    func work(on queue: SettlementQueue) async {
        while let results = await queue.next() { await keep(await bring(results)) }
    }

    /// Nothing more is handed over when its outcome cannot be written down.
    private func keep(_ results: [LaneResult]) async {
        guard !results.isEmpty else { return }
        running.keepUnsettled(results, of: run)
        control.stop(.harmful("The database refuses to take down what became of messages. The portal’s log says why."))
    }

    /// The pure part: what to write for one result.
    func settlement(for result: LaneResult) -> BatchSettlement {
        var entries: [BatchSettlement.Message] = []
        var isUnfinished = false
        entries.reserveCapacity(result.messages.count)
        for message in result.messages {
            guard let entry = rules.entry(for: message.outcome, attempt: message.attempt) else {
                isUnfinished = true
                continue
            }
            entries.append(
                BatchSettlement.Message(
                    id: message.id, contact: message.contact, email: message.newEmail, entry: entry))
        }
        return BatchSettlement(
            batch: result.batch.id, fence: result.batch.fence,
            next: result.isPartial ? .claimed : isUnfinished ? .ready : .done, messages: entries)
    }

    func write(_ results: [LaneResult]) async throws {
        let settlements: [BatchSettlement] = merged(results.map { settlement(for: $0) })
        let now: Date = clock.now
        try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
            let queries = SettlementQueries(workspace: run.workspace, send: run.send, tx: tx)
            let ours: Set<BatchID> = try await queries.settle(settlements, now: now)
            let entries: [BatchSettlement.Message] = settlements.filter { ours.contains($0.batch) }.flatMap(\.messages)
            try await followUp(entries, queries: queries, in: tx, now: now)
        }
        let sent: [MessageID] = settlements.flatMap { $0.messages.map(\.id) }
        carrier.forget(sent)
        for result in results where !result.isPartial { try journal?.settled(tag: result.tag) }
    }

    /// What else follows from the outcomes, in the same transaction.
    private func followUp(
        _ entries: [BatchSettlement.Message], queries: SettlementQueries, in tx: PostgresTransaction, now: Date
    ) async throws {
        let accepted: [MessageID] = entries.filter { $0.entry.state == .sent }.map(\.id)
        if !carrier.isExternal {
            try await carrier.store(accepted, workspace: run.workspace, send: run.send, in: tx)
        }
        let retries: [RetryBatch] = retryBatches(entries)
        if !retries.isEmpty { try await queries.addRetries(retries) }
        try await bounces.take(entries, run: run, in: tx, now: now)
    }

    /// Messages whose next attempts lie in the same minute share a batch.
    func retryBatches(_ entries: [BatchSettlement.Message]) -> [RetryBatch] {
        var byMinute: [Int: [BatchSettlement.Message]] = [:]
        for entry in entries {
            guard entry.entry.state == .retry, let next = entry.entry.nextAttempt else { continue }
            byMinute[Int(next.timeIntervalSince1970 / 60), default: []].append(entry)
        }
        return byMinute.sorted { $0.key < $1.key }.compactMap { _, entries in
            guard let due = entries.compactMap(\.entry.nextAttempt).max() else { return nil }
            return RetryBatch(id: ids.next(), due: due, messages: entries.map(\.id).sorted())
        }
    }

    /// Several results of one batch in one statement: the last one says what becomes of the batch.
    private func merged(_ settlements: [BatchSettlement]) -> [BatchSettlement] {
        var order: [BatchID] = []
        var byBatch: [BatchID: BatchSettlement] = [:]
        for settlement in settlements {
            if let earlier = byBatch[settlement.batch] {
                byBatch[settlement.batch] = BatchSettlement(
                    batch: settlement.batch, fence: settlement.fence, next: settlement.next,
                    messages: earlier.messages + settlement.messages)
            } else {
                order.append(settlement.batch)
                byBatch[settlement.batch] = settlement
            }
        }
        return order.compactMap { byBatch[$0] }
    }
}

/// Waiting, injected so that tests decide how long it takes.
package struct Pause: Sendable {
    private let sleep: @Sendable (Double) async -> Void

    package init(_ sleep: @escaping @Sendable (Double) async -> Void) {
        self.sleep = sleep
    }

    /// Returns early when the task is cancelled.
    package func wait(seconds: Double) async {
        await sleep(seconds)
    }

    package static let real = Pause { seconds in
        do {
            try await Task.sleep(for: .milliseconds(Int64(seconds * 1000)))
        } catch {
            // Cancelled: the caller looks at its own reasons to stop.
            return
        }
    }
}
