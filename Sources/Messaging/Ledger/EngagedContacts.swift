import Contacts
import Core
import Postgres

/// Who ever opened or clicked a message: a row for each person and deed, people and machines apart, so that rules about
/// everybody do not have to read the ledger as a whole. A machine is noted where it came to a message before anybody else.
package enum EngagedContacts {
    /// `deed, happened` of a message of the ledger, `m`, for `FROM`.
    package static let deeds: SQL = """
        (VALUES ('opened', m.opened_at IS NOT NULL), ('clicked', m.clicked_at IS NOT NULL),
            ('opened_by_machine', m.open_count + m.click_count > 0 AND m.opened_at IS NULL),
            ('clicked_by_machine', m.click_count > 0 AND m.clicked_at IS NULL)) d (deed, happened)
        """

    /// What one has done, the one has done who they become; who is taken apart again is asked of the ledger.
    static let reference = ContactReference("marketing_engaged_contacts", words: "opens and clicks") { pair in
        [
            Statement(
                "messaging.merge.engaged",
                """
                WITH gone AS (
                    DELETE FROM marketing_engaged_contacts
                    WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.loser) RETURNING deed
                )
                INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
                SELECT \(pair.workspace), deed, \(pair.winner) FROM gone ORDER BY deed ON CONFLICT DO NOTHING
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "messaging.merge.engagedBack",
                """
                WITH owed AS (
                    SELECT DISTINCT m.contact_id, d.deed FROM marketing_messages m CROSS JOIN LATERAL \(deeds)
                    WHERE m.workspace_id = \(pair.workspace) AND m.contact_id IN (\(pair.winner), \(pair.loser))
                        AND d.happened
                ), gone AS (
                    DELETE FROM marketing_engaged_contacts e
                    WHERE e.workspace_id = \(pair.workspace) AND e.contact_id IN (\(pair.winner), \(pair.loser))
                        AND NOT EXISTS (SELECT FROM owed o WHERE o.contact_id = e.contact_id AND o.deed = e.deed)
                )
                INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
                SELECT \(pair.workspace), deed, contact_id FROM owed ORDER BY deed, contact_id ON CONFLICT DO NOTHING
                """)
        ]
    }
}
