import Core
import FoundationEssentials

extension DraftGroup {
    /// What a stored rule looks like in the builder.
    init(_ rule: RuleGroup, _ names: RuleNames) {
        match = rule.match
        nodes = rule.nodes.map { node in
            switch node {
            case .group(let group): .group(DraftGroup(group, names))
            case .condition(let condition): .leaf(DraftLeaf(condition, names))
            case .behaviour(let behaviour): .leaf(DraftLeaf(behaviour))
            }
        }
    }
}

extension DraftLeaf {
    init(_ condition: RuleCondition, _ names: RuleNames) {
        subject = condition.field.path
        comparison = condition.comparison.rawValue
        func put(_ value: String, _ second: String? = nil) {
            inputs["value"] = [value]
            if let second { inputs["second"] = [second] }
        }
        switch condition.value {
        case .none: break
        case .text(let text):
            put(text)
            inputs["values"] = [text]
        case .texts(let texts):
            inputs["values"] = texts
            inputs["lines"] = [texts.joined(separator: "\n")]
        case .number(let number): put(Self.plain(number))
        case .numbers(let numbers): inputs["lines"] = [numbers.map(Self.plain).joined(separator: "\n")]
        case .numberRange(let low, let high): put(Self.plain(low), Self.plain(high))
        case .money(let money): put(money.words)
        case .moneyRange(let low, let high): put(low.words, high.words)
        case .flag(let flag): put(flag ? "true" : "false")
        case .point(let point): put(point.json.stringValue ?? "")
        case .points(let first, let last): put(first.json.stringValue ?? "", last.json.stringValue ?? "")
        case .days(let days): put(String(days))
        case .dayOfYear(let day): put(day.iso)
        case .daysOfYear(let first, let last): put(first.iso, last.iso)
        case .month(.this): put("this")
        case .month(.next): put("next")
        case .month(.number(let month)): put(String(month))
        case .ids(let ids):
            let texts: [String] = ids.map(\.lowercased)
            inputs["values"] = texts
            inputs["value"] = texts
            inputs["lines"] = [ids.map { names.companies[$0] ?? $0.lowercased }.joined(separator: "\n")]
        }
    }

    static func plain(_ number: Double) -> String {
        if let whole = Int(exactly: number), abs(number) < 1e15 { return String(whole) }
        return number.description
    }

    init(_ behaviour: RuleBehaviour) {
        subject = "did.\(behaviour.kind.word)"
        if case .event(let name) = behaviour.kind { inputs["name"] = [name] }
        switch behaviour.times {
        case .atLeast(let count):
            comparison = "atLeast"
            inputs["times"] = [String(count)]
        case .atMost(let count):
            comparison = "atMost"
            inputs["times"] = [String(count)]
        case .never: comparison = "never"
        }
        switch behaviour.window {
        case .lastDays(let days):
            inputs["within"] = ["days"]
            inputs["days"] = [String(days)]
        case .days(let from, let to):
            inputs["within"] = ["dates"]
            inputs["from"] = [from.iso]
            inputs["to"] = [to.iso]
        case nil: break
        }
        if let campaign = behaviour.campaign { inputs["campaign"] = [campaign.description] }
        if !behaviour.humanOnly { inputs["by"] = ["anyone"] }
        if let link = behaviour.link { inputs["link"] = [link] }
        filters = behaviour.filters.map(DraftFilter.init)
    }
}
