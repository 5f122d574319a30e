import FoundationEssentials
import Postgres

/// What a condition compares, as SQL.
enum RuleSubject {
    /// In lower case, as stored.
    case text(SQL)
    /// As people typed it: compared without regard to case.
    case typed(SQL)
    case texts(SQL)
    case flag(SQL)
    case moment(SQL)
    case id(SQL)
    /// A member of a jsonb object.
    case json(SQL, String)
    case fact(FactColumn)
}

extension RuleCompiler {
    /// The comparison of a subject with a value, for operators that are no opposite of another one. NULL counts as no.
    func predicate(_ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ subject: RuleSubject) -> SQL {
        switch subject {
        case .text(let text): textPredicate(kind, comparison, value, text)
        case .typed(let text): "\(beginning(comparison, value, text))\(typedPredicate(kind, comparison, value, text))"
        case .texts(let texts): textsPredicate(comparison, value, texts)
        case .flag(let flag): flagPredicate(comparison, value, flag)
        case .moment(let moment): momentPredicate(comparison, value, moment)
        case .id(let id): idPredicate(value, id)
        case .json(let object, let name): jsonPredicate(kind, comparison, value, object, name)
        case .fact(let column): factPredicate(kind, comparison, value, column)
        }
    }

    func textPredicate(_ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ text: SQL) -> SQL {
        switch (comparison, value) {
        case (.isNotEmpty, _): return "\(text) <> ''"
        case (.oneOf, .texts(let wanted)):
            return "\(text) = ANY (\(wanted.map { FoldedText.fold($0, for: kind) }))"
        case (_, .text(let given)):
            // Parts of addresses and numbers are no addresses and numbers.
            let isWhole: Bool = comparison == .equals || kind == .phone
            let wanted: String = isWhole ? FoldedText.fold(given, for: kind) : FoldedText.fold(given)
            switch comparison {
            case .contains: return "strpos(\(text), \(wanted)) > 0"
            case .startsWith: return "\(text) LIKE \(TypedText.beginning(wanted))"
            case .endsWith: return "right(\(text), \(Int32(wanted.unicodeScalars.count))) = \(wanted)"
            default: return "\(text) = \(wanted)"
            }
        default: return "false"
        }
    }

