import Core
import Postgres

extension RuleCompiler {
    /// The comparison of a property in its column with a value, for operators that are no opposite of another one. NULL counts as
    /// no.
    func factPredicate(_ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ column: FactColumn) -> SQL {
        let fact: SQL = column.sql
        let isNotOdd: SQL = "\(fact) <> \(FactColumn.odd)"
        switch (column.kind, kind) {
        case (.text, _): return textPredicate(kind, comparison, value, fact)
        case (.long, _):
            let people: SQL = people(withText: column, comparison, value)
            return reach == .few
                ? "EXISTS (\(people) AND l.contact_id = c.id\(fence))" : "c.id IN (\(people))"
        case (.date, _) where comparison == .isNotEmpty: return "\(fact) <> ''"
        case _ where comparison == .isNotEmpty: return "\(fact) IS NOT NULL"
        case (.flag, _):
            guard case .flag(let wanted) = value else { return "false" }
            return "\(fact) = \(Int16(wanted ? 1 : 0))"
        case (.number, _): return numberPredicate(comparison, value, fact: fact)
        case (.money, _): return moneyPredicate(comparison, value, fact: fact)
        case (.choices, _): return choicesPredicate(comparison, value, fact: fact)
        case (.date, .date): return "\(datePredicate(comparison, value, fact)) AND \(isNotOdd)"
        case (.date, _):
            guard let bounds = MomentBounds(comparison, value, clock) else { return "false" }
            return "\(Self.withinText(bounds, fact)) AND \(isNotOdd)"
        }
    }

    /// `contact_id` of everybody whose long text a condition holds for.
    func people(withText column: FactColumn, _ comparison: RuleOperator, _ value: RuleValue) -> SQL {
        // The key alone tells who has a text.
        let isSo: SQL = comparison == .isNotEmpty ? "true" : textPredicate(.text, comparison, value, "l.value")
        return """
            SELECT l.contact_id FROM marketing_long_facts l
            WHERE \(rows.of("l")) AND l.name = \(column.name)\(part("l.contact_id")) AND \(isSo)
            """
    }

    /// As PostgreSQL writes a text in JSON.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{8}": quoted += "\\b"
            case "\u{C}": quoted += "\\f"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Lists stand as JSON (`marketing_choices_fact`).
    private func choicesPredicate(_ comparison: RuleOperator, _ value: RuleValue, fact: SQL) -> SQL {
        let wanted: [SQL] = value.texts.map { "strpos(\(fact), \(Self.quoted($0))) > 0" }
        if wanted.isEmpty { return comparison == .containsAll ? "\(fact) <> \(FactColumn.odd)" : "false" }
        return "(\(SQL.join(wanted, separator: comparison == .containsAll ? " AND " : " OR ")))"
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
            return
                "\(fact) BETWEEN \(number("\(low.amount)", low.currency)) AND \(number("\(high.amount)", low.currency))"
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

extension RuleValue {
    /// The texts that are looked for.
    var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .texts(let texts): texts
        default: []
        }
    }
}
