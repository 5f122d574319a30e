import Core
import Postgres

/// The people that one part of a rule finds, as indexes name them.
struct RuleSet: Sendable {
    /// A `SELECT` of `contact_id` for use in brackets. People may come more than once, and deleted ones too.
    let people: SQL
    /// The same, or more that is cheaper to read: what its size is judged by.
    let estimate: SQL
    /// The same people in the order of their ids, each once, where an index names them so: then the first ones are known
    /// before the others are looked at.
    let inOrder: (@Sendable (IDOrder) -> SQL)?

    enum IDOrder {
        case ascending
        /// The newest people first, as far as so many entries name them.
        case newest(entries: Int)

        var sql: SQL {
            if case .newest = self { " DESC" } else { "" }
        }

        /// Keeps the order: PostgreSQL cannot tell how much less it costs.
        var fence: SQL {
            if case .newest(let entries) = self { " LIMIT \(entries)" } else { " OFFSET 0" }
        }
    }

    init(_ people: SQL, estimate: SQL? = nil) {
        self.people = people
        self.estimate = estimate ?? people
        inOrder = nil
    }

    init(estimate: SQL, inOrder: @escaping @Sendable (IDOrder) -> SQL) {
        people = inOrder(.ascending)
        self.estimate = estimate
        self.inOrder = inOrder
    }

    /// Each of them once, in the order of ids.
    var all: SQL {
        inOrder?(.ascending) ?? "SELECT DISTINCT contact_id FROM (\(people)) q ORDER BY contact_id"
    }

    /// Some people: the newest where they are in order, else those whom so many entries of an index name.
    func some(_ most: Int) -> SQL {
        // Who did it often enough stands among others who did it too seldom.
        if let inOrder { return "SELECT contact_id FROM (\(inOrder(.newest(entries: 10 * most)))) q LIMIT \(most)" }
        return "SELECT DISTINCT contact_id FROM (SELECT contact_id FROM (\(people)) q LIMIT \(most)) q"
    }
}

/// Behind the workspace wall only leakproof comparisons reach indexes (docs/postgres.md), so what can be is written
/// with those of uuid, text, float8 and timestamptz.
extension RuleCompiler {
    /// The parts of a rule that must all hold.
    static func parts(_ group: RuleGroup) -> [RuleNode] {
        switch group.match {
        case .any: return [.group(group)]
        case .none: return group.nodes.flatMap(denied)
        case .all: break
        }
        return group.nodes.flatMap { node -> [RuleNode] in
            if case .group(let inner) = node { return parts(inner) }
            return [node]
        }
    }

    /// What must hold for a part not to hold: without a denial, where there is another way to say it, because what is not denied can
    /// be begun with.
    private static func denied(_ node: RuleNode) -> [RuleNode] {
        switch node {
        case .condition(let condition):
            guard let opposite = condition.comparison.opposite else { break }
            return [.condition(RuleCondition(condition.field, opposite, condition.value))]
        case .behaviour(var behaviour):
            switch behaviour.times {
            case .never: behaviour.times = .atLeast(1)
            case .atMost(let count): behaviour.times = .atLeast(count + 1)
            case .atLeast(let count): behaviour.times = count == 1 ? .never : .atMost(count - 1)
            }
            return [.behaviour(behaviour)]
        case .group(let group):
            switch group.match {
            case .any: return group.nodes.flatMap(denied)
            case .none: return [.group(RuleGroup(.any, group.nodes))]
            case .all: break
            }
        }
        return [.group(RuleGroup(.none, [node]))]
    }

    /// Exactly the people for whom a part holds, where indexes can name them; nil for everything else.
    func set(_ node: RuleNode) -> RuleSet? {
        switch node {
        case .condition(let condition):
            guard condition.comparison.opposite == nil else { return nil }
            return set(condition)
        case .behaviour(let behaviour):
            guard case .atLeast(let count) = behaviour.times else { return nil }
            return set(behaviour, atLeast: count)
        case .group(let group):
            guard group.match != .none else { return nil }
            let sets: [RuleSet] = group.nodes.compactMap(set)
            guard !sets.isEmpty, sets.count == group.nodes.count else { return nil }
            let isAll: Bool = group.match == .all
            return RuleSet(
                Self.combine(sets.map(\.people), isAll ? " INTERSECT " : " UNION ALL "),
                estimate: Self.combine(isAll ? [sets[0].estimate] : sets.map(\.estimate), " UNION ALL "))
        }
    }

