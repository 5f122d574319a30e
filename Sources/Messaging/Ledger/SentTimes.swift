import Contacts
import Core
import FoundationEssentials
import Postgres

/// When each person was handed a message: narrow rows that an index names in the order of people, for rules that would
/// otherwise have to read the ledger as a whole. Whatever sets `sent_at` of a message notes it here in the same statement.
enum SentTimes {
    /// Parts of a `WITH` that note messages as handed over now, and tell segments.
    /// - Parameter messages: a row set with `id` and `contact_id`.
    static func noting(_ messages: SQL, _ workspace: WorkspaceID, at now: Date) -> SQL {
        """
        timed AS (
            INSERT INTO marketing_sent_times (workspace_id, contact_id, occurred_at, message_id)
            SELECT \(workspace), handed.contact_id, \(now), handed.id FROM \(messages) handed
            ORDER BY handed.contact_id
            ON CONFLICT DO NOTHING
        ),
        noted AS (
            \(AudienceChanges.recording(messages, fields: ["sent"], workspace, at: now))
        )
        """
    }

    /// They follow their messages.
    static let reference = ContactReference("marketing_sent_times", words: "times of messages") { pair in
        [
            Statement(
                "messaging.merge.sentTimes",
                """
                UPDATE marketing_sent_times SET contact_id = \(pair.winner)
                WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.loser)
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "messaging.merge.sentTimesBack",
                """
                UPDATE marketing_sent_times t SET contact_id = m.contact_id FROM marketing_messages m
                WHERE t.workspace_id = \(pair.workspace) AND t.contact_id = \(pair.winner)
                    AND m.workspace_id = \(pair.workspace) AND m.id = t.message_id AND m.contact_id = \(pair.loser)
                """)
        ]
    }
}
