import Core
import FoundationEssentials
import Postgres
import Tracking

/// Counts opens, clicks and unsubscribes on the ledger: one statement for any number of them.
package struct MessageEngagement: EngagementLedger {
    package init() {}

    package func record(
        _ engagements: [Engagement], workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [RecordedEngagement] {
        guard !engagements.isEmpty else { return [] }
        let rows = try await tx.rows(
            as: (MessageID, ContactID, SendID).self, "messaging.engagement",
            """
            WITH grouped AS (
                SELECT message_id,
                    count(*) FILTER (WHERE kind = 'open')::integer AS opens,
                    count(*) FILTER (WHERE kind = 'click')::integer AS clicks,
                    min(occurred_at) FILTER (WHERE human AND kind IN ('open', 'click')) AS opened_at,
                    min(occurred_at) FILTER (WHERE human AND kind = 'click') AS clicked_at,
                    min(occurred_at) FILTER (WHERE kind = 'unsubscribe') AS unsubscribed_at
                FROM unnest(\(engagements.map(\.message)), \(engagements.map(\.kind.rawValue)),
                    \(engagements.map(\.occurredAt)), \(engagements.map(\.isHuman)))
                    AS e (message_id, kind, occurred_at, human)
                GROUP BY message_id
            ),
            counted AS (
            UPDATE marketing_messages m
            SET open_count = m.open_count + g.opens, click_count = m.click_count + g.clicks,
                opened_at = coalesce(m.opened_at, g.opened_at), clicked_at = coalesce(m.clicked_at, g.clicked_at),
                unsubscribed_at = coalesce(m.unsubscribed_at, g.unsubscribed_at)
            FROM grouped g
            WHERE m.workspace_id = \(workspace) AND m.id = g.message_id
            RETURNING m.id, m.contact_id, m.send_id, m.opened_at = g.opened_at AS opens,
                m.clicked_at = g.clicked_at AS clicks, m.unsubscribed_at = g.unsubscribed_at AS leaves
            ),
            totals AS (
                UPDATE marketing_sends s
                SET opened = s.opened + f.opened, clicked = s.clicked + f.clicked,
                    unsubscribed = s.unsubscribed + f.unsubscribed
                FROM (
                    SELECT send_id, count(*) FILTER (WHERE opens) AS opened, count(*) FILTER (WHERE clicks) AS clicked,
                        count(*) FILTER (WHERE leaves) AS unsubscribed
                    FROM counted WHERE opens OR clicks OR leaves GROUP BY send_id
                ) f
                WHERE s.workspace_id = \(workspace) AND s.id = f.send_id
            )
            SELECT id, contact_id, send_id FROM counted
            """)
        return rows.map { RecordedEngagement(message: $0.0, contact: $0.1, send: $0.2) }
    }
}
