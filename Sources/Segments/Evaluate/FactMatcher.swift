import Core
import FoundationEssentials

/// A value of a person's record.
enum FactValue: Sendable {
    case text(String?)
    case texts([String])
    case flag(Bool?)
    case moment(Date)
    case ids([UUID])
    /// A property, as it is stored.
    case json(JSONValue)
}

/// Compares a value of a record with a value of a rule, for operators that are no opposite of another one. Texts are
/// compared byte by byte after folding, as the database does.
struct FactMatcher {
    let clock: RuleClock
    let kind: FieldKind

    func holds(_ comparison: RuleOperator, _ value: RuleValue, _ fact: FactValue) -> Bool {
        if comparison == .isNotEmpty { return isKnown(fact) }
        switch fact {
        case .text(let text): return text.map { matches(comparison, value, text: $0) } ?? false
        case .texts(let texts): return matches(comparison, value, among: texts)
        case .flag(let flag):
            guard case .flag(let wanted) = value, let flag else { return false }
            return flag == wanted
        case .moment(let moment): return MomentBounds(comparison, value, clock)?.contains(moment) ?? false
        case .ids(let ids):
            guard case .ids(let wanted) = value else { return false }
            return ids.contains { wanted.contains($0) }
        case .json(let json): return matches(comparison, value, json: json)
        }
    }

    private func isKnown(_ fact: FactValue) -> Bool {
        switch fact {
        case .text(let text): !(text ?? "").isEmpty
        case .texts(let texts): !texts.isEmpty
        case .flag(let flag): flag != nil
        case .moment: true
        case .ids(let ids): !ids.isEmpty
        case .json(let json): json != .null && json != .string("") && json != .array([])
        }
    }

    private func matches(_ comparison: RuleOperator, _ value: RuleValue, text: String) -> Bool {
        let own: [UInt8] = Array(FoldedText.fold(text).utf8)
        switch value {
        case .texts(let wanted):
            return wanted.contains { FoldedText.fold($0, for: kind).utf8.elementsEqual(own) }
        case .text(let given):
            let isWhole: Bool = comparison == .equals || kind == .phone
            let wanted: [UInt8] = Array((isWhole ? FoldedText.fold(given, for: kind) : FoldedText.fold(given)).utf8)
            switch comparison {
            case .contains: return Self.contains(own, wanted)
            case .startsWith: return own.starts(with: wanted)
            case .endsWith: return own.suffix(wanted.count).elementsEqual(wanted)
            default: return own == wanted
            }
        default: return false
        }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0..<$0 + part.count].elementsEqual(part) }
    }

    private func matches(_ comparison: RuleOperator, _ value: RuleValue, among texts: [String]) -> Bool {
        func has(_ wanted: String) -> Bool { texts.contains { $0.utf8.elementsEqual(wanted.utf8) } }
        switch (comparison, value) {
        case (.containsAny, .texts(let wanted)): return wanted.contains(where: has)
        case (.containsAll, .texts(let wanted)): return wanted.allSatisfy(has)
        case (_, .text(let wanted)): return has(wanted)
        default: return false
        }
    }

    // MARK: Properties

    private func matches(_ comparison: RuleOperator, _ value: RuleValue, json: JSONValue) -> Bool {
        switch kind {
        case .number: return json.number.map { matches(comparison, value, number: $0) } ?? false
        case .money:
            guard let (plain, currency) = value.plainMoney, json["currency"]?.stringValue == currency,
                let amount = json["amount"]?.number
            else { return false }
            return matches(comparison, plain, number: amount)
        case .boolean:
            guard case .bool(let flag) = json, case .flag(let wanted) = value else { return false }
            return flag == wanted
        case .date: return json.stringValue.map { matches(comparison, value, day: $0) } ?? false
        case .moment:
            guard let text = json.stringValue, let bounds = MomentBounds(comparison, value, clock) else { return false }
            return Self.isWithin(bounds, text)
        case .choices:
            guard case .array(let values) = json else { return false }
            return matches(comparison, value, among: values.compactMap(\.stringValue))
        default: return json.stringValue.map { matches(comparison, value, text: $0) } ?? false
        }
    }

    private func matches(_ comparison: RuleOperator, _ value: RuleValue, number: Double) -> Bool {
        switch value {
        case .numbers(let wanted): return wanted.contains(number)
        case .numberRange(let low, let high): return number >= low && number <= high
        case .number(let wanted):
            switch comparison {
            case .moreThan: return number > wanted
            case .lessThan: return number < wanted
            case .atLeast: return number >= wanted
            case .atMost: return number <= wanted
            default: return number == wanted
            }
        default: return false
        }
    }

    private func matches(_ comparison: RuleOperator, _ value: RuleValue, day text: String) -> Bool {
        if let bounds = DayBounds(comparison, value, clock) {
            if let first = bounds.first, text < first.iso { return false }
            if let last = bounds.last, text > last.iso { return false }
            return true
        }
        let scalars: [Unicode.Scalar] = Array(text.unicodeScalars)
        let dayOfYear = String(String.UnicodeScalarView(scalars.dropFirst(5).prefix(5)))
        switch value {
        case .days(let days):
            let first: Day = comparison == .dayOfYearInLast ? clock.first(ofLast: days) : clock.today
            return clock.daysOfYear(from: first, count: days).contains(dayOfYear)
        case .dayOfYear(let day): return dayOfYear == day.iso
        case .daysOfYear(let first, let last):
            return first <= last
                ? dayOfYear >= first.iso && dayOfYear <= last.iso : dayOfYear >= first.iso || dayOfYear <= last.iso
        case .month(let month): return String(dayOfYear.prefix(2)) == MonthDay.two(month.number(clock))
        default: return false
        }
    }

    private static func isWithin(_ bounds: MomentBounds, _ text: String) -> Bool {
        if let from = bounds.from.map(MomentBounds.text) {
            if text < from || (text == from && !bounds.isFromIncluded) { return false }
        }
        if let to = bounds.to.map(MomentBounds.text) {
            if text > to || (text == to && !bounds.isToIncluded) { return false }
        }
        return true
    }
}

extension JSONValue {
    /// Nil for what is no number.
    var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}
