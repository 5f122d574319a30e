import Core
import FoundationEssentials
import Postgres

package enum MergeTag {}
package typealias MergeID = Identifier<MergeTag>

/// Two people who are made one.
package struct MergePair: Sendable {
    package let workspace: WorkspaceID
    package let merge: MergeID
    /// Who stays.
    package let winner: ContactID
    /// Who goes into the other.
    package let loser: ContactID
}

/// A table that names people in a column `contact_id`, and what becomes of its rows when two people are made one. Every
/// slice tells its own; a test holds the list complete.
package struct ContactReference: Sendable {
    package let table: String
    /// Moves the loser's rows to the winner and notes what undoing needs in `marketing_contact_merge_moves`.
    let move: @Sendable (MergePair) -> [Statement]
    /// Moves back what was noted; the last statement answers how many rows it found.
    let undo: @Sendable (MergePair) -> [Statement]
    /// What the rows are called where some cannot be moved back.
    let words: String
    /// Whether somebody is at work on rows of the two with what was read of them before. Keeps everybody else from beginning to
    /// until the merge is over.
    let isBusy: (@Sendable (MergePair) -> Query<Bool>)?

    package init(
        _ table: String, words: String, isBusy: (@Sendable (MergePair) -> Query<Bool>)? = nil,
        move: @escaping @Sendable (MergePair) -> [Statement], undo: @escaping @Sendable (MergePair) -> [Statement]
    ) {
        self.table = table
        self.words = words
        self.isBusy = isBusy
        self.move = move
        self.undo = undo
    }

    /// Rows with an `id` of their own that simply belong to somebody else afterwards.
    package static func rows(_ table: String, words: String) -> ContactReference {
        ContactReference(table, words: words) { pair in
            [
                Statement(
                    "contacts.merge.move",
                    """
                    WITH moved AS (
                        UPDATE \(identifier: table) SET contact_id = \(pair.winner)
                        WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.loser) RETURNING id
                    )
                    INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, ids)
                    SELECT \(pair.workspace), \(pair.merge), \(table), array_agg(id) FROM moved HAVING count(*) > 0
                    """)
            ]
        } undo: { pair in
            [
                Statement(
                    "contacts.merge.moveBack",
                    """
                    UPDATE \(identifier: table) t SET contact_id = \(pair.loser)
                    FROM (SELECT unnest(ids) AS id FROM marketing_contact_merge_moves
                        WHERE workspace_id = \(pair.workspace) AND merge_id = \(pair.merge) AND name = \(table)) m
                    WHERE t.workspace_id = \(pair.workspace) AND t.contact_id = \(pair.winner) AND t.id = m.id
                    """)
            ]
        }
    }

    /// Rows that a merge leaves alone, because something else keeps them or because they must not move.
    package static func untouched(_ table: String) -> ContactReference {
        ContactReference(table, words: "", move: { _ in [] }, undo: { _ in [] })
    }

    /// The tables of this slice. Consents are moved by a function of the database, because the app may not change them.
    static let own: [ContactReference] = [
        rows("marketing_contact_events", words: "moments of the timeline"), lists, identities, consents,
        rows("marketing_contact_notes", words: "notes"), rows("marketing_contact_tasks", words: "tasks"),
        // Kept up to date with the people themselves.
        untouched("marketing_contact_search"), untouched("marketing_contact_property_values"),
        untouched("marketing_long_facts"),
        rows("marketing_person_exports", words: "exports"), untouched("marketing_erasures"),
    ]

    // MARK: Tables with keys of their own

    /// Static lists. Segments find their members themselves, told by the note of what changed.
    private static let lists = ContactReference("marketing_list_members", words: "lists") { pair in
        [
            Statement(
                "contacts.merge.lists",
                """
                WITH gone AS (
                    DELETE FROM marketing_list_members m USING marketing_lists l
                    WHERE l.workspace_id = \(pair.workspace) AND l.kind = 'static' AND m.workspace_id = \(pair.workspace)
                        AND m.list_id = l.id AND m.contact_id = \(pair.loser)
                    RETURNING m.list_id, m.added_at
                ), came AS (
                    INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                    SELECT \(pair.workspace), list_id, \(pair.winner), added_at FROM gone
                    ON CONFLICT DO NOTHING RETURNING list_id
                ), settled AS (
                    UPDATE marketing_lists l SET member_count = l.member_count - 1
                    FROM gone g
                    WHERE l.workspace_id = \(pair.workspace) AND l.id = g.list_id AND l.deleted_at IS NULL
                        AND NOT EXISTS (SELECT FROM came c WHERE c.list_id = g.list_id)
                )
                INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, ids, extra)
                SELECT \(pair.workspace), \(pair.merge), 'marketing_list_members', array_agg(g.list_id),
                    jsonb_object_agg(g.list_id::text, jsonb_build_array(g.added_at, c.list_id IS NOT NULL))
                FROM gone g LEFT JOIN came c ON c.list_id = g.list_id HAVING count(*) > 0
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "contacts.merge.listsBack",
                """
                WITH kept AS (
                    SELECT l.id, (e.value ->> 0)::timestamptz AS added_at, (e.value ->> 1)::boolean AS came
                    FROM marketing_contact_merge_moves m CROSS JOIN LATERAL jsonb_each(m.extra) AS e(key, value)
                    JOIN marketing_lists l ON l.workspace_id = \(pair.workspace) AND l.id = e.key::uuid
                        AND l.deleted_at IS NULL
                    WHERE m.workspace_id = \(pair.workspace) AND m.merge_id = \(pair.merge)
                        AND m.name = 'marketing_list_members'
                ), gone AS (
                    DELETE FROM marketing_list_members x USING kept k
                    WHERE x.workspace_id = \(pair.workspace) AND x.list_id = k.id AND x.contact_id = \(pair.winner) AND k.came
                    RETURNING x.list_id
                ), back AS (
                    INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                    SELECT \(pair.workspace), k.id, \(pair.loser), k.added_at FROM kept k
                    ON CONFLICT DO NOTHING RETURNING list_id
                )
                UPDATE marketing_lists l SET member_count = l.member_count
                    + (SELECT count(*)::int FROM back b WHERE b.list_id = l.id)
                    - (SELECT count(*)::int FROM gone g WHERE g.list_id = l.id)
                FROM kept k WHERE l.workspace_id = \(pair.workspace) AND l.id = k.id
                """)
        ]
    }

    private static let identities = ContactReference("marketing_contact_identities", words: "ids of other systems") {
        pair in
        [
            Statement(
                "contacts.merge.identities",
                """
                WITH moved AS (
                    UPDATE marketing_contact_identities SET contact_id = \(pair.winner)
                    WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.loser) RETURNING kind, source, value
                )
                INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, extra)
                SELECT \(pair.workspace), \(pair.merge), 'marketing_contact_identities',
                    jsonb_agg(jsonb_build_object('kind', kind, 'source', source, 'value', value))
                FROM moved HAVING count(*) > 0
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "contacts.merge.identitiesBack",
                """
                UPDATE marketing_contact_identities i SET contact_id = \(pair.loser)
                FROM marketing_contact_merge_moves m,
                    jsonb_to_recordset(m.extra) AS k(kind text, source text, value text)
                WHERE m.workspace_id = \(pair.workspace) AND m.merge_id = \(pair.merge)
                    AND m.name = 'marketing_contact_identities' AND i.workspace_id = \(pair.workspace)
                    AND i.kind = k.kind AND i.source = k.source AND i.value = k.value AND i.contact_id = \(pair.winner)
                """)
        ]
    }

    private static let consents = ContactReference("marketing_consents", words: "decisions about consent") { pair in
        [
            Statement(
                "contacts.merge.consents",
                """
                INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, ids)
                SELECT \(pair.workspace), \(pair.merge), 'marketing_consents',
                    marketing_move_consents(\(pair.loser), \(pair.winner), NULL)
                """)
        ]
    } undo: { pair in
        [
            Statement(
                "contacts.merge.consentsBack",
                """
                SELECT unnest(marketing_move_consents(\(pair.winner), \(pair.loser), m.ids))
                FROM marketing_contact_merge_moves m
                WHERE m.workspace_id = \(pair.workspace) AND m.merge_id = \(pair.merge) AND m.name = 'marketing_consents'
                """)
        ]
    }
}
