import Accounts
import Core
import Postgres

/// What the tables of Contacts say about single people, and what becomes of it with them.
enum ContactTables {
    static let all: [PersonalTable] = [
        .owned("marketing_contact_search", title: "Search entries", order: "contact_id", isExported: false),
        .owned("marketing_contact_events", title: "History", order: "occurred_at"),
        .owned("marketing_contact_notes", title: "Notes", order: "created_at"),
        .owned("marketing_contact_tasks", title: "Tasks", order: "created_at"),
        .owned("marketing_contact_property_values", title: "Property index", order: "property_id", isExported: false),
        .owned(
            "marketing_contact_facts", title: "Copy for counting", person: "id", order: "id", isExported: false),
        .owned("marketing_long_facts", title: "Copy for counting", order: "name", isExported: false),
        .owned("marketing_contact_identities", title: "Accounts and ids elsewhere", order: "created_at"),
        .owned(
            "marketing_contact_duplicates", title: "Suggested duplicates", person: "first_id", order: "found_at",
            isExported: false),
        .owned(
            "marketing_contact_duplicates", title: "Suggested duplicates", person: "second_id", order: "found_at",
            isExported: false),
        .owned(
            "marketing_contact_aliases", title: "Earlier ids", person: "winner_id", order: "loser_id", isExported: false
        ),
        .owned(
            "marketing_contact_aliases", title: "Earlier ids", person: "loser_id", order: "loser_id", isExported: false),
        merges, members, consents, exports, erasures, chunks, failures, bulk, companies, audit, answers,
    ]

    /// Undoing a merge would need both people's values.
    private static let merges = PersonalTable(
        "marketing_contact_merges", title: "Merges", fate: .deleted,
        erasing: { person in
            [
                // The audit log does not lead to pages that go.
                """
                SELECT marketing_erase_audit_subject(\(MergePaths.root) || g.id, '{}') FROM marketing_contact_merges g
                WHERE g.workspace_id = \(person.workspace) AND \(person.contact) IN (g.winner_id, g.loser_id)
                """,
                """
                DELETE FROM marketing_contact_merge_moves v USING marketing_contact_merges g
                WHERE g.workspace_id = \(person.workspace) AND v.workspace_id = \(person.workspace)
                    AND v.merge_id = g.id AND \(person.contact) IN (g.winner_id, g.loser_id)
                """,
                """
                DELETE FROM marketing_contact_merges
                WHERE workspace_id = \(person.workspace) AND \(person.contact) IN (winner_id, loser_id)
                """,
            ]
        })

    /// Deleting the person took them off their lists; what another node put there since goes here.
    private static let members = PersonalTable(
        "marketing_list_members", title: "Lists", fate: .deleted,
        rows: { person, limit in
            """
            SELECT jsonb_build_object('list', l.name, 'kind', l.kind, 'addedAt', m.added_at)
            FROM marketing_lists l JOIN marketing_list_members m
                ON m.workspace_id = l.workspace_id AND m.list_id = l.id AND m.contact_id = \(person.contact)
            WHERE l.workspace_id = \(person.workspace) AND l.deleted_at IS NULL ORDER BY m.added_at LIMIT \(limit)
            """
        },
        erasing: { person in
            [
                """
                WITH gone AS (
                    DELETE FROM marketing_list_members m USING marketing_lists l
                    WHERE l.workspace_id = \(person.workspace) AND m.workspace_id = \(person.workspace)
                        AND m.list_id = l.id AND m.contact_id = \(person.contact)
                    RETURNING m.list_id
                )
                UPDATE marketing_lists l SET member_count = l.member_count - 1 FROM gone
                WHERE l.workspace_id = \(person.workspace) AND l.id = gone.list_id
                """
            ]
        })

    private static let consents = PersonalTable(
        "marketing_consents", title: "Consent",
        fate: .anonymised(
            "what was decided, when and on which words is proof; only a hash of the address stays with it"),
        rows: PersonalTable.export("marketing_consents", order: "occurred_at"),
        // Done by `Erasure` itself, which has the hash.
        erasing: { _ in [] })

