import Core

/// What looking at one condition costs, and how often it holds, by and large: the order in which conditions of a group
/// are compared. PostgreSQL takes conditions on json as they come, for all functions cost the same to it.
struct RuleCost {
    /// In tenths of a microsecond.
    var effort: Double
    /// How many of all people it holds for, between 0 and 1.
    var share: Double

    /// How people are looked at.
    enum Reading: Sendable {
        /// Everybody, or some named ones.
        case people
        /// A part of everybody, for which sets are made.
        case part
        /// The same from copies, whose columns cost next to nothing.
        case copies
    }

    var negated: RuleCost { RuleCost(effort: effort, share: 1 - share) }

    /// The conditions, each once, in the order in which the fewest comparisons are made: what decides soonest, for its cost,
    /// comes first.
    /// - Parameters:
    ///   - areAll: whether all must hold, so that one that does not decides.
    ///   - lookups: what must come after all others (`RuleLookups`).
    static func ordered(
        _ nodes: [RuleNode], areAll: Bool, negated: Bool = false, by reading: Reading = .people,
        last lookups: Set<RuleNode> = []
    ) -> [RuleNode] {
        let ranked: [(last: RuleExpense, rank: Double, place: Int, node: RuleNode)] = nodes.enumerated().map {
            place, node in
            let own = RuleCost(node, by: reading)
            let cost: RuleCost = negated ? own.negated : own
            let decides: Double = areAll ? 1 - cost.share : cost.share
            return (node.expense(of: lookups), cost.effort / max(decides, 0.001), place, node)
        }
        var seen: Set<RuleNode> = []
        return ranked.sorted { ($0.last, $0.rank, $0.place) < ($1.last, $1.rank, $1.place) }.map(\.node)
            .filter { seen.insert($0).inserted }
    }

    init(effort: Double, share: Double) {
        self.effort = effort
        self.share = share
    }

    init(_ node: RuleNode, by reading: Reading = .people) {
        switch node {
        case .condition(let condition): self.init(condition, reading)
        case .behaviour(let behaviour):
            let effort: Double = reading == .people ? 20 : Self.inSet
            let once = RuleCost(effort: effort, share: 0.3)
            if case .atLeast = behaviour.times { self = once } else { self = once.negated }
        case .group(let group): self.init(group, reading)
        }
    }

    private init(_ group: RuleGroup, _ reading: Reading) {
        let costs: [RuleCost] = group.nodes.map { node in
            let own = RuleCost(node, by: reading)
            return group.match == .none ? own.negated : own
        }
        effort = costs.reduce(0) { $0 + $1.effort }
        share =
            group.match == .any
            ? 1 - costs.reduce(1) { $0 * (1 - $1.share) } : costs.reduce(1) { $0 * $1.share }
    }

    private init(_ condition: RuleCondition, _ reading: Reading) {
        if let opposite = condition.comparison.opposite {
            self = RuleCost(RuleCondition(condition.field, opposite, condition.value), reading).negated
            return
        }
        self.init(effort: Self.effort(condition, reading), share: Self.share(condition))
    }

    /// Whether somebody stands in a set that was made for a part of everybody.
    private static let inSet = 0.7

    private static func effort(_ condition: RuleCondition, _ reading: Reading) -> Double {
        switch (condition.field, reading) {
        case (.list, .people), (.companyField, .people), (.companyProperty, .people): 20
        case (.list, _): inSet
        case (.companyField, _), (.companyProperty, _): 2
        case (.property(let property), .copies) where property.type == .longText: inSet
        case (_, .copies): condition.comparison == .contains || condition.comparison == .endsWith ? 0.5 : 0.2
        case (.property(let property), _):
            switch property.type {
            case .boolean: 1.5
            case .number, .singleSelect: 2.5
            default: 3.5
            }
        case (.tags, _), (.firstName, _), (.lastName, _), (.source, _): 1
        default: 0.5
        }
    }

    private static func share(_ condition: RuleCondition) -> Double {
        if condition.field == .emailStatus {
            switch condition.value {
            case .text("active"): return 0.95
            case .texts(let statuses) where statuses.contains("active"): return 0.97
            default: return 0.03
            }
        }
        switch condition.comparison {
        case .isNotEmpty: return 0.9
        case .equals: return condition.field.kind == .boolean ? 0.5 : 0.1
        case .oneOf, .containsAny, .between, .inLast, .inNext: return 0.3
        case .moreThan, .lessThan, .atLeast, .atMost, .before, .after, .olderThan: return 0.5
        default: return 0.1
        }
    }
}

extension RuleNode {
    /// Whether a person's own row answers it, or the copy of it, without a look at companies, lists or what people did.
    var isOfRow: Bool {
        switch self {
        case .behaviour: false
        case .group(let group): group.nodes.allSatisfy(\.isOfRow)
        case .condition(let condition):
            switch condition.field {
            case .list, .companyField, .companyProperty: false
            // Copies of long texts stand by themselves.
            case .property(let property): property.type != .longText
            default: true
            }
        }
    }
}
