import Core
import Postgres

/// Where a question about everybody begins: with the sets of people that are small enough to be worth reading, or with
/// all people. PostgreSQL joins what it is given well enough, but cannot know how long these sets are: its statistics
/// mix the values of all properties.
struct RuleStart: Sendable, Equatable {
    /// The places of the sets among the rule's parts, the smallest first; none for all people.
    var places: [Int] = []
    /// How many people are left when all sets were applied, about.
    var left = Int.max
    /// How many entries all of them have, about.
    var entries = Int.max
    /// Whether few people did, or belong to, what must hold: then all are held against that first, and only those who
    /// are left have their rows compared.
    var probes = false

    /// How many people there are.
    var people = 0

    /// Sets up to this size are counted exactly, larger ones estimated.
    static let exact = 8_000

    /// Whether people are to be looked up one by one. With more of them PostgreSQL takes too long as soon as it guesses
    /// too low, which it does where conditions look into json; joining whole sets by hash costs the same whatever it
    /// guesses.
    var looksUp: Bool { left <= (hasCopies ? 2 * Self.exact : 60_000) }

    /// Whether everybody may be read from copies.
    var hasCopies = false

    /// The place of a set that is worth a look for a sample, where counting reads everybody.
    var sampled: Int?

    /// How long a set is.
    struct Size: Sendable, Equatable {
        let place: Int
        /// Entries of an index that have to be read.
        let entries: Int
        /// People whom it names.
        let people: Int
        /// Whether it stands in other tables, and is joined where it is not begun with.
        let isJoined: Bool

        init(place: Int, entries: Int, people: Int? = nil, isJoined: Bool = false) {
            self.place = place
            self.entries = entries
            self.people = people ?? entries
            self.isJoined = isJoined
        }

        /// Of deeds, of which each person has so many at least, done by anybody as often as by anybody else.
        init(place: Int, deeds: Int, atLeast count: Int, of people: Int, isJoined: Bool = false) {
            let each: Double = Double(deeds) / Double(max(people, 1))
            // Once: who did nothing at all is left out. More often: the first part of that row of numbers.
            var share: Double = each / (1 + each)
            if count > 1 {
                share = 1
                for number in 1...min(count, 20) { share *= each / Double(number) }
            }
            self.init(
                place: place, entries: deeds, people: max(1, Int(min(1, share) * Double(people))), isJoined: isJoined)
        }
    }

    /// In microseconds on a slow machine: reading an entry of an index and finding it among others, fetching a person
    /// by key with all comparisons, and looking at a person when all of them are read in turn.
    private static let (entry, fetch): (Double, Double) = (0.35, 4)
    /// Several connections read very many people.
    private static func read(_ people: Int, hasCopies: Bool) -> Double {
        people < RuleBranch.leastToCut ? 0.4 : hasCopies ? 0.12 : 0.25
    }

    private static func alone(_ size: Size) -> Double { Double(size.entries) * entry + Double(size.people) * fetch }

    /// - Parameter people: how many there are in the workspace.
    /// - Parameter exact: up to which length sets were counted.
    /// - Parameter hasCopies: whether everybody may be read from copies.
    static func choose(
        _ sizes: [Size], of people: Int, exact: Int = RuleStart.exact, hasCopies: Bool = false
    ) -> RuleStart {
        let ordered: [Size] = sizes.sorted { (alone($0), $0.place) < (alone($1), $1.place) }
        guard people > exact, let best = ordered.first else { return RuleStart(people: people, hasCopies: hasCopies) }
        var start = RuleStart(
            places: [best.place], left: min(best.people, people), entries: best.entries, people: people,
            hasCopies: hasCopies)
        for size in ordered.dropFirst() {
            let share: Double = min(1, Double(size.people) / Double(people))
            guard Double(size.entries) * entry < Double(start.left) * (1 - share) * fetch else { continue }
            start.entries += size.entries
            start.places.append(size.place)
            start.left = Int(Double(start.left) * share)
        }
        let cost: Double = Double(start.entries) * entry + Double(start.left) * fetch
        if best.entries <= exact || (start.looksUp && cost < Double(people) * read(people, hasCopies: hasCopies)) {
            return start
        }
        return RuleStart(
            probes: sizes.contains { $0.isJoined && $0.people < people / 4 }, people: people, hasCopies: hasCopies,
            sampled: best.people < people / 5 ? best.place : nil)
    }
}

