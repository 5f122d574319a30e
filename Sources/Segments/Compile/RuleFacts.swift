import Contacts
import Core
import Postgres

/// The copies of what rules compare of people, for those who count everybody: narrow rows with properties in columns, of which
/// twice as many are read in a second as of people themselves.
struct RuleFacts: Sendable {
    let columns: [PropertyID: FactColumn]
    /// Whose copies no longer tell how they are.
    let stale: [ContactID]

    /// With more people whose copies are not up to date, as in an import, everybody is read themselves.
    private static let mostStale = 2_000

    /// Nothing where copies are not complete, or too few are up to date.
    /// - Note: To be asked in the transaction that reads the copies, seeing the same moment.
    static func query(_ workspace: WorkspaceID) -> Query<RuleFacts> {
        Query(
            RuleFacts.self, "segments.facts",
            """
            SELECT \(columns)
            FROM marketing_contact_facts_state s
            CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(property_id), '{}') AS properties, coalesce(array_agg(name), '{}') AS names,
                    coalesce(array_agg(kind), '{}') AS kinds
                FROM marketing_fact_columns
                WHERE workspace_id = \(workspace) AND is_filled AND property_id IS NOT NULL
            ) k
            CROSS JOIN LATERAL (
                SELECT sum(w.people) AS people, CASE WHEN sum(w.people) <= \(mostStale) THEN ARRAY(
                    SELECT DISTINCT unnest(a.contact_ids) FROM marketing_stale_facts a WHERE a.workspace_id = \(workspace))
                    END AS ids
                FROM (SELECT people FROM marketing_stale_facts WHERE workspace_id = \(workspace)
                    LIMIT \(mostStale + 1)) w
            ) n
            WHERE s.workspace_id = \(workspace) AND s.is_filled AND coalesce(n.people, 0) <= \(mostStale)
            """)
    }

    /// Whether they tell all that a rule asks of people's own rows.
    func answers(_ group: RuleGroup) -> Bool {
        group.leaves.allSatisfy { leaf in
            guard case .condition(let condition) = leaf else { return true }
            return answers(condition)
        }
    }

    private func answers(_ condition: RuleCondition) -> Bool {
        guard case .property(let property) = condition.field else { return true }
        guard let column = columns[property.id], column.kind == FactColumn.Kind(property.type) else { return false }
        return !condition.value.texts.contains { $0.contains(FactColumn.odd) }
    }
}

extension RuleFacts: PostgresRow {
    static let columns: SQL = "k.properties, k.names, k.kinds, coalesce(n.ids, '{}')"

    init(row: inout RowReader) throws {
        let properties: [PropertyID] = try row.next()
        let names: [String] = try row.next()
        let kinds: [String] = try row.next()
        var columns: [PropertyID: FactColumn] = [:]
        for (property, (name, kind)) in zip(properties, zip(names, kinds)) {
            columns[property] = FactColumn.Kind(rawValue: kind).map { FactColumn(name: name, kind: $0) }
        }
        self.columns = columns
        stale = try row.next()
    }
}

extension RuleValue {
    /// The texts that are looked for.
    fileprivate var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .texts(let texts): texts
        default: []
        }
    }
}

extension RuleCompiler {
    /// The comparison of a property in its column with a value, for operators that are no opposite of another one. NULL counts as
    /// no.
    func factPredicate(_ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ column: FactColumn) -> SQL {
        let fact: SQL = column.sql
        let isNotOdd: SQL = "\(fact) <> \(FactColumn.odd)"
        switch (column.kind, kind) {
        case (.text, _): return textPredicate(kind, comparison, value, fact)
        case (.long, _): return "(c.id IN (\(people(withText: column, comparison, value)))) IS TRUE"
        case (.date, _) where comparison == .isNotEmpty: return "\(fact) <> ''"
        case _ where comparison == .isNotEmpty: return "\(fact) IS NOT NULL"
        case (.flag, _):
            guard case .flag(let wanted) = value else { return "false" }
            return "\(fact) = \(Int16(wanted ? 1 : 0))"
        case (.number, _): return numberPredicate(comparison, value, fact: fact)
        case (.money, _): return moneyPredicate(comparison, value, fact: fact)
        case (.choices, _): return choicesPredicate(comparison, value, fact)
        case (.date, .date): return "\(datePredicate(comparison, value, fact)) AND \(isNotOdd)"
        case (.date, _):
            guard let bounds = MomentBounds(comparison, value, clock) else { return "false" }
            return "\(Self.withinText(bounds, fact)) AND \(isNotOdd)"
        }
    }

    /// `contact_id` of everybody whose long text a condition holds for.
    func people(withText column: FactColumn, _ comparison: RuleOperator, _ value: RuleValue) -> SQL {
        """
        SELECT l.contact_id FROM marketing_long_facts l
        WHERE l.workspace_id = \(workspace) AND l.name = \(column.name)\(part("l.contact_id"))
            AND \(textPredicate(.text, comparison, value, "l.value"))
        """
    }

    /// Amounts of a currency stand in a range of their own (`marketing_money_fact`).
    private func moneyPredicate(_ comparison: RuleOperator, _ value: RuleValue, fact: SQL) -> SQL {
        func number(_ amount: SQL, _ currency: String) -> SQL {
            // The letters of the code, from AAA to ZZZ.
            let place: Int = currency.unicodeScalars.reduce(0) { $0 * 26 + Int($1.value) - 65 }
            return "(\(place)::numeric * 1e20 + \(amount))"
        }
        switch value {
        case .moneyRange(let low, let high):
            return "\(fact) BETWEEN \(number("\(low.amount)", low.currency)) AND \(number("\(high.amount)", low.currency))"
        case .money(let money):
            let wanted: SQL = number("\(money.amount)", money.currency)
            switch comparison {
            case .moreThan: return "\(fact) > \(wanted) AND \(fact) <= \(number("1e19", money.currency))"
            case .lessThan: return "\(fact) < \(wanted) AND \(fact) >= \(number("-1e19", money.currency))"
            case .atLeast: return "\(fact) BETWEEN \(wanted) AND \(number("1e19", money.currency))"
            case .atMost: return "\(fact) BETWEEN \(number("-1e19", money.currency)) AND \(wanted)"
            default: return "\(fact) = \(wanted)"
            }
        default: return "false"
        }
    }
}