    private func textsPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ texts: SQL) -> SQL {
        switch (comparison, value) {
        case (.isNotEmpty, _): "\(texts) <> '{}'"
        case (.containsAny, .texts(let wanted)): "\(texts) && \(wanted)"
        case (.containsAll, .texts(let wanted)): "\(texts) @> \(wanted)"
        case (_, .text(let wanted)): "\(wanted) = ANY (\(texts))"
        default: "false"
        }
    }

    private func flagPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ flag: SQL) -> SQL {
        switch (comparison, value) {
        case (.isNotEmpty, _): "\(flag) IS NOT NULL"
        case (_, .flag(let wanted)): wanted ? "\(flag)" : "NOT \(flag)"
        default: "false"
        }
    }

    private func idPredicate(_ value: RuleValue, _ id: SQL) -> SQL {
        switch value {
        case .none: "\(id) IS NOT NULL"
        case .ids(let wanted): "\(id) = ANY (\(wanted))"
        default: "false"
        }
    }

    private func momentPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ moment: SQL) -> SQL {
        if comparison == .isNotEmpty { return "\(moment) IS NOT NULL" }
        guard let bounds = MomentBounds(comparison, value, clock) else { return "false" }
        return Self.within(bounds, moment)
    }

    static func within(_ bounds: MomentBounds, _ moment: SQL) -> SQL {
        var parts: [SQL] = []
        if let from = bounds.from {
            parts.append(bounds.isFromIncluded ? "\(moment) >= \(from)" : "\(moment) > \(from)")
        }
        if let to = bounds.to { parts.append(bounds.isToIncluded ? "\(moment) <= \(to)" : "\(moment) < \(to)") }
        return parts.isEmpty ? "true" : SQL.join(parts, separator: " AND ")
    }

    // MARK: Properties

    private func jsonPredicate(
        _ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ object: SQL, _ name: String
    ) -> SQL {
        let member: SQL = "\(object)->\(name)"
        let text: SQL = "\(object)->>\(name)"
        if comparison == .isNotEmpty {
            return "coalesce(\(member), 'null'::jsonb) NOT IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb)"
        }
        let isText: SQL = "jsonb_typeof(\(member)) = 'string'"
        switch kind {
        case .number: return numberPredicate(comparison, value, in: object, name)
        case .money: return moneyPredicate(comparison, value, member)
        case .choices: return "\(choicesPredicate(comparison, value, member)) AND jsonb_typeof(\(member)) = 'array'"
        case .boolean:
            guard case .flag(let wanted) = value else { return "false" }
            return Self.holds(object, name, .bool(wanted))
        case .date: return "\(datePredicate(comparison, value, "(\(text)) COLLATE \"C\"")) AND \(isText)"
        case .moment:
            guard let bounds = MomentBounds(comparison, value, clock) else { return "false" }
            return "\(Self.withinText(bounds, "(\(text)) COLLATE \"C\"")) AND \(isText)"
        default: return "\(typedPredicate(kind, comparison, value, text)) AND \(isText)"
        }
    }

    func numberPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ number: SQL) -> SQL {
        switch value {
        case .numbers(let wanted): return "\(number) = ANY (\(wanted))"
        case .numberRange(let low, let high): return "\(number) BETWEEN \(low) AND \(high)"
        case .number(let wanted):
            switch comparison {
            case .moreThan: return "\(number) > \(wanted)"
            case .lessThan: return "\(number) < \(wanted)"
            case .atLeast: return "\(number) >= \(wanted)"
            case .atMost: return "\(number) <= \(wanted)"
            default: return "\(number) = \(wanted)"
            }
        default: return "false"
        }
    }

    private func moneyPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ member: SQL) -> SQL {
        guard let (plain, currency) = value.plainMoney else { return "false" }
        let amount: SQL = "CASE jsonb_typeof(\(member)->'amount') WHEN 'number' THEN (\(member)->>'amount')::float8 END"
        return "\(member)->>'currency' = \(currency) AND \(numberPredicate(comparison, plain, amount))"
    }

    private func choicesPredicate(_ comparison: RuleOperator, _ value: RuleValue, _ member: SQL) -> SQL {
        switch (comparison, value) {
        case (.containsAny, .texts(let wanted)): "\(member) ?| \(wanted)"
        case (.containsAll, .texts(let wanted)): "\(member) ?& \(wanted)"
        case (_, .text(let wanted)): "\(member) ? \(wanted)"
        default: "false"
        }
    }

    /// Days are stored as `YYYY-MM-DD`, which sort as texts.
    func datePredicate(_ comparison: RuleOperator, _ value: RuleValue, _ text: SQL) -> SQL {
        if let bounds = DayBounds(comparison, value, clock) {
            var parts: [SQL] = []
            if let first = bounds.first { parts.append("\(text) >= \(first.iso)") }
            if let last = bounds.last { parts.append("\(text) <= \(last.iso)") }
            return parts.isEmpty ? "true" : SQL.join(parts, separator: " AND ")
        }
        let dayOfYear: SQL = "substr(\(text), 6, 5)"
        switch value {
        case .days(let days):
            let first: Day = comparison == .dayOfYearInLast ? clock.first(ofLast: days) : clock.today
            return "\(dayOfYear) = ANY (\(clock.daysOfYear(from: first, count: days)))"
        case .dayOfYear(let day): return "\(dayOfYear) = \(day.iso)"
        case .daysOfYear(let first, let last):
            return first <= last
                ? "\(dayOfYear) BETWEEN \(first.iso) AND \(last.iso)"
                : "(\(dayOfYear) >= \(first.iso) OR \(dayOfYear) <= \(last.iso))"
        case .month(let month): return "substr(\(text), 6, 2) = \(MonthDay.two(month.number(clock)))"
        default: return "false"
        }
    }

    static func withinText(_ bounds: MomentBounds, _ text: SQL) -> SQL {
        var parts: [SQL] = []
        if let from = bounds.from.map(MomentBounds.text) {
            parts.append(bounds.isFromIncluded ? "\(text) >= \(from)" : "\(text) > \(from)")
        }
        if let to = bounds.to.map(MomentBounds.text) {
            parts.append(bounds.isToIncluded ? "\(text) <= \(to)" : "\(text) < \(to)")
        }
        return parts.isEmpty ? "true" : SQL.join(parts, separator: " AND ")
    }
}

extension RuleMonth {
    /// 1 to 12.
    func number(_ clock: RuleClock) -> Int {
        switch self {
        case .this: clock.today.civil.month
        case .next: clock.today.civil.month % 12 + 1
        case .number(let month): month
        }
    }
}

extension RuleValue {
    /// Amounts as numbers, with their currency; nil for what is no money.
    var plainMoney: (RuleValue, String)? {
        switch self {
        case .money(let money): (.number(Double(money.amount)), money.currency)
        case .moneyRange(let low, let high): (.numberRange(Double(low.amount), Double(high.amount)), low.currency)
        default: nil
        }
    }
}
