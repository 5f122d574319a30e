import Core
import Mail
import Postgres

/// Where messages go: a mail server, or the Outbox.
protocol MessageCarrier: Sendable {
    /// How many batches it works on at once.
    var lanes: Int { get }

    /// Whether messages leave the database's reach: only then can the two disagree after a crash.
    var isExternal: Bool { get }

    /// Hands messages over, one after the other, and answers with an outcome for each. Messages that were not begun
    /// because `watch` said stop are `.notStarted`.
    func deliver(_ messages: OutgoingMessages, watch: any HandoverWatch) async -> [HandoverOutcome]

    /// Writes what this carrier keeps of accepted messages, in the transaction that settles them.
    func store(_ accepted: [MessageID], workspace: WorkspaceID, send: SendID?, in tx: PostgresTransaction) async throws

    /// Forgets what was to be stored: it is in the database now.
    func forget(_ messages: [MessageID])
}

/// Who follows a delivery message by message. Called on the carrier's thread.
protocol HandoverWatch: Sendable {
    /// Asked before each message; false stops.
    func mayBegin(_ message: MessageID) -> Bool
    func ended(_ message: MessageID, _ outcome: HandoverOutcome)
}

/// Finished messages in the order in which they go out.
struct OutgoingMessages: Sendable {
    var batch = SMTPBatch()
    var ids: [MessageID] = []
    /// For carriers that show them; else empty.
    var subjects: [String] = []

    var count: Int { ids.count }

    /// Takes all messages out and keeps the room for the next ones: new memory is dearer than what is written to it.
    mutating func removeAll() {
        batch.removeAll()
        ids.removeAll(keepingCapacity: true)
        subjects.removeAll(keepingCapacity: true)
    }
}
