import Accounts
import Core
import FoundationEssentials
import Postgres

/// People of whom nothing was heard for a long time are flagged, so that somebody decides: ask them, or let them go. What
/// counts as a sign of life is told by the slices that see it.
package enum Inactivity {
    /// The rule for the nightly purge, which here removes nothing: it sets flags, and takes them away when somebody was
    /// heard of again.
    /// - Parameter signs: whether the person `c.id` did something since a moment, a condition each.
    package static func rule(_ signs: [SignOfLife]) -> RetentionRule {
        RetentionRule(
            "inactive", title: "Silence until a contact is flagged as inactive", standard: 730,
            least: 30,
            count: { workspace, since in
                "SELECT count(*) FROM marketing_contacts c WHERE \(due(signs, workspace, since))"
            },
            purge: { workspace, since, limit in
                """
                WITH due AS MATERIALIZED (
                    SELECT c.id FROM marketing_contacts c WHERE \(due(signs, workspace, since)) LIMIT \(limit)
                ), counted AS (
                    UPDATE marketing_contact_totals SET revision = revision + 1
                    WHERE workspace_id = \(workspace) AND EXISTS (SELECT FROM due)
                )
                UPDATE marketing_contacts c
                SET inactive_since = CASE WHEN c.inactive_since IS NULL THEN now() END
                FROM due WHERE c.workspace_id = \(workspace) AND c.id = due.id
                """
            })
    }

    /// Whose flag is not what it should be.
    private static func due(_ signs: [SignOfLife], _ workspace: WorkspaceID, _ since: Date) -> SQL {
        let seen: SQL = SQL.join([own(workspace, since)] + signs.map { $0(workspace, since) }, separator: " OR ")
        return """
            c.workspace_id = \(workspace) AND c.deleted_at IS NULL
                AND (c.inactive_since IS NOT NULL) <> (c.created_at < \(since) AND NOT (\(seen)))
            """
    }

    /// What Contacts sees itself: decisions about consent that somebody took themselves, and what other systems tell.
    private static func own(_ workspace: WorkspaceID, _ since: Date) -> SQL {
        """
        EXISTS (SELECT FROM marketing_consents k
            WHERE k.workspace_id = \(workspace) AND k.contact_id = c.id AND k.actor = 'contact'
                AND k.occurred_at >= \(since))
        OR EXISTS (SELECT FROM marketing_contact_events e
            WHERE e.workspace_id = \(workspace) AND e.contact_id = c.id AND starts_with(e.kind, 'activity.')
                AND e.occurred_at >= \(since))
        """
    }
}
