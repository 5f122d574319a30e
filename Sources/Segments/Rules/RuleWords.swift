import Core
import FoundationEssentials
import Web

/// The names of what a rule refers to by id.
package struct RuleNames: Sendable {
    package var lists: [UUID: String] = [:]
    package var companies: [UUID: String] = [:]
    package var users: [UUID: String] = [:]
    package var campaigns: [CampaignID: String] = [:]

    package init() {}
}

/// A rule in plain English.
package struct RuleWords {
    let catalog: FieldCatalog
    let names: RuleNames
    /// In whose zone moments are said; nil: in UTC.
    let clock: RuleClock?

    package init(_ catalog: FieldCatalog, _ names: RuleNames = RuleNames(), clock: RuleClock? = nil) {
        self.catalog = catalog
        self.names = names
        self.clock = clock
    }

    /// “People where Plan is not “free” and who opened an e-mail in the last 30 days.”
    package func sentence(_ group: RuleGroup) -> String {
        "People \(phrase(group, isInner: false))."
    }

    private func phrase(_ group: RuleGroup, isInner: Bool) -> String {
        let parts: [String] = group.nodes.map(phrase)
        switch group.match {
        case .all: return bracketed(parts.joined(separator: " and "), isInner && parts.count > 1)
        case .any: return bracketed(parts.joined(separator: " or "), isInner && parts.count > 1)
        case .none: return "for whom none of this is true: (" + parts.joined(separator: " or ") + ")"
        }
    }

    private func bracketed(_ text: String, _ isNeeded: Bool) -> String { isNeeded ? "(\(text))" : text }

    /// One part of a rule: “where Plan is not “free””.
    package func phrase(_ node: RuleNode) -> String {
        switch node {
        case .group(let group): phrase(group, isInner: true)
        case .condition(let condition): phrase(condition)
        case .behaviour(let behaviour): BehaviourWords(names: names, clock: clock).phrase(behaviour)
        }
    }

    private func phrase(_ condition: RuleCondition) -> String {
        let comparison: RuleOperator = condition.comparison
        switch (condition.field, condition.value) {
        case (.list, .ids(let ids)):
            let isOn: Bool = comparison == .equals || comparison == .oneOf
            return "who \(isOn ? "are" : "are not") on \(choices(ids.map { names.lists[$0] ?? "a list that is gone" }))"
        case (.consent(let channel), .flag(let flag)):
            let word: String = channel == .email ? "e-mail" : "SMS"
            let isYes: Bool = flag == (comparison == .equals)
            return comparison == .equals
                ? "who \(isYes ? "agreed to" : "refused") \(word)"
                : "who did not \(flag ? "agree to" : "refuse") \(word)"
        case (.trackingAllowed, .flag(let flag)):
            return "who \((flag == (comparison == .equals)) ? "may" : "may not") be tracked"
        default: break
        }
        if let added = added(condition) { return added }
        let subject: String = subject(condition.field)
        switch comparison {
        case .isEmpty: return "\(subject) is not known"
        case .isNotEmpty: return "\(subject) is known"
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext, .monthIs:
            return "\(subject) \(relative(comparison, condition.value))"
        default:
            // The one field that is called by a plural.
            let verb: String = condition.field == .tags ? comparison.pluralWords : comparison.words
            return "\(subject) \(verb) \(words(condition.value, condition.field))"
        }
    }

    /// Labels of a workspace's own properties are names, whatever their number: “where Seats is 5”. The portal's are words
    /// of ours: “whose e-mail address”.
    private func subject(_ field: RuleField) -> String {
        switch field {
        case .property: return "where \(catalog.label(field))"
        case .companyProperty(let property):
            return "where the company’s \(catalog.label(.property(property)))"
        case .companyField(.name): return "whose company’s name"
        case .companyField: return "whose company’s \(catalog.label(field).dropFirst(8))"
        default: return "whose \(lowered(catalog.label(field)))"
        }
    }

    /// When somebody, or their company, was added: “who were added in the last 30 days”.
    private func added(_ condition: RuleCondition) -> String? {
        let verb: String
        switch condition.field {
        case .createdAt: verb = "who were"
        case .companyField(.createdAt): verb = "whose company was"
        default: return nil
        }
        let value: String = words(condition.value, condition.field)
        switch condition.comparison {
        case .equals: return "\(verb) added on \(value)"
        case .differs: return "\(verb) not added on \(value)"
        case .before, .after, .between: return "\(verb) added \(condition.comparison.rawValue) \(value)"
        case .inLast, .inNext, .olderThan:
            return "\(verb) added \(relative(condition.comparison, condition.value).dropFirst(3))"
        default: return nil
        }
    }

    private func relative(_ comparison: RuleOperator, _ value: RuleValue) -> String {
        if case .month(let month) = value {
            switch month {
            case .this: return "falls in this month"
            case .next: return "falls in the next month"
            case .number(let number): return "falls in \(MonthDay.names[max(0, min(11, number - 1))])"
            }
        }
        guard case .days(let count) = value else { return comparison.words }
        let days: String = count == 1 ? "day" : "\(NumberWords.grouped(count)) days"
        switch comparison {
        case .inLast: return count == 1 ? "is today" : "is in the last \(days)"
        case .inNext: return count == 1 ? "is today" : "is in the next \(days)"
        case .olderThan: return "is more than \(count == 1 ? "a day" : days) ago"
        case .dayOfYearInLast: return count == 1 ? "comes round today" : "came round in the last \(days)"
        default: return count == 1 ? "comes round today" : "comes round in the next \(days)"
        }
    }

    func words(_ value: RuleValue, _ field: RuleField) -> String {
        func label(_ text: String) -> String {
            quoted(catalog.options(field).first { $0.value == text }?.label ?? text)
        }
        switch value {
        case .text(let text): return label(text)
        case .texts(let texts): return list(texts.map(label))
        case .ids(let ids):
            let known: [UUID: String] = field.kind == .user ? names.users : names.companies
            return list(ids.map { known[$0] ?? (field.kind == .user ? "somebody who left" : "a company that is gone") })
        default: return value.words(clock)
        }
    }

    private func choices(_ names: [String]) -> String { list(names.map(quoted)) }

    private func list(_ words: [String]) -> String {
        let shown: [String] = words.count > 8 ? Array(words.prefix(7)) + ["\(words.count - 7) more"] : words
        guard shown.count > 1, let last = shown.last else { return shown.first ?? "" }
        return shown.dropLast().joined(separator: ", ") + " or " + last
    }

    private func quoted(_ text: String) -> String { "“\(text.count > 80 ? text.prefix(79) + "…" : text[...])”" }

    /// “E-mail address” becomes “e-mail address”; “VAT number” stays.
    private func lowered(_ label: String) -> String {
        let second: Character? = label.dropFirst().first
        return second?.isUppercase == true ? label : label.prefix(1).lowercased() + label.dropFirst()
    }
}

