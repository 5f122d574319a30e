import Contacts
import Core
import Portal
import TestSupport
import Testing
import Web

@testable import Segments

@Suite("The builder of segments")
struct BuilderTests {
    private func form(_ more: [(String, String)]) -> FormValues {
        FormValues([("r.match", "all"), ("r.kind", "group")] + more)
    }

    @Test("Buttons add and remove conditions and groups, and what was typed stays")
    func commands() {
        var draft = DraftGroup(
            form([
                ("r.count", "2"), ("r.0.kind", "leaf"), ("r.0.field", "email"), ("r.0.operator", "contains"),
                ("r.0.value", "example"), ("r.1.kind", "group"), ("r.1.match", "any"), ("r.1.count", "0"),
            ]))
        draft.perform(.addCondition("r.1"))
        draft.perform(.addGroup("r"))
        #expect(draft.nodes.count == 3)
        guard case .group(let inner) = draft.nodes[1] else { return #expect(Bool(false)) }
        #expect(inner.match == .any)
        #expect(inner.nodes.count == 1)
        draft.perform(.remove("r.2"))
        draft.perform(.remove("r.1.0"))
        draft.perform(.remove("r.9"))
        draft.perform(.remove("r"))
        #expect(draft.nodes.count == 2)
        guard case .leaf(let leaf) = draft.nodes[0] else { return #expect(Bool(false)) }
        #expect(leaf.text("value") == "example")
    }

    @Test("Random rules come out of the builder as they went in")
    func roundTrip() throws {
        let world = RandomWorld()
        var random = SeededGenerator(5)
        var names = RuleNames()
        for (index, company) in world.companies.enumerated() { names.companies[company] = "Company \(index)" }
        var reader = DraftReader(catalog: world.catalog)
        for (id, name) in names.companies { reader.companies[name.lowercased()] = id }
        var same = 0
        for _ in 0..<300 {
            let rule: RuleGroup = world.group(&random)
            // A line break inside a value is beyond the builder.
            let again = try? RuleParser.parse(reader.json(DraftGroup(rule, names)), world.catalog)
            if again == rule { same += 1 }
        }
        #expect(same > 285, "\(same)")
    }

    @Test("Conditions on an event's properties are all kept, with the kind of their values, and come and go by buttons")
    func filters() throws {
        let filters: [RuleEventFilter] = [
            RuleEventFilter("total", .moreThan, .number(100)), RuleEventFilter("code", .equals, .text("007")),
            RuleEventFilter("gift", .equals, .flag(true)), RuleEventFilter("word", .oneOf, .texts(["yes", "a b"])),
            RuleEventFilter("size", .between, .numberRange(1, 2.5)), RuleEventFilter("note", .isNotEmpty, .none),
            RuleEventFilter("quote", .contains, .text("\"x\"")),
        ]
        let rule = RuleGroup(.all, [.behaviour(RuleBehaviour(.event("order placed"), filters: filters))])
        let draft = DraftGroup(rule, RuleNames())
        let catalog = FieldCatalog()
        #expect(try RuleParser.parse(DraftReader(catalog: catalog).json(draft), catalog) == rule)

        var more = DraftGroup(
            form([
                ("r.count", "1"), ("r.0.kind", "leaf"), ("r.0.field", "did.event"), ("r.0.name", "order placed"),
                ("r.0.where.0.property", "total"), ("r.0.where.0.operator", "moreThan"), ("r.0.where.0.value", "5"),
                ("r.0.where.1.property", "code"), ("r.0.where.1.operator", "is"), ("r.0.where.1.value", "x"),
            ]))
        func properties() -> [String] {
            guard case .leaf(let leaf)? = more.nodes.first else { return [] }
            return leaf.filters.map(\.property)
        }
        more.perform(.addFilter("r.0"))
        #expect(properties() == ["total", "code", ""])
        more.perform(.removeFilter("r.0.0"))
        more.perform(.removeFilter("r.0.7"))
        more.perform(.removeFilter("r.4.0"))
        #expect(properties() == ["code", ""])
        let rows = BuilderRows(vocabulary: BuilderVocabulary(), errors: ValidationErrors()).rows(more)
        let names: [String] = rows.flatMap(\.inputs).map(\.name)
        #expect(names.contains("r.0.where.1.property"))
        #expect(names.contains("unwhere r.0.1"))
        #expect(names.contains("where r.0"))
    }

    @Test("The page of a segment says when the nightly check ran, how long it took and what it found")
    func lastCheck() async throws {
        try await SegmentStage.with { stage in
            let list = try await stage.segment("All", #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#)
            try await stage.settle()
            let browser = try await stage.ana.signIn()
            #expect(!(try await browser.get("/segments/\(list)").text.contains("nightly check looked")))
            try await SegmentRefresh(
                services: stage.portal.services, ledger: LedgerBehaviour(), workspace: stage.workspace
            ).run(list, because: .check)
            let shown = try await browser.get("/segments/\(list)").text
            #expect(shown.contains("The last nightly check looked at everybody in"))
            #expect(shown.contains("and found nobody on the wrong side. It ran <time"))
        }
    }

    @Test("Without script the form comes back changed; saving makes the segment and shows it")
    func pages() async throws {
        try await SegmentStage.with { stage in
            _ = try await stage.contact("bo@example.com")
            let browser = try await stage.ana.signIn()
            let page = try await browser.get("/segments/new")
            #expect(page.status == .ok)
            let fields: [(String, String)] = [
                ("name", "Example people"), ("r.kind", "group"), ("r.match", "all"), ("r.count", "1"),
                ("r.0.kind", "leaf"), ("r.0.field", "email"), ("r.0.operator", "contains"),
                ("r.0.value", "example.com"),
            ]
            let more = try await browser.post("/segments", fields + [("do", "add r")])
            #expect(more.status == .ok)
            #expect(more.text.contains("r.1.field"))
            #expect(more.text.contains("value=\"example.com\""))
            #expect(more.text.contains("Finish the conditions"))
            let apply = try await browser.post("/segments", fields + [("do", "apply"), ("who", "bo"), ("query", "on")])
            #expect(apply.text.contains("1 person matches"))
            #expect(apply.text.contains("SELECT count(*)"))
            #expect(apply.text.contains("bo@example.com matches"))
            let wrong = try await browser.post("/segments", [("name", "")] + fields.dropFirst().dropLast())
            #expect(wrong.status == .unprocessableContent)
            #expect(wrong.text.contains("Error: New segment"))
            let saved = try await browser.post("/segments", fields)
            #expect(saved.status == .seeOther)
            let path = saved.headers[.location] ?? ""
            let shown = try await browser.get(path)
            #expect(shown.text.contains("People whose e-mail address contains “example.com”."))
            let edit = try await browser.get(path + "/edit")
            #expect(edit.text.contains("value=\"example.com\""))
            let why = try await browser.get(path + "?who=bo")
            #expect(why.text.contains("bo@example.com matches"))
            #expect(try await browser.get("/segments").text.contains("Example people"))
        }
    }

    @Test("A stored rule that is no longer understood opens with its mistake, not as an empty rule without a word")
    func brokenRule() async throws {
        try await SegmentStage.with { stage in
            let list = try await stage.segment("All", #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#)
            _ = try await stage.portal.services.database.write(
                stage.ana.scope.workspace, "tests.break",
                """
                UPDATE marketing_segments SET rules = '{"all":[{"field":"nothingLikeIt","operator":"isNotEmpty"}]}'
                WHERE workspace_id = \(stage.ana.scope.workspace) AND list_id = \(list)
                """)
            let page = try await stage.ana.signIn().get("/segments/\(list)/edit")
            #expect(page.status == .ok && page.text.contains("nothingLikeIt"))
        }
    }
}
