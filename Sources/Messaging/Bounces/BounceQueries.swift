import Core
import FoundationEssentials
import Mail
import Postgres

/// The ledger's row of a message that a report is about.
struct BouncedMessage: PostgresRow {
    static let columns: SQL = "id, contact_id, send_id, state, email, sent_at"
    let id: MessageID
    let contact: ContactID
    let send: SendID
    let state: MessageState
    let email: String?
    let sentAt: Date?

    init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        send = try row.next()
        state = MessageState(rawValue: try row.next()) ?? .failed
        email = try row.next()
        sentAt = try row.next()
    }

    var address: EmailAddress? { email.flatMap { try? EmailAddress(parsing: $0) } }

    func isAddress(_ text: String) -> Bool {
        guard let address, let other = try? EmailAddress(parsing: text) else { return false }
        return address == other
    }

    func isAddressed(to recipient: BounceReport.Recipient) -> Bool {
        [recipient.original, recipient.final].contains { $0.map { isAddress($0) } ?? false }
    }

    func isOld(at now: Date) -> Bool {
        sentAt.map { now.timeIntervalSince($0) > Double(BounceIntake.suppressionDays) * 86_400 } ?? false
    }
}

struct BounceQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    /// Locked, so that two deliveries of one report come one after the other.
    func locked(_ message: MessageID) async throws -> BouncedMessage? {
        try await tx.first(
            BouncedMessage.self, "messaging.bounced_message",
            """
            SELECT \(BouncedMessage.columns) FROM marketing_messages
            WHERE workspace_id = \(workspace) AND id = \(message) FOR UPDATE
            """)
    }

    /// An uncertain message that comes back was taken after all.
    func settle(_ message: BouncedMessage, reason: MessageReason, words: String, now: Date) async throws {
        try await tx.run(
            "messaging.bounce_message",
            """
            WITH settled AS (
                UPDATE marketing_messages
                SET state = 'bounced', reason = \(reason.rawValue), provider_response = \(Self.clean(words)),
                    bounced_at = \(now), sent_at = coalesce(sent_at, \(now))
                WHERE workspace_id = \(workspace) AND id = \(message.id)
                RETURNING id, contact_id
            ),
            \(SentTimes.noting("(SELECT * FROM settled WHERE \(message.sentAt == nil))", workspace, at: now))
            SELECT count(*) FROM settled
            """)
        let wasUncertain: Int = message.state == .uncertain ? 1 : 0
        try await tx.run(
            "messaging.bounce_send",
            """
            UPDATE marketing_sends
            SET bounced = bounced + 1, sent = sent + \(wasUncertain), uncertain = uncertain - \(wasUncertain)
            WHERE workspace_id = \(workspace) AND id = \(message.send)
            """)
    }

    /// One line that the database takes and people can read.
    static func clean(_ text: String) -> String {
        let line = String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
        return line.count <= LedgerEntry.responseLimit ? line : String(line.prefix(LedgerEntry.responseLimit)) + "…"
    }
}
