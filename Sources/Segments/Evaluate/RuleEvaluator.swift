import Core
import FoundationEssentials

/// Decides a rule for one person in memory, and says of each condition what was seen. The compiler decides the same in
/// SQL; a test holds the two equal over random rules and people.
package struct RuleEvaluator {
    let clock: RuleClock
    let words: RuleWords
    let facts: PersonFacts

    /// One part of a rule with its answer for a person.
    package struct Finding: Sendable, Equatable {
        /// Where it stands in the rule: `filterRules.all[2]`.
        package let path: String
        package let words: String
        package let holds: Bool
        /// What the person's record says; nil for groups.
        package let seen: String?
        package let parts: [Finding]
    }

    package func explain(_ group: RuleGroup, at path: String = "filterRules") -> Finding {
        let parts: [Finding] = group.nodes.enumerated().map { index, node in
            let place: String = "\(path).\(group.match.rawValue)[\(index)]"
            if case .group(let inner) = node { return explain(inner, at: place) }
            let (holds, seen) = answer(node)
            return Finding(path: place, words: words.phrase(node), holds: holds, seen: seen, parts: [])
        }
        let holds: Bool
        let text: String
        switch group.match {
        case .all: (holds, text) = (parts.allSatisfy(\.holds), "All of these")
        case .any: (holds, text) = (parts.contains(where: \.holds), "Any of these")
        case .none: (holds, text) = (!parts.contains(where: \.holds), "None of these")
        }
        return Finding(path: path, words: text, holds: holds, seen: nil, parts: parts)
    }

    private func answer(_ node: RuleNode) -> (Bool, String?) {
        switch node {
        case .group(let group): return (explain(group).holds, nil)
        case .condition(let condition):
            let subject: FactValue = self.subject(of: condition.field)
            return (holds(condition, subject), seen(subject, condition.field))
        case .behaviour(let behaviour):
            let deeds: [PersonFacts.Deed] = counted(behaviour)
            return (holds(behaviour, deeds.count), seen(deeds))
        }
    }

    private func holds(_ condition: RuleCondition, _ subject: FactValue) -> Bool {
        let matcher = FactMatcher(clock: clock, kind: condition.field.kind)
        if let opposite = condition.comparison.opposite {
            return !matcher.holds(opposite, condition.value, subject)
        }
        return matcher.holds(condition.comparison, condition.value, subject)
    }

    // MARK: Subjects

    private func subject(of field: RuleField) -> FactValue {
        let person: PersonRow = facts.person
        switch field {
        case .email: return .text(person.emailKey)
        case .phone: return .text(person.phone)
        case .firstName: return .text(person.firstName)
        case .lastName: return .text(person.lastName)
        case .source: return .text(person.source)
        case .tags: return .texts(person.tags)
        case .emailStatus: return .text(person.emailStatus)
        case .createdAt: return .moment(person.createdAt)
        case .trackingAllowed: return .flag(person.trackingAllowed)
        case .consent(.email): return .flag(person.emailOptIn)
        case .consent(.sms): return .flag(person.smsOptIn)
        case .company: return .ids(person.company.map { [$0] } ?? [])
        case .list: return .ids(Array(facts.lists))
        case .property(let property): return .json(person.properties[property.name] ?? .null)
        case .companyProperty(let property): return .json(person.companyRow?.properties[property.name] ?? .null)
        case .companyField(let field):
            guard let company = person.companyRow else { return .json(.null) }
            switch field {
            case .name: return .text(company.name)
            case .domain: return .text(company.domain)
            case .phone: return .text(company.phone)
            case .website: return .text(company.website)
            case .owner: return .ids(company.owner.map { [$0] } ?? [])
            case .createdAt: return .moment(company.createdAt)
            }
        }
    }

    private func seen(_ value: FactValue, _ field: RuleField) -> String {
        if case .ids(let ids) = value {
            let names: [UUID: String] =
                switch field.kind {
                case .list: words.names.lists
                case .user: words.names.users
                default: words.names.companies
                }
            let unknown: String =
                switch field.kind {
                case .company: "another company"
                case .user: "somebody who left"
                default: "another one"
                }
            let known: [String] = ids.map { names[$0] ?? unknown }
            if known.isEmpty { return field.kind == .list ? "none of them" : "none" }
            return known.sorted().joined(separator: ", ")
        }
        return SeenWords(words: words, field: field, clock: clock).words(value)
    }

    // MARK: Behaviour

    private func counted(_ behaviour: RuleBehaviour) -> [PersonFacts.Deed] {
        let deeds: [PersonFacts.Deed] = facts.deeds[behaviour] ?? []
        let bounds: MomentBounds? = behaviour.window.map { MomentBounds($0, clock) }
        return deeds.filter { deed in
            if let bounds, !bounds.contains(deed.at) { return false }
            switch behaviour.kind {
            case .sent: return true
            case .opened: guard ["open", "click"].contains(deed.kind) else { return false }
            case .clicked: guard deed.kind == "click" else { return false }
            case .event: return behaviour.filters.allSatisfy { holds($0, deed) }
            }
            if behaviour.humanOnly, !deed.isHuman { return false }
            if let link = behaviour.link, !link.utf8.elementsEqual((deed.link ?? "").utf8) { return false }
            return deed.isOfCampaign
        }
    }

    private func holds(_ filter: RuleEventFilter, _ deed: PersonFacts.Deed) -> Bool {
        let matcher = FactMatcher(clock: clock, kind: filter.value.kind)
        let value = FactValue.json(deed.properties[filter.property] ?? .null)
        if let opposite = filter.comparison.opposite { return !matcher.holds(opposite, filter.value, value) }
        return matcher.holds(filter.comparison, filter.value, value)
    }

    private func holds(_ behaviour: RuleBehaviour, _ count: Int) -> Bool {
        switch behaviour.times {
        case .atLeast(let wanted): count >= wanted
        case .atMost(let wanted): count <= wanted
        case .never: count == 0
        }
    }

    private func seen(_ deeds: [PersonFacts.Deed]) -> String {
        guard let last = deeds.map(\.at).max() else { return "never" }
        let day: String = clock.day(of: last).words
        return deeds.count == 1 ? "once, on \(day)" : "\(deeds.count) times, last on \(day)"
    }
}
