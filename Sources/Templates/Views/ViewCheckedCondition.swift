/// Conditions: what they ask, and what they prove about absent values.
extension ViewChecker {
    mutating func condition(_ condition: ViewCondition, _ scope: ViewScope) -> (ViewTest, ViewFacts) {
        switch condition {
        case .value(let expression, let offset): return truth(expression, at: offset, scope)
        case .compare(let left, let comparison, let right, let offset):
            return compare(left, comparison, right, at: offset, scope)
        case .not(let inner):
            let (test, facts) = self.condition(inner, scope)
            return (.not(test), ViewFacts(whenTrue: facts.whenFalse, whenFalse: facts.whenTrue))
        case .and(let first, let second):
            let (left, leftFacts) = self.condition(first, scope)
            var inner: ViewScope = scope
            inner.present.formUnion(leftFacts.whenTrue)
            let (right, rightFacts) = self.condition(second, inner)
            let facts = ViewFacts(
                whenTrue: leftFacts.whenTrue.union(rightFacts.whenTrue),
                whenFalse: leftFacts.whenFalse.intersection(rightFacts.whenFalse))
            return (.and(left, right), facts)
        case .or(let first, let second):
            let (left, leftFacts) = self.condition(first, scope)
            var inner: ViewScope = scope
            inner.present.formUnion(leftFacts.whenFalse)
            let (right, rightFacts) = self.condition(second, inner)
            let facts = ViewFacts(
                whenTrue: leftFacts.whenTrue.intersection(rightFacts.whenTrue),
                whenFalse: leftFacts.whenFalse.union(rightFacts.whenFalse))
            return (.or(left, right), facts)
        }
    }

    private static let unknown: (ViewTest, ViewFacts) = (.constant(false), ViewFacts())

    private mutating func truth(
        _ expression: Expression, at offset: Int, _ scope: ViewScope
    ) -> (ViewTest, ViewFacts) {
        guard let typed = optionalExpression(expression, at: offset, scope) else { return Self.unknown }
        let facts = ViewFacts(whenTrue: Set([typed.key].compactMap { $0 }))
        if typed.type.kind == .flag { return (.truth(typed.expression), facts) }
        if typed.type.isOptional || typed.wasOptional { return (.present(typed.expression), facts) }
        let written: String = ViewDescription.text(of: expression)
        switch typed.type.kind {
        case .list, .texts: report("a list is always there: ask {% if \(written).size > 0 %}", at: offset)
        case .text, .link, .number, .decimal:
            report("'\(written)' is \(typed.type.phrase) and always there: compare it with something", at: offset)
        default: report("'\(written)' is \(typed.type.phrase) and always there", at: offset)
        }
        return Self.unknown
    }

    /// An expression whose optionality counts even where a condition around has already proved it present.
    private mutating func optionalExpression(
        _ expression: Expression, at offset: Int, _ scope: ViewScope
    ) -> (expression: ViewExpression, type: ViewType, key: String?, wasOptional: Bool)? {
        guard let typed = self.expression(expression, at: offset, scope) else { return nil }
        let proved: Bool = typed.key.map { scope.present.contains($0) } ?? false
        return (typed.expression, typed.type, typed.key, proved)
    }

    private mutating func compare(
        _ left: Expression, _ comparison: Comparison, _ right: Expression, at offset: Int, _ scope: ViewScope
    ) -> (ViewTest, ViewFacts) {
        switch right {
        case .null: return compareToNil(left, comparison, at: offset, scope)
        case .empty, .blank: return compareToEmpty(left, comparison, at: offset, scope)
        default: break
        }
        let first: ViewTyped? = expression(left, at: offset, scope)
        let second: ViewTyped? = expression(right, at: self.offset(of: right, offset), scope)
        guard let first, let second else { return Self.unknown }
        if let problem = Self.mismatch(first.type.kind, comparison, second.type.kind) {
            report(problem, at: offset)
            return Self.unknown
        }
        let test = ViewTest.compare(first.expression, comparison, second.expression)
        let isOptional: Bool = first.type.isOptional || second.type.isOptional
        if isOptional, comparison != .equal, comparison != .notEqual {
            let name: String = ViewDescription.text(of: first.type.isOptional ? left : right)
            report("'\(name)' may be absent: write {% if \(name) and … %}", at: offset)
            return Self.unknown
        }
        var keys: Set<String> = []
        if first.type.isOptional, !second.type.isOptional, let key = first.key { keys.insert(key) }
        if second.type.isOptional, !first.type.isOptional, let key = second.key { keys.insert(key) }
        if comparison == .equal { return (test, ViewFacts(whenTrue: keys)) }
        return (test, comparison == .notEqual ? ViewFacts(whenFalse: keys) : ViewFacts())
    }

    private mutating func compareToNil(
        _ left: Expression, _ comparison: Comparison, at offset: Int, _ scope: ViewScope
    ) -> (ViewTest, ViewFacts) {
        guard let typed = optionalExpression(left, at: offset, scope) else { return Self.unknown }
        guard typed.type.isOptional || typed.wasOptional else {
            report("'\(ViewDescription.text(of: left))' is never absent", at: offset)
            return Self.unknown
        }
        let keys: Set<String> = Set([typed.key].compactMap { $0 })
        switch comparison {
        case .equal: return (.not(.present(typed.expression)), ViewFacts(whenFalse: keys))
        case .notEqual: return (.present(typed.expression), ViewFacts(whenTrue: keys))
        default:
            report("nil is compared with == or !=", at: offset)
            return Self.unknown
        }
    }

    private mutating func compareToEmpty(
        _ left: Expression, _ comparison: Comparison, at offset: Int, _ scope: ViewScope
    ) -> (ViewTest, ViewFacts) {
        guard let typed = expression(left, at: offset, scope) else { return Self.unknown }
        switch typed.type.kind {
        case .text, .link, .texts, .list, .html: break
        default:
            report("\(typed.type.phrase) is never empty", at: offset)
            return Self.unknown
        }
        let keys: Set<String> = Set([typed.key].compactMap { $0 })
        switch comparison {
        case .equal: return (.empty(typed.expression), ViewFacts(whenFalse: keys))
        case .notEqual: return (.not(.empty(typed.expression)), ViewFacts(whenTrue: keys))
        default:
            report("empty is compared with == or !=", at: offset)
            return Self.unknown
        }
    }

    /// Why two kinds cannot be compared, if so.
    private static func mismatch(_ left: ViewKind, _ comparison: Comparison, _ right: ViewKind) -> String? {
        if comparison == .contains {
            let holds: Bool = [.text, .link, .texts].contains(left) && [.text, .link].contains(right)
            return holds ? nil : "contains asks a text or a list of texts for a text"
        }
        let groups: [[ViewKind]] = [[.text, .link], [.number, .decimal], [.date], [.flag]]
        guard let group = groups.first(where: { $0.contains(left) }), group.contains(right) else {
            return "\(left.phrase) cannot be compared with \(right.phrase)"
        }
        if left == .flag || left == .text || left == .link, comparison != .equal, comparison != .notEqual {
            return "\(left.phrase) is compared with == or !="
        }
        return nil
    }
}