/// People whom a rule finds, for use after `FROM`, with people as `c`.
struct RulePeople: Sendable {
    let source: SQL
    /// What reads and joins.
    let early: SQL
    /// What is compared on those who are left. Counting asks it as the filter of `count`: PostgreSQL compares rows
    /// before it joins them, however few the join would leave, and takes a row apart up to the last column that its
    /// scan asks for. Where that is the key alone, reading everybody costs a third of what it does with `deleted_at`.
    let late: SQL

    var condition: SQL { "\(early) AND \(late)" }
}

extension RuleCompiler {
    /// Everybody whom a rule finds.
    /// - Parameter most: look only at some of the smallest set (`RuleSet.some`); nil for all.
    func people(_ group: RuleGroup, from start: RuleStart, most: Int? = nil) -> RulePeople {
        let parts: [RuleNode] = Self.parts(group)
        let sets: [RuleSet] = start.places.compactMap { parts.indices.contains($0) ? set(parts[$0]) : nil }
        guard let first = sets.first, sets.count == start.places.count else { return everybody(parts, start) }
        let source: SQL
        if let most {
            source = first.some(most)
        } else if sets.count == 1 {
            source = first.all
        } else {
            // Neighbours stand side by side in index and table: in their order they are found sooner.
            source = Self.combine(sets.map(\.people), " INTERSECT ") + " ORDER BY contact_id"
        }
        let rest: [RuleNode] = parts.enumerated().filter { !start.places.contains($0.offset) }.map(\.element)
        // Few people are looked up one by one.
        let own = RuleCompiler(
            workspace, clock: clock, ledger: ledger, reach: isFew(start.left, after: rest) ? .few : reach)
        return RulePeople(
            source: """
                (\(source)) s
                JOIN marketing_contacts c ON c.workspace_id = \(workspace) AND c.id = s.contact_id
                """,
            early: own.condition(rest), late: "c.deleted_at IS NULL")
    }

    /// Those of some named people whom a rule finds.
    func people(_ group: RuleGroup, among ids: [ContactID]) -> RulePeople {
        RulePeople(
            source: "marketing_contacts c",
            early: "c.workspace_id = \(workspace) AND c.id = ANY (\(ids)) AND \(condition(group))",
            late: "c.deleted_at IS NULL")
    }

    /// Whether few people are left, about, for conditions that are no matter of their own rows.
    private func isFew(_ left: Int, after rest: [RuleNode]) -> Bool {
        let share: Double = rest.filter(\.isOfRow).reduce(1) { $0 * RuleCost($1).share }
        return Double(left) * share <= Double(2 * RuleStart.exact)
    }

    private func everybody(_ parts: [RuleNode], _ start: RuleStart) -> RulePeople {
        let others: [RuleNode] = parts.filter { !$0.isOfRow }
        var late: [RuleNode] = parts.filter {
            $0.isOfRow && (start.probes || RuleCost($0).share >= 0.95)
        }
        var early: SQL = likely(condition(parts.filter { $0.isOfRow && !late.contains($0) }))
        if slice != nil {
            // Where sets are joined, people would be looked up, or looked for in sets, whom the join is about to leave out.
            let last: [RuleNode] = others.filter { $0.isGroup || lookups.contains($0.positive) }
            early += " AND \(condition(others.filter { !last.contains($0) }))"
            late += last
        } else {
            early += " AND \(condition(others))"
        }
        early = "\(rows.of("c"))\(slice?.condition ?? "") AND \(early)"
        guard let facts else {
            return RulePeople(
                source: "marketing_contacts c", early: early,
                late: "c.deleted_at IS NULL AND \(condition(late))")
        }
        let isCurrent: SQL = facts.stale.isEmpty ? "" : " AND c.id <> ALL (\(facts.stale))"
        return RulePeople(
            source: "marketing_contact_facts c", early: "\(early)\(isCurrent)", late: condition(late))
    }
}
