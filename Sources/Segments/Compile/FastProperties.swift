import Core
import FoundationEssentials
import Postgres

extension RuleCompiler {
    /// Stored texts are cut at so many characters.
    private static let cut = 200

    /// Who has such a value, from the table of property values, by an index; nil for comparisons that it cannot answer
    /// exactly, such as parts of texts, days of the year and currencies.
    func fast(_ property: RuleProperty, _ comparison: RuleOperator, _ value: RuleValue) -> SQL? {
        if comparison == .isNotEmpty {
            // Each has an index of its own, which an OR would keep PostgreSQL from.
            return SQL.join(
                [stored(property, "v.text_value <> ''"), stored(property, "v.number_value IS NOT NULL")],
                separator: " UNION ALL ")
        }
        switch FieldKind(property.type) {
        case .text, .choice: return fastText(property, comparison, value)
        case .choices: return fastChoices(property, comparison, value)
        case .number: return stored(property, numberPredicate(comparison, value, "v.number_value"))
        case .boolean:
            guard case .flag(let wanted) = value else { return nil }
            return stored(property, "v.number_value = \(wanted ? 1.0 : 0.0)")
        case .date:
            guard let bounds = DayBounds(comparison, value, clock) else { return nil }
            let from: Double? = bounds.first.map { Double($0.number) * 86_400 }
            let to: Double? = bounds.last.map { Double($0.number) * 86_400 }
            return stored(property, Self.between(from, to))
        case .moment:
            guard let bounds = MomentBounds(comparison, value, clock), bounds.isFromIncluded else { return nil }
            let to: SQL? = bounds.to.map { end -> SQL in
                let seconds: Double = end.timeIntervalSince1970
                return bounds.isToIncluded ? "v.number_value <= \(seconds)" : "v.number_value < \(seconds)"
            }
            let parts: [SQL] = [Self.between(bounds.from?.timeIntervalSince1970, nil), to].compactMap { $0 }
            return stored(property, SQL.join(parts, separator: " AND "))
        default: return nil
        }
    }

    private func fastText(_ property: RuleProperty, _ comparison: RuleOperator, _ value: RuleValue) -> SQL? {
        switch (comparison, value) {
        case (.equals, .text(let given)) where given.unicodeScalars.count < Self.cut:
            return stored(property, "v.text_value = \(FoldedText.fold(given))")
        case (.oneOf, .texts(let given)) where given.allSatisfy({ $0.unicodeScalars.count < Self.cut }):
            return stored(property, "v.text_value = ANY (\(given.map(FoldedText.fold)))")
        case (.startsWith, .text(let given)) where given.unicodeScalars.count < Self.cut:
            let start: String = FoldedText.fold(given)
            return stored(
                property, "v.text_value >= \(start) AND v.text_value < \(start + "\u{10FFFF}")")
        default: return nil
        }
    }

    private func fastChoices(_ property: RuleProperty, _ comparison: RuleOperator, _ value: RuleValue) -> SQL? {
        switch (comparison, value) {
        case (.contains, .text(let given)): return stored(property, "v.text_value = \(FoldedText.fold(given))")
        case (.containsAny, .texts(let given)):
            return stored(property, "v.text_value = ANY (\(given.map(FoldedText.fold)))")
        case (.containsAll, .texts(let given)):
            return SQL.join(
                given.map { stored(property, "v.text_value = \(FoldedText.fold($0))") }, separator: " INTERSECT ")
        default: return nil
        }
    }

    private static func between(_ from: Double?, _ to: Double?) -> SQL {
        var parts: [SQL] = []
        if let from { parts.append("v.number_value >= \(from)") }
        if let to { parts.append("v.number_value <= \(to)") }
        return parts.isEmpty ? "v.number_value IS NOT NULL" : SQL.join(parts, separator: " AND ")
    }

    private func stored(_ property: RuleProperty, _ condition: SQL) -> SQL {
        """
        SELECT v.contact_id FROM marketing_contact_property_values v
        WHERE v.workspace_id = \(workspace) AND v.property_id = \(property.id) AND \(condition)
        """
    }
}
