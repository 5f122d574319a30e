import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing

@testable import Segments

@Suite("Rules over many people")
struct RuleSizesTests {
    private static let people = 12_000

    /// People with a city each hundred of them share, a score, a plan, and an order each every third made.
    private func fill(_ stage: SegmentStage) async throws {
        let workspace: WorkspaceID = stage.workspace
        _ = try await stage.portal.services.database.write(workspace, timeout: .seconds(60)) { tx in
            for (name, type) in [("city", "text"), ("plan", "text"), ("score", "number"), ("level", "number")] {
                let id: PropertyID = stage.portal.services.ids.next()
                try await tx.run(
                    "test.property",
                    """
                    INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, speed,
                        created_at, updated_at)
                    VALUES (\(workspace), \(id), 'contact', \(name), \(name), \(type), 'fast', now(), now())
                    """)
            }
            try await tx.run(
                "test.people",
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, properties, created_at, updated_at)
                SELECT \(workspace), md5(n::text)::uuid, n || '@example.com', n || '@example.com',
                    jsonb_build_object('city', 'City ' || n % 120, 'plan', (ARRAY['free', 'pro'])[1 + n % 2],
                        'score', n % 1000, 'level', n % 25), now(), now()
                FROM generate_series(1, \(Self.people)) AS n
                """)
            try await tx.run(
                "test.totals",
                """
                INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count, revision)
                VALUES (\(workspace), \(Self.people), 1)
                ON CONFLICT (workspace_id) DO UPDATE SET contact_count = EXCLUDED.contact_count
                """)
            try await tx.run(
                "test.orders",
                """
                INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
                SELECT \(workspace), gen_random_uuid(), md5(n::text)::uuid, 'order placed', '{}', 'test',
                    now() - interval '1 day', now()
                FROM generate_series(1, \(Self.people), 3) AS n, generate_series(1, 2)
                """)
        }
    }

    private static let city = #"{"field":"properties.city","operator":"is","value":"City 7"}"#
    private static let pro = #"{"field":"properties.plan","operator":"is","value":"pro"}"#
    private static let score = #"{"field":"properties.score","operator":"between","value":[100,149]}"#
    private static let level = #"{"field":"properties.level","operator":"is","value":3}"#
    private static let active = #"{"field":"emailStatus","operator":"is","value":"active"}"#
    private static let order =
        #"{"behaviour":"event","name":"order placed","operator":"atLeast","times":2,"within":{"days":30}}"#

    @Test(
        "Questions begin with the sets worth reading, and find the same people as without",
        arguments: [
            // Counted; the others are not even looked at.
            (exact: 500, parts: [city, pro, active, order], places: [0]),
            // Estimated: two of like length are brought together, one of half the people is not read.
            (exact: 50, parts: [score, level, active], places: [0, 1]),
            (exact: 50, parts: [active, city, pro], places: [1]),
            // Half of the people: all are read in turn.
            (exact: 50, parts: [pro, active], places: []),
            // Fewer people than are counted anyway.
            (exact: 20_000, parts: [city, active], places: []),
        ])
    func starts(_ exact: Int, _ parts: [String], _ places: [Int]) async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            let rules = #"{"all":[\#(parts.joined(separator: ","))]}"#
            let json: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
            let actions = stage.portal.assembly.segments.actions
            let scope = stage.ana.scope
            try await stage.portal.services.database.read(stage.workspace) { tx in
                let rule = try await actions.desk.prepare(json, scope, in: tx)
                let query = RuleQuery(scope: scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
                let compiler = RuleCompiler(stage.workspace, clock: rule.clock, ledger: LedgerBehaviour())
                let sizes = RuleSizes(group: rule.group, compiler: compiler, transaction: tx, exact: exact)
                let start: RuleStart = try await sizes.start()
                #expect(Set(start.places) == Set(places), "\(start)")
                let count: Int = try await query.count([RuleBranch(group: rule.group, start: start)])
                #expect(count > 0)
                #expect(try await query.count([RuleBranch(group: rule.group, start: RuleStart())]) == count)
                let sample = try await query.sample([RuleBranch(group: rule.group, start: start)])
                #expect(Set(sample.map(\.id)).count == min(10, count))
                for person in sample {
                    #expect(try await query.explain(person.id)?.holds == true)
                }
            }
        }
    }

    @Test("A sample of those who did something often is the newest ten of them, found without counting everybody")
    func often() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            let rules = #"{"all":[\#(Self.order),\#(Self.pro)]}"#
            let json: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
            let actions = stage.portal.assembly.segments.actions
            try await stage.portal.services.database.read(stage.workspace) { tx in
                let rule = try await actions.desk.prepare(json, stage.ana.scope, in: tx)
                let query = RuleQuery(scope: stage.ana.scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
                for entries in [1_000, 4 * RuleStart.exact] {
                    let start = RuleStart(places: [0], left: 4_000, entries: entries)
                    let sample = try await query.sample([RuleBranch(group: rule.group, start: start)])
                    let newest: [ContactID] = try await tx.values(
                        ContactID.self, "test.newest",
                        """
                        SELECT c.id FROM marketing_contacts c
                        WHERE c.workspace_id = \(stage.workspace) AND c.properties->>'plan' = 'pro'
                            AND 2 <= (SELECT count(*) FROM marketing_events e
                                WHERE e.workspace_id = c.workspace_id AND e.contact_id = c.id)
                        ORDER BY c.id DESC LIMIT 10
                        """)
                    #expect(newest.count == 10)
                    #expect(sample.map(\.id) == newest)
                }
            }
        }
    }

    @Test(
        "Very many people are counted in parts, by several connections that see the same moment; the newest are named")
    func parts() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            let database: Database = stage.portal.services.database
            let actions = stage.portal.assembly.segments.actions
            for rules in [
                #"{"all":[\#(Self.pro)]}"#, #"{"all":[\#(Self.pro),\#(Self.order)]}"#,
                #"{"any":[\#(Self.pro),\#(Self.order)]}"#,
            ] {
                let json: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
                try await database.read(stage.workspace, isolation: .repeatableRead) { tx in
                    let rule = try await actions.desk.prepare(json, stage.ana.scope, in: tx)
                    var query = RuleQuery(
                        scope: stage.ana.scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
                    let groups: [RuleGroup] = RuleBranches.of(rule.group, query.compiler)
                    let uncut: [RuleBranch] = groups.map { RuleBranch(group: $0, start: RuleStart()) }
                    let whole: Int = try await query.count(uncut)
                    #expect(whole > 0)
                    let newest: FoundPeople = try await query.found(uncut, naming: true)
                    #expect(newest.count == whole && newest.ids.count == min(whole, RuleQuery.sampleSize))
                    // As many as there would be in a large workspace.
                    let many = RuleStart(people: RuleBranch.leastToCut)
                    let branches: [RuleBranch] = groups.map { RuleBranch(group: $0, start: many) }
                    let cut = try #require(try await RuleCut.of(branches, stage.workspace, database, tx))
                    #expect(cut.connections > 1)
                    query.database = database
                    // Whoever comes meanwhile is not of that moment.
                    _ = try await database.write(stage.workspace) { other in
                        try await other.run(
                            "test.more",
                            """
                            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, properties, created_at,
                                updated_at)
                            SELECT \(stage.workspace), gen_random_uuid(), NULL, NULL, '{"plan": "pro"}', now(), now()
                            FROM generate_series(1, 500)
                            """)
                    }
                    #expect(try await query.count(branches) == whole)
                    let named: FoundPeople = try await query.found(branches, naming: true)
                    #expect(named.count == whole && named.ids == newest.ids)
                    let helpers: String = try await tx.value(
                        String.self, "test.helpers", "SELECT current_setting('max_parallel_workers_per_gather')")
                    #expect(helpers == String(cut.helpers), "other statements have their helpers back")
                }
            }
        }
    }
}
