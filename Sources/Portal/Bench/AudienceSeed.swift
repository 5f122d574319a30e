import Core
import FoundationEssentials
import Messaging
import Postgres

/// A workspace with people, companies, fast properties, messages and events, made by the database itself: the same each time.
///
/// Rows are made where they will lie, in the order of their keys; indexes of their own are made afterwards over all of
/// them, and triggers rest meanwhile. Nothing depends on another table, so two connections work side by side.
struct AudienceSeed: Sendable {
    let database: Database
    let workspace: WorkspaceID
    let people: Int
    let companies: Int
    /// All that people did: three fifths are events of host products, the others messages and their opens and clicks.
    let events: Int

    /// The properties that conditions find by an index, with their types and ids.
    static let fast: [(name: String, type: String, id: UUID)] = [
        ("city", "text", id(1)), ("plan", "singleSelect", id(2)), ("score", "number", id(3)), ("code", "text", id(4)),
    ]
    private static let slow: [(name: String, type: String)] = [
        ("age", "number"), ("signed_up", "dateTime"), ("orders", "number"), ("spent", "money"),
        ("languages", "multiSelect"), ("newsletter", "boolean"), ("birthday", "date"), ("note", "longText"),
    ]
    private static let ofCompanies: [(name: String, type: String)] = [("sector", "text"), ("staff", "number")]
    /// What properties offer to choose from.
    private static let choices = ["plan": ["free", "plus", "pro"], "languages": ["en", "de", "pt"]]
    /// Campaigns that went to a part of the people each.
    static let sends = 30
    /// How many people there are for each member of a list.
    static let lists = [2, 10, 200]

    static func list(_ number: Int) -> UUID { id(UInt8(60 + number)) }

    /// The campaign of a send; sends are numbered from 0.
    static func campaign(_ number: Int) -> UUID { id(UInt8(100 + number)) }

