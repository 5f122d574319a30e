import Core
import FoundationEssentials
import Postgres

/// A workspace with people, companies, fast properties, events and opens, made by the database itself: the same each time.
struct AudienceSeed: Sendable {
    let database: Database
    let workspace: WorkspaceID
    let people: Int
    let companies: Int
    let events: Int

    /// The properties that conditions find by an index, with their types and ids.
    static let fast: [(name: String, type: String, id: UUID)] = [
        ("city", "text", id(1)), ("plan", "singleSelect", id(2)), ("score", "number", id(3)), ("code", "text", id(4)),
    ]
    private static let slow: [(name: String, type: String)] = [
        ("age", "number"), ("signed_up", "date"), ("orders", "number"), ("spent", "number"), ("language", "text"),
        ("newsletter", "boolean"), ("birthday", "date"), ("note", "text"),
    ]

    private static func id(_ number: UInt8) -> UUID {
        UUID(uuid: (1, 0x92, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
    }

    func make() async throws {
        try await definitions()
        try await makeCompanies()
        for start in stride(from: 0, to: people, by: 50_000) {
            try await makePeople(from: start + 1, through: min(start + 50_000, people))
        }
        try await makeValues()
        try await makePartitions()
        let opens: Int = events * 3 / 10
        for start in stride(from: 0, to: events - opens, by: 250_000) {
            try await makeEvents(from: start, through: min(start + 250_000, events - opens) - 1)
        }
        for start in stride(from: 0, to: opens, by: 250_000) {
            try await makeOpens(from: start, through: min(start + 250_000, opens) - 1)
        }
        try await run(
            """
            VACUUM (ANALYZE) marketing_contacts, marketing_companies, marketing_contact_property_values, marketing_events,
                marketing_email_events
            """)
    }

    private func run(_ sql: SQL) async throws {
        try await database.session(timeout: .seconds(3600)) { session in
            _ = try await session.run("bench.audience.run", sql)
        }
    }

    private func write(_ sql: SQL) async throws {
        _ = try await database.write(workspace, timeout: .seconds(1800)) { tx in
            try await tx.run("bench.audience.write", sql)
        }
    }

    private func definitions() async throws {
        let all: [(String, String, UUID, String)] =
            Self.fast.map { ($0.name, $0.type, $0.id, "fast") }
            + Self.slow.enumerated().map {
                ($0.element.name, $0.element.type, Self.id(UInt8(20 + $0.offset)), "normal")
            }
        for (name, type, id, speed) in all {
            let options: JSONValue =
                type == "singleSelect"
                ? .array(["free", "plus", "pro"].map { .object(["value": .string($0), "label": .string($0)]) })
                : .array([])
            try await write(
                """
                INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, options, speed,
                    created_at, updated_at)
                VALUES (\(workspace), \(id), 'contact', \(name), \(name), \(type), \(options), \(speed), now(), now())
                """)
        }
    }

    private func makeCompanies() async throws {
        try await write(
            """
            INSERT INTO marketing_companies (workspace_id, id, name, domain, created_at, updated_at)
            SELECT \(workspace), md5('company ' || n)::uuid, 'Company ' || n, 'company-' || n || '.example', now(), now()
            FROM generate_series(1, \(companies)) AS n
            """)
    }

    private func makePeople(from first: Int, through last: Int) async throws {
        try await write(
            """
            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, first_name, last_name, properties, tags,
                email_status, source, company_id, created_at, updated_at)
            SELECT \(workspace), md5('person ' || n)::uuid, 'person.' || n || '@example.com', 'person.' || n || '@example.com',
                (\(PeopleSeed.firstNames))[1 + n % \(PeopleSeed.firstNames.count)],
                (\(PeopleSeed.lastNames))[1 + n % \(PeopleSeed.lastNames.count)],
                jsonb_build_object('city', 'City ' || n % 200, 'plan', (ARRAY['free', 'plus', 'pro'])[1 + n % 3],
                    'score', n % 1000, 'code', 'C-' || n, 'age', 18 + n % 60, 'signed_up', (date '2026-01-01' + (n % 300)::int)::text,
                    'orders', n % 17, 'spent', n % 997, 'language', (ARRAY['en', 'de', 'pt'])[1 + n % 3],
                    'newsletter', n % 2 = 0, 'birthday', (date '1970-01-01' + (n % 12000)::int)::text, 'note', 'Met at fair ' || n % 50),
                CASE WHEN n % 50 = 0 THEN ARRAY['vip'] ELSE '{}' END,
                CASE WHEN n % 40 = 0 THEN 'unsubscribed' ELSE 'active' END, 'bench',
                md5('company ' || (1 + n % \(companies)))::uuid, now() - make_interval(secs => n), now()
            FROM generate_series(\(first), \(last)) AS n
            """)
    }

    /// Unless a trigger has kept them already.
    private func makeValues() async throws {
        for (name, type, id) in Self.fast {
            let value: SQL =
                type == "number" ? "NULL, (c.properties->>\(name))::float8" : "lower(c.properties->>\(name)), NULL"
            try await write(
                """
                INSERT INTO marketing_contact_property_values (workspace_id, property_id, contact_id, text_value, number_value)
                SELECT \(workspace), \(id), c.id, \(value) FROM marketing_contacts c
                WHERE c.workspace_id = \(workspace) AND NOT EXISTS (
                    SELECT FROM marketing_contact_property_values v
                    WHERE v.workspace_id = \(workspace) AND v.property_id = \(id) LIMIT 1)
                """)
        }
    }

    private func makePartitions() async throws {
        for table in ["marketing_events", "marketing_email_events"] {
            try await run(
                """
                SELECT marketing_add_month_partition(\(table)::text::regclass,
                    (date_trunc('month', now()) - make_interval(months => m))::date) FROM generate_series(0, 13) AS m
                """)
        }
    }

    /// Spread over a year, oldest first, over ten names.
    private func makeEvents(from first: Int, through last: Int) async throws {
        let total: Int = events - events * 3 / 10
        try await write(
            """
            INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
            SELECT \(workspace), md5('event ' || n)::uuid, md5('person ' || (1 + (hashint8(n)::bigint & 2147483647) % \(people)))::uuid,
                (ARRAY['order placed', 'page viewed', 'cart left', 'app opened', 'form sent', 'video seen', 'file loaded',
                    'plan changed', 'invoice paid', 'ticket opened'])[1 + n % 10],
                jsonb_build_object('total', n % 500), 'bench', m.at, m.at
            FROM generate_series(\(first), \(last)) AS n,
                LATERAL (SELECT now() - interval '365 days' * (1 - n::float8 / \(total))) AS m (at)
            """)
    }

    private func makeOpens(from first: Int, through last: Int) async throws {
        let total: Int = events * 3 / 10
        try await write(
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, occurred_at, class,
                class_reason, user_agent, network)
            SELECT \(workspace), md5('open ' || n)::uuid, md5('message ' || n)::uuid,
                md5('person ' || (1 + (hashint8(n + 7)::bigint & 2147483647) % \(people)))::uuid,
                CASE WHEN n % 5 = 0 THEN 'click' ELSE 'open' END, m.at,
                CASE WHEN n % 4 = 0 THEN 'proxy_prefetch' ELSE 'human' END, 'bench', 'Mozilla/5.0', '192.0.2.0/24'
            FROM generate_series(\(first), \(last)) AS n,
                LATERAL (SELECT now() - interval '365 days' * (1 - n::float8 / \(total))) AS m (at)
            """)
    }
}
