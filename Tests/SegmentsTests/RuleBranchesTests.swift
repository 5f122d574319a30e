import Core
import Portal
import Testing

@testable import Segments

@Suite("Rules taken apart, and the order of their conditions")
struct RuleBranchesTests {
    private let compiler = RuleCompiler(
        WorkspaceID(RandomPeople.id(1)),
        clock: RuleClock(now: .init(timeIntervalSince1970: 1_768_469_400), zone: "UTC"),
        ledger: LedgerBehaviour())
    private let vip = RuleNode.condition(RuleCondition(.tags, .contains, .text("vip")))
    private let ana = RuleNode.condition(RuleCondition(.firstName, .equals, .text("ana")))
    private let active = RuleNode.condition(RuleCondition(.emailStatus, .equals, .text("active")))
    private let opened = RuleNode.behaviour(RuleBehaviour(.opened))
    private let ordered = RuleNode.behaviour(RuleBehaviour(.event("order placed"), .atLeast(3)))

    private func none(_ nodes: RuleNode...) -> RuleNode { .group(RuleGroup(.none, nodes)) }
    private func any(_ nodes: RuleNode...) -> RuleNode { .group(RuleGroup(.any, nodes)) }

    @Test("A choice between rows and deeds becomes rules that have nobody in common")
    func choice() {
        #expect(
            RuleBranches.of(RuleGroup(.any, [vip, opened, any(ana, ordered)]), compiler) == [
                RuleGroup(.all, [any(vip, ana)]), RuleGroup(.all, [opened, none(vip, ana)]),
                RuleGroup(.all, [ordered, none(vip, ana), none(opened)]),
            ])
        #expect(
            RuleBranches.of(RuleGroup(.all, [active, any(opened, vip)]), compiler) == [
                RuleGroup(.all, [active, any(vip)]), RuleGroup(.all, [active, opened, none(vip)]),
            ])
    }

    @Test("Rules without a choice, with two, or whose choice indexes answer as a whole stay as they are")
    func whole() {
        let company = RuleNode.condition(RuleCondition(.company, .equals, .ids([RandomPeople.id(2)])))
        for rule in [
            RuleGroup(.all, [vip, opened]), RuleGroup(.any, [vip, ana]), RuleGroup(.none, [vip, opened]),
            RuleGroup(.all, [any(vip, opened), any(ana, ordered)]), RuleGroup(.any, [ordered, company]),
            RuleGroup(.any, [opened, opened, opened, opened, opened]),
        ] {
            #expect(RuleBranches.of(rule, compiler) == [rule])
        }
    }

    @Test("Conditions that decide soonest for their cost are compared first, in groups as well")
    func order() {
        #expect(RuleCost.ordered([opened, active, ana], areAll: true) == [ana, active, opened])
        #expect(RuleCost.ordered([opened, vip, active], areAll: false) == [active, vip, opened])
        #expect(RuleCost.ordered([active, ana], areAll: false, negated: true) == [ana, active])
        // Where parts of everybody are read, who did something is looked for in a set.
        #expect(RuleCost.ordered([vip, opened, active], areAll: false, by: .part) == [active, opened, vip])
        #expect(RuleCost.ordered([vip, opened, active], areAll: false, by: .copies) == [active, opened, vip])
    }

    @Test("Folding A to Z alone decides about plain texts; of others it leaves open what it cannot tell")
    func typed() {
        #expect(TypedText(wanted: "free_50%").isPlain)
        #expect(!TypedText(wanted: "kiel").isPlain)
        #expect(TypedText(wanted: "m\u{FC}ller_\\50%i").pattern == #"m_ller\_\\50\%_"#)
        #expect(TypedText(wanted: "日本i").pattern == nil)
        #expect(TypedText.beginning(#"50%_\"#) == #"50\%\_\\%"#)
        #expect(TypedText(wanted: "sch").firstLetters == ["s", "S"])
        #expect(TypedText(wanted: "4sale").firstLetters == ["4"])
        // The sign of Kelvin is a k as well, and capitals of other letters depend on the database.
        #expect(["klein", "ilse", "ärger", ""].allSatisfy { TypedText(wanted: $0).firstLetters == nil })
    }
}
