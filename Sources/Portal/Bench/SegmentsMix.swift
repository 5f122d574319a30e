import Core

/// Rules of five conditions, one of them of behaviour, put together at random from all that the builder offers, the same in each
/// run: what the hand-picked ones leave out.
struct SegmentsMix {
    private var state: UInt64 = 7

    static func rules(_ count: Int) -> [JSONValue] {
        var mix = SegmentsMix()
        return (0..<count).map { _ in mix.rule() }
    }

    private mutating func rule() -> JSONValue {
        var nodes: [JSONValue] = (0..<4).map { _ in condition() }
        nodes.insert(behaviour(), at: number(5))
        let match: String = pick(["all", "all", "all", "any", "any", "none"])
        guard chance(40) else { return .object([match: .array(nodes)]) }
        let inner: JSONValue = .object([pick(["any", "all", "none"]): .array(Array(nodes.prefix(3)))])
        return .object([match: .array([inner] + nodes.dropFirst(3))])
    }

    private mutating func condition() -> JSONValue {
        switch number(3) {
        case 0: ofProperty()
        case 1: ofPerson()
        default: chance(60) ? ofProperty() : ofOthers()
        }
    }

    private mutating func ofProperty() -> JSONValue {
        switch number(13) {
        case 0: field("properties.age", pick(["is", "moreThan", "lessThan", "isNot"]), .int(20 + number(60)))
        case 1: field("properties.city", pick(["is", "isNot", "startsWith"]), .string("City \(number(200))"))
        case 2: field("properties.city", pick(["in", "notIn"]), texts(20) { "City \($0.number(200))" })
        case 3: field("properties.plan", pick(["is", "isNot"]), .string(pick(["free", "plus", "pro"])))
        case 4: field("properties.score", pick(["atLeast", "lessThan"]), .int(number(1_000)))
        case 5: field("properties.score", "between", .array([.int(200), .int(200 + number(600))]))
        case 6: field("properties.spent", pick(["moreThan", "lessThan"]), .string("\(number(1_000)).50 EUR"))
        case 7: field("properties.orders", pick(["atLeast", "atMost"]), .int(number(20)))
        case 8: field("properties.birthday", "monthIs", .string(pick(["this", "next"])))
        case 9: field("properties.languages", pick(["contains", "notContains"]), .string(pick(["de", "en", "pt"])))
        case 10: field("properties.newsletter", "is", .bool(chance(50)))
        case 11: field("properties.note", pick(["contains", "notContains"]), .string(pick(["fair 7", "prices", "3"])))
        default: field("properties.signed_up", pick(["inLast", "olderThan"]), .int(pick([30, 200, 400])))
        }
    }

    private mutating func ofPerson() -> JSONValue {
        switch number(9) {
        case 0: field("emailStatus", pick(["is", "isNot"]), .string(pick(["active", "unsubscribed"])))
        case 1: field("tags", pick(["contains", "notContains"]), .string(pick(["vip", "lead", "customer"])))
        case 2: field("lastName", pick(["startsWith", "contains"]), .string(pick(["sch", "a", "er"])))
        case 3: field("email", pick(["contains", "endsWith"]), .string(pick(["1", "example.com", "77"])))
        case 4: field("phone", pick(["startsWith", "contains"]), .string(pick(["+4915", "77"])))
        case 5: field("createdAt", "inLast", .int(pick([100, 1_000, 3_650])))
        case 6: field("consent.email", "is", .bool(chance(50)))
        case 7: field("source", pick(["is", "isNot"]), .string(pick(["form", "shop"])))
        default: field("tags", pick(["containsAny", "containsNone"]), .array([.string("vip"), .string("lead")]))
        }
    }

    private mutating func ofOthers() -> JSONValue {
        switch number(4) {
        case 0: field("company.name", pick(["startsWith", "contains"]), .string(pick(["company 1", "7"])))
        case 1: field("company.properties.staff", pick(["atLeast", "lessThan"]), .int(number(500)))
        case 2: field("company.properties.sector", pick(["is", "isNot"]), .string(pick(["food", "steel"])))
        default: field("list", pick(["is", "isNot"]), .string(AudienceSeed.list(number(3)).lowercased))
        }
    }

    private mutating func texts(_ count: Int, _ text: (inout SegmentsMix) -> String) -> JSONValue {
        .array((0..<count).map { _ in .string(text(&self)) })
    }

    private func field(_ name: String, _ comparison: String, _ value: JSONValue) -> JSONValue {
        .object(["field": .string(name), "operator": .string(comparison), "value": value])
    }

    private mutating func behaviour() -> JSONValue {
        let kind: String = pick(["sent", "opened", "opened", "clicked", "event", "event", "event"])
        var members: [String: JSONValue] = ["behaviour": .string(kind)]
        if kind == "event" {
            members["name"] = .string(pick(["order placed", "page viewed", "invoice paid"]))
            if chance(50) {
                let total = JSONValue.object([
                    "property": .string("total"), "operator": .string(pick(["moreThan", "lessThan"])),
                    "value": .int(number(500)),
                ])
                members["where"] = .array([total])
            }
        } else {
            if kind != "sent", chance(30) { members["by"] = .string("anyone") }
            if chance(30) {
                members["campaign"] = .string(AudienceSeed.campaign(number(AudienceSeed.sends)).lowercased)
            } else if kind == "clicked", chance(30) {
                members["link"] = .string("https://example.com/\(1 + number(28))")
            }
        }
        let comparison: String = pick(["", "", "atLeast", "atMost", "never"])
        if !comparison.isEmpty { members["operator"] = .string(comparison) }
        if comparison == "atLeast" || comparison == "atMost" { members["times"] = .int(pick([1, 2, 3, 5])) }
        if chance(60) { members["within"] = .object(["days": .int(pick([7, 30, 90, 180, 365]))]) }
        return .object(members)
    }

    private mutating func chance(_ percent: Int) -> Bool { number(100) < percent }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[number(values.count)] }

    /// From 0 up to a limit (SplitMix64).
    private mutating func number(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed: UInt64 = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
}
