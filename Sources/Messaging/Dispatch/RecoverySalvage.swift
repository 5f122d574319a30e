import Core
import FoundationEssentials
import Logging
import Postgres
import Synchronization

/// What a journal tells of a batch, or of some of its messages.
struct RecoveredPart: Sendable {
    struct Message: Sendable {
        let id: MessageID
        let outcome: HandoverOutcome
    }

    let batch: JournalRecord.Batch
    let messages: [Message]
    /// Whether more of the batch follows: only its last part gives the batch back.
    let isPartial: Bool

    init(batch: JournalRecord.Batch, messages: [Message], isPartial: Bool) {
        self.batch = batch
        self.messages = messages
        self.isPartial = isPartial
    }

    /// All that a journal tells of a batch. Messages that stay as they were need no telling.
    init(_ testimony: AbandonedJournal.Testimony) {
        let told: [Message] = testimony.outcomes.filter { !$0.value.leavesOpen }
            .map { Message(id: $0.key, outcome: $0.value) }
        let unanswered: [Message] = testimony.unanswered.map { id in
            let words = "The portal stopped while this message was being handed over."
            return Message(id: id, outcome: .uncertain(.crashUncertain, words))
        }
        self.init(batch: testimony.batch, messages: (told + unanswered).sorted { $0.id < $1.id }, isPartial: false)
    }
}

/// Journals may tell what the database refuses for good. As in `SettlementWriter.bring`, that is taken apart until the
/// messages to blame are found; they are parked, and all others are written.
extension SendRecovery {
    /// - Returns: false when something cannot be written at all, not even parked.
    /// - Throws: what may pass, such as a lost connection: the journal is evaluated again later.
    func bring(_ parts: [RecoveredPart], of run: JournalRecord.Run) async throws -> Bool {
        do {
            try await write(parts, of: run)
            return true
        } catch let error where SettlementFlaw.isPermanent(error) {
            guard let (first, second) = Self.halves(of: parts) else { return await park(parts, of: run, after: error) }
            guard try await bring(first, of: run) else { return false }
            return try await bring(second, of: run)
        }
    }

    /// Nil when there is only one message left to be written.
    private static func halves(of parts: [RecoveredPart]) -> ([RecoveredPart], [RecoveredPart])? {
        guard parts.count <= 1, let part = parts.first else {
            let middle: Int = parts.count / 2
            return parts.isEmpty ? nil : (Array(parts[..<middle]), Array(parts[middle...]))
        }
        guard part.messages.count > 1 else { return nil }
        let middle: Int = part.messages.count / 2
        return (
            [RecoveredPart(batch: part.batch, messages: Array(part.messages[..<middle]), isPartial: true)],
            [RecoveredPart(batch: part.batch, messages: Array(part.messages[middle...]), isPartial: part.isPartial)]
        )
    }

    /// Parks one message with what is certainly acceptable, and without what else would follow from its outcome.
    private func park(_ parts: [RecoveredPart], of run: JournalRecord.Run, after error: any Error) async -> Bool {
        let words: String = SettlementFlaw.words(for: error)
        do {
            for part in parts {
                let messages: [RecoveredPart.Message] = part.messages.map {
                    RecoveredPart.Message(id: $0.id, outcome: .uncertain(.notRecorded, words))
                }
                let parked = RecoveredPart(batch: part.batch, messages: messages, isPartial: part.isPartial)
                try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
                    _ = try await SettlementQueries(workspace: run.workspace, send: run.send, tx: tx)
                        .settle([settlement(for: parked, attempts: [:])], now: clock.now)
                }
                logger.error(
                    "The database refuses what a journal tells of a message; the message is parked",
                    metadata: [
                        "send": "\(run.send)", "message": "\(part.messages.first.map { "\($0.id)" } ?? "none")",
                        "error": "\(error)",
                    ])
            }
            return true
        } catch {
            return false
        }
    }

    /// Nothing more is handed over for a send whose past cannot be written down: it pauses, and says why. The journal
    /// stays and is tried again, so a person finds the send ready to go on once the database takes it.
    func holdBack(_ run: JournalRecord.Run, journal: String) async throws {
        let isNew: Bool = refused.note(journal, of: run)
        logger.log(
            level: isNew ? .error : .debug, "The database takes nothing of what a journal tells of a send; it is kept",
            metadata: ["journal": "\(journal)", "send": "\(run.send)"])
        let notice = "The database refuses to take down what became of messages. The portal’s log says why."
        try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
            let paused: Bool = try await SendActions(services: bounces.services)
                .pause(run.send, notice: notice, workspace: run.workspace, in: tx)
            guard paused else { return }
            try await bounces.services.jobs.enqueue(
                SendStateChanged(workspace: run.workspace, send: run.send, state: .paused, notice: notice),
                workspace: run.workspace, in: tx)
        }
    }
}

/// The journals that the database refuses, so that the log tells of each once and not every few seconds.
final class RefusedJournals: Sendable {
    private struct Refusal: Hashable {
        let journal: String
        let run: JournalRecord.Run
    }

    private let known = Mutex<Set<Refusal>>([])

    /// - Returns: whether this is news.
    func note(_ journal: String, of run: JournalRecord.Run) -> Bool {
        known.withLock { $0.insert(Refusal(journal: journal, run: run)).inserted }
    }

    func forget(_ journal: String) {
        known.withLock { known in known = known.filter { $0.journal != journal } }
    }
}
