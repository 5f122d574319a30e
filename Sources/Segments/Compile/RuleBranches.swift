/// Takes a rule apart where it offers a choice: *any of* conditions on people's own rows and of what they did.
///
/// Behind the workspace wall PostgreSQL gives a subquery in the middle of an `OR` to one process alone. A rule that
/// stands for all of its answers is joined by several, or begins with a set of its own. So "rows or deed" becomes two
/// rules that have nobody in common: "rows", and "deed, but not rows".
enum RuleBranches {
    /// Each look at everybody costs as much as what a further branch spares.
    private static let most = 4

    /// Rules that together find whom the rule finds, each of them once; the rule itself where there is nothing to gain.
    static func of(_ group: RuleGroup, _ compiler: RuleCompiler) -> [RuleGroup] {
        let parts: [RuleNode] = RuleCompiler.parts(group)
        let choices: [(place: Int, nodes: [RuleNode])] = parts.enumerated().compactMap { place, node in
            guard case .group(let inner) = node, inner.match == .any, !node.isOfRow, compiler.set(node) == nil
            else { return nil }
            return (place, alternatives(inner))
        }
        // Two choices would multiply.
        guard choices.count == 1, let choice = choices.first else { return [group] }
        let rest: [RuleNode] = parts.enumerated().filter { $0.offset != choice.place }.map(\.element)
        let rows: [RuleNode] = choice.nodes.filter(\.isOfRow)
        // What a group denies is a choice again, so groups come last, where nothing follows that excludes them.
        let others: [RuleNode] =
            choice.nodes.filter { !$0.isOfRow && !$0.isGroup } + choice.nodes.filter { !$0.isOfRow && $0.isGroup }
        guard !others.isEmpty, others.count + (rows.isEmpty ? 0 : 1) <= most else { return [group] }
        var branches: [RuleGroup] = rows.isEmpty ? [] : [RuleGroup(.all, rest + [.group(RuleGroup(.any, rows))])]
        var denied: [RuleNode] = rows.isEmpty ? [] : [.group(RuleGroup(.none, rows))]
        for other in others {
            branches.append(RuleGroup(.all, rest + [other] + denied))
            denied.append(.group(RuleGroup(.none, [other])))
        }
        return branches
    }

    /// What a choice offers, with the choices inside it.
    private static func alternatives(_ group: RuleGroup) -> [RuleNode] {
        group.nodes.flatMap { node -> [RuleNode] in
            if case .group(let inner) = node, inner.match == .any { return alternatives(inner) }
            return [node]
        }
    }
}

extension RuleNode {
    var isGroup: Bool {
        if case .group = self { return true }
        return false
    }
}
