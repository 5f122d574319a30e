import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres
import TestSupport

@testable import Segments

/// Fills a workspace with random people, companies, lists, messages and events.
struct RandomPeople {
    let world: RandomWorld
    let workspace: WorkspaceID
    let count: Int

    static func id(_ number: Int, kind: UInt8 = 9) -> UUID {
        UUID(
            uuid: (
                1, 0x93, kind, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, UInt8(number / 256), UInt8(number % 256)
            ))
    }

    func write(_ portal: PortalFixture, seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let people: [JSONValue] = (0..<count).map { person($0, &random) }
        let events: [JSONValue] = (0..<count * 3).map { event($0, &random) }
        let messages: [JSONValue] = (0..<count * 2).map { message($0, &random) }
        let hits: [JSONValue] = (0..<count * 4).map { hit($0, messages: messages, &random) }
        let members: [JSONValue] = (0..<count).map { number in
            .object(["l": .string(random.pick(world.lists).lowercased), "c": .string(Self.id(number).lowercased)])
        }
        try await portal.services.database.write(workspace, timeout: .seconds(60)) { tx in
            try await writeFrame(tx)
            try await tx.run("test.people", Self.peopleSQL(.array(people), workspace))
            try await tx.run(
                "test.members",
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(workspace), l, c, now() FROM jsonb_to_recordset(\(JSONValue.array(members))) AS r (l uuid, c uuid)
                """)
            try await writeBehaviour(tx, events, messages, hits)
            try await writeFast(tx)
        }
    }

    private func writeFrame(_ tx: PostgresTransaction) async throws {
        for definition in world.catalog.definitions {
            let options: [JSONValue] = definition.options.map {
                .object(["value": .string($0.value), "label": .string($0.label)])
            }
            try await tx.run(
                "test.definition",
                """
                INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, options, speed,
                    created_at, updated_at)
                VALUES (\(workspace), \(definition.property.id), \(definition.isOfCompany ? "company" : "contact"),
                    \(definition.property.name), \(definition.label), \(definition.property.type.rawValue),
                    \(JSONValue.array(options)), \(definition.property.isFast ? "fast" : "normal"), now(), now())
                """)
        }
        for (index, company) in world.companies.enumerated() {
            let properties: JSONValue = .object([
                "c text": .string(RandomWorld.words[index]), "c number": .int(index), "c date": .string("2026-01-15"),
            ])
            try await tx.run(
                "test.company",
                """
                INSERT INTO marketing_companies (workspace_id, id, name, domain, owner_id, properties, created_at,
                    updated_at, deleted_at)
                VALUES (\(workspace), \(company), \(RandomWorld.words[index + 1]), \("d\(index).test"),
                    \(index < 2 ? world.users[index] : nil), \(index == 3 ? JSONValue.object([:]) : properties),
                    \(RandomWorld.date(RandomWorld.moments[index])), now(), \(index == 4 ? Date() : nil))
                """)
        }
        for list in world.lists {
            try await tx.run(
                "test.list",
                """
                INSERT INTO marketing_lists (workspace_id, id, name, created_at, updated_at)
                VALUES (\(workspace), \(list), \(list.uuidString), now(), now())
                """)
        }
    }

    private static func peopleSQL(_ people: JSONValue, _ workspace: WorkspaceID) -> SQL {
        """
        INSERT INTO marketing_contacts (workspace_id, id, email, email_key, phone, first_name, last_name, properties, tags,
            email_status, tracking_allowed, source, company_id, email_opt_in, sms_opt_in, created_at, updated_at)
        SELECT \(workspace), id, email, lower(email), phone, first, last, properties,
            ARRAY(SELECT jsonb_array_elements_text(tags)), status, tracking, source, company, opt_in, sms, created,
            created
        FROM jsonb_to_recordset(\(people)) AS r (id uuid, email text, phone text, first text, last text,
            properties jsonb, tags jsonb, status text, tracking boolean, source text, company uuid, opt_in boolean,
            sms boolean, created timestamptz)
        """
    }

    private func person(_ number: Int, _ random: inout SeededGenerator) -> JSONValue {
        func maybe(_ words: [String]) -> JSONValue { random.chance(75) ? .string(random.pick(words)) : .null }
        func flag() -> JSONValue { random.chance(70) ? .bool(random.chance(50)) : .null }
        var properties: [String: JSONValue] = [:]
        for definition in world.catalog.definitions where !definition.isOfCompany && random.chance(75) {
            // What was stored before the property had its type, or by somebody else; never in the table of fast values.
            let isOdd: Bool = !definition.property.isFast && random.chance(10)
            properties[definition.property.name] = isOdd ? odd(&random) : value(definition.property.type, &random)
        }
        return .object([
            "id": .string(Self.id(number).lowercased),
            "email": random.chance(80) ? .string("person.\(number)@example.com") : .null,
            "phone": random.chance(60) ? .string("+4930\(1_000_000 + number)") : .null,
            "first": maybe(RandomWorld.words),
            "last": maybe(RandomWorld.words), "properties": .object(properties),
            "tags": .array(random.some(RandomWorld.tags, 0...3).map(JSONValue.string)),
            "status": .string(random.pick(EmailStatus.allCases).rawValue), "tracking": .bool(random.chance(50)),
            "source": maybe(["import", "Form", "müller"]),
            "company": random.chance(60) ? .string(random.pick(world.companies).lowercased) : .null,
            "opt_in": flag(), "sms": flag(), "created": .string(random.pick(RandomWorld.moments)),
        ])
    }

    private func odd(_ random: inout SeededGenerator) -> JSONValue {
        random.pick([
            .null, .string("100"), .array([]), .array([.int(100)]), .array([.int(0), .int(1)]), .object([:]),
            .bool(true),
            .int(100), .array([.bool(true)]), .string("kilo"), .object(["amount": .string("100")]),
        ])
    }

    private func value(_ type: PropertyType, _ random: inout SeededGenerator) -> JSONValue {
        switch type {
        case .text, .longText, .url: return random.chance(5) ? .string("") : .string(random.pick(RandomWorld.words))
        case .number:
            return random.pick([
                .int(0), .int(1), .double(2.5), .int(-3), .int(100), .double(1e12), .double(0.1),
                .int(9_007_199_254_740_993),
            ])
        case .money:
            return .object([
                "amount": .int(random.pick([0, 100, 1250, -5])), "currency": .string(random.pick(["EUR", "USD"])),
            ])
        case .boolean: return .bool(random.chance(50))
        case .date: return .string(random.pick(RandomWorld.days))
        case .dateTime: return .string(random.pick(RandomWorld.moments))
        case .singleSelect: return .string(random.pick(RandomWorld.plans))
        case .multiSelect: return .array(random.some(RandomWorld.plans, 0...3).map(JSONValue.string))
        }
    }

    // MARK: Behaviour

    private func event(_ number: Int, _ random: inout SeededGenerator) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        if random.chance(80) { properties["total"] = random.pick([.int(0), .double(2.5), .int(100), .string("100")]) }
        if random.chance(60) { properties["sku"] = .string(random.pick(RandomWorld.words)) }
        if random.chance(50) { properties["gift"] = .bool(random.chance(50)) }
        // Too long for the index that answers most questions.
        if random.chance(25) { properties["note"] = .string(String(repeating: "long ", count: 100)) }
        return .object([
            "id": .string(Self.id(number, kind: 10).lowercased),
            "c": .string(Self.id(random.number(0...count - 1)).lowercased),
            "name": .string(random.pick(RandomWorld.events)), "p": .object(properties),
            "at": .string(random.pick(RandomWorld.moments.filter { $0 > "2025" })),
        ])
    }

    private func message(_ number: Int, _ random: inout SeededGenerator) -> JSONValue {
        func maybe(_ chance: Int = 60) -> JSONValue {
            random.chance(chance) ? .string(random.pick(RandomWorld.moments)) : .null
        }
        let (opened, clicked) = (maybe(), maybe(30))
        // A click is an open too, and whoever opened or clicked is counted, as machines are.
        func hits(_ time: JSONValue) -> JSONValue { .int(time == .null ? random.number(0...1) : 1) }
        return .object([
            "id": .string(Self.id(number, kind: 11).lowercased), "s": .string(Self.id(number % 3, kind: 12).lowercased),
            "c": .string(Self.id(random.number(0...count - 1)).lowercased), "o": .int(number + 1), "sent": maybe(),
            "opened": opened == .null ? clicked : opened, "clicked": clicked, "opens": hits(opened),
            "clicks": hits(clicked),
        ])
    }

    private func hit(_ number: Int, messages: [JSONValue], _ random: inout SeededGenerator) -> JSONValue {
        let message: JSONValue = random.pick(messages)
        let isClick: Bool = random.chance(40)
        return .object([
            "id": .string(Self.id(number, kind: 13).lowercased), "m": message["id"] ?? .null,
            "c": message["c"] ?? .null,
            "kind": .string(isClick ? "click" : random.chance(90) ? "open" : "unsubscribe"),
            "url": isClick ? .string(random.pick(RandomWorld.links)) : .null,
            "class": .string(random.pick(["human", "human", "scanner", "unknown"])),
            "at": .string(random.pick(RandomWorld.moments.filter { $0 > "2026" })),
        ])
    }

    private func writeBehaviour(
        _ tx: PostgresTransaction, _ events: [JSONValue], _ messages: [JSONValue], _ hits: [JSONValue]
    ) async throws {
        for table in ["marketing_events", "marketing_email_events"] {
            for month in ["2025-12-01", "2026-01-01"] {
                try await tx.run(
                    "test.partition",
                    "SELECT marketing_add_month_partition(\(table)::text::regclass, \(month)::text::date)")
            }
        }
        for (index, campaign) in world.campaigns.enumerated() {
            try await tx.run(
                "test.send",
                """
                INSERT INTO marketing_sends (workspace_id, id, campaign_id, state, content, audience, created_at)
                VALUES (\(workspace), \(Self.id(index, kind: 12)), \(campaign), 'sent', '{}', '{}', '2020-01-01')
                """)
        }
        try await tx.run(
            "test.events",
            """
            INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
            SELECT \(workspace), id, c, name, p, 'test', at, at
            FROM jsonb_to_recordset(\(JSONValue.array(events))) AS r (id uuid, c uuid, name text, p jsonb, at timestamptz)
            """)
        try await tx.run(
            "test.messages",
            """
            INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, occurrence, open_count, click_count,
                created_at, sent_at, opened_at, clicked_at, state)
            SELECT \(workspace), id, s, c, o, opens, clicks, now(), sent, opened, clicked, 'sent'
            FROM jsonb_to_recordset(\(JSONValue.array(messages))) AS r (id uuid, s uuid, c uuid, o integer, sent timestamptz,
                opened timestamptz, clicked timestamptz, opens integer, clicks integer)
            """)
        try await tx.run(
            "test.engaged",
            """
            INSERT INTO marketing_engaged_contacts (workspace_id, deed, contact_id)
            SELECT DISTINCT m.workspace_id, d.deed, m.contact_id FROM marketing_messages m
            CROSS JOIN LATERAL \(EngagedContacts.deeds) WHERE m.workspace_id = \(workspace) AND d.happened
            """)
        try await tx.run(
            "test.sentTimes",
            """
            INSERT INTO marketing_sent_times (workspace_id, contact_id, occurred_at, message_id)
            SELECT workspace_id, contact_id, sent_at, id FROM marketing_messages
            WHERE workspace_id = \(workspace) AND sent_at IS NOT NULL
            """)
        try await tx.run(
            "test.hits",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, url, occurred_at, class,
                class_reason, user_agent, network)
            SELECT \(workspace), id, m, c, kind, url, at, class, '', '', ''
            FROM jsonb_to_recordset(\(JSONValue.array(hits))) AS r (id uuid, m uuid, c uuid, kind text, url text,
                class text, at timestamptz)
            """)
    }

    /// The values of fast properties, as the table of property values keeps them.
    private func writeFast(_ tx: PostgresTransaction) async throws {
        try await tx.run(
            "test.fast.clear", "DELETE FROM marketing_contact_property_values WHERE workspace_id = \(workspace)")
        try await tx.run(
            "test.fast",
            """
            INSERT INTO marketing_contact_property_values (workspace_id, property_id, contact_id, text_value, number_value)
            SELECT \(workspace), d.id, c.id,
                CASE WHEN d.type IN ('text', 'longText', 'url', 'singleSelect', 'multiSelect')
                    THEN left(lower(e.value #>> '{}'), 200) END,
                CASE d.type WHEN 'number' THEN (e.value #>> '{}')::float8 WHEN 'money' THEN (e.value->>'amount')::float8
                    WHEN 'boolean' THEN (e.value = 'true')::int
                    WHEN 'date' THEN extract(epoch FROM (e.value #>> '{}')::date)
                    WHEN 'dateTime' THEN extract(epoch FROM (e.value #>> '{}')::timestamptz) END
            FROM marketing_property_definitions d
            JOIN marketing_contacts c ON c.workspace_id = \(workspace) AND c.properties ? d.name
            CROSS JOIN LATERAL jsonb_array_elements(
                CASE jsonb_typeof(c.properties->d.name) WHEN 'array' THEN c.properties->d.name
                    ELSE jsonb_build_array(c.properties->d.name) END) AS e (value)
            WHERE d.workspace_id = \(workspace) AND d.speed = 'fast' AND d.object = 'contact' AND e.value <> '""'
            """)
    }
}
