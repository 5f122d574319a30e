import Accounts
import Core
import FoundationEssentials
import Postgres

/// What the tables of Tracking say about single people, what becomes of it with them, and how long it is kept.
enum TrackingTables {
    static let all: [PersonalTable] = [
        PersonalTable(
            "marketing_email_events", title: "Opens and clicks",
            fate: .anonymised(
                "reports count them; they lose the person, the browser, the network and the address of links"),
            rows: PersonalTable.export("marketing_email_events", order: "occurred_at"), isCheckedAgain: true,
            erasing: { person in
                [
                    """
                    UPDATE marketing_email_events
                    SET contact_id = \(person.replacement), user_agent = '', network = '', url = NULL
                    WHERE workspace_id = \(person.workspace) AND contact_id = \(person.contact)
                    """
                ]
            }),
        .owned(
            "marketing_events", title: "Events from other systems", order: "occurred_at",
            without: ["short_properties"]),
    ]

    /// Opens and clicks by people, not by machines, and whatever they did elsewhere.
    static let signsOfLife: [SignOfLife] = [
        { workspace, since in
            """
            EXISTS (SELECT FROM marketing_email_events e
                WHERE e.workspace_id = \(workspace) AND e.contact_id = c.id AND e.class = 'human'
                    AND e.occurred_at >= \(since))
            """
        },
        { workspace, since in
            """
            EXISTS (SELECT FROM marketing_events e
                WHERE e.workspace_id = \(workspace) AND e.contact_id = c.id AND e.occurred_at >= \(since))
            """
        },
    ]

    static let retention: [RetentionRule] = [
        RetentionRule(
            "hits", title: "Browsers and networks of opens and clicks", standard: 30,
            count: { workspace, before in
                """
                SELECT count(*) FROM marketing_email_events
                WHERE workspace_id = \(workspace) AND occurred_at < \(before) AND (user_agent <> '' OR network <> '')
                """
            },
            purge: { workspace, before, limit in
                """
                UPDATE marketing_email_events e SET user_agent = '', network = ''
                FROM (
                    SELECT occurred_at, id FROM marketing_email_events
                    WHERE workspace_id = \(workspace) AND occurred_at < \(before)
                        AND (user_agent <> '' OR network <> '') LIMIT \(limit)
                ) old
                WHERE e.workspace_id = \(workspace) AND e.occurred_at = old.occurred_at AND e.id = old.id
                """
            }),
        old("opens", "Opens and clicks of single people", "marketing_email_events"),
        old("events", "What people did elsewhere", "marketing_events"),
    ]

    private static func old(_ key: String, _ title: String, _ table: String) -> RetentionRule {
        RetentionRule(
            key, title: title, standard: 760,
            count: { workspace, before in
                """
                SELECT count(*) FROM \(identifier: table)
                WHERE workspace_id = \(workspace) AND occurred_at < \(before)
                """
            },
            purge: { workspace, before, limit in
                """
                DELETE FROM \(identifier: table) e USING (
                    SELECT occurred_at, id FROM \(identifier: table)
                    WHERE workspace_id = \(workspace) AND occurred_at < \(before) LIMIT \(limit)
                ) old
                WHERE e.workspace_id = \(workspace) AND e.occurred_at = old.occurred_at AND e.id = old.id
                """
            })
    }
}
