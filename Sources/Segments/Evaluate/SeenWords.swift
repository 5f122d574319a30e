import Contacts
import Core
import FoundationEssentials
import Web

/// What a person's record says of a field, for people: options by their labels, days and moments of the workspace's
/// calendar, numbers with separators.
struct SeenWords {
    let words: RuleWords
    let field: RuleField
    let clock: RuleClock

    func words(_ value: FactValue) -> String {
        switch value {
        case .text(let text): text.map(self.text) ?? "empty"
        case .texts(let texts): texts.isEmpty ? "empty" : texts.map(label).joined(separator: ", ")
        case .flag(let flag): flag.map { $0 ? "yes" : "no" } ?? "not known"
        case .moment(let moment): clock.words(moment)
        case .ids(let ids): ids.isEmpty ? "none" : "\(ids.count)"
        case .json(let json): self.json(json)
        }
    }

    private func label(_ text: String) -> String {
        words.catalog.options(field).first { $0.value == text }?.label ?? text
    }

    private func text(_ text: String) -> String {
        if text.isEmpty { return "empty" }
        switch field.kind {
        case .date: return Day(text)?.words ?? text
        case .moment: return ISO8601.parse(text).map(clock.words) ?? text
        default: return words.words(.text(text), field)
        }
    }

    private func json(_ json: JSONValue) -> String {
        switch json {
        case .null: return "empty"
        case .bool(let flag): return flag ? "yes" : "no"
        case .int(let number): return RuleValue.words(Double(number))
        case .double(let number): return RuleValue.words(number)
        case .string(let text): return self.text(text)
        case .array(let values):
            return values.isEmpty
                ? "empty" : values.map { $0.stringValue.map(label) ?? self.json($0) }.joined(separator: ", ")
        case .object(let members):
            guard case .int(let amount)? = members["amount"], let currency = members["currency"]?.stringValue else {
                return "something else"
            }
            return RuleMoney(amount: amount, currency: currency).grouped
        }
    }
}
