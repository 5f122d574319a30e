import Core
import FoundationEssentials

/// A segment's rule: groups of conditions, checked and with every name resolved.
package indirect enum RuleNode: Sendable, Hashable {
    case group(RuleGroup)
    case condition(RuleCondition)
    case behaviour(RuleBehaviour)
}

/// Conditions that hold together, one of which holds, or none of which holds.
package struct RuleGroup: Sendable, Hashable {
    package enum Match: String, Sendable, CaseIterable {
        case all, any, none
    }

    package let match: Match
    package let nodes: [RuleNode]

    package init(_ match: Match, _ nodes: [RuleNode]) {
        self.match = match
        self.nodes = nodes
    }
}

/// A field compared with a value.
package struct RuleCondition: Sendable, Hashable {
    package let field: RuleField
    package let comparison: RuleOperator
    package let value: RuleValue

    package init(_ field: RuleField, _ comparison: RuleOperator, _ value: RuleValue = .none) {
        self.field = field
        self.comparison = comparison
        self.value = value
    }
}

/// What a condition compares with.
package enum RuleValue: Sendable, Hashable {
    case none
    case text(String)
    case texts([String])
    case number(Double)
    case numbers([Double])
    case numberRange(Double, Double)
    case money(RuleMoney)
    case moneyRange(RuleMoney, RuleMoney)
    case flag(Bool)
    case point(RulePoint)
    case points(RulePoint, RulePoint)
    /// So many days.
    case days(Int)
    case dayOfYear(MonthDay)
    case daysOfYear(MonthDay, MonthDay)
    case month(RuleMonth)
    case ids([UUID])
}

package struct RuleMoney: Sendable, Hashable {
    /// In the currency's smallest unit.
    package let amount: Int
    /// ISO 4217.
    package let currency: String

    package init(amount: Int, currency: String) {
        self.amount = amount
        self.currency = currency
    }
}

/// A whole local day, or a moment.
package enum RulePoint: Sendable, Hashable {
    case day(Day)
    case moment(Date)
}

package enum RuleMonth: Sendable, Hashable {
    case this, next
    case number(Int)
}

/// Something that people did or got, so often, within some time.
package struct RuleBehaviour: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case sent, opened, clicked
        /// What a host product or the site told, by its name.
        case event(String)
    }

    package enum Times: Sendable, Hashable {
        case atLeast(Int)
        case atMost(Int)
        case never
    }

    package enum Window: Sendable, Hashable {
        /// The last so many days, today included.
        case lastDays(Int)
        /// From the beginning of the first day to the end of the last.
        case days(Day, Day)
    }

    package let kind: Kind
    package var times: Times
    package let window: Window?
    /// Only messages of this campaign.
    package var campaign: CampaignID?
    /// Only clicks on this address.
    package let link: String?
    /// Only what people seem to have done themselves, machines left out.
    package let humanOnly: Bool
    /// Conditions on an event's properties; all must hold.
    package let filters: [RuleEventFilter]

    package init(
        _ kind: Kind, _ times: Times = .atLeast(1), window: Window? = nil, campaign: CampaignID? = nil,
        link: String? = nil, humanOnly: Bool = true, filters: [RuleEventFilter] = []
    ) {
        self.kind = kind
        self.times = times
        self.window = window
        self.campaign = campaign
        self.link = link
        self.humanOnly = humanOnly
        self.filters = filters
    }

    /// What a note of changes calls it. A click counts as an open too: images may be off.
    var changes: [String] {
        switch kind {
        case .sent: ["sent"]
        case .opened: ["opened", "clicked"]
        case .clicked: ["clicked"]
        case .event(let name): ["event.\(name)"]
        }
    }
}

/// A condition on a property of an event. Events have no declared types: the value's own type decides.
package struct RuleEventFilter: Sendable, Hashable {
    package let property: String
    package let comparison: RuleOperator
    package let value: RuleValue

    package init(_ property: String, _ comparison: RuleOperator, _ value: RuleValue) {
        self.property = property
        self.comparison = comparison
        self.value = value
    }

    static let operators: [RuleOperator] = [
        .equals, .differs, .contains, .notContains, .startsWith, .endsWith, .moreThan, .lessThan, .atLeast, .atMost,
        .between, .oneOf, .noneOf, .isEmpty, .isNotEmpty,
    ]
}

extension RuleGroup {
    /// Every condition and behaviour, in order.
    package var leaves: [RuleNode] {
        nodes.flatMap { node -> [RuleNode] in
            if case .group(let group) = node { return group.leaves }
            return [node]
        }
    }

    /// Names of changes that may change who matches, sorted, each once.
    package var changes: [String] {
        var names: Set<String> = []
        for leaf in leaves {
            switch leaf {
            case .condition(let condition): names.formUnion(condition.field.changes)
            case .behaviour(let behaviour): names.formUnion(behaviour.changes)
            case .group: break
            }
        }
        return names.sorted()
    }

    /// Whether who matches changes by itself at midnight.
    package var isRelative: Bool {
        leaves.contains { leaf in
            switch leaf {
            case .condition(let condition):
                switch condition.value {
                case .month(.this), .month(.next): true
                default: condition.comparison.isRelative
                }
            case .behaviour(let behaviour):
                switch behaviour.window {
                case .lastDays: true
                default: false
                }
            case .group: false
            }
        }
    }

    /// The lists that the rule asks for.
    package var lists: [ContactListID] { ids(of: .list).map(ContactListID.init) }

    func ids(of field: RuleField) -> [UUID] {
        leaves.flatMap { leaf -> [UUID] in
            guard case .condition(let condition) = leaf, condition.field == field, case .ids(let ids) = condition.value
            else { return [] }
            return ids
        }
    }

    var campaigns: [CampaignID] {
        leaves.compactMap { leaf in
            guard case .behaviour(let behaviour) = leaf else { return nil }
            return behaviour.campaign
        }
    }
}