    private static func id(_ number: UInt8) -> UUID {
        UUID(uuid: (1, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
    }

    func make() async throws {
        try await definitions()
        try await makeCompanies()
        try await makePartitions()
        try await withThrowingTaskGroup { group in
            group.addTask {
                try await makePeople()
                try await makeValues()
                try await makeLists()
                try await makeTotals()
            }
            group.addTask {
                try await makeEvents()
                try await makeMessages()
                try await makeCampaigns()
                try await makeEngaged()
                try await makeSentTimes()
                try await makeOpens()
            }
            try await group.waitForAll()
        }
        try await settle()
    }

    /// What a server that has been up for an hour has done long ago.
    private func settle() async throws {
        try await database.session(timeout: .seconds(3600)) { session in
            _ = try await session.run(
                "bench.audience.vacuum",
                """
                VACUUM (ANALYZE) marketing_contacts, marketing_companies, marketing_contact_property_values,
                    marketing_events, marketing_email_events, marketing_messages, marketing_sent_times,
                    marketing_engaged_contacts, marketing_list_members, marketing_sends
                """)
            let isOwner: [Bool] = try await session.values(
                Bool.self, "bench.audience.role", "SELECT current_setting('is_superuser') = 'on'")
            if isOwner == [true] { _ = try await session.run("bench.audience.checkpoint", "CHECKPOINT") }
        }
    }

    private func write(_ sql: SQL) async throws {
        _ = try await database.write(workspace, timeout: .seconds(1800)) { tx in
            try await tx.run("bench.audience.write", sql)
        }
    }

    /// Fills a table while its indexes are away, except those that keep it unique.
    private func fill(_ table: String, _ sql: SQL) async throws {
        let start = MonotonicTime.now
        _ = try await database.write(workspace, timeout: .seconds(3600)) { tx in
            _ = try await tx.value(
                String.self, "bench.audience.settings",
                """
                SELECT set_config('bench.filled', \(table), true) || set_config('synchronous_commit', 'off', true)
                    || set_config('maintenance_work_mem', '1GB', true) || set_config('work_mem', '256MB', true)
                """)
            try await tx.run("bench.audience.bare", Self.bare)
            try await tx.run("bench.audience.fill", sql)
            try await tx.run("bench.audience.dress", Self.dress)
        }
        BenchNotice.write("Filled \(table) in \(Int(MonotonicTime.seconds(since: start))) s\n")
    }

    private static let bare: SQL = """
        DO $$
        DECLARE
            found record;
        BEGIN
            CREATE TEMP TABLE bench_indexes (definition text) ON COMMIT DROP;
            FOR found IN SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
                WHERE i.indrelid = current_setting('bench.filled')::regclass
                    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid) LOOP
                INSERT INTO bench_indexes VALUES (replace(found.definition, ' ON ONLY ', ' ON '));
                EXECUTE format('DROP INDEX %s', found.name);
            END LOOP;
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', current_setting('bench.filled')::regclass);
        END
        $$
        """

    private static let dress: SQL = """
        DO $$
        DECLARE
            found record;
        BEGIN
            FOR found IN SELECT definition FROM bench_indexes LOOP EXECUTE found.definition; END LOOP;
            EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', current_setting('bench.filled')::regclass);
        END
        $$
        """

    // MARK: Parts of statements

    /// A number below a limit for row `n`, independent of those with other salts.
    private static func dice(_ salt: Int, _ limit: Int) -> SQL {
        "((hashint8extended(n, \(salt)) & 4611686018427387903) % \(limit))"
    }

    /// Ids rise with the time, as real ones do: a minute between people.
    private static func person(_ number: SQL) -> SQL {
        """
        (lpad(to_hex(1700000000000 + (\(number)) * 60000), 12, '0') || '70008000' || lpad(to_hex(\(number)), 12, '0'))::uuid
        """
    }

    private static func company(_ number: SQL) -> SQL {
        "(lpad(to_hex(1700000000000 + \(number)), 12, '0') || '7000a000' || lpad(to_hex(\(number)), 12, '0'))::uuid"
    }

    private static func id(at time: SQL, _ number: SQL) -> SQL {
        """
        (lpad(to_hex((extract(epoch FROM \(time)) * 1000)::bigint), 12, '0') || '70009000'
            || lpad(to_hex(\(number)), 12, '0'))::uuid
        """
    }

    // MARK: Tables

    private func definitions() async throws {
        let all: [(String, String, String, UUID, String)] =
            Self.fast.map { ("contact", $0.name, $0.type, $0.id, "fast") }
            + Self.slow.enumerated().map { place, property in
                ("contact", property.name, property.type, Self.id(UInt8(20 + place)), "normal")
            }
            + Self.ofCompanies.enumerated().map { place, property in
                ("company", property.name, property.type, Self.id(UInt8(40 + place)), "normal")
            }
        for (object, name, type, id, speed) in all {
            let options: JSONValue = .array(
                (Self.choices[name] ?? []).map { .object(["value": .string($0), "label": .string($0)]) })
            try await write(
                """
                INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, options, speed,
                    created_at, updated_at)
                VALUES (\(workspace), \(id), \(object), \(name), \(name), \(type), \(options), \(speed), now(), now())
                """)
        }
    }

    private func makeCompanies() async throws {
        try await write(
            """
            INSERT INTO marketing_companies (workspace_id, id, name, domain, properties, contact_count, created_at, updated_at)
            SELECT \(workspace), \(Self.company("n")), 'Company ' || n, 'company-' || n || '.example',
                jsonb_build_object('sector', (ARRAY['food', 'steel', 'care', 'law'])[1 + \(Self.dice(51, 4))],
                    'staff', \(Self.dice(52, 500))),
                \(people / max(companies, 1))::int, now(), now()
            FROM generate_series(1::bigint, \(companies)) AS n
            """)
    }

    private func makePeople() async throws {
        let (first, last) = (PeopleSeed.firstNames, PeopleSeed.lastNames)
        try await fill(
            "marketing_contacts",
            """
            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, phone, first_name, last_name, properties,
                tags, email_status, source, company_id, email_opt_in, sms_opt_in, created_at, updated_at)
            SELECT \(workspace), \(Self.person("n")), 'person.' || n || '@example.com', 'person.' || n || '@example.com',
                CASE WHEN \(Self.dice(16, 5)) < 3 THEN '+49' || (1500000000 + n) END,
                (\(first))[1 + \(Self.dice(1, first.count))], (\(last))[1 + \(Self.dice(2, last.count))],
                jsonb_build_object('city', 'City ' || \(Self.dice(3, 200)),
                    'plan', (ARRAY['free', 'plus', 'pro'])[1 + \(Self.dice(4, 3))], 'score', \(Self.dice(5, 1_000)),
                    'code', 'C-' || n, 'age', 18 + \(Self.dice(6, 60)),
                    'signed_up', (date '2025-01-01' + \(Self.dice(7, 600))::int)::text || 'T09:30:00Z',
                    'orders', \(Self.dice(8, 17)),
                    'spent', jsonb_build_object('amount', \(Self.dice(9, 99_700)), 'currency',
                        CASE WHEN \(Self.dice(17, 5)) = 0 THEN 'USD' ELSE 'EUR' END),
                    'languages', (ARRAY['["en"]', '["de"]', '["pt"]', '["en", "pt"]'])[1 + \(Self.dice(10, 4))]::jsonb,
                    'newsletter', \(Self.dice(11, 2)) = 0,
                    'birthday', (date '1960-01-01' + \(Self.dice(12, 14_600))::int)::text,
                    'note', 'Met at fair ' || \(Self.dice(13, 50)) || '. Wanted to hear about '
                        || (ARRAY['prices', 'delivery', 'the new line'])[1 + \(Self.dice(18, 3))]
                        || ', and said that the buyer decides in spring. Call again after lunch.'),
                CASE WHEN \(Self.dice(14, 50)) = 0 THEN ARRAY['vip', 'lead'] WHEN \(Self.dice(14, 50)) < 10
                    THEN ARRAY['lead'] ELSE '{}' END,
                CASE WHEN \(Self.dice(15, 40)) = 0 THEN 'unsubscribed' ELSE 'active' END,
                (ARRAY['bench', 'form', 'shop'])[1 + \(Self.dice(19, 3))],
                \(Self.company("(1 + n % \(max(companies, 1)))")), \(Self.dice(20, 4)) > 0,
                CASE WHEN \(Self.dice(20, 4)) = 1 THEN true END, to_timestamp(1700000000 + n * 60.0), now()
            FROM generate_series(1::bigint, \(people)) AS n
            """)
    }

    /// What triggers would have kept.
    private func makeValues() async throws {
        let (names, types, ids) = (Self.fast.map(\.name), Self.fast.map(\.type), Self.fast.map(\.id))
        try await fill(
            "marketing_contact_property_values",
            """
            INSERT INTO marketing_contact_property_values (workspace_id, property_id, contact_id, text_value, number_value)
            SELECT c.workspace_id, d.id, c.id, CASE WHEN d.type <> 'number' THEN lower(c.properties->>d.name) END,
                CASE WHEN d.type = 'number' THEN (c.properties->>d.name)::float8 END
            FROM marketing_contacts c CROSS JOIN unnest(\(names), \(types), \(ids)) AS d(name, type, id)
            WHERE c.workspace_id = \(workspace)
            """)
    }

    private func makeLists() async throws {
        for (number, each) in Self.lists.enumerated() {
            try await write(
                """
                INSERT INTO marketing_lists (workspace_id, id, name, member_count, created_at, updated_at)
                VALUES (\(workspace), \(Self.list(number)), \("List \(number + 1)"), \(people / each)::int, now(), now())
                """)
            try await write(
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(workspace), \(Self.list(number)), \(Self.person("n")), now()
                FROM generate_series(1::bigint, \(people)) AS n WHERE n % \(each) = 0
                """)
        }
    }

    private func makeTotals() async throws {
        try await write(
            """
            INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count, revision)
            VALUES (\(workspace), \(people), 1)
            ON CONFLICT (workspace_id) DO UPDATE SET contact_count = EXCLUDED.contact_count, revision = t.revision + 1
            """)
    }

    private func makePartitions() async throws {
        for table in ["marketing_events", "marketing_email_events"] {
            try await database.session(timeout: .seconds(60)) { session in
                _ = try await session.run(
                    "bench.audience.partitions",
                    """
                    SELECT marketing_add_month_partition(\(table)::text::regclass,
                        (date_trunc('month', now()) - make_interval(months => m))::date) FROM generate_series(0, 13) AS m
                    """)
            }
        }
    }

    /// Spread over a year, oldest first, over ten names.
    private func makeEvents() async throws {
        let count: Int = events * 6 / 10
        try await fill(
            "marketing_events",
            """
            INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
            SELECT \(workspace), \(Self.id(at: "m.at", "n")), \(Self.person("1 + \(Self.dice(21, people))")),
                (ARRAY['order placed', 'page viewed', 'cart left', 'app opened', 'form sent', 'video seen', 'file loaded',
                    'plan changed', 'invoice paid', 'ticket opened'])[1 + \(Self.dice(22, 10))],
                jsonb_build_object('total', \(Self.dice(23, 500))), 'bench', m.at, m.at
            FROM generate_series(1::bigint, \(count)) AS n,
                LATERAL (SELECT now() - interval '365 days' * (1 - n::float8 / \(count))) AS m (at)
            """)
    }

    /// Campaigns over a year, each to its part of the people. Every other message was opened, by a machine where nobody
    /// else did, and every tenth clicked.
    private func makeMessages() async throws {
        let count: Int = min(events * 15 / 100, people * Self.sends) / Self.sends * Self.sends
        guard count > 0 else { return }
        let (each, apart) = (count / Self.sends, max(1, people * Self.sends / count))
        try await fill(
            "marketing_messages",
            """
            INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, created_at, sent_at, state, email,
                open_count, click_count, opened_at, clicked_at)
            SELECT \(workspace), \(Self.id(at: "m.at", "n")), \(Self.company("(n / \(each))")),
                \(Self.person("1 + (n % \(each)) * \(apart) + (n / \(each)) * 7 % \(apart)")), m.at, m.at, 'sent',
                'person.' || n || '@example.com', CASE WHEN o.opened THEN 2 ELSE 0 END,
                CASE WHEN o.clicked THEN 1 ELSE 0 END, CASE WHEN o.seen THEN m.at + interval '3 hours'
                    WHEN o.clicked THEN m.at + interval '4 hours' END,
                CASE WHEN o.clicked THEN m.at + interval '4 hours' END
            FROM generate_series(0::bigint, \(count) - 1) AS n,
                LATERAL (SELECT now() - interval '365 days' * (1 - n::float8 / \(count)) - interval '4 hours') AS m (at),
                LATERAL (SELECT \(Self.dice(44, 2)) = 0, \(Self.dice(44, 2)) = 0 AND \(Self.dice(41, 4)) < 3,
                    \(Self.dice(44, 2)) = 0 AND \(Self.dice(42, 5)) = 0) AS o (opened, seen, clicked)
            """)
    }

    /// Those that the messages were sent for.
    private func makeCampaigns() async throws {
        for number in 0..<Self.sends {
            let (campaign, send): (UUID, SQL) = (Self.campaign(number), Self.company("\(number)::bigint"))
            try await write(
                """
                INSERT INTO marketing_campaigns (workspace_id, id, name, status, send_id)
                VALUES (\(workspace), \(campaign), \("Campaign \(number + 1)"), 'sent', \(send))
                """)
            try await write(
                """
                INSERT INTO marketing_sends (workspace_id, id, campaign_id, state, content, audience, snapshot_complete,
                    created_at)
                VALUES (\(workspace), \(send), \(campaign), 'sent', '{}', '{}', true, coalesce((
                    SELECT min(created_at) FROM marketing_messages WHERE workspace_id = \(workspace) AND send_id = \(send)
                ), now()))
                """)
        }
    }

    private func makeEngaged() async throws {
        try await fill(
            "marketing_engaged_contacts",
            """
            INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
            SELECT DISTINCT \(workspace), d.deed, m.contact_id
            FROM marketing_messages m
            CROSS JOIN LATERAL \(EngagedContacts.deeds)
            WHERE m.workspace_id = \(workspace) AND d.happened
            """)
    }

    private func makeSentTimes() async throws {
        try await fill(
            "marketing_sent_times",
            """
            INSERT INTO marketing_sent_times (workspace_id, contact_id, occurred_at, message_id)
            SELECT workspace_id, contact_id, sent_at, id FROM marketing_messages WHERE workspace_id = \(workspace)
            """)
    }

    /// Three hits of each message that was opened; the last of them is the click.
    private func makeOpens() async throws {
        try await fill(
            "marketing_email_events",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, occurred_at, class,
                class_reason, user_agent, network, url)
            SELECT workspace_id, \(Self.id(at: "h.at", "j * 1000000000 + row_number() OVER ()")), id, contact_id,
                CASE WHEN h.is_click THEN 'click' ELSE 'open' END, h.at,
                CASE WHEN opened_at IS NOT NULL OR h.is_click THEN 'human' ELSE 'proxy_prefetch' END, 'bench',
                'Mozilla/5.0', '192.0.2.0/24', CASE WHEN h.is_click THEN 'https://example.com/' || extract(day FROM h.at) END
            FROM marketing_messages, generate_series(0::bigint, 2) AS j,
                LATERAL (SELECT j = 2 AND clicked_at IS NOT NULL, CASE WHEN j = 2 AND clicked_at IS NOT NULL THEN clicked_at
                    ELSE sent_at + interval '3 hours' + j * interval '10 minutes' END) AS h (is_click, at)
            WHERE workspace_id = \(workspace) AND open_count > 0
            """)
    }
}
