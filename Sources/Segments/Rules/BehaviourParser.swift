import Core
import FoundationEssentials

extension RuleParser {
    private static let members: Set<String> = [
        "behaviour", "name", "where", "operator", "times", "within", "campaign", "link", "by",
    ]

    mutating func behaviour(_ members: [String: JSONValue], _ place: String) -> RuleBehaviour? {
        refuseOthers(members, Self.members, place)
        guard let word = word(members, "behaviour", place) else { return nil }
        let kind: RuleBehaviour.Kind
        switch word {
        case "sent": kind = .sent
        case "opened": kind = .opened
        case "clicked": kind = .clicked
        case "event":
            guard let name = self.word(members, "name", place) else { return nil }
            guard name.count <= 200 else {
                refuse("\(place).name", "The name is longer than 200 characters.")
                return nil
            }
            kind = .event(name)
        default:
            refuse("\(place).behaviour", "This must be sent, opened, clicked or event.")
            return nil
        }
        guard let times = times(members, place) else { return nil }
        refuseMisplaced(members, kind, place)
        return RuleBehaviour(
            kind, times, window: window(members["within"], "\(place).within"),
            campaign: campaign(members["campaign"], "\(place).campaign"), link: link(members["link"], "\(place).link"),
            humanOnly: humanOnly(members["by"], "\(place).by"), filters: filters(members["where"], "\(place).where"))
    }

    private mutating func refuseMisplaced(
        _ members: [String: JSONValue], _ kind: RuleBehaviour.Kind, _ place: String
    ) {
        let allowed: Set<String>
        switch kind {
        case .sent: allowed = ["campaign"]
        case .opened: allowed = ["campaign", "by"]
        case .clicked: allowed = ["campaign", "by", "link"]
        case .event: allowed = ["name", "where"]
        }
        for name in ["name", "where", "campaign", "link", "by"] where !allowed.contains(name) {
            if let value = members[name], value != .null {
                refuse("\(place).\(name)", "This behaviour has no “\(name)”.")
            }
        }
    }

    private mutating func times(_ members: [String: JSONValue], _ place: String) -> RuleBehaviour.Times? {
        let word: String = members["operator"]?.stringValue ?? (members["operator"] == nil ? "atLeast" : "")
        var count = 1
        switch members["times"] {
        case nil, .null?: break
        case .int(let number)? where (0...10_000).contains(number): count = number
        default:
            refuse("\(place).times", "This must be a whole number from 0 to 10,000.")
            return nil
        }
        switch word {
        case "atLeast":
            guard count >= 1 else {
                refuse("\(place).times", "This must be at least 1. Say never for nobody did.")
                return nil
            }
            return .atLeast(count)
        case "atMost": return .atMost(count)
        case "never": return .never
        default:
            refuse("\(place).operator", "This must be atLeast, atMost or never.")
            return nil
        }
    }

    private mutating func window(_ json: JSONValue?, _ place: String) -> RuleBehaviour.Window? {
        guard let json, json != .null else { return nil }
        guard case .object(let members) = json else {
            refuse(place, "This must be an object with days, or with from and to.")
            return nil
        }
        if case .int(let days)? = members["days"], members.count == 1, (1...3650).contains(days) {
            return .lastDays(days)
        }
        if members.count == 2, let from = members["from"]?.stringValue.flatMap({ Day($0) }),
            let to = members["to"]?.stringValue.flatMap({ Day($0) })
        {
            if from > to { refuse(place, "The first day comes after the last.") }
            return .days(from, to)
        }
        refuse(place, "This must be {\"days\": 1 to 3650} or {\"from\": \"2026-01-01\", \"to\": \"2026-01-31\"}.")
        return nil
    }

    private mutating func campaign(_ json: JSONValue?, _ place: String) -> CampaignID? {
        guard let json, json != .null else { return nil }
        guard let id = json.stringValue.flatMap({ CampaignID($0) }) else {
            refuse(place, "This must be the id of a campaign.")
            return nil
        }
        return id
    }

    private mutating func link(_ json: JSONValue?, _ place: String) -> String? {
        guard let json, json != .null else { return nil }
        guard let text = json.stringValue, !text.isEmpty, text.utf8.count <= 2_000, text.isPlain else {
            refuse(place, "This must be the address of a link.")
            return nil
        }
        return text
    }

    private mutating func humanOnly(_ json: JSONValue?, _ place: String) -> Bool {
        switch json {
        case nil, .null?, .string("people")?: return true
        case .string("anyone")?: return false
        default:
            refuse(place, "This must be people or anyone.")
            return true
        }
    }

    private mutating func filters(_ json: JSONValue?, _ place: String) -> [RuleEventFilter] {
        guard let json, json != .null else { return [] }
        guard case .array(let items) = json, items.count <= 10 else {
            refuse(place, "This must be a list of at most 10 conditions on the event's properties.")
            return []
        }
        var filters: [RuleEventFilter] = []
        for (index, item) in items.enumerated() {
            if let filter = filter(item, "\(place)[\(index)]") { filters.append(filter) }
        }
        return filters
    }

    private mutating func filter(_ json: JSONValue, _ place: String) -> RuleEventFilter? {
        guard case .object(let members) = json else {
            refuse(place, "A condition is an object with property, operator and value.")
            return nil
        }
        refuseOthers(members, ["property", "operator", "value"], place)
        guard let property = word(members, "property", place),
            let comparison = comparison(members, among: RuleEventFilter.operators, "Event properties", place)
        else { return nil }
        guard comparison.takesValue else { return RuleEventFilter(property, comparison, .none) }
        do {
            let value: JSONValue = members["value"] ?? .null
            return RuleEventFilter(property, comparison, try Self.filterValue(value, comparison))
        } catch {
            refuse("\(place).value", error.message)
            return nil
        }
    }

    /// Events have no declared types: what the rule gives decides.
    private static func filterValue(_ json: JSONValue, _ comparison: RuleOperator) throws(RuleValueReader.Flaw)
        -> RuleValue
    {
        let sample: JSONValue
        if case .array(let items) = json { sample = items.first ?? .null } else { sample = json }
        let kind: FieldKind
        switch sample {
        case .bool: kind = .boolean
        case .int, .double: kind = .number
        default: kind = .text
        }
        guard kind.operators.contains(comparison) else {
            throw RuleValueReader.Flaw(message: "“\(comparison.rawValue)” does not go with this value.")
        }
        return try RuleValueReader(kind: kind).value(json, for: comparison)
    }
}
