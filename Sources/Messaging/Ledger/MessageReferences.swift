import Contacts
import Core
import Postgres

extension MessagingSlice {
    /// Where this slice names people, messages before what is told of them. Suppressions are about addresses, so they stay as
    /// they are.
    package static let contactReferences: [ContactReference] = [
        messages, SentTimes.reference, EngagedContacts.reference, .untouched("marketing_suppressions"),
    ]

    /// The ledger allows one message per send, person and occurrence: where both people have one, the loser's gets a negative
    /// occurrence, and its own number is noted. So it can be told from messages that were meant for one person, and whoever
    /// loads it to send it leaves it out (`MergedCopies`).
    private static let messages = ContactReference(
        "marketing_messages", words: "messages", isBusy: MergedCopies.areBeingSent
    ) { pair in
        [
            Statement(
                "messaging.merge.move",
                """
                WITH own AS (
                    SELECT l.id, l.occurrence, l.send_id, (
                        SELECT least(0, min(w.occurrence)) FROM marketing_messages w
                        WHERE w.workspace_id = \(pair.workspace) AND w.send_id = l.send_id
                            AND w.contact_id = \(pair.winner)) AS taken
                    FROM marketing_messages l
                    WHERE l.workspace_id = \(pair.workspace) AND l.contact_id = \(pair.loser)
                ), wanted AS (
                    SELECT id, occurrence, CASE WHEN taken IS NULL THEN occurrence
                        ELSE taken - row_number() OVER (PARTITION BY send_id ORDER BY occurrence < 0, abs(occurrence))::int
                        END AS free
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

/// Two people who were merged while a send runs are one person, who gets it once.
enum MergedCopies {
    /// Whether a message of one of the two is in the hands of a process that has loaded it, while the other got the same send or
    /// waits for it too: after the merge it would go out all the same. What nobody has taken yet is not taken before the merge is over,
    /// and then says of itself that it was `merged`.
    static func areBeingSent(_ pair: MergePair) -> Query<Bool> {
        .values(
            Bool.self, "messaging.merge.busy",
            """
            SELECT coalesce(bool_or(h.state = 'claimed'), false) FROM (
                SELECT b.state FROM marketing_messages m
                JOIN marketing_send_batches b ON b.workspace_id = m.workspace_id AND b.send_id = m.send_id AND b.state <> 'done'
                    AND CASE WHEN b.ids IS NULL THEN m.id BETWEEN b.first_id AND b.last_id ELSE m.id = ANY (b.ids) END
                WHERE m.workspace_id = \(pair.workspace) AND m.contact_id = ANY (\([pair.winner, pair.loser]))
                    AND m.state IN ('pending', 'retry') AND EXISTS (
                        SELECT FROM marketing_messages o
                        WHERE o.workspace_id = m.workspace_id AND o.send_id = m.send_id
                            AND o.contact_id = ANY (\([pair.winner, pair.loser])) AND o.contact_id <> m.contact_id
                            AND o.state IN ('pending', 'retry', 'sent', 'delivered', 'uncertain'))
                FOR UPDATE OF b
            ) h
            """)
    }

    /// The reason for not handing over `m`, or NULL, where the person has another message of the send that came or left by a
    /// merge: `merged` when that one was handed over or will be (of those that wait, the winner's own goes), and
    /// `on_excluded_list` when one of the two people was on an excluded list, because the stricter counts.
    ///
    /// Whether the send has such messages at all is asked once per statement (a subquery without a reference to `m`).
    static func reason(send: SendID, in workspace: WorkspaceID) -> SQL {
        """
        CASE WHEN (
            SELECT EXISTS (
                SELECT FROM marketing_messages k
                WHERE k.workspace_id = \(workspace) AND k.send_id = \(send) AND k.occurrence < 0)
        ) THEN (
            SELECT CASE
                WHEN bool_or(o.state = 'skipped' AND o.reason = 'on_excluded_list') THEN 'on_excluded_list'
                WHEN bool_or(o.state IN ('sent', 'delivered', 'uncertain')
                    OR o.state IN ('pending', 'retry') AND o.occurrence > m.occurrence) THEN 'merged'
            END
            FROM marketing_messages o
            WHERE o.workspace_id = \(workspace) AND o.send_id = \(send) AND o.contact_id = m.contact_id
                AND o.id <> m.id AND (o.occurrence < 0 OR m.occurrence < 0)
        ) END
        """
    }
}
