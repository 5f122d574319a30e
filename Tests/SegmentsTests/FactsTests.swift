import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing

@testable import Segments

@Suite("Copies for counting")
struct FactsTests {
    private static let people = 12_000

    private func keeper(_ stage: SegmentStage) -> FactsKeeper { FactsKeeper(services: stage.portal.services) }

    private func run(_ stage: SegmentStage, _ sql: SQL) async throws {
        _ = try await stage.portal.services.database.write(stage.workspace, timeout: .seconds(60)) { tx in
            try await tx.run("test.facts", sql)
        }
    }

    private func number(_ stage: SegmentStage, _ sql: SQL) async throws -> Int {
        try await stage.portal.services.database.read(stage.workspace) { tx in
            try await tx.value(Int.self, "test.number", sql)
        }
    }

    private func fill(_ stage: SegmentStage) async throws {
        for (name, type) in [("plan", PropertyType.text), ("score", .number)] { try await stage.property(name, type) }
        try await run(
            stage,
            """
            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, properties, created_at, updated_at)
            SELECT \(stage.workspace), md5(n::text)::uuid, n || '@example.com', n || '@example.com',
                jsonb_build_object('plan', (ARRAY['Free', 'pro'])[1 + n % 2], 'score', n % 1000), now(), now()
            FROM generate_series(1, \(Self.people)) AS n
            """)
    }

    private func count(_ rules: String, _ stage: SegmentStage) async throws -> (cut: Int, whole: Int, stale: Int?) {
        try await stage.count(rules)
    }

    private static let free = #"{"all":[{"field":"properties.plan","operator":"is","value":"free"}]}"#

