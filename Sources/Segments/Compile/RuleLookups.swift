import Core
import Postgres

/// Conditions on lists, long texts and deeds that few people are left to be asked, because cheaper ones have decided the rule for
/// everybody else. These people are looked up one by one, instead of everybody being read.
extension RuleQuery {
    /// The conditions, as their positive forms, that are to be looked up.
    /// - Parameter people: how many there are in the workspace.
    func lookups(in group: RuleGroup, of people: Int) async throws -> Set<RuleNode> {
        let asked: [RuleNode: RuleNode] = group.asked
        let shares: [RuleNode: Double] = try await compiler.shares(
            of: Array(Set(asked.values)), people, in: transaction)
        var lookups: Set<RuleNode> = []
        for (leaf, undecided) in asked {
            guard let share = shares[undecided], share <= leaf.expense.mostLookedUp else { continue }
            if leaf.expense == .deed {
                guard let set = compiler.set(leaf) else { continue }
                let extent: RuleSet.Extent = try await set.extent(in: transaction)
                guard share * Double(people) * extent.lookup(leaf) < extent.reading else { continue }
            }
            lookups.insert(leaf)
        }
        return lookups
    }
}

extension RuleSet.Extent {
    /// How many microseconds it takes to look up one person's entries.
    fileprivate func lookup(_ leaf: RuleNode) -> Double {
        // Whether an entry belongs to the campaign is looked up as well.
        let isOfCampaign: Bool = if case .behaviour(let behaviour) = leaf { behaviour.campaign != nil } else { false }
        return 1.5 * Double(1 + scans) * (isOfCampaign ? 3 : 1)
    }

    /// How many it takes to read those of everybody.
    fileprivate var reading: Double { 0.27 * Double(entries) }
}

/// What a condition reads besides people's own rows, from the cheapest on. What is dearer is asked of those whom it still matters
/// for.
enum RuleExpense: Int, Comparable {
    case row, list, longText, deed

    static func < (some: RuleExpense, other: RuleExpense) -> Bool { some.rawValue < other.rawValue }

    /// The share of all people up to which looking them up may cost less than reading everybody does. Whether somebody is on a list
    /// takes 0.8 µs to look up, and 0.02 to read with everybody; a long text 1.2 and 0.2. Of deeds it depends on how many there are.
    fileprivate var mostLookedUp: Double {
        switch self {
        case .row, .list: 0.02
        case .longText: 0.15
        case .deed: 0.05
        }
    }
}

extension RuleGroup {
    /// What people's own rows do not answer, with what must hold for the rule to be undecided where that is asked.
    var asked: [RuleNode: RuleNode] {
        let leaves: Set<RuleNode> = Set(self.leaves.filter { !$0.isOfRow }.map(\.positive))
        var asked: [RuleNode: RuleNode] = [:]
        for leaf in leaves {
            let places: [[RuleNode]] = undecided(for: leaf)
            guard !places.contains(where: \.isEmpty) else { continue }
            asked[leaf] = .group(RuleGroup(.any, places.map { .group(RuleGroup(.all, $0)) }))
        }
        return asked
    }

    /// For each place of a condition, what cheaper ones beside it and around it must leave open.
    private func undecided(for leaf: RuleNode) -> [[RuleNode]] {
        let cheaper: [RuleNode] = nodes.filter { $0.expense < leaf.expense }
        // One that does not hold decides where all must; one that does, where any may or none must.
        let open: [RuleNode] = cheaper.isEmpty ? [] : [.group(RuleGroup(match == .all ? .all : .none, cheaper))]
        return nodes.flatMap { node -> [[RuleNode]] in
            if case .group(let group) = node { return group.undecided(for: leaf).map { open + $0 } }
            return node.positive == leaf ? [open] : []
        }
    }
}

extension RuleNode {
    /// That of the dearest condition in it.
    var expense: RuleExpense {
        switch self {
        case .behaviour: return .deed
        case .group(let group): return group.nodes.map(\.expense).max() ?? .row
        case .condition(let condition):
            if case .property(let property) = condition.field, property.type == .longText { return .longText }
            return isOfRow ? .row : .list
        }
    }

    /// That of the dearest condition in it that is looked up: those come after all others of their group, the dearest last.
    func expense(of lookups: Set<RuleNode>) -> RuleExpense {
        guard case .group(let group) = self else { return lookups.contains(positive) ? expense : .row }
        return group.nodes.map { $0.expense(of: lookups) }.max() ?? .row
    }
}

extension RuleNode {
    /// The condition that holds where this one, or its contrary, does.
    var positive: RuleNode {
        switch self {
        case .group: return self
        case .behaviour(var behaviour):
            behaviour.times = .atLeast(behaviour.threshold)
            return .behaviour(behaviour)
        case .condition(let condition):
            guard let opposite = condition.comparison.opposite else { return self }
            return .condition(RuleCondition(condition.field, opposite, condition.value))
        }
    }
}