    private static let exports = PersonalTable(
        "marketing_person_exports", title: "Exports of this person", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_person_exports
                WHERE workspace_id = \(person.workspace) AND contact_id = \(person.contact)
                """
            ]
        })

    private static let erasures = PersonalTable(
        "marketing_erasures", title: "This erasure",
        fate: .kept("the certificate; it names no address, only the id of a contact that is gone"), erasing: { _ in [] }
    )

    /// The values before an import, which undoing it would need.
    private static let chunks = PersonalTable(
        "marketing_contact_import_chunks", title: "Values before imports", fate: .deleted,
        erasing: { person in
            [
                """
                UPDATE marketing_contact_import_chunks k
                SET before_ids[p.place] = \(person.replacement), before_phones[p.place] = NULL,
                    before_first_names[p.place] = NULL, before_last_names[p.place] = NULL,
                    before_properties[p.place] = '{}', before_tags[p.place] = '', before_consents[p.place] = NULL
                FROM (
                    SELECT import_id, number, array_position(before_ids, \(person.contact)) AS place
                    FROM marketing_contact_import_chunks
                    WHERE workspace_id = \(person.workspace) AND before_ids IS NOT NULL
                ) p
                WHERE k.workspace_id = \(person.workspace) AND k.import_id = p.import_id AND k.number = p.number
                    AND p.place IS NOT NULL
                """
            ]
        })

    private static let failures = PersonalTable(
        "marketing_contact_import_failures", title: "Failed rows of imports", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_contact_import_failures
                WHERE workspace_id = \(person.workspace) AND \(person.mayBeNamed(in: "line"))
                """
            ]
        })

    private static let bulk = PersonalTable(
        "marketing_contact_bulk_actions", title: "Filters of work on many people", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_contact_bulk_actions
                WHERE workspace_id = \(person.workspace) AND status IN ('done', 'failed')
                    AND \(person.isNamed(in: "options::text"))
                """
            ]
        })

    private static let companies = PersonalTable(
        "marketing_company_events", title: "Histories of companies that name the person", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_company_events
                WHERE workspace_id = \(person.workspace) AND \(person.isNamed(in: "data::text"))
                """
            ]
        })

    private static let audit = PersonalTable(
        "marketing_audit_log", title: "Audit log",
        fate: .anonymised("that something was done, by whom and when stays; to whom, and the values, go"),
        erasing: { person in
            [
                """
                SELECT marketing_erase_audit_subject(
                    \(ContactPaths.contact(person.contact)), \(person.spellings)::text[])
                """
            ]
        })

    private static let answers = PersonalTable(
        "marketing_idempotency_keys", title: "Answers kept for repeated requests", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_idempotency_keys
                WHERE workspace_id = \(person.workspace) AND EXISTS (
                    SELECT FROM unnest(\(person.spellings)) AS s
                    WHERE position(convert_to(s, 'UTF8') IN coalesce(body, '')) > 0
                        OR strpos(lower(target), s) > 0)
                """
            ]
        })

    /// How long Contacts keeps what is not the people themselves.
    static let retention: [RetentionRule] = [
        RetentionRule(
            "importRows", title: "Failed rows of imports", standard: 7,
            count: { workspace, before in
                """
                SELECT count(*) FROM marketing_contact_import_failures f JOIN marketing_contact_imports i
                    ON i.workspace_id = f.workspace_id AND i.id = f.import_id
                WHERE f.workspace_id = \(workspace) AND i.finished_at < \(before)
                """
            },
            purge: { workspace, before, limit in
                """
                DELETE FROM marketing_contact_import_failures f USING (
                    SELECT f.import_id, f.row_number FROM marketing_contact_import_failures f
                    JOIN marketing_contact_imports i ON i.workspace_id = f.workspace_id AND i.id = f.import_id
                    WHERE f.workspace_id = \(workspace) AND i.finished_at < \(before) LIMIT \(limit)
                ) old
                WHERE f.workspace_id = \(workspace) AND f.import_id = old.import_id AND f.row_number = old.row_number
                """
            }),
        RetentionRule(
            "audit", title: "Audit log", standard: 730, least: 365,
            count: { workspace, before in
                """
                SELECT count(*) FROM marketing_audit_log
                WHERE workspace_id = \(workspace) AND occurred_at < least(\(before), now() - interval '12 months')
                """
            },
            purge: { _, before, _ in
                "SELECT FROM (SELECT marketing_purge_audit_log(\(before)) AS gone) p WHERE p.gone > 0"
            }),
    ]
}
