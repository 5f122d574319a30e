import Contacts
import Core
import FoundationEssentials
import Web

/// Turns what stands in the builder into `filterRules`; mistakes are left to the parser, which names their place.
struct DraftReader {
    let catalog: FieldCatalog
    /// Companies by name and domain, as somebody typed them, in lower case.
    var companies: [String: UUID] = [:]

    func json(_ group: DraftGroup) -> JSONValue {
        .object([
            group.match.rawValue: .array(
                group.nodes.map { node in
                    switch node {
                    case .group(let inner): json(inner)
                    case .leaf(let leaf): json(leaf)
                    }
                })
        ])
    }

    private func json(_ leaf: DraftLeaf) -> JSONValue {
        if leaf.subject.hasPrefix("did.") { return behaviour(leaf) }
        var members: [String: JSONValue] = ["field": .string(leaf.subject), "operator": .string(leaf.comparison)]
        if let field = catalog.field(leaf.subject), let comparison = RuleOperator(rawValue: leaf.comparison),
            comparison.takesValue
        {
            members["value"] = value(leaf, field.kind, comparison)
        }
        return .object(members)
    }

    private func value(_ leaf: DraftLeaf, _ kind: FieldKind, _ comparison: RuleOperator) -> JSONValue {
        let control = DraftControl(kind, comparison, hasOptions: false)
        switch control {
        case .days: return Self.number(leaf.text("value"))
        case .month:
            let text: String = leaf.text("value")
            return Int(text).map(JSONValue.int) ?? .string(text)
        case .pair(let part): return .array([leaf.text("value"), leaf.text("second")].map { single($0, part) })
        case .lines:
            let lines: [String] = leaf.all("lines").flatMap { $0.split(whereSeparator: \.isNewline) }.map { $0.trimmed }
            return .array(lines.filter { !$0.isEmpty }.map { single($0, kind) })
        case .many: return .array(leaf.all("values").map(JSONValue.string))
        case .companies:
            let names: [String] = leaf.all("lines").flatMap { $0.split(whereSeparator: \.isNewline) }.map { $0.trimmed }
            let ids: [JSONValue] = names.filter { !$0.isEmpty }.map { name in
                .string(companies[name.lowercased()]?.lowercased ?? name)
            }
            return comparison.takesList ? .array(ids) : ids.first ?? .null
        case .none: return .null
        default: return single(leaf.text("value"), kind)
        }
    }

    private func single(_ text: String, _ kind: FieldKind) -> JSONValue {
        switch kind {
        case .number: return Self.number(text)
        case .boolean: return text == "true" ? .bool(true) : text == "false" ? .bool(false) : .null
        default: return .string(text)
        }
    }

    static func number(_ text: String) -> JSONValue {
        let plain: String = text.filter { $0 != "," && $0 != " " }
        if let whole = Int(plain) { return .int(whole) }
        if let number = Double(plain), number.isFinite { return .double(number) }
        return .string(text)
    }

    // MARK: Behaviour

    private func behaviour(_ leaf: DraftLeaf) -> JSONValue {
        let kind = String(leaf.subject.dropFirst(4))
        var members: [String: JSONValue] = ["behaviour": .string(kind)]
        if !leaf.comparison.isEmpty { members["operator"] = .string(leaf.comparison) }
        if leaf.comparison != "never" {
            let times: String = leaf.text("times")
            if !times.isEmpty { members["times"] = Self.number(times) }
        }
        switch leaf.text("within") {
        case "days": members["within"] = .object(["days": Self.number(leaf.text("days"))])
        case "dates":
            members["within"] = .object(["from": .string(leaf.text("from")), "to": .string(leaf.text("to"))])
        default: break
        }
        if kind == "event" {
            members["name"] = .string(leaf.text("name"))
            if !leaf.filters.isEmpty { members["where"] = .array(leaf.filters.map(\.json)) }
            return .object(members)
        }
        let campaign: String = leaf.text("campaign")
        if !campaign.isEmpty { members["campaign"] = .string(campaign) }
        if kind != "sent", leaf.text("by") == "anyone" { members["by"] = .string("anyone") }
        let link: String = leaf.text("link")
        if kind == "clicked", !link.isEmpty { members["link"] = .string(link) }
        return .object(members)
    }
}

/// Which controls a value needs.
enum DraftControl: Equatable {
    case none, text, number, date, flag, days, month, monthDay
    /// One of the known values.
    case choice
    /// Any of the known values.
    case many
    /// One value a line.
    case lines
    case companies
    indirect case pair(FieldKind)

    init(_ kind: FieldKind, _ comparison: RuleOperator, hasOptions: Bool) {
        switch comparison {
        case .isEmpty, .isNotEmpty: self = .none
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext: self = .days
        case .dayOfYearIs: self = .monthDay
        case .monthIs: self = .month
        case .between, .dayOfYearBetween: self = .pair(comparison == .dayOfYearBetween ? .text : kind)
        default:
            switch kind {
            case .company: self = .companies
            case .list, .user: self = comparison.takesList ? .many : .choice
            case .choice, .choices: self = comparison.takesList ? .many : hasOptions ? .choice : .text
            case .boolean: self = .flag
            case .number: self = comparison.takesList ? .lines : .number
            case .date, .moment: self = .date
            default: self = comparison.takesList ? .lines : .text
            }
        }
    }
}
