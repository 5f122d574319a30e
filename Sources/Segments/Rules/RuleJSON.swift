import Core
import FoundationEssentials
import Web

extension RuleGroup {
    /// The rule as `filterRules` says it, in one form.
    package var json: JSONValue {
        .object([match.rawValue: .array(nodes.map(\.json))])
    }
}

extension RuleNode {
    var json: JSONValue {
        switch self {
        case .group(let group): group.json
        case .condition(let condition):
            .object(
                members([
                    ("field", .string(condition.field.path)), ("operator", .string(condition.comparison.rawValue)),
                    ("value", condition.comparison.takesList ? condition.value.listJSON : condition.value.json),
                ]))
        case .behaviour(let behaviour): behaviour.json
        }
    }

    private func members(_ pairs: [(String, JSONValue?)]) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        for (name, value) in pairs { members[name] = value }
        return members
    }
}

extension RuleBehaviour {
    var json: JSONValue {
        var members: [String: JSONValue] = ["behaviour": .string(kind.word)]
        if case .event(let name) = kind { members["name"] = .string(name) }
        switch times {
        case .atLeast(let count):
            members["operator"] = .string("atLeast")
            members["times"] = .int(count)
        case .atMost(let count):
            members["operator"] = .string("atMost")
            members["times"] = .int(count)
        case .never: members["operator"] = .string("never")
        }
        switch window {
        case .lastDays(let days): members["within"] = .object(["days": .int(days)])
        case .days(let from, let to):
            members["within"] = .object(["from": .string(from.iso), "to": .string(to.iso)])
        case nil: break
        }
        if let campaign { members["campaign"] = .string(campaign.description) }
        if let link { members["link"] = .string(link) }
        if kind == .opened || kind == .clicked { members["by"] = .string(humanOnly ? "people" : "anyone") }
        if !filters.isEmpty {
            members["where"] = .array(
                filters.map { filter in
                    var own: [String: JSONValue] = [
                        "property": .string(filter.property), "operator": .string(filter.comparison.rawValue),
                    ]
                    own["value"] = filter.value.json
                    return .object(own)
                })
        }
        return .object(members)
    }
}

extension RuleBehaviour.Kind {
    var word: String {
        switch self {
        case .sent: "sent"
        case .opened: "opened"
        case .clicked: "clicked"
        case .event: "event"
        }
    }
}

extension RuleValue {
    /// Nil where there is none.
    var json: JSONValue? {
        switch self {
        case .none: nil
        case .text(let text): .string(text)
        case .texts(let texts): .array(texts.map(JSONValue.string))
        case .number(let number): Self.number(number)
        case .numbers(let numbers): .array(numbers.map(Self.number))
        case .numberRange(let low, let high): .array([Self.number(low), Self.number(high)])
        case .money(let money): money.json
        case .moneyRange(let low, let high): .array([low.json, high.json])
        case .flag(let flag): .bool(flag)
        case .point(let point): point.json
        case .points(let first, let last): .array([first.json, last.json])
        case .days(let days): .int(days)
        case .dayOfYear(let day): .string(day.iso)
        case .daysOfYear(let first, let last): .array([.string(first.iso), .string(last.iso)])
        case .month(.this): .string("this")
        case .month(.next): .string("next")
        case .month(.number(let month)): .int(month)
        case .ids(let ids):
            ids.first.map { .string($0.lowercased) }
        }
    }

    /// Ids as a list, even one.
    var listJSON: JSONValue? {
        if case .ids(let ids) = self { return .array(ids.map { .string($0.lowercased) }) }
        return json
    }

    static func number(_ number: Double) -> JSONValue {
        if let whole = Int(exactly: number), abs(number) < 1e15 { return .int(whole) }
        return .double(number)
    }
}

extension RuleMoney {
    var json: JSONValue { .object(["amount": .int(amount), "currency": .string(currency)]) }
}

extension RulePoint {
    var json: JSONValue {
        switch self {
        case .day(let day): .string(day.iso)
        case .moment(let moment): .string(ISO8601.format(moment))
        }
    }
}
