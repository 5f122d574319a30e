import Accounts
import Core
import FoundationEssentials
import Postgres

/// What the tables of Messaging say about single people, what becomes of it with them, and how long it is kept.
enum MessagingTables {
    static let all: [PersonalTable] = [
        messages, outbox, suppressions, suppressionFailures,
        .owned("marketing_engaged_contacts", title: "Whether they opened or clicked", order: "deed", isExported: false),
        .owned("marketing_sent_times", title: "When they got messages", order: "occurred_at", isExported: false),
    ]

    private static let messages = PersonalTable(
        "marketing_messages", title: "Messages",
        fate: .anonymised("reports count them; they lose the address, what the mail server said, and the person"),
        rows: { person, limit in
            """
            SELECT (to_jsonb(m) - 'workspace_id') || jsonb_build_object(
                'subject', s.content #>> '{email,subject}', 'campaign', s.campaign_id)
            FROM marketing_messages m LEFT JOIN marketing_sends s
                ON s.workspace_id = m.workspace_id AND s.id = m.send_id
            WHERE m.workspace_id = \(person.workspace) AND m.contact_id = \(person.contact) ORDER BY m.id LIMIT \(limit)
            """
        },
        isCheckedAgain: true,
        erasing: { person in
            [
                // The copies first: they are found by the messages.
                """
                DELETE FROM marketing_outbox_messages o USING marketing_messages m
                WHERE m.workspace_id = \(person.workspace) AND m.contact_id = \(person.contact)
                    AND o.workspace_id = m.workspace_id AND o.id = m.id
                """,
                """
                UPDATE marketing_messages SET contact_id = \(person.replacement), email = NULL, provider_response = NULL
                WHERE workspace_id = \(person.workspace) AND contact_id = \(person.contact)
                """,
            ]
        })

    private static let outbox = PersonalTable(
        "marketing_outbox_messages", title: "Copies in the Outbox", fate: .deleted,
        rows: { person, limit in
            """
            SELECT jsonb_build_object('subject', o.subject, 'recipient', o.recipient, 'createdAt', o.created_at)
            FROM marketing_outbox_messages o JOIN marketing_messages m
                ON m.workspace_id = o.workspace_id AND m.id = o.id
            WHERE m.workspace_id = \(person.workspace) AND m.contact_id = \(person.contact) ORDER BY o.id LIMIT \(limit)
            """
        },
        erasing: { person in
            [
                """
                DELETE FROM marketing_outbox_messages
                WHERE workspace_id = \(person.workspace) AND lower(recipient) = ANY (\(person.spellings))
                """
            ]
        })

    private static let suppressions = PersonalTable(
        "marketing_suppressions", title: "Do-not-send list",
        fate: .anonymised("a hash of the address stays, so that the person is not written to again"),
        rows: PersonalTable.export("marketing_suppressions", order: "created_at"), keepsHashes: true,
        erasing: { person in
            var statements: [SQL] = [
                """
                DELETE FROM marketing_suppressions
                WHERE workspace_id = \(person.workspace) AND (contact_id = \(person.contact)
                    OR email_key = \(person.emailKey) OR email_key = \(person.phone))
                """
            ]
            for hash in person.suppressionHashes {
                statements.append(
                    """
                    INSERT INTO marketing_suppressions (workspace_id, id, email_key, reason, source, created_at)
                    VALUES (\(person.workspace), gen_random_uuid(), \("#" + hash), 'erased', 'erasure', now())
                    ON CONFLICT (workspace_id, email_key) WHERE lifted_at IS NULL DO NOTHING
                    """)
            }
            return statements
        })

    private static let suppressionFailures = PersonalTable(
        "marketing_suppression_import_failures", title: "Failed rows of suppression files", fate: .deleted,
        erasing: { person in
            [
                """
                DELETE FROM marketing_suppression_import_failures
                WHERE workspace_id = \(person.workspace) AND \(person.mayBeNamed(in: "line"))
                """
            ]
        })

    static let retention: [RetentionRule] = [
        RetentionRule(
            "copies", title: "Copies of messages in the Outbox", standard: 365,
            count: { workspace, before in
                """
                SELECT count(*) FROM marketing_outbox_messages
                WHERE workspace_id = \(workspace) AND created_at < \(before)
                """
            },
            purge: { workspace, before, limit in
                """
                DELETE FROM marketing_outbox_messages WHERE workspace_id = \(workspace) AND id IN (
                    SELECT id FROM marketing_outbox_messages
                    WHERE workspace_id = \(workspace) AND created_at < \(before) LIMIT \(limit))
                """
            })
    ]
}