/// What people did, in words.
struct BehaviourWords {
    let names: RuleNames
    let clock: RuleClock?

    func phrase(_ behaviour: RuleBehaviour) -> String {
        var words: String = "who \(deed(behaviour))"
        if let link = behaviour.link { words += " to \(link.count > 80 ? link.prefix(79) + "…" : link[...])" }
        if let campaign = behaviour.campaign {
            words += " of the campaign “\(names.campaigns[campaign] ?? "that is gone")”"
        }
        if !behaviour.filters.isEmpty {
            let filters: [String] = behaviour.filters.map { filter in
                "\(filter.property) \(filter.comparison.words)"
                    + (filter.value == .none ? "" : " \(filter.value.words(clock))")
            }
            words += " where " + filters.joined(separator: " and ")
        }
        switch behaviour.times {
        case .atLeast(1), .never: break
        case .atLeast(let count): words += " at least \(times(count))"
        case .atMost(let count): words += " at most \(times(count))"
        }
        switch behaviour.window {
        case .lastDays(1): words += " today"
        case .lastDays(let days): words += " in the last \(NumberWords.grouped(days)) days"
        case .days(let from, let to): words += " between \(from.words) and \(to.words)"
        case nil: break
        }
        let isMachine: Bool = !behaviour.humanOnly && (behaviour.kind == .opened || behaviour.kind == .clicked)
        return isMachine ? words + " (machines count too)" : words
    }

    private func deed(_ behaviour: RuleBehaviour) -> String {
        let isNever: Bool = behaviour.times == .never
        switch behaviour.kind {
        case .sent: return isNever ? "never got an e-mail" : "got an e-mail"
        case .opened: return isNever ? "never opened an e-mail" : "opened an e-mail"
        case .clicked: return isNever ? "never clicked a link" : "clicked a link"
        case .event(let name): return isNever ? "never did “\(name)”" : "did “\(name)”"
        }
    }

    private func times(_ count: Int) -> String {
        switch count {
        case 1: "once"
        case 2: "twice"
        default: "\(NumberWords.grouped(count)) times"
        }
    }
}

extension RuleOperator {
    fileprivate var pluralWords: String {
        switch self {
        case .contains: "contain"
        case .notContains: "do not contain"
        case .containsAny: "have any of"
        case .containsAll: "have all of"
        case .containsNone: "have none of"
        default: words
        }
    }
}

extension RuleValue {
    /// Without the names of what ids and options stand for; moments in the clock's zone.
    func words(_ clock: RuleClock?) -> String {
        switch self {
        case .none: ""
        case .text(let text): "“\(text)”"
        case .texts(let texts): texts.map { "“\($0)”" }.joined(separator: " or ")
        case .number(let number): Self.words(number)
        case .numbers(let numbers): numbers.map(Self.words).joined(separator: " or ")
        case .numberRange(let low, let high): "\(Self.words(low)) and \(Self.words(high))"
        case .money(let money): money.grouped
        case .moneyRange(let low, let high): "\(low.grouped) and \(high.grouped)"
        case .flag(let flag): flag ? "yes" : "no"
        case .point(let point): point.words(clock)
        case .points(let first, let last): "\(first.words(clock)) and \(last.words(clock))"
        case .days(let days): "\(days) days"
        case .dayOfYear(let day): day.words
        case .daysOfYear(let first, let last): "\(first.words) and \(last.words)"
        case .month(.this): "this month"
        case .month(.next): "the next month"
        case .month(.number(let month)): MonthDay.names[max(0, min(11, month - 1))]
        case .ids(let ids): ids.map(\.lowercased).joined(separator: " or ")
        }
    }

    static func words(_ number: Double) -> String {
        if let whole = Int(exactly: number), abs(number) < 1e15 { return NumberWords.grouped(whole) }
        return NumberWords.grouped(decimal: number.description)
    }
}

extension RulePoint {
    func words(_ clock: RuleClock?) -> String {
        switch self {
        case .day(let day): day.words
        case .moment(let moment): clock?.words(moment) ?? MomentBounds.text(moment)
        }
    }
}