    @Test("A count is right while people change, whether or not their copies have followed")
    func changing() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            #expect(try await count(Self.free, stage) == (6_000, 6_000, nil))
            // Where nobody is copied, nobody is noted.
            #expect(
                try await number(
                    stage, "SELECT count(*) FROM marketing_stale_facts WHERE workspace_id = \(stage.workspace)") == 0)
            try await keeper(stage).copyEverybody(of: stage.workspace)
            #expect(try await count(Self.free, stage) == (6_000, 6_000, 0))

            try await run(
                stage,
                """
                UPDATE marketing_contacts SET properties = properties || '{"plan": "FREE"}'
                WHERE workspace_id = \(stage.workspace) AND properties->>'plan' = 'pro'
                    AND (properties->>'score')::integer < 101
                """)
            try await run(
                stage,
                """
                UPDATE marketing_contacts SET deleted_at = now()
                WHERE workspace_id = \(stage.workspace) AND (properties->>'score')::integer BETWEEN 200 AND 209
                """)
            try await run(
                stage,
                """
                DELETE FROM marketing_contacts
                WHERE workspace_id = \(stage.workspace) AND (properties->>'score')::integer = 210
                """)
            try await run(
                stage,
                """
                INSERT INTO marketing_contacts (workspace_id, id, properties, created_at, updated_at)
                SELECT \(stage.workspace), gen_random_uuid(), '{"plan": "free"}', now(), now() FROM generate_series(1, 7)
                """)
            // 600 with a new plan, 60 free ones deleted and 12 taken away, 7 new ones.
            #expect(try await count(Self.free, stage) == (6_535, 6_535, 600 + 120 + 12 + 7))
            try await keeper(stage).round()
            #expect(try await count(Self.free, stage) == (6_535, 6_535, 0))
            #expect(
                try await number(
                    stage, "SELECT count(*) FROM marketing_contact_facts WHERE workspace_id = \(stage.workspace)")
                    == Self.people - 132 + 7)
        }
    }

    @Test("At every moment copies and notes together tell how people are, while people change and copies follow")
    func moments() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            try await keeper(stage).copyEverybody(of: stage.workspace)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    for turn in 0..<40 {
                        try await run(
                            stage,
                            """
                            UPDATE marketing_contacts SET properties = properties || \(
                                JSONValue.object(["plan": .string(turn % 3 == 0 ? "pro" : "free")]))
                            WHERE workspace_id = \(stage.workspace) AND (properties->>'score')::integer % 40 = \(turn)
                            """)
                        if turn % 4 == 3 { try await keeper(stage).round() }
                    }
                }
                group.addTask {
                    for _ in 0..<12 {
                        let counted = try await count(Self.free, stage)
                        #expect(counted.cut == counted.whole)
                        #expect(counted.stale != nil)
                    }
                }
                try await group.waitForAll()
            }
            try await keeper(stage).round()
            let counted = try await count(Self.free, stage)
            #expect(counted.cut == counted.whole && counted.stale == 0)
        }
    }

    @Test("While very many wait to be copied, people are read themselves")
    func flood() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            try await keeper(stage).copyEverybody(of: stage.workspace)
            try await run(
                stage,
                """
                UPDATE marketing_contacts SET properties = properties || '{"plan": "free"}'
                WHERE workspace_id = \(stage.workspace)
                """)
            #expect(try await count(Self.free, stage) == (Self.people, Self.people, nil))
            // In notes that can be worked off one by one.
            #expect(
                try await number(
                    stage, "SELECT max(people) FROM marketing_stale_facts WHERE workspace_id = \(stage.workspace)")
                    == 5_000)
            try await keeper(stage).round()
            #expect(try await count(Self.free, stage) == (Self.people, Self.people, 0))
        }
    }

    /// Long texts stand by themselves, come and go with their property, and follow their people.
    private func longTexts(_ stage: SegmentStage) async throws {
        let (workspace, keeper) = (stage.workspace, keeper(stage))
        let copies: SQL = "SELECT count(*) FROM marketing_long_facts WHERE workspace_id = \(workspace)"
        let met = #"{"all":[{"field":"properties.note","operator":"contains","value":"FAIR"}]}"#
        let not = #"{"any":[{"field":"properties.note","operator":"notContains","value":"fair"}]}"#
        try await stage.property("note", .longText)
        try await run(
            stage,
            """
            UPDATE marketing_contacts SET properties = properties || '{"note": "Met at the Fair"}'
            WHERE workspace_id = \(workspace) AND id IN (md5('1')::uuid, md5('2')::uuid)
            """)
        #expect(try await count(met, stage) == (2, 2, nil))
        try await keeper.fill(workspace)
        #expect(try await number(stage, copies) == 2)
        #expect(try await count(met, stage) == (2, 2, 2))
        try await keeper.round()
        #expect(try await count(met, stage) == (2, 2, 0))
        #expect(try await count(not, stage) == (Self.people - 2, Self.people - 2, 0))
        try await run(
            stage,
            """
            UPDATE marketing_contacts SET properties = properties - 'note'
            WHERE workspace_id = \(workspace) AND id = md5('1')::uuid
            """)
        #expect(try await count(met, stage) == (1, 1, 1))
        try await keeper.round()
        #expect(try await count(met, stage) == (1, 1, 0))
        #expect(try await number(stage, copies) == 1)
        try await run(
            stage, "DELETE FROM marketing_property_definitions WHERE workspace_id = \(workspace) AND name = 'note'")
        try await keeper.fill(workspace)
        #expect(try await number(stage, copies) == 0)
    }

    @Test("New properties come into the copies, deleted ones go, and another type is copied anew")
    func properties() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            let (workspace, keeper) = (stage.workspace, keeper(stage))
            try await keeper.copyEverybody(of: workspace)
            func stored(_ key: String) async throws -> String? {
                try await stage.portal.services.database.read(workspace) { tx in
                    let names: [String] = try await tx.values(
                        String.self, "test.column",
                        "SELECT name FROM marketing_fact_columns WHERE workspace_id = \(workspace) AND property = \(key)"
                    )
                    guard let name = names.first else { return nil }
                    return try await tx.value(
                        String.self, "test.stored",
                        "SELECT coalesce(max(\(identifier: name)::text), 'none') FROM marketing_contact_facts WHERE workspace_id = \(workspace)"
                    )
                }
            }
            #expect(try await stored("plan") == "pro")

            try await stage.property("city", .text)
            try await run(
                stage,
                """
                UPDATE marketing_contacts SET properties = properties || '{"city": "Zürich"}'
                WHERE workspace_id = \(workspace) AND id = md5('1')::uuid
                """)
            let zurich = #"{"all":[{"field":"properties.city","operator":"is","value":"zürich"}]}"#
            // Until it is copied, people are read themselves.
            #expect(try await count(zurich, stage) == (1, 1, nil))
            try await keeper.round()
            try await keeper.fill(workspace)
            #expect(try await stored("city") == "zürich")
            #expect(try await count(zurich, stage) == (1, 1, 0))

            try await run(
                stage,
                "DELETE FROM marketing_property_definitions WHERE workspace_id = \(workspace) AND name = 'city'")
            try await keeper.fill(workspace)
            #expect(try await stored("city") == nil)
            #expect(
                try await number(
                    stage, "SELECT count(text2) FROM marketing_contact_facts WHERE workspace_id = \(workspace)") == 0)

            try await longTexts(stage)

            try await run(
                stage,
                """
                UPDATE marketing_property_definitions SET type = 'text'
                WHERE workspace_id = \(workspace) AND name = 'score'
                """)
            let texts = #"{"all":[{"field":"properties.score","operator":"isNotEmpty"}]}"#
            #expect(try await count(texts, stage) == (Self.people, Self.people, nil))
            try await keeper.fill(workspace)
            // Numbers that were stored before are no texts, but not nothing either.
            #expect(try await count(texts, stage) == (Self.people, Self.people, 0))
            let one = #"{"all":[{"field":"properties.score","operator":"is","value":"1"}]}"#
            #expect(try await count(one, stage) == (0, 0, 0))
        }
    }

    @Test("Workspaces are copied from so many people on, and no other workspace's people with them")
    func due() async throws {
        try await SegmentStage.with { stage in
            try await fill(stage)
            let other = try await stage.portal.register("Ben")
            func isDue(_ workspace: WorkspaceID) async throws -> Bool {
                try await stage.portal.services.database.write(workspace) { tx in
                    try await FactsFill(services: stage.portal.services, workspace: workspace).isDue(in: tx)
                }
            }
            #expect(try await isDue(stage.workspace) == false)
            try await run(
                stage,
                """
                INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count, revision)
                VALUES (\(stage.workspace), \(RuleBranch.leastToCut), 1)
                ON CONFLICT (workspace_id) DO UPDATE SET contact_count = EXCLUDED.contact_count
                """)
            #expect(try await isDue(stage.workspace))
            try await keeper(stage).look()
            let waiting: Int = try await stage.portal.services.database.session { session in
                try await session.value(
                    Int.self, "test.jobs",
                    """
                    SELECT count(*) FROM marketing_job_queue
                    WHERE kind = \(FactsFillJob.kind) AND workspace_id = \(stage.workspace)
                    """)
            }
            #expect(waiting == 1)
            try await keeper(stage).copyEverybody(of: stage.workspace)
            #expect(try await isDue(stage.workspace) == false)
            #expect(try await isDue(other.scope.workspace) == false)
            let seen: Int = try await stage.portal.services.database.read(other.scope.workspace) { tx in
                try await tx.value(Int.self, "test.wall", "SELECT count(*) FROM marketing_contact_facts")
            }
            #expect(seen == 0)
        }
    }
}
