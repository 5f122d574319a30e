import Core
import Postgres

/// What the ledger tells of people's behaviour, as parts of queries for rules of slices that do not know the ledger.
package enum MessageBehaviour {
    /// `contact_id, occurred_at` of every message that was handed over to a mail server.
    ///
    /// Those of all campaigns are named by an index in the order of people, with `message_id`.
    package static func sent(_ campaign: CampaignID?, in rows: WorkspaceRows) -> SQL {
        guard let campaign else {
            return """
                SELECT t.contact_id, t.occurred_at, t.message_id FROM marketing_sent_times t WHERE \(rows.of("t"))
                """
        }
        return """
            SELECT m.contact_id, m.sent_at AS occurred_at FROM marketing_messages m
            WHERE \(rows.of("m")) AND m.sent_at IS NOT NULL\(of(campaign, rows))
            """
    }

    /// `contact_id, occurred_at` of every message that was opened, or clicked: once each, with the time of the first.
    /// - Parameter humanOnly: machines left out. Their hits have no time of their own and get that of the sending.
    package static func first(
        clicks: Bool, humanOnly: Bool, _ campaign: CampaignID?, in rows: WorkspaceRows
    ) -> SQL {
        let (time, happened): (SQL, SQL) =
            switch (clicks, humanOnly) {
            case (true, true): ("m.clicked_at", "m.clicked_at IS NOT NULL")
            case (false, true): ("m.opened_at", "m.opened_at IS NOT NULL")
            case (true, false): ("coalesce(m.clicked_at, m.sent_at, m.created_at)", "m.click_count > 0")
            // A click counts as an open too: images may be off.
            case (false, false):
                ("coalesce(m.opened_at, m.sent_at, m.created_at)", "m.open_count + m.click_count > 0")
            }
        return """
            SELECT m.contact_id, \(time) AS occurred_at FROM marketing_messages m
            WHERE \(rows.of("m")) AND \(happened)\(of(campaign, rows))
            """
    }

    /// `contact_id` of everybody who ever opened or clicked a message, as `e`, in stretches of which an index names each in the
    /// order of people. Somebody may stand in two of them.
    /// - Parameter humanOnly: machines left out.
    package static func engaged(clicks: Bool, humanOnly: Bool, in rows: WorkspaceRows) -> [SQL] {
        let deed: String = clicks ? "clicked" : "opened"
        return (humanOnly ? [deed] : [deed, "\(deed)_by_machine"]).map {
            "SELECT e.contact_id FROM marketing_engaged_contacts e WHERE \(rows.of("e")) AND e.deed = \($0)"
        }
    }

    /// `id` of every message of a campaign; messages are `m`.
    package static func messages(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL {
        "SELECT m.id FROM marketing_messages m WHERE \(rows.of("m"))\(of(campaign, rows))"
    }

    /// When a campaign was launched first, or a little before: clocks of several servers differ.
    package static func launch(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL {
        """
        SELECT min(s.created_at) - interval '1 hour' FROM marketing_sends s
        WHERE \(rows.of("s")) AND s.campaign_id = \(campaign)
        """
    }

    private static func of(_ campaign: CampaignID?, _ rows: WorkspaceRows) -> SQL {
        guard let campaign else { return "" }
        // As an array, they begin a search in the index of who got which message, and a range of people ends it.
        return """
             AND m.send_id = ANY (ARRAY(SELECT s.id FROM marketing_sends s
                WHERE \(rows.of("s")) AND s.campaign_id = \(campaign)))
            """
    }
}
