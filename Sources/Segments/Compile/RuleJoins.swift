import Core
import FoundationEssentials
import Postgres

/// Sets of people that indexes name in the order of ids: who did something, who is on a list. Inside groups, where PostgreSQL
/// would make a table of each set and look everybody up in it, people are joined with them: a part of everybody is read in the
/// same order, side by side with them.
extension RuleCompiler {
    /// Each join takes time to plan. Further sets are looked into.
    private static let mostJoins = 6
    /// So many lists are read side by side.
    private static let mostLists = 8

    /// Groups of conditions, of a part of everybody, and what people are joined with for them; begins with `LEFT JOIN`.
    func joining(_ groups: [RuleNode]) -> (compiler: RuleCompiler, joins: SQL) {
        var compiler: RuleCompiler = self
        var joins: SQL = ""
        for leaf in RuleGroup(.all, groups).leaves.map(\.positive)
        where compiler.joined[leaf] == nil && !lookups.contains(leaf) {
            guard compiler.joined.count < Self.mostJoins, let set = inOrder(leaf) else { continue }
            let name: SQL = "\(identifier: "s\(compiler.joined.count + 1)")"
            compiler.joined[leaf] = "\(name).contact_id IS NOT NULL"
            joins += " LEFT JOIN (\(set)) \(name) ON \(name).contact_id = c.id"
        }
        return (compiler, joins)
    }

    /// `contact_id` of everybody for whom a condition holds, each once, in the order of ids; nil where no index names them so.
    private func inOrder(_ leaf: RuleNode) -> SQL? {
        switch leaf {
        case .group: return nil
        case .behaviour(let behaviour):
            return behaviour.isOfLedger ? nil : often(behaviour, atLeast: behaviour.threshold, inOrder: .ascending)
        case .condition(let condition):
            switch (condition.field, condition.value) {
            case (.list, .ids(let lists)) where lists.count <= Self.mostLists:
                return lists.isEmpty ? nil : each(of: lists.map(members))
            case (.property(let property), let value):
                guard let column = facts?.columns[property.id], column.kind == .long else { return nil }
                return each(of: [
                    "\(people(withText: column, condition.comparison, value)) ORDER BY l.contact_id OFFSET 0"
                ])
            default: return nil
            }
        }
    }

    private func members(of list: UUID) -> SQL {
        """
        SELECT m.contact_id FROM marketing_list_members m
        WHERE \(rows.of("m")) AND m.list_id = \(list)\(part("m.contact_id"))
        ORDER BY m.contact_id OFFSET 0
        """
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
