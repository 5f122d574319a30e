import Core
import FoundationEssentials
import Postgres

/// For the example workspace.
extension MessagingInterface {
    /// Lets a workspace's mail go to the Outbox, whatever mail server the installation has.
    package func keepInOutbox(_ workspace: WorkspaceID, in tx: PostgresTransaction) async throws {
        try await EmailSettingsQueries(workspace: workspace, tx: tx)
            .save(EmailSettings(), password: nil, now: services.clock.now)
    }

    /// Moves a send that ended back in time.
    /// - Parameter seconds: how far.
    /// - Returns: its messages that were sent, in their order.
    package func antedate(
        _ send: SendID, by seconds: TimeInterval, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [MessageID] {
        let back: SQL = "make_interval(secs => \(seconds))"
        try await tx.run(
            "messaging.example.send",
            """
            UPDATE marketing_sends SET created_at = created_at - \(back), first_sent_at = first_sent_at - \(back),
                finished_at = finished_at - \(back)
            WHERE workspace_id = \(workspace) AND id = \(send)
            """)
        try await tx.run(
            "messaging.example.outbox",
            """
            UPDATE marketing_outbox_messages SET created_at = created_at - \(back)
            WHERE workspace_id = \(workspace) AND send_id = \(send)
            """)
        return try await tx.values(
            MessageID.self, "messaging.example.messages",
            """
            WITH moved AS (
                UPDATE marketing_messages SET created_at = created_at - \(back), sent_at = sent_at - \(back)
                WHERE workspace_id = \(workspace) AND send_id = \(send) RETURNING id, state, contact_id
            ),
            timed AS (
                UPDATE marketing_sent_times t SET occurred_at = t.occurred_at - \(back) FROM moved m
                WHERE t.workspace_id = \(workspace) AND t.contact_id = m.contact_id AND t.message_id = m.id
            )
            SELECT id FROM moved WHERE state = 'sent' ORDER BY id
            """)
    }
}
