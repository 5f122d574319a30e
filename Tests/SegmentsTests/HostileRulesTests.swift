import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing
import Web

@testable import Segments

@Suite("Hostile rules")
struct HostileRulesTests {
    private static let texts: [String] = [
        "", "'; DROP TABLE marketing_contacts; --", "\\", "%", "\u{0}", "\u{FFFF}",
        String(repeating: "x", count: 5_000),
        "𝔘𝔫𝔦", "1e999", "is", "in", "all", "properties.", "properties.plan", "email", "createdAt", "company.owner",
        "did",
        "opened", "atLeast", "0192a6f4-7c1e-7d55-8000-3f1d2c4b5a69", "9999-12-31", "0001-01-01", "2026-13-45",
    ]

    private func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        switch random.number(1...(depth > 0 ? 9 : 6)) {
        case 1: return .null
        case 2: return .bool(random.chance(50))
        case 3: return .int(random.pick([0, -1, 1, .max, .min, 7]))
        case 4: return .double(random.pick([1e308, -0.0, 2.5]))
        case 5, 6: return .string(random.pick(Self.texts))
        case 7: return .array((0..<random.number(0...4)).map { _ in value(&random, depth: depth - 1) })
        default: return tree(&random, depth: depth - 1)
        }
    }

    /// Looks like a rule here and there, so that mistakes lie at all depths.
    private func tree(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if random.chance(60) {
            let nodes: [JSONValue] = (0..<random.number(0...4)).map { _ in
                random.chance(70) ? leaf(&random, depth: depth) : value(&random, depth: max(0, depth - 1))
            }
            members[random.pick(["all", "any", "none"])] = .array(nodes)
        } else {
            return leaf(&random, depth: depth)
        }
        if random.chance(10) { members[random.pick(Self.texts)] = value(&random, depth: 0) }
        return .object(members)
    }

    private func leaf(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
        if depth > 0, random.chance(20) { return tree(&random, depth: depth - 1) }
        var members: [String: JSONValue] = [:]
        if random.chance(70) {
            members["field"] = .string(random.pick(RuleField.fixed).path)
            members["operator"] = .string(random.pick(RuleOperator.allCases).rawValue)
            members["value"] = value(&random, depth: 1)
        } else {
            members["behaviour"] = .string(random.pick(["sent", "opened", "clicked", "event", "x"]))
            members["operator"] = .string(random.pick(["atLeast", "atMost", "never", "is"]))
            for name in ["times", "within", "campaign", "link", "by", "name", "where"] where random.chance(30) {
                members[name] = value(&random, depth: 2)
            }
        }
        return .object(members)
    }

    /// How many rules were answered, refused, and too broad; any other end is a failure.
    private func outcomes(
        of rules: [JSONValue], _ stage: SegmentStage
    ) async throws -> (answered: Int, refused: Int, tooBroad: Int) {
        var (answered, refused, tooBroad) = (0, 0, 0)
        for (number, rule) in rules.enumerated() {
            do {
                _ = try await stage.portal.assembly.segments.actions.preview(rule, stage.ana.scope)
                answered += 1
            } catch is ValidationErrors {
                refused += 1
            } catch let error as WebError where error.code == "too_broad" {
                tooBroad += 1
            } catch {
                Issue.record("Rule \(number) \(rule): \(error)")
            }
        }
        return (answered, refused, tooBroad)
    }

    @Test("A thousand random hostile rules are refused with 422 or answered, never anything else")
    func thousand() async throws {
        try await SegmentStage.with { stage in
            _ = try await stage.contact("bo@example.com")
            var random = SeededGenerator(4711)
            let rules: [JSONValue] = (0..<1_000).map { _ in tree(&random, depth: random.number(1...6)) }
            let (answered, refused, _) = try await outcomes(of: rules, stage)
            #expect(refused > 500)
            #expect(answered > 0)
        }
    }

    @Test("Rules of a valid shape with hostile values, sizes and depths reach the database and are answered")
    func wellFormed() async throws {
        try await SegmentStage.with { stage in
            try await stage.property("plan", .text)
            _ = try await stage.contact("bo@example.com", #","properties":{"plan":"pro"}"#)
            var random = SeededGenerator(815)
            let rules: [JSONValue] = (0..<500).map { _ in HostileShapes.rule(&random) }
            let (answered, refused, tooBroad) = try await outcomes(of: rules, stage)
            #expect(answered > 300, "\(answered) answered, \(refused) refused, \(tooBroad) too broad")
        }
    }

    @Test("Rules that are too deep or too long are refused by their place")
    func tooMuch() async throws {
        try await SegmentStage.with { stage in
            let condition = #"{"field":"email","operator":"isNotEmpty"}"#
            var deep = condition
            for _ in 0..<6 { deep = #"{"all":[\#(deep)]}"# }
            let many = #"{"any":["# + Array(repeating: condition, count: 101).joined(separator: ",") + "]}"
            let deepest = String(repeating: #"{"all":["#, count: 400) + condition + String(repeating: "]}", count: 400)
            for rule in [deep, many, deepest] {
                let answer = try await stage.ask(.post, "/v1/lists/preview-count", #"{"filterRules":\#(rule)}"#)
                #expect(answer.status == .unprocessableContent, "\(answer.text.prefix(300))")
            }
            var fine = condition
            for _ in 0..<5 { fine = #"{"all":[\#(fine)]}"# }
            #expect(
                try await stage.ask(.post, "/v1/lists/preview-count", #"{"filterRules":\#(fine)}"#).status == .ok)
        }
    }

    @Test("A rule that takes longer than the time limit is answered with too_broad, not with a fault")
    func tooBroad() async throws {
        try await SegmentStage.with { stage in
            try await stage.property("note", .text)
            let workspace: WorkspaceID = stage.workspace
            _ = try await stage.portal.services.database.write(workspace) { tx in
                try await tx.run(
                    "test.people",
                    """
                    INSERT INTO marketing_contacts (workspace_id, id, properties, created_at, updated_at)
                    SELECT \(workspace), gen_random_uuid(), jsonb_build_object('note', repeat('ab', 4000)), now(), now()
                    FROM generate_series(1, 2000)
                    """)
            }
            // Each looks through every note, and finds nothing.
            let conditions: [JSONValue] = (0..<100).map { number in
                .object([
                    "field": .string("properties.note"), "operator": .string("contains"),
                    "value": .string(String(repeating: "ab", count: 100) + "c\(number)"),
                ])
            }
            let (database, actions) = (stage.portal.services.database, stage.portal.assembly.segments.actions)
            let scope = stage.ana.scope
            await #expect(throws: RuleQuery.tooBroad) {
                try await RuleQuery.narrowing {
                    _ = try await database.read(workspace, timeout: .milliseconds(250)) { tx in
                        let rule = try await actions.desk.prepare(.object(["any": .array(conditions)]), scope, in: tx)
                        let query = RuleQuery(scope: scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
                        return try await query.count(try await query.start())
                    }
                }
            }
        }
    }
}