    static func combine(_ sets: [SQL], _ word: SQL) -> SQL {
        SQL.join(sets.map { "SELECT contact_id FROM (\($0)) q" }, separator: word)
    }

    private func set(_ condition: RuleCondition) -> RuleSet? {
        let (comparison, value) = (condition.comparison, condition.value)
        switch condition.field {
        case .property(let property):
            return property.isFast ? fast(property, comparison, value).map { RuleSet($0) } : nil
        case .email, .phone:
            guard comparison == .equals || comparison == .oneOf else { return nil }
            let key: SQL = condition.field == .email ? "x.email_key" : "x.phone"
            return own(predicate(condition.field.kind, comparison, value, .text(key)))
        case .emailStatus:
            guard case .texts(let statuses) = value.asTexts, !statuses.contains("active") else { return nil }
            return own("x.email_status = ANY (\(statuses)) AND x.email_status <> 'active'")
        case .company:
            guard case .ids = value else { return nil }
            return own(predicate(condition.field.kind, comparison, value, .id("x.company_id")))
        case .list:
            guard case .ids(let lists) = value else { return nil }
            return RuleSet(
                """
                SELECT m.contact_id FROM marketing_list_members m
                WHERE m.workspace_id = \(workspace) AND m.list_id = ANY (\(lists))
                """)
        case .companyField, .companyProperty: return company(isCompany(condition))
        default: return nil
        }
    }

    private func own(_ condition: SQL) -> RuleSet {
        RuleSet(
            """
            SELECT x.id AS contact_id FROM marketing_contacts x
            WHERE x.workspace_id = \(workspace) AND x.deleted_at IS NULL AND \(condition)
            """)
    }

    private func company(_ condition: SQL) -> RuleSet {
        RuleSet(
            """
            SELECT x.id AS contact_id FROM marketing_companies k
            JOIN marketing_contacts x ON x.workspace_id = \(workspace) AND x.company_id = k.id AND x.deleted_at IS NULL
            WHERE k.workspace_id = \(workspace) AND k.deleted_at IS NULL AND \(condition)
            """)
    }

    private func set(_ behaviour: RuleBehaviour, atLeast count: Int) -> RuleSet? {
        if behaviour.isOfLedger { return RuleSet(deeds(behaviour, once: true)) }
        return RuleSet(estimate: deeds(behaviour.withoutDetails, once: false)) {
            often(behaviour, atLeast: count, inOrder: $0)
        }
    }
}

extension RuleCompiler {
    /// Who did it so often.
    func people(who behaviour: RuleBehaviour, atLeast count: Int) -> SQL {
        behaviour.isOfLedger
            ? deeds(behaviour, once: true) : often(behaviour, atLeast: count, inOrder: .ascending)
    }

    /// Who stands so often among deeds that indexes name in the order of people. Read in that order, neighbours are
    /// counted as they pass by, in half the time that a table of everybody takes.
    func often(_ behaviour: RuleBehaviour, atLeast count: Int, inOrder order: RuleSet.IDOrder) -> SQL {
        let enough: SQL = count > 1 ? " HAVING count(*) >= \(count)" : ""
        return """
            SELECT d.contact_id FROM (\(merged(stretches(behaviour, in: order), order))) d
            GROUP BY d.contact_id\(enough) ORDER BY d.contact_id\(order.sql)
            """
    }

    /// Those of all stretches, as each of them has them in order.
    private func merged(_ stretches: [SQL], _ order: RuleSet.IDOrder) -> SQL {
        guard stretches.count > 1 else { return stretches[0] }
        return """
            SELECT q.contact_id FROM (\(SQL.join(stretches.map { "(\($0))" }, separator: " UNION ALL "))) q
            ORDER BY q.contact_id\(order.sql)\(order.fence)
            """
    }
}

extension RuleBehaviour {
    /// What an index alone can tell of it, at once.
    fileprivate var withoutDetails: RuleBehaviour {
        RuleBehaviour(kind, times, window: window, humanOnly: humanOnly)
    }

    /// The same with messages of whatever campaign.
    var ofAllCampaigns: RuleBehaviour {
        var behaviour: RuleBehaviour = self
        behaviour.campaign = nil
        return behaviour
    }
}

extension RuleValue {
    /// One text as a list of one.
    fileprivate var asTexts: RuleValue {
        if case .text(let text) = self { return .texts([text]) }
        return self
    }
}
