import Core
import FoundationEssentials
import Postgres

/// Sets of people that indexes name in the order of ids: who did something, who is on a list. A part of everybody is read in that
/// order too, so PostgreSQL reads both side by side, for a fifth less than what it takes to look each person up in a table of the
/// set.
extension RuleCompiler {
    /// Each join takes time to plan. Further sets are looked into.
    private static let mostJoins = 6
    /// So many lists are read side by side.
    private static let mostLists = 8

    /// Conditions that must all hold, of a part of everybody, and what people are joined with for them.
    func joining(_ nodes: [RuleNode]) -> (compiler: RuleCompiler, joins: SQL) {
        var compiler: RuleCompiler = self
        var joins: SQL = ""
        func join(_ leaf: RuleNode, isAsked: Bool) {
            guard compiler.joined[leaf] == nil, compiler.joined.count < Self.mostJoins, let set = inOrder(leaf) else {
                return
            }
            let name: SQL = "\(identifier: "s\(compiler.joined.count + 1)")"
            // Whoever has to stand in the set does, where only those are left.
            compiler.joined[leaf] = isAsked ? "true" : "\(name).contact_id IS NOT NULL"
            joins += " \(isAsked ? "JOIN" as SQL : "LEFT JOIN") (\(set)) \(name) ON \(name).contact_id = c.id"
        }
        for node in nodes where node == node.positive { join(node, isAsked: true) }
        for leaf in RuleGroup(.all, nodes).leaves { join(leaf.positive, isAsked: false) }
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
        WHERE m.workspace_id = \(workspace) AND m.list_id = \(list)\(part("m.contact_id"))
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
