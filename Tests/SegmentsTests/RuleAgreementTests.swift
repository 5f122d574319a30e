import Contacts
import Core
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing

@testable import Segments

@Suite("Compiler and evaluator")
struct RuleAgreementTests {
    private static let clock = RuleClock(now: PortalFixture.noon, zone: "Europe/Berlin")

    @Test("The compiler and the evaluator decide the same for random rules and random people, whatever the reach")
    func agree() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon)) { portal in
            let ana = try await portal.register("Ana")
            let world = RandomWorld()
            let people = RandomPeople(world: world, workspace: ana.scope.workspace, count: 40)
            try await people.write(portal, seed: 7)
            try await FactsKeeper(services: portal.services).copyEverybody(of: ana.scope.workspace)
            var random = SeededGenerator(20_260_115)
            var (matches, started, apart, copied) = (0, 0, 0, 0)
            for number in 0..<150 {
                let rule: RuleGroup = world.group(&random)
                let found = try await decided(rule, ana.scope.workspace, portal)
                for contact in (0..<people.count).map({ ContactID(RandomPeople.id($0)) }) {
                    guard
                        found.explained[contact] != found.everybody.contains(contact)
                            || found.everybody.contains(contact) != found.few.contains(contact)
                            || found.everybody.contains(contact) != found.started.contains(contact)
                            || found.everybody.contains(contact) != found.apart.contains(contact)
                            || found.everybody.contains(contact) != found.copied?.contains(contact)
                                ?? found.everybody.contains(contact)
                    else { continue }
                    Issue.record(
                        """
                        Rule \(number) \(rule.json): everybody \(found.everybody.contains(contact)), few \
                        \(found.few.contains(contact)), from sets \(found.started.contains(contact)), taken apart \(found.apart.contains(contact)), by copies \
                        \(String(describing: found.copied?.contains(contact))), evaluator \
                        \(String(describing: found.explained[contact])) for \(contact)
                        """)
                    return
                }
                matches += found.everybody.count
                started += found.sets
                apart += found.branches > 1 ? 1 : 0
                copied += found.copied == nil ? 0 : 1
            }
            // So must those that copies answer.
            #expect(copied > 60, "\(copied)")
            // So must those that are taken apart.
            #expect(apart > 10, "\(apart)")
            // Most rules cannot begin with a set; those that do must be many enough to prove something.
            #expect(started > 30, "\(started)")
            // Rules that nobody or everybody matches would prove little.
            #expect((1_000...5_000).contains(matches), "\(matches)")
        }
    }

    private struct Decided {
        var everybody: Set<ContactID> = []
        var few: Set<ContactID> = []
        /// Beginning with every set that indexes name.
        var started: Set<ContactID> = []
        var sets = 0
        /// By rules that have nobody in common.
        var apart: Set<ContactID> = []
        var branches = 0
        /// By the copies of people; nil where they do not tell all.
        var copied: Set<ContactID>?
        var explained: [ContactID: Bool] = [:]
    }

    private func decided(_ rule: RuleGroup, _ workspace: WorkspaceID, _ portal: PortalFixture) async throws -> Decided {
        let clock: RuleClock = Self.clock
        return try await portal.services.database.read(workspace) { tx in
            var decided = Decided()
            let everybody = RuleCompiler(workspace, clock: clock, ledger: LedgerBehaviour())
            let few = RuleCompiler(workspace, clock: clock, ledger: LedgerBehaviour(), reach: .few)
            decided.everybody = Set(
                try await tx.values(
                    ContactID.self, "test.everybody",
                    """
                    SELECT c.id FROM marketing_contacts c
                    WHERE c.workspace_id = \(workspace) AND \(everybody.condition(rule))
                    """))
            let places: [Int] = RuleCompiler.parts(rule).enumerated().compactMap { place, node in
                everybody.set(node) == nil ? nil : place
            }
            decided.sets = places.count
            let people = everybody.people(rule, from: RuleStart(places: places, left: 1_000_000))
            decided.started = Set(
                try await tx.values(
                    ContactID.self, "test.started", "SELECT c.id FROM \(people.source) WHERE \(people.condition)"))
            for place in places {
                let few = few.people(rule, from: RuleStart(places: [place], left: 10), most: 1_000)
                let found: [ContactID] = try await tx.values(
                    ContactID.self, "test.startedFew", "SELECT c.id FROM \(few.source) WHERE \(few.condition)")
                // Nobody comes twice.
                #expect(found.count == Set(found).count)
                #expect(Set(found) == decided.started)
            }
            try await takeApart(rule, everybody, tx, &decided)
            if let facts = try await tx.pipeline(RuleFacts.query(workspace)).first, facts.answers(rule) {
                var compiler: RuleCompiler = everybody
                compiler.facts = facts
                let people: RulePeople = compiler.people(rule, from: RuleStart())
                decided.copied = Set(
                    try await tx.values(
                        ContactID.self, "test.copied", "SELECT c.id FROM \(people.source) WHERE \(people.condition)"))
            }
            let answers = try await tx.rows(
                as: (ContactID, Bool).self, "test.few",
                "SELECT c.id, \(few.decision(rule)) FROM marketing_contacts c WHERE c.workspace_id = \(workspace)")
            decided.few = Set(answers.filter(\.1).map(\.0))
            let reader = FactsReader(workspace: workspace, clock: clock, ledger: LedgerBehaviour(), transaction: tx)
            for (contact, _) in answers {
                guard let facts = try await reader.facts(of: contact, for: rule) else { continue }
                let evaluator = RuleEvaluator(clock: clock, words: RuleWords(FieldCatalog()), facts: facts)
                decided.explained[contact] = evaluator.explain(rule).holds
            }
            return decided
        }
    }

    /// Each branch by all people, with rows compared before and after joins, and as it is counted.
    private func takeApart(
        _ rule: RuleGroup, _ compiler: RuleCompiler, _ tx: PostgresTransaction, _ decided: inout Decided
    ) async throws {
        let groups: [RuleGroup] = RuleBranches.of(rule, compiler)
        decided.branches = groups.count
        for group in groups {
            var found: [Set<ContactID>] = []
            for probes in [false, true] {
                let people: RulePeople = compiler.people(group, from: RuleStart(probes: probes))
                let ids: [ContactID] = try await tx.values(
                    ContactID.self, "test.apart", "SELECT c.id FROM \(people.source) WHERE \(people.condition)")
                found.append(Set(ids))
                let count: Int = try await tx.value(
                    Int.self, "test.count",
                    "SELECT count(*) FILTER (WHERE \(people.late)) FROM \(people.source) WHERE \(people.early)")
                #expect(count == ids.count)
            }
            #expect(found[0] == found[1])
            try await cut(group, compiler, tx, whole: found[0])
            // Branches have nobody in common.
            #expect(decided.apart.isDisjoint(with: found[0]))
            decided.apart.formUnion(found[0])
        }
        // Choices that everybody has to be read for are counted as a whole, in parts.
        if groups.count > 1 { try await cut(rule, compiler, tx, whole: decided.apart) }
    }

    /// Where a rule can be cut, its parts find everybody once, whichever way people are cut.
    private func cut(
        _ group: RuleGroup, _ compiler: RuleCompiler, _ tx: PostgresTransaction, whole: Set<ContactID>
    ) async throws {
        let everybody: [ContactID] = try await tx.values(
            ContactID.self, "test.ids",
            "SELECT id FROM marketing_contacts WHERE workspace_id = \(compiler.workspace) ORDER BY id")
        let people: [RuleSlice] = RuleSlice.people(everybody, ends: [0.4, 0.7, 1])
        let asked: [RuleNode] = Array(Set(group.leaves.map(\.positive).filter { !$0.isOfRow }))
        for (slices, lookups) in [
            (people, []), (RuleSlice.pages(2, ends: [0.5, 1]), []), (people, asked), (people, Array(asked.dropFirst())),
        ] {
            var ids: [ContactID] = []
            for slice in slices {
                var compiler: RuleCompiler = compiler
                compiler.slice = slice
                compiler.lookups = Set(lookups)
                let people: RulePeople = compiler.people(group, from: RuleStart())
                ids += try await tx.values(
                    ContactID.self, "test.slice", "SELECT c.id FROM \(people.source) WHERE \(people.condition)")
            }
            #expect(ids.count == whole.count)
            #expect(Set(ids) == whole)
        }
    }

    @Test("Random rules survive being written as JSON and read again")
    func roundTrip() throws {
        let world = RandomWorld()
        var random = SeededGenerator(99)
        for _ in 0..<500 {
            let rule: RuleGroup = world.group(&random)
            #expect(try RuleParser.parse(rule.json, world.catalog) == rule)
            #expect(RuleWords(world.catalog).sentence(rule).hasPrefix("People "))
        }
    }
}
