import Contacts
import Core
import Postgres

extension MessagingSlice {
    /// Where this slice names people. Suppressions are about addresses, so they stay as they are.
    package static let contactReferences: [ContactReference] = [
        messages, .untouched("marketing_suppressions"),
    ]

    /// The ledger allows one message per send, person and occurrence: where both people got one, the loser's becomes a
    /// further occurrence, and its own number is noted.
    private static let messages = ContactReference("marketing_messages", words: "messages") { pair in
        [
            Statement(
                "messaging.merge.move",
                """
                WITH own AS (
                    SELECT l.id, l.occurrence, l.send_id, (
                        SELECT max(w.occurrence) FROM marketing_messages w
                        WHERE w.workspace_id = \(pair.workspace) AND w.send_id = l.send_id
                            AND w.contact_id = \(pair.winner)) AS taken
                    FROM marketing_messages l
                    WHERE l.workspace_id = \(pair.workspace) AND l.contact_id = \(pair.loser)
                ), wanted AS (
                    SELECT id, occurrence, CASE WHEN taken IS NULL THEN occurrence
                        ELSE taken + row_number() OVER (PARTITION BY send_id ORDER BY occurrence)::int END AS free
                    FROM own
                ), moved AS (
                    UPDATE marketing_messages m SET contact_id = \(pair.winner), occurrence = w.free
                    FROM wanted w WHERE m.workspace_id = \(pair.workspace) AND m.id = w.id
                    RETURNING m.id, w.occurrence, w.free
                )
                INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, ids, extra)
                SELECT \(pair.workspace), \(pair.merge), 'marketing_messages', array_agg(id),
                    jsonb_object_agg(id::text, occurrence) FILTER (WHERE occurrence <> free)
                FROM moved HAVING count(*) > 0
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "messaging.merge.moveBack",
                """
                UPDATE marketing_messages t
                SET contact_id = \(pair.loser), occurrence = coalesce((k.extra ->> t.id::text)::int, t.occurrence)
                FROM (SELECT unnest(ids) AS id, extra FROM marketing_contact_merge_moves
                    WHERE workspace_id = \(pair.workspace) AND merge_id = \(pair.merge)
                        AND name = 'marketing_messages') k
                WHERE t.workspace_id = \(pair.workspace) AND t.id = k.id AND t.contact_id = \(pair.winner)
                """)
        ]
    }
}
