import Core
import FoundationEssentials
import Postgres
import TestSupport

/// A campaign with a settled ledger, as the sender and the tracking leave it behind.
struct SeededCampaign {
    let campaign: CampaignID
    let send: SendID
    let people: Int

    /// Makes people, one campaign and its send: one person in ten was left out, one in a hundred bounced, four of ten
    /// opened, one in ten clicked, and machines opened one in five more.
    static func make(
        of people: Int = 100, named name: String = "Autumn news", workspace: WorkspaceID, portal: PortalFixture,
        at moment: Date = PortalFixture.noon
    ) async throws -> SeededCampaign {
        let campaign: CampaignID = portal.services.ids.next()
        let send: SendID = portal.services.ids.next()
        try await portal.services.database.write(workspace, timeout: .seconds(120)) { tx in
            try await contacts(people, workspace, moment, tx)
            try await ledger(people, workspace, send, moment, tx)
            try await totals(workspace, campaign, send, name, moment, tx)
            try await clicks(workspace, send, moment, tx)
        }
        return SeededCampaign(campaign: campaign, send: send, people: people)
    }

    private static func contacts(
        _ people: Int, _ workspace: WorkspaceID, _ moment: Date, _ tx: PostgresTransaction
    ) async throws {
        try await tx.run(
            "test.contacts",
            """
            INSERT INTO marketing_contacts
                (workspace_id, id, email, email_key, first_name, last_name, created_at, updated_at)
            SELECT \(workspace), ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                'p' || n || '@example.com', 'p' || n || '@example.com', 'Person', 'No ' || n, \(moment), \(moment)
            FROM generate_series(1, \(people)) AS n ON CONFLICT DO NOTHING
            """)
        try await tx.run(
            "test.contact_totals",
            """
            INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count) VALUES (\(workspace), \(people))
            ON CONFLICT (workspace_id) DO UPDATE SET contact_count = \(people)
            """)
    }

    private static func ledger(
        _ people: Int, _ workspace: WorkspaceID, _ send: SendID, _ moment: Date, _ tx: PostgresTransaction
    ) async throws {
        let milliseconds = Int(moment.timeIntervalSince1970 * 1000)
        try await tx.run(
            "test.ledger",
            """
            INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, attempt, open_count, click_count,
                created_at, sent_at, bounced_at, opened_at, clicked_at, state, email, reason, provider_response)
            SELECT \(workspace), marketing_message_id(\(milliseconds), 7, n, 0), \(send),
                ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1,
                CASE WHEN state = 'sent' AND n % 10 IN (1, 2, 3, 4, 5, 6) THEN 2 ELSE 0 END,
                CASE WHEN state = 'sent' AND n % 10 = 1 THEN 3 ELSE 0 END, \(moment),
                CASE WHEN state = 'sent' THEN \(moment)::timestamptz + make_interval(secs => (n % 600)::int) END,
                CASE WHEN state = 'failed' THEN \(moment)::timestamptz END,
                CASE WHEN state = 'sent' AND n % 10 IN (1, 2, 3, 4)
                    THEN \(moment)::timestamptz + make_interval(mins => (n % 1440)::int) END,
                CASE WHEN state = 'sent' AND n % 10 = 1
                    THEN \(moment)::timestamptz + make_interval(mins => (n % 1440)::int + 2) END,
                state, 'p' || n || '@example.com',
                CASE state WHEN 'failed' THEN 'hard_bounce' WHEN 'skipped' THEN 'suppressed_unsubscribed' END,
                CASE state WHEN 'failed' THEN '550 5.1.1 No such user' WHEN 'sent' THEN '250 OK' END
            FROM (
                SELECT n, CASE WHEN n % 10 = 0 THEN 'skipped' WHEN n % 100 = 5 THEN 'failed' ELSE 'sent' END AS state
                FROM generate_series(1, \(people)) AS n
            ) AS s
            """)
        try await tx.run(
            "test.batches",
            """
            INSERT INTO marketing_send_batches
                (workspace_id, send_id, id, first_id, last_id, size, state, settled_at)
            SELECT \(workspace), \(send), min(id::text)::uuid, min(id::text)::uuid, max(id::text)::uuid, count(*),
                'done', max(sent_at)
            FROM (SELECT id, sent_at, (row_number() OVER (ORDER BY id) - 1) / 200 AS batch FROM marketing_messages
                WHERE workspace_id = \(workspace) AND send_id = \(send) AND state <> 'skipped') AS m
            GROUP BY batch
            """)
    }

    private static func totals(
        _ workspace: WorkspaceID, _ campaign: CampaignID, _ send: SendID, _ name: String, _ moment: Date,
        _ tx: PostgresTransaction
    ) async throws {
        try await tx.run(
            "test.send",
            """
            INSERT INTO marketing_sends (workspace_id, id, campaign_id, state, content, audience, snapshot_complete,
                recipients, skipped, sent, failed, bounced, opened, clicked, created_at, first_sent_at, finished_at)
            SELECT \(workspace), \(send), \(campaign), 'sent', '{}', '{}', true,
                count(*) FILTER (WHERE state <> 'skipped'), count(*) FILTER (WHERE state = 'skipped'),
                count(*) FILTER (WHERE state = 'sent'),
                count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'failed'), count(opened_at),
                count(clicked_at), \(moment), min(sent_at), max(sent_at)
            FROM marketing_messages WHERE workspace_id = \(workspace) AND send_id = \(send)
            """)
        try await tx.run(
            "test.campaign",
            """
            INSERT INTO marketing_campaigns (workspace_id, id, name, status, subject, send_id, launched_at, updated_at)
            VALUES (\(workspace), \(campaign), \(name), 'sent', 'What is new', \(send), \(moment), \(moment))
            """)
    }

    private static func clicks(
        _ workspace: WorkspaceID, _ send: SendID, _ moment: Date, _ tx: PostgresTransaction
    ) async throws {
        try await tx.run(
            "test.partition",
            "SELECT marketing_add_month_partition('marketing_email_events', date_trunc('month', \(moment))::date)")
        try await tx.run(
            "test.links",
            """
            INSERT INTO marketing_links (workspace_id, send_id, number, url)
            VALUES (\(workspace), \(send), 1, 'https://example.com/shop'),
                (\(workspace), \(send), 2, 'https://example.com/faq')
            """)
        try await tx.run(
            "test.events",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, link_number, url,
                occurred_at, class, class_reason, user_agent, network)
            SELECT m.workspace_id, gen_random_uuid(), m.id, m.contact_id, 'click', 1, 'https://example.com/shop',
                m.clicked_at, CASE WHEN k = 1 THEN 'human' ELSE 'scanner' END, 'test', 'Firefox', '192.0.2.0/24'
            FROM marketing_messages m, generate_series(1, 2) AS k
            WHERE m.workspace_id = \(workspace) AND m.send_id = \(send) AND m.clicked_at IS NOT NULL
            """)
    }
}
