import Core
import FoundationEssentials
import Postgres
import Synchronization

/// A message for the Outbox.
struct OutboxMessage: Sendable {
    let id: MessageID
    let recipient: String
    let subject: String
    let raw: [UInt8]
}

/// What stands in the ledger where a mail server's answer would.
package enum OutboxAnswer {
    package static let kept = "Kept in the Outbox"
}

/// Keeps messages in the portal instead of sending them: what a new workspace has until it sets up a mail server. The
/// message is stored in the transaction that settles it, so ledger and Outbox cannot disagree.
final class OutboxCarrier: MessageCarrier {
    static let answer = OutboxAnswer.kept

    let lanes = 2
    let isExternal = false
    private let clock: WallClock
    private let finished = Mutex<[MessageID: OutboxMessage]>([:])

    init(clock: WallClock) {
        self.clock = clock
    }

    func deliver(_ messages: OutgoingMessages, watch: any HandoverWatch) async -> [HandoverOutcome] {
        var outcomes = [HandoverOutcome](repeating: .notStarted, count: messages.count)
        for (index, envelope) in messages.batch.envelopes.enumerated() {
            let id: MessageID = messages.ids[index]
            guard watch.mayBegin(id) else { break }
            let subject: String = index < messages.subjects.count ? messages.subjects[index] : ""
            let message = OutboxMessage(
                id: id, recipient: envelope.recipient, subject: subject,
                raw: Array(messages.batch.bytes[envelope.range]))
            finished.withLock { $0[id] = message }
            outcomes[index] = .accepted(Self.answer)
            watch.ended(id, outcomes[index])
        }
        return outcomes
    }

    func store(_ accepted: [MessageID], workspace: WorkspaceID, send: SendID?, in tx: PostgresTransaction) async throws
    {
        let messages: [OutboxMessage] = finished.withLock { finished in accepted.compactMap { finished[$0] } }
        try await OutboxQueries(workspace: workspace, tx: tx).insert(messages, send: send, now: clock.now)
    }

    func forget(_ messages: [MessageID]) {
        finished.withLock { finished in
            for message in messages { finished[message] = nil }
        }
    }
}
