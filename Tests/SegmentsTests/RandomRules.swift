import Contacts
import Core
import FoundationEssentials

@testable import Segments

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed: UInt64 = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int(next() % UInt64(values.count))] }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

    mutating func some<Value>(_ values: [Value], _ count: ClosedRange<Int>) -> [Value] {
        Array(values.shuffled(using: &self).prefix(number(count)))
    }
}

/// What random rules and random people are made of, the same for both so that they meet.
struct RandomWorld {
    static let words: [String] = [
        "Anna", "anna", "ÄNNA", "Müller", "müller", "O'Brien'; DROP TABLE x; --", "100%", "a_b", "ß", "ẞ", "x\\y",
        "Zoë",
        "naïve", "日本", "é", "$1", "{}", "null", "A", "ann",
        "\u{212A}ilo", "KILO%", "kilo", "\u{130}s", "is",
    ]
    static let plans: [String] = ["free", "plus", "pro"]
    static let tags: [String] = ["vip", "VIP", "wine", "a,b", "o'b"]
    static let days: [String] = [
        "2026-01-15", "2026-01-14", "2026-01-16", "2025-12-31", "2024-02-29", "1990-01-20", "1985-06-01", "2026-02-28",
        "2026-01-01",
    ]
    static let moments: [String] = [
        "2026-01-15T09:30:00Z", "2026-01-14T23:00:00Z", "2026-01-14T22:59:59Z", "2026-01-15T23:00:00Z",
        "2025-12-31T23:00:00Z", "2026-01-09T12:00:00Z", "2024-02-29T00:00:00Z",
    ]
    static let events: [String] = ["order placed", "visited"]
    static let links: [String] = ["https://example.com/a", "https://example.com/b"]
    static let domains: [String] = ["acme.test", "Müller.test", "b.test"]

    let lists: [UUID]
    let companies: [UUID]
    let users: [UUID]
    let campaigns: [CampaignID]
    let catalog: FieldCatalog

    init() {
        func id(_ kind: UInt8, _ number: UInt8) -> UUID {
            UUID(uuid: (1, 0x92, kind, number, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number))
        }
        lists = (1...3).map { id(1, $0) }
        companies = (1...5).map { id(2, $0) }
        users = (1...2).map { id(3, $0) }
        campaigns = (1...2).map { CampaignID(id(4, $0)) }
        var definitions: [FieldCatalog.Definition] = []
        for (index, type) in PropertyType.allCases.enumerated() {
            for isFast in [false, true] {
                let property = RuleProperty(
                    id: PropertyID(id(isFast ? 6 : 5, UInt8(index))), name: "\(type.rawValue)\(isFast ? " fast" : "")",
                    type: type, isFast: isFast)
                let options: [PropertyOption] =
                    type == .singleSelect || type == .multiSelect
                    ? Self.plans.map { PropertyOption(value: $0, label: $0.uppercased()) } : []
                definitions.append(
                    FieldCatalog.Definition(
                        property: property, isOfCompany: false, label: property.name, group: "", options: options))
            }
        }
        for (index, type) in [PropertyType.text, .number, .date].enumerated() {
            definitions.append(
                FieldCatalog.Definition(
                    property: RuleProperty(
                        id: PropertyID(id(7, UInt8(index))), name: "c \(type.rawValue)", type: type, isFast: false),
                    isOfCompany: true, label: "c", group: "", options: []))
        }
        catalog = FieldCatalog(definitions)
    }

    // MARK: Rules

    func group(_ random: inout SeededGenerator, depth: Int = 1) -> RuleGroup {
        let count: Int = random.number(1...(depth == 1 ? 4 : 3))
        let nodes: [RuleNode] = (0..<count).map { _ in
            if depth < 3, random.chance(25) { return .group(group(&random, depth: depth + 1)) }
            return random.chance(30) ? .behaviour(behaviour(&random)) : .condition(condition(&random))
        }
        return RuleGroup(random.pick(RuleGroup.Match.allCases), nodes)
    }

    func condition(_ random: inout SeededGenerator) -> RuleCondition {
        let own: [RuleField] = catalog.definitions.map(FieldCatalog.field)
        let field: RuleField = random.chance(60) ? random.pick(own) : random.pick(RuleField.fixed)
        let comparison: RuleOperator = random.pick(field.kind.operators)
        return RuleCondition(field, comparison, value(field, comparison, &random))
    }

