import Core
import FoundationEssentials
import Postgres

/// A message of which nobody knows whether it arrived.
package struct UncertainMessage: PostgresRow, Sendable {
    package static let columns: SQL = "id, contact_id, email, reason, provider_response"
    package let id: MessageID
    package let contact: ContactID
    package let email: String?
    package let reason: MessageReason?
    package let detail: String?

    package init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        email = try row.next()
        reason = try row.next()
        detail = try row.next()
    }
}

/// The parked messages of a send, which only a person's decision moves.
package struct UncertainQueries {
    let workspace: WorkspaceID
    let send: SendID
    let tx: PostgresTransaction

    package init(workspace: WorkspaceID, send: SendID, tx: PostgresTransaction) {
        self.workspace = workspace
        self.send = send
        self.tx = tx
    }

    package func page(after: MessageID?, limit: Int) async throws -> [UncertainMessage] {
        let rest: SQL = after.map { "AND id > \($0)" } ?? ""
        return try await tx.all(
            UncertainMessage.self, "messaging.uncertain",
            """
            SELECT \(UncertainMessage.columns) FROM marketing_messages
            WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'uncertain' \(rest)
            ORDER BY id LIMIT \(limit)
            """)
    }

    /// - Parameter messages: nil for all of the send.
    func treatAsSent(_ messages: [MessageID]?, now: Date) async throws -> Int {
        let count: Int = try await tx.value(
            Int.self, "messaging.uncertain_as_sent",
            """
            WITH treated AS (
                UPDATE marketing_messages SET state = 'sent', sent_at = \(now)
                WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'uncertain' \(only(messages))
                RETURNING id, contact_id
            ),
            \(SentTimes.noting("treated", workspace, at: now))
            SELECT count(*) FROM treated
            """)
        try await move(count, toSent: true)
        return count
    }

    func sendAgain(_ messages: [MessageID]?) async throws -> [MessageID] {
        let again = try await tx.values(
            MessageID.self, "messaging.uncertain_again",
            """
            UPDATE marketing_messages SET state = 'retry', reason = NULL
            WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'uncertain' \(only(messages))
            RETURNING id
            """)
        try await move(again.count, toSent: false)
        return again.sorted()
    }

    private func only(_ messages: [MessageID]?) -> SQL {
        messages.map { "AND id = ANY (\($0))" } ?? ""
    }

    private func move(_ count: Int, toSent: Bool) async throws {
        guard count > 0 else { return }
        try await tx.run(
            "messaging.uncertain_moved",
            """
            UPDATE marketing_sends
            SET uncertain = uncertain - \(count),
                sent = sent + CASE WHEN \(toSent) THEN \(count) ELSE 0 END,
                retrying = retrying + CASE WHEN \(toSent) THEN 0 ELSE \(count) END
            WHERE workspace_id = \(workspace) AND id = \(send)
            """)
    }
}

extension BatchQueries {
    /// Marks the messages of free batches as cancelled; answers how many batches there were.
    func cancelFree(_ count: Int, now: Date) async throws -> Int {
        try await tx.value(
            Int.self, "messaging.cancel_free",
            """
            WITH free AS MATERIALIZED (
                SELECT id FROM marketing_send_batches
                WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'ready'
                ORDER BY id LIMIT \(count) FOR UPDATE SKIP LOCKED
            ),
            ours AS (
                UPDATE marketing_send_batches b SET state = 'done', fence = b.fence + 1, settled_at = \(now)
                FROM free WHERE b.workspace_id = \(workspace) AND b.send_id = \(send) AND b.id = free.id
                RETURNING b.first_id, b.last_id, b.ids
            ),
            cancelled AS (
                UPDATE marketing_messages m SET state = 'cancelled', reason = 'cancelled', next_attempt_at = NULL
                FROM ours
                WHERE m.workspace_id = \(workspace) AND m.send_id = \(send)
                    AND m.id BETWEEN ours.first_id AND ours.last_id
                    AND CASE WHEN ours.ids IS NULL THEN m.state = 'pending'
                        ELSE m.state = 'retry' AND m.id = ANY (ours.ids) END
                RETURNING m.attempt
            ),
            totals AS (
                UPDATE marketing_sends s
                SET cancelled = s.cancelled + c.count, retrying = s.retrying - c.again
                FROM (SELECT count(*) AS count, count(*) FILTER (WHERE attempt > 0) AS again FROM cancelled) c
                WHERE s.workspace_id = \(workspace) AND s.id = \(send) AND c.count > 0
            )
            SELECT count(*) FROM ours
            """)
    }
}
