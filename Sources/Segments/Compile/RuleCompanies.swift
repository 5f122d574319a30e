import Core
import FoundationEssentials
import Postgres

/// Conditions on companies come down to which companies people work for. Those are few, so they are named once, instead of being
/// looked through by each part of everybody.
extension RuleQuery {
    /// More of them are not named.
    private static let mostCompanies = 30_000
    /// Nor for more conditions than this.
    private static let mostConditions = 5

    /// What each condition on companies comes down to.
    func companies(of group: RuleGroup) async throws -> [RuleNode: RuleNode] {
        var asked: [RuleCondition] = []
        for case .condition(let condition) in group.leaves.map(\.positive)
        where condition.field.isOfCompany && !asked.contains(condition) {
            asked.append(condition)
        }
        guard !asked.isEmpty, asked.count <= Self.mostConditions else { return [:] }
        let named: [SQL] = asked.enumerated().map { place, condition in
            "SELECT \(place)::bigint, ARRAY(\(compiler.companies(condition)) LIMIT \(Self.mostCompanies + 1))"
        }
        let found = try await transaction.rows(
            as: (Int, [UUID]).self, "segments.companies", SQL.join(named, separator: " UNION ALL "))
        var companies: [RuleNode: RuleNode] = [:]
        for (place, ids) in found where ids.count <= Self.mostCompanies {
            companies[.condition(asked[place])] = .condition(RuleCondition(.company, .oneOf, .ids(ids)))
        }
        return companies
    }
}

extension RuleGroup {
    /// The same with other conditions in the place of some.
    /// - Parameter others: by the positive condition in whose place they, or their contraries, stand.
    func replacing(_ others: [RuleNode: RuleNode]) -> RuleGroup {
        RuleGroup(
            match,
            nodes.map { node in
                if case .group(let inner) = node { return .group(inner.replacing(others)) }
                guard let other = others[node.positive] else { return node }
                return node == node.positive ? other : .group(RuleGroup(.none, [other]))
            })
    }
}

extension RuleField {
    fileprivate var isOfCompany: Bool {
        switch self {
        case .companyField, .companyProperty: true
        default: false
        }
    }
}
