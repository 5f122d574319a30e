import Core
import FoundationEssentials
import Postgres

/// People that look like people, made by the database itself: the same ones each time.
struct PeopleSeed: Sendable {
    let database: Database
    let workspace: WorkspaceID

    static let firstNames = [
        "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leon", "Mia",
        "Noah",
        "Olga", "Paul", "Quentin", "Rosa", "Sofia", "Theo", "Ulla", "Viktor", "Wanda", "Xaver", "Yusuf", "Zoe", "Amira",
        "Björn", "Chloé", "Dmitri", "Eloise", "Fatima", "Giulia", "Henrik", "Ingrid", "João", "Katarzyna", "Lars",
    ]
    static let lastNames = [
        "Adler", "Bauer", "Castellanos", "Dubois", "Eriksen", "Fischer", "García", "Hoffmann", "Ivanova", "Jensen",
        "Keller",
        "Lindqvist", "Martinez", "Nowak", "O'Brien", "Petrova", "Quist", "Rossi", "Schneider", "Tanaka", "Ulrich",
        "Virtanen", "Weber", "Xu", "Yilmaz", "Zimmermann", "Andersson", "Bianchi", "Christensen", "Delacroix",
        "Estrada",
        "Fitzgerald", "Grünewald", "Haugen", "Isaksson", "Jørgensen", "Kowalczyk", "Lehmann", "Moreau", "Nakamura",
        "Oliveira",
    ]
    static let domains = [
        "example.com", "example.org", "mail.example.net", "post.example.de", "corp.example.co.uk", "inbox.example.io",
    ]
    static let cities = [
        "Berlin", "Lisbon", "Oslo", "Kraków", "Lyon", "Porto", "Vienna", "Zürich", "Dublin", "Helsinki",
    ]

    /// Makes people with twelve properties each and puts all of them on a list.
    func make(_ count: Int, list: ContactListID) async throws {
        let step = 50_000
        for start in stride(from: 0, to: count, by: step) {
            try await people(from: start + 1, through: min(start + step, count))
        }
        try await memberships(list, count)
        try await run("VACUUM ANALYZE marketing_contacts, marketing_contact_search, marketing_list_members")
    }

    private func run(_ sql: SQL) async throws {
        try await database.session(timeout: .seconds(1800)) { session in
            _ = try await session.run("bench.seed.run", sql)
        }
    }

    private func people(from first: Int, through last: Int) async throws {
        _ = try await database.write(workspace, timeout: .seconds(600)) { tx in
            try await tx.run(
                "bench.seed.people",
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, phone, first_name, last_name, properties,
                    source, consent_basis, created_at, updated_at)
                SELECT \(workspace), p.id, p.email, lower(p.email), p.phone, p.first_name, p.last_name,
                    jsonb_build_object('city', p.city, 'plan', (ARRAY['free', 'plus', 'pro'])[1 + n % 3], 'age', 18 + n % 60,
                        'company', p.last_name || ' & Co', 'signed_up', p.made::date, 'orders', n % 17, 'spent', n % 1000,
                        'language', (ARRAY['en', 'de', 'pt'])[1 + n % 3], 'score', n % 100, 'newsletter', n % 2 = 0,
                        'segment', 'S' || n % 12, 'code', 'C-' || n),
                    'bench', 'newsletter form', p.made, p.made
                FROM (
                    SELECT n, md5(n::text) AS hash,
                        (lpad(to_hex(1700000000000 + n * 10), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0') || '8'
                            || substr(md5(n::text), 1, 15))::uuid AS id,
                        f.first_name, f.last_name, f.city,
                        translate(lower(f.first_name || '.' || f.last_name), 'öéãíüø''', 'oeaiuo') || '.' || n || '@'
                            || f.domain AS email,
                        CASE WHEN n % 4 = 0 THEN '+4930' || lpad(n::text, 8, '0') END AS phone,
                        to_timestamp(1700000000 + n / 100.0) AS made
                    FROM generate_series(\(first), \(last)) AS n, LATERAL (
                        SELECT (\(Self.firstNames))[1 + abs(hashint8(n)::bigint) % \(Self.firstNames.count)] AS first_name,
                            (\(Self.lastNames))[1 + abs(hashint8(n + 7)::bigint) % \(Self.lastNames.count)] AS last_name,
                            (\(Self.domains))[1 + n % \(Self.domains.count)] AS domain,
                            (\(Self.cities))[1 + n % \(Self.cities.count)] AS city
                    ) f
                ) p
                """)
        }
    }

    private func memberships(_ list: ContactListID, _ count: Int) async throws {
        try await database.write(workspace, timeout: .seconds(1800)) { tx in
            // Building the index of texts over all people at once takes a tenth of the time.
            try await tx.run(
                "bench.seed.search",
                """
                DO $$
                DECLARE definition text;
                BEGIN
                    SELECT indexdef INTO STRICT definition FROM pg_indexes
                    WHERE schemaname = current_schema() AND indexname = 'marketing_contact_search_text';
                    DROP INDEX marketing_contact_search_text;
                    INSERT INTO marketing_contact_search (workspace_id, contact_id, name_key, text)
                    SELECT workspace_id, id, lower(concat_ws(' ', last_name, first_name)),
                        marketing_search_text(first_name, last_name, email, phone)
                    FROM marketing_contacts c WHERE c.workspace_id = marketing_workspace();
                    EXECUTE definition;
                END
                $$
                """)
            try await tx.run(
                "bench.seed.list",
                """
                INSERT INTO marketing_lists (workspace_id, id, name, member_count, created_at, updated_at)
                VALUES (\(workspace), \(list), 'Everybody', \(count)::int, now(), now())
                """)
            try await tx.run(
                "bench.seed.members",
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT workspace_id, \(list), id, now() FROM marketing_contacts WHERE workspace_id = \(workspace) ORDER BY id
                """)
            try await tx.run(
                "bench.seed.totals",
                """
                INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count, revision)
                VALUES (\(workspace), \(count), 1)
                ON CONFLICT (workspace_id) DO UPDATE SET contact_count = EXCLUDED.contact_count, revision = t.revision + 1
                """)
        }
    }

    /// Ids of some people, spread evenly over all.
    func sample(_ count: Int) async throws -> [ContactID] {
        try await database.read(workspace, timeout: .seconds(60)) { tx in
            try await tx.values(
                ContactID.self, "bench.seed.sample",
                """
                SELECT id FROM (SELECT id, row_number() OVER () AS place, count(*) OVER () AS total
                    FROM marketing_contacts WHERE workspace_id = \(workspace)) p
                WHERE place % greatest(total / \(count), 1) = 0 LIMIT \(count)
                """)
        }
    }
}