    private func value(
        _ field: RuleField, _ comparison: RuleOperator, _ random: inout SeededGenerator
    ) -> RuleValue {
        switch comparison {
        case .isEmpty, .isNotEmpty: return .none
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext:
            return .days(random.pick([1, 2, 7, 30, 366, 3650]))
        case .dayOfYearIs: return .dayOfYear(MonthDay(month: 1, day: random.number(14...21)))
        case .dayOfYearBetween:
            return .daysOfYear(MonthDay(month: random.number(1...12), day: 15), MonthDay(month: 2, day: 29))
        case .monthIs: return .month(random.pick([.this, .next, .number(random.number(1...12))]))
        default: break
        }
        switch field.kind {
        case .text: return text(Self.words + Self.domains, comparison, &random)
        case .email:
            return text(
                ["person.1@example.com", "PERSON.2@Example.com", "example", "son.3", "müller.test"], comparison, &random
            )
        case .phone: return text(["+49301", "+49 30 1000003", "0049301000004", "3010"], comparison, &random)
        case .choice:
            return text(field == .emailStatus ? EmailStatus.allCases.map(\.rawValue) : Self.plans, comparison, &random)
        case .choices: return text(field == .tags ? Self.tags : Self.plans, comparison, &random)
        case .number: return number(comparison, &random)
        case .money: return money(comparison, &random)
        case .boolean: return .flag(random.chance(50))
        case .date:
            let days: [Day] = Self.days.compactMap { Day($0) }
            return comparison == .between
                ? .points(.day(random.pick(days)), .day(random.pick(days))) : .point(.day(random.pick(days)))
        case .moment:
            return comparison == .between ? .points(point(&random), point(&random)) : .point(point(&random))
        case .company: return .ids(ids(companies, comparison, &random))
        case .list: return .ids(ids(lists, comparison, &random))
        case .user: return .ids(ids(users, comparison, &random))
        }
    }

    private func ids(_ all: [UUID], _ comparison: RuleOperator, _ random: inout SeededGenerator) -> [UUID] {
        comparison.takesList ? random.some(all, 1...3) : [random.pick(all)]
    }

    private func text(_ words: [String], _ comparison: RuleOperator, _ random: inout SeededGenerator) -> RuleValue {
        comparison.takesList ? .texts(random.some(words, 1...3)) : .text(random.pick(words))
    }

    private func number(_ comparison: RuleOperator, _ random: inout SeededGenerator) -> RuleValue {
        let numbers: [Double] = [0, 1, 2.5, -3, 100, 1e12, 0.1, 9_007_199_254_740_992, 1e300]
        if comparison == .between { return .numberRange(random.pick(numbers), random.pick(numbers)) }
        return comparison.takesList ? .numbers(random.some(numbers, 1...3)) : .number(random.pick(numbers))
    }

    private func money(_ comparison: RuleOperator, _ random: inout SeededGenerator) -> RuleValue {
        let currency: String = random.pick(["EUR", "USD"])
        func amount() -> RuleMoney { RuleMoney(amount: random.pick([0, 100, 1250, -5]), currency: currency) }
        return comparison == .between ? .moneyRange(amount(), amount()) : .money(amount())
    }

    private func point(_ random: inout SeededGenerator) -> RulePoint {
        if random.chance(50), let day = Day(random.pick(Self.days)) { return .day(day) }
        return .moment(Self.date(random.pick(Self.moments)))
    }

    static func date(_ text: String) -> Date {
        (try? Date(text, strategy: .iso8601)) ?? Date(timeIntervalSince1970: 0)
    }

    func behaviour(_ random: inout SeededGenerator) -> RuleBehaviour {
        let kind: RuleBehaviour.Kind = random.pick([.sent, .opened, .clicked, .event(random.pick(Self.events))])
        let times: RuleBehaviour.Times = random.pick([
            .atLeast(1), .atLeast(1), .atLeast(2), .atMost(0), .atMost(1), .never,
        ])
        let window: RuleBehaviour.Window? = random.pick([
            nil, .lastDays(1), .lastDays(7), .lastDays(60),
            .days(Day(year: 2026, month: 1, day: 1), Day(year: 2026, month: 1, day: 14)),
        ])
        let campaign: CampaignID?
        if case .event = kind { campaign = nil } else { campaign = random.chance(40) ? random.pick(campaigns) : nil }
        let link: String? = kind == .clicked && random.chance(40) ? random.pick(Self.links) : nil
        let isHuman: Bool = kind == .opened || kind == .clicked ? random.chance(60) : true
        var filters: [RuleEventFilter] = []
        if case .event = kind, random.chance(50) { filters = [filter(&random)] }
        return RuleBehaviour(
            kind, times, window: window, campaign: campaign, link: link, humanOnly: isHuman, filters: filters)
    }

    private func filter(_ random: inout SeededGenerator) -> RuleEventFilter {
        let property: String = random.pick(["total", "sku", "gift"])
        switch random.number(1...4) {
        case 1:
            let comparison: RuleOperator = random.pick([.moreThan, .atMost, .equals, .differs])
            return RuleEventFilter(property, comparison, number(comparison, &random))
        case 2:
            let comparison: RuleOperator = random.pick([.equals, .differs, .contains, .startsWith, .oneOf])
            return RuleEventFilter(property, comparison, text(Self.words, comparison, &random))
        case 3: return RuleEventFilter(property, random.pick([.equals, .differs]), .flag(random.chance(50)))
        default: return RuleEventFilter(property, random.pick([.isEmpty, .isNotEmpty]), .none)
        }
    }
}
