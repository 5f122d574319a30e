import Contacts
import Core
import FoundationEssentials
import Web

/// Reads the value of a condition by the kind of its field and its operator.
struct RuleValueReader {
    struct Flaw: Error {
        let message: String
    }

    let kind: FieldKind
    var options: [PropertyOption] = []

    func value(_ json: JSONValue, for comparison: RuleOperator) throws(Flaw) -> RuleValue {
        switch comparison {
        case .isEmpty, .isNotEmpty: return .none
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext: return .days(try days(json))
        case .dayOfYearIs: return .dayOfYear(try dayOfYear(json))
        case .dayOfYearBetween:
            let (first, last) = try pair(json)
            return .daysOfYear(try dayOfYear(first), try dayOfYear(last))
        case .monthIs: return .month(try month(json))
        default: break
        }
        switch kind {
        case .text, .email, .phone: return try textValue(json, comparison)
        case .number: return try numberValue(json, comparison)
        case .money: return try moneyValue(json, comparison)
        case .boolean:
            guard case .bool(let flag) = json else { throw Flaw(message: "This must be true or false.") }
            return .flag(flag)
        case .date, .moment: return try pointValue(json, comparison)
        case .choice, .choices: return try choiceValue(json, comparison)
        case .company, .list, .user: return .ids(try ids(json, comparison))
        }
    }

    // MARK: Text

    private func textValue(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> RuleValue {
        switch comparison {
        case .oneOf, .noneOf: return .texts(try texts(json))
        default: return .text(try text(json))
        }
    }

    private func text(_ json: JSONValue) throws(Flaw) -> String {
        guard let text = json.stringValue else { throw Flaw(message: "This must be text.") }
        guard !text.isEmpty else { throw Flaw(message: "This is required.") }
        guard text.unicodeScalars.count <= RuleParser.textLimit else {
            throw Flaw(message: "This is longer than \(RuleParser.textLimit) characters.")
        }
        guard !text.unicodeScalars.contains("\0") else { throw Flaw(message: "There is a control character in this.") }
        return text
    }

    private func items(_ json: JSONValue) throws(Flaw) -> [JSONValue] {
        guard case .array(let items) = json, !items.isEmpty else {
            throw Flaw(message: "This must be a list with at least one value.")
        }
        guard items.count <= RuleParser.listLimit else {
            throw Flaw(message: "This list has more than \(RuleParser.listLimit) values.")
        }
        return items
    }

    private func texts(_ json: JSONValue) throws(Flaw) -> [String] {
        var texts: [String] = []
        for item in try items(json) { texts.append(try text(item)) }
        return texts
    }

    private func choiceValue(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> RuleValue {
        switch comparison {
        case .equals, .differs, .contains, .notContains: return .text(try choice(json))
        default:
            var chosen: [String] = []
            for item in try items(json) { chosen.append(try choice(item)) }
            return .texts(chosen)
        }
    }

    private func choice(_ json: JSONValue) throws(Flaw) -> String {
        let text: String = try text(json)
        guard options.isEmpty || options.contains(where: { $0.value == text }) else {
            let known: String = options.prefix(20).map(\.value).joined(separator: ", ")
            throw Flaw(message: "This must be one of: \(known).")
        }
        return text
    }

    // MARK: Numbers

    private func numberValue(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> RuleValue {
        switch comparison {
        case .between:
            let (low, high) = try pair(json)
            return .numberRange(try number(low), try number(high))
        case .oneOf, .noneOf:
            var numbers: [Double] = []
            for item in try items(json) { numbers.append(try number(item)) }
            return .numbers(numbers)
        default: return .number(try number(json))
        }
    }

    private func number(_ json: JSONValue) throws(Flaw) -> Double {
        switch json {
        case .int(let number): return Double(number)
        case .double(let number) where number.isFinite: return number
        default: throw Flaw(message: "This must be a number.")
        }
    }

    private func moneyValue(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> RuleValue {
        guard comparison == .between else { return .money(try money(json)) }
        let (low, high) = try pair(json)
        let range: (RuleMoney, RuleMoney) = (try money(low), try money(high))
        guard range.0.currency == range.1.currency else { throw Flaw(message: "Both must be in the same currency.") }
        return .moneyRange(range.0, range.1)
    }

    private func money(_ json: JSONValue) throws(Flaw) -> RuleMoney {
        let normal: JSONValue? = try? PropertyValue(type: .money).normalized(json)
        guard case .int(let amount)? = normal?["amount"], let currency = normal?["currency"]?.stringValue else {
            throw Flaw(message: "This must be an amount and a currency, like “12.50 EUR”.")
        }
        return RuleMoney(amount: amount, currency: currency)
    }

    // MARK: Days

    private func pointValue(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> RuleValue {
        guard comparison == .between else { return .point(try point(json)) }
        let (first, last) = try pair(json)
        return .points(try point(first), try point(last))
    }

    private func point(_ json: JSONValue) throws(Flaw) -> RulePoint {
        if let text = json.stringValue {
            if let day = Day(text) { return .day(day) }
            if kind == .moment, text.utf8.count <= 40, let moment = ISO8601.parse(text) {
                // Stored moments have whole seconds.
                return .moment(Date(timeIntervalSince1970: moment.timeIntervalSince1970.rounded(.down)))
            }
        }
        throw Flaw(
            message: kind == .date
                ? "This must be a day, like 2026-03-31."
                : "This must be a day, like 2026-03-31, or a time with its zone, like 2026-03-31T09:30:00Z.")
    }

    private func days(_ json: JSONValue) throws(Flaw) -> Int {
        guard case .int(let days) = json, (1...3650).contains(days) else {
            throw Flaw(message: "This must be a number of days from 1 to 3650.")
        }
        return days
    }

    private func dayOfYear(_ json: JSONValue) throws(Flaw) -> MonthDay {
        guard let text = json.stringValue, let day = MonthDay(text) else {
            throw Flaw(message: "This must be a month and a day, like 03-31.")
        }
        return day
    }

    private func month(_ json: JSONValue) throws(Flaw) -> RuleMonth {
        switch json {
        case .int(let month) where (1...12).contains(month): return .number(month)
        case .string("this"): return .this
        case .string("next"): return .next
        default: throw Flaw(message: "This must be a month from 1 to 12, “this” or “next”.")
        }
    }

    // MARK: The rest

    private func ids(_ json: JSONValue, _ comparison: RuleOperator) throws(Flaw) -> [UUID] {
        let wanted: [JSONValue] = comparison == .oneOf || comparison == .noneOf ? try items(json) : [json]
        var ids: [UUID] = []
        for item in wanted {
            guard let text = item.stringValue, let id = UUID(canonical: text) else {
                throw Flaw(message: "This must be an id, like 0192a6f4-7c1e-7d55-8000-3f1d2c4b5a69.")
            }
            ids.append(id)
        }
        return ids
    }

    private func pair(_ json: JSONValue) throws(Flaw) -> (JSONValue, JSONValue) {
        guard case .array(let ends) = json, ends.count == 2 else {
            throw Flaw(message: "This must be a list of two values: the first and the last.")
        }
        return (ends[0], ends[1])
    }
}
