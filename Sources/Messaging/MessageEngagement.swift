import Core
import FoundationEssentials
import Postgres
import Tracking

/// Counts opens, clicks and unsubscribes on the ledger.
package struct MessageEngagement: EngagementLedger {
    package init() {}

    package func recording(_ hits: SQL, workspace: WorkspaceID) -> SQL {
        """
        grouped AS (
            SELECT message_id,
                count(*) FILTER (WHERE kind = 'open')::integer AS opens,
                count(*) FILTER (WHERE kind = 'click')::integer AS clicks,
                min(occurred_at) FILTER (WHERE human AND kind IN ('open', 'click')) AS opened_at,
                min(occurred_at) FILTER (WHERE human AND kind = 'click') AS clicked_at,
                min(occurred_at) FILTER (WHERE kind = 'unsubscribe') AS unsubscribed_at
            FROM \(hits) hit
            GROUP BY message_id
        ),
        recorded AS (
            UPDATE marketing_messages m
            SET open_count = m.open_count + g.opens, click_count = m.click_count + g.clicks,
                opened_at = coalesce(m.opened_at, g.opened_at), clicked_at = coalesce(m.clicked_at, g.clicked_at),
                unsubscribed_at = coalesce(m.unsubscribed_at, g.unsubscribed_at)
            FROM grouped g
            WHERE m.workspace_id = \(workspace) AND m.id = g.message_id
            RETURNING m.id, m.contact_id, m.send_id, m.opened_at = g.opened_at AS opens,
                m.clicked_at = g.clicked_at AS clicks, m.unsubscribed_at = g.unsubscribed_at AS leaves,
                m.opened_at IS NULL AND g.opens + g.clicks > 0 AS opens_by_machine,
                m.clicked_at IS NULL AND g.clicks > 0 AS clicks_by_machine
        ),
        totals AS (
            UPDATE marketing_sends s
            SET opened = s.opened + f.opened, clicked = s.clicked + f.clicked,
                unsubscribed = s.unsubscribed + f.unsubscribed
            FROM (
                SELECT send_id, count(*) FILTER (WHERE opens) AS opened, count(*) FILTER (WHERE clicks) AS clicked,
                    count(*) FILTER (WHERE leaves) AS unsubscribed
                FROM recorded WHERE opens OR clicks OR leaves GROUP BY send_id
            ) f
            WHERE s.workspace_id = \(workspace) AND s.id = f.send_id
        ),
        engaged AS (
            -- In order, so that two who add the same people at once wait for each other and not in a circle.
            INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
            SELECT DISTINCT \(workspace), d.deed, r.contact_id
            FROM recorded r CROSS JOIN LATERAL (VALUES ('opened', r.opens), ('clicked', r.clicks),
                ('opened_by_machine', r.opens_by_machine), ('clicked_by_machine', r.clicks_by_machine)) d (deed, happens)
            WHERE d.happens ORDER BY d.deed, r.contact_id
            ON CONFLICT DO NOTHING
        )
        """
    }

    /// Counts one engagement in a transaction of its own slice.
    func record(_ engagement: Engagement, workspace: WorkspaceID, in tx: PostgresTransaction) async throws {
        let hit: SQL = """
            (SELECT \(engagement.message) AS message_id, \(engagement.kind.rawValue) AS kind,
                \(engagement.occurredAt) AS occurred_at, \(engagement.isHuman) AS human)
            """
        try await tx.run(
            "messaging.engagement", "WITH \(recording(hit, workspace: workspace)) SELECT count(*) FROM recorded")
    }
}
