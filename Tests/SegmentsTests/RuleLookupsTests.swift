import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import Testing

@testable import Segments

@Suite("Conditions that few people are left to be asked")
struct RuleLookupsTests {
    private let vip = RuleNode.condition(RuleCondition(.tags, .contains, .text("vip")))
    private let ana = RuleNode.condition(RuleCondition(.firstName, .equals, .text("ana")))
    private let member = RuleNode.condition(RuleCondition(.list, .oneOf, .ids([RandomPeople.id(2)])))
    private let stranger = RuleNode.condition(RuleCondition(.list, .noneOf, .ids([RandomPeople.id(2)])))
    private let opened = RuleNode.behaviour(RuleBehaviour(.opened))
    private let neverOpened = RuleNode.behaviour(RuleBehaviour(.opened, .never))
    private let note = RuleNode.condition(
        RuleCondition(
            .property(RuleProperty(id: PropertyID(UUID()), name: "note", type: .longText, isFast: false)), .contains,
            .text("fair")))

    private func all(_ nodes: RuleNode...) -> RuleNode { .group(RuleGroup(.all, nodes)) }
    private func any(_ nodes: RuleNode...) -> RuleNode { .group(RuleGroup(.any, nodes)) }
    private func none(_ nodes: RuleNode...) -> RuleNode { .group(RuleGroup(.none, nodes)) }

    @Test(
        "Who is left to be asked are those whom nothing cheaper has decided about, beside the condition and around it")
    func undecided() {
        #expect(RuleGroup(.all, [vip, ana]).asked.isEmpty)
        #expect(RuleGroup(.all, [opened]).asked.isEmpty)
        #expect(RuleGroup(.all, [vip, neverOpened, ana]).asked == [opened: any(all(all(vip, ana)))])
        for match in [RuleGroup.Match.any, .none] {
            #expect(
                RuleGroup(match, [opened, note, stranger, vip]).asked == [
                    member: any(all(none(vip))), note: any(all(none(stranger, vip))),
                    opened: any(all(none(note, stranger, vip))),
                ])
        }
        #expect(
            RuleGroup(.all, [vip, any(ana, member)]).asked == [member: any(all(all(vip), none(ana)))])
        // In whichever place: where nothing comes before it, everybody is asked.
        #expect(
            RuleGroup(.all, [any(vip, opened), all(ana, opened)]).asked == [
                opened: any(all(none(vip)), all(all(ana)))
            ])
        #expect(RuleGroup(.any, [all(vip, opened), opened]).asked.isEmpty)
    }

    @Test("What is looked up comes last, the dearest at the end")
    func order() {
        #expect(
            RuleCost.ordered([note, opened, member, vip], areAll: true, by: .copies, last: [opened, member]) == [
                vip, note, member, opened,
            ])
        #expect(
            RuleCost.ordered([any(note, neverOpened), note, vip], areAll: false, by: .copies, last: [opened]) == [
                vip, note, any(note, neverOpened),
            ])
    }

    @Test("A sample of people tells for how many a condition still matters")
    func sample() async throws {
        try await SegmentStage.with { stage in
            let people = 3_000
            try await stage.portal.services.database.write(stage.workspace) { tx in
                try await tx.run(
                    "test.people",
                    """
                    INSERT INTO marketing_contacts (workspace_id, id, email, email_key, first_name, created_at, updated_at)
                    SELECT \(stage.workspace), md5(n::text)::uuid, n || '@example.com', n || '@example.com', 'Ana ' || n % 100,
                        now(), now()
                    FROM generate_series(1, \(people)) AS n
                    """)
                let rules = #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#
                let json: JSONValue = try JSONDecoder().decode(JSONValue.self, from: Data(rules.utf8))
                let rule = try await stage.portal.assembly.segments.actions.desk.prepare(json, stage.ana.scope, in: tx)
                let query = RuleQuery(scope: stage.ana.scope, rule: rule, ledger: LedgerBehaviour(), transaction: tx)
                for (names, lookups) in [(1, [member, note]), (10, [note]), (50, [])] {
                    let named = RuleNode.condition(
                        RuleCondition(.firstName, .oneOf, .texts((0..<names).map { "Ana \($0)" })))
                    let found = try await query.lookups(in: RuleGroup(.all, [named, any(member, note)]), of: people)
                    #expect(found == Set(lookups))
                    // Whoever is a stranger is decided about; nobody is on the list.
                    let denied = try await query.lookups(
                        in: RuleGroup(.all, [named, none(stranger, note)]), of: people)
                    #expect(denied == Set(lookups + [note]))
                }
            }
        }
    }
}
