import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres

/// Addresses that fail softly (full, busy, late, not understood) are suppressed after repetition: five messages in a row,
/// the first and the last at least two weeks apart, and none between that was taken.
///
/// It is counted from the ledger when a message has failed, so that messages that are accepted cost nothing.
struct SoftBounces: Sendable {
    let services: AppServices

    static let limit = 5
    static let days = 14
    /// Mail servers try for up to five days before they report: a message that a relay took less long ago may still
    /// come back.
    static let reportDays = 5

    /// - Parameters:
    ///   - messages: those that just failed softly, written down as such in this transaction.
    ///   - isReported: the failure came back by mail, after a server had taken the message.
    func suppress(
        _ messages: [MessageID], workspace: WorkspaceID, isReported: Bool, in tx: PostgresTransaction, now: Date
    ) async throws {
        guard !messages.isEmpty else { return }
        let proven: Date = isReported ? now.addingTimeInterval(-Double(Self.reportDays) * 86_400) : now
        let fresh: [SuppressionID] = messages.map { _ in services.ids.next() }
        let suppressed: [ContactID] = try await tx.values(
            ContactID.self, "messaging.suppress_soft",
            """
            INSERT INTO marketing_suppressions
                (workspace_id, id, email_key, reason, source, contact_id, message_id, created_at)
            SELECT \(workspace), p.id, c.email_key, 'soft_bounce', \(isReported ? "report" : "smtp"), c.id, n.id, \(now)
            FROM unnest(\(messages), \(fresh)) AS p (message_id, id)
            JOIN marketing_messages n ON n.workspace_id = \(workspace) AND n.id = p.message_id
            JOIN marketing_contacts c
                ON c.workspace_id = \(workspace) AND c.id = n.contact_id AND c.email = n.email
            CROSS JOIN LATERAL (\(Self.failures(workspace: workspace, provenBefore: proven))) f
            WHERE f.count >= \(Self.limit) AND f.last - f.first >= make_interval(days => \(Self.days)::integer)
            ON CONFLICT (workspace_id, email_key) WHERE lifted_at IS NULL DO NOTHING
            RETURNING contact_id
            """)
        try await ContactEmailStatus.set(
            .bounced, of: suppressed,
            data: ["detail": .string("\(Self.limit) messages in a row came back, over two weeks or more.")],
            WorkspaceScope(workspace: workspace), services: services, in: tx)
    }

    /// The failures of `c`'s present address since its last success. Ids of messages are in the order of time.
    private static func failures(workspace: WorkspaceID, provenBefore proven: Date) -> SQL {
        """
        SELECT count(*) AS count, min(m.created_at) AS first, max(m.created_at) AS last
        FROM marketing_messages m
        WHERE m.workspace_id = \(workspace) AND m.contact_id = c.id AND m.email = c.email
            AND m.state IN ('failed', 'bounced') AND m.reason IN ('soft_bounce', 'provider_rejected')
            AND m.id > coalesce((
                SELECT t.id FROM marketing_messages t
                WHERE t.workspace_id = \(workspace) AND t.contact_id = c.id AND t.email = c.email
                    AND t.state IN ('sent', 'delivered') AND (t.created_at < \(proven) OR t.opened_at IS NOT NULL)
                ORDER BY t.id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')
            AND m.created_at > coalesce((
                SELECT max(s.lifted_at) FROM marketing_suppressions s
                WHERE s.workspace_id = \(workspace) AND s.email_key = c.email_key AND s.lifted_at IS NOT NULL),
                '-infinity')
        """
    }
}
