import Core
import FoundationEssentials
import Logging
import Postgres

/// Cleans up after dispatchers that are gone.
///
/// A journal that nobody holds tells what happened, message by message. A claim that ran out with no journal on this machine
/// tells nothing: its unsettled messages are parked as uncertain and never sent again by themselves.
struct SendRecovery: Sendable {
    let database: Database
    let journals: String
    let rules: SettlementRules
    let bounces: BounceFollowUp
    let ids: IdentifierSource
    let clock: WallClock
    let logger: Logger
    let refused = RefusedJournals()

    /// Evaluates the journals of dead processes on this machine. Run at start and every few seconds.
    func takeOverAbandonedJournals() async {
        for path in AbandonedJournal.paths(in: journals) {
            do {
                guard let journal = try AbandonedJournal(path: path) else { continue }
                try await settle(journal)
            } catch {
                logger.warning("A journal cannot be evaluated yet", metadata: ["path": "\(path)", "error": "\(error)"])
            }
        }
    }

    /// Everything a journal tells goes into the database before the journal is removed, so a crash in between repeats it.
    private func settle(_ journal: consuming AbandonedJournal) async throws {
        let name: String = journal.name
        let runs: [JournalRecord.Run] = journal.runs
        let testimonies: [AbandonedJournal.Testimony] = journal.batches
        var isWritten = true
        for run in runs {
            let told: [AbandonedJournal.Testimony] = testimonies.filter { $0.batch.run == run }
            if try await bring(told.map { RecoveredPart($0) }, of: run) {
                try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
                    try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                        .returnUnknown(claimedBy: name, except: [])
                }
            } else {
                isWritten = false
                try await holdBack(run, journal: name)
            }
        }
        guard isWritten else { return }
        logger.notice(
            "Took over from a process that ended",
            metadata: [
                "journal": "\(name)", "batches": "\(testimonies.count)",
                "uncertain": "\(testimonies.reduce(0) { $0 + $1.unanswered.count })",
            ])
        journal.discard()
        refused.forget(name)
    }

    /// Writes what is known of batches of one send, in one transaction with what follows from it.
    func write(_ parts: [RecoveredPart], of run: JournalRecord.Run) async throws {
        guard !parts.isEmpty else { return }
        try await database.write(run.workspace, timeout: .seconds(60), keepsPlans: true) { tx in
            for part in parts { try await settle(part, in: tx) }
        }
    }

    private func settle(_ part: RecoveredPart, in tx: PostgresTransaction) async throws {
        let batch: JournalRecord.Batch = part.batch
        let now: Date = clock.now
        let queries = SettlementQueries(workspace: batch.run.workspace, send: batch.run.send, tx: tx)
        let attempts: [MessageID: Int] = try await attempts(
            of: part.messages.map(\.id), workspace: batch.run.workspace, in: tx)
        let settlement: BatchSettlement = settlement(for: part, attempts: attempts)
        let ours: Set<BatchID> = try await queries.settle([settlement], now: now)
        if ours.isEmpty {
            try await correct(settlement.messages, batch: batch, in: tx)
            return
        }
        try await queries.addRetries(retries(settlement.messages))
        try await bounces.take(settlement.messages, run: batch.run, in: tx, now: now)
    }

    /// The pure part: what to write. What a journal does not name was never begun: its batch is free for the rest.
    func settlement(for part: RecoveredPart, attempts: [MessageID: Int]) -> BatchSettlement {
        let entries: [BatchSettlement.Message] = part.messages.compactMap { message in
            rules.entry(for: message.outcome, attempt: attempts[message.id] ?? 0).map { entry in
                BatchSettlement.Message(
                    id: message.id, contact: ContactID(message.id.uuid), email: nil, entry: entry)
            }
        }
        return BatchSettlement(
            batch: part.batch.id, fence: part.batch.fence, next: part.isPartial ? .claimed : .ready, messages: entries)
    }

    /// Somebody else parked these meanwhile, not knowing better. The journal knows: what was accepted is sent.
    private func correct(
        _ entries: [BatchSettlement.Message], batch: JournalRecord.Batch, in tx: PostgresTransaction
    ) async throws {
        let accepted: [MessageID] = entries.filter { $0.entry.state == .sent }.map(\.id)
        guard !accepted.isEmpty else { return }
        let now: Date = clock.now
        try await tx.run(
            "messaging.correct_uncertain",
            """
            WITH corrected AS (
                UPDATE marketing_messages SET state = 'sent', reason = NULL, sent_at = \(now)
                WHERE workspace_id = \(batch.run.workspace) AND id = ANY (\(accepted))
                    AND state = 'uncertain' AND reason = 'crash_uncertain'
                RETURNING id, contact_id
            ),
            \(SentTimes.noting("corrected", batch.run.workspace, at: now))
            UPDATE marketing_sends SET sent = sent + c.count, uncertain = uncertain - c.count
            FROM (SELECT count(*) AS count FROM corrected) c
            WHERE workspace_id = \(batch.run.workspace) AND id = \(batch.run.send) AND c.count > 0
            """)
    }

    private func retries(_ entries: [BatchSettlement.Message]) -> [RetryBatch] {
        let due: [BatchSettlement.Message] = entries.filter { $0.entry.state == .retry }
        guard let latest = due.compactMap(\.entry.nextAttempt).max() else { return [] }
        return [RetryBatch(id: ids.next(), due: latest, messages: due.map(\.id).sorted())]
    }

    private func attempts(
        of messages: [MessageID], workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [MessageID: Int] {
        let rows = try await tx.rows(
            as: (MessageID, Int).self, "messaging.attempts",
            """
            SELECT id, attempt FROM marketing_messages
            WHERE workspace_id = \(workspace) AND id = ANY (\(messages))
            """)
        return Dictionary(rows.map { ($0.0, $0.1) }) { first, _ in first }
    }

    /// Parks the claims of a send that ran out, unless their journal is on this machine: then its process lives and will
    /// settle them, or it is dead and ``takeOverAbandonedJournals()`` knows more than we do.
    func parkExpired(_ run: JournalRecord.Run) async throws {
        let now: Date = clock.now
        let known = Set(AbandonedJournal.paths(in: journals).map { AbandonedJournal.name(of: $0) })
        try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
            let expired: [ExpiredClaim] = try await BatchQueries(workspace: run.workspace, send: run.send, tx: tx)
                .expired(now: now)
            let settlements = SettlementQueries(workspace: run.workspace, send: run.send, tx: tx)
            for claim in expired where !known.contains(claim.claimedBy ?? "") {
                try await settlements.park(claim.batch, now: now)
            }
        }
    }
}
