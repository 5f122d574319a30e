import Core
import FoundationEssentials
import Web

/// A condition on a property of an event, with what stands in its controls.
struct DraftFilter: Sendable, Equatable {
    var property = ""
    var comparison = RuleOperator.equals.rawValue
    var value = ""
    /// The end of a range.
    var second = ""

    /// A rule has so many of them for each event.
    static let limit = 10

    static func name(_ path: String, _ index: Int, _ member: String) -> String { "\(path).where.\(index).\(member)" }

    /// All that a form has for the condition at a path.
    static func all(_ form: FormValues, at path: String) -> [DraftFilter] {
        var filters: [DraftFilter] = []
        while filters.count < limit, let property = form.raw(name(path, filters.count, "property")) {
            func text(_ member: String) -> String { form.text(name(path, filters.count, member)) }
            filters.append(
                DraftFilter(
                    property: property.trimmed, comparison: text("operator"), value: text("value"),
                    second: text("second")))
        }
        return filters
    }

    // MARK: As JSON

    var json: JSONValue {
        var members: [String: JSONValue] = ["property": .string(property), "operator": .string(comparison)]
        let known = RuleOperator(rawValue: comparison)
        guard known?.takesValue ?? true else { return .object(members) }
        switch known {
        case .between: members["value"] = .array([Self.read(value), Self.read(second)])
        case .oneOf, .noneOf:
            let lines: [String] = value.split(whereSeparator: \.isNewline).map { String($0).trimmed }
            members["value"] = .array(lines.filter { !$0.isEmpty }.map(Self.read))
        case .contains, .notContains, .startsWith, .endsWith: members["value"] = .string(value)
        default: members["value"] = Self.read(value)
        }
        return .object(members)
    }

    init(
        property: String = "", comparison: String = RuleOperator.equals.rawValue, value: String = "",
        second: String = ""
    ) {
        (self.property, self.comparison, self.value, self.second) = (property, comparison, value, second)
    }

    init(_ filter: RuleEventFilter) {
        self.init(property: filter.property, comparison: filter.comparison.rawValue)
        switch filter.value {
        case .text(let text):
            switch filter.comparison {
            case .contains, .notContains, .startsWith, .endsWith: value = text
            default: value = Self.write(text)
            }
        case .texts(let texts): value = texts.map(Self.write).joined(separator: "\n")
        case .number(let number): value = DraftLeaf.plain(number)
        case .numbers(let numbers): value = numbers.map(DraftLeaf.plain).joined(separator: "\n")
        case .numberRange(let low, let high): (value, second) = (DraftLeaf.plain(low), DraftLeaf.plain(high))
        case .flag(let flag): value = flag ? "yes" : "no"
        default: break
        }
    }

    /// Events have no declared types, so what is typed decides: a number, yes or no, else a text. A text that looks like one
    /// of those stands in quotation marks.
    private static func read(_ text: String) -> JSONValue {
        if text.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") {
            return .string(String(text.dropFirst().dropLast()))
        }
        switch text.lowercased() {
        case "yes", "true": return .bool(true)
        case "no", "false": return .bool(false)
        default: return DraftReader.number(text)
        }
    }

    private static func write(_ text: String) -> String {
        if read(text) == .string(text), text.trimmed == text, !text.isEmpty { return text }
        return "\"\(text)\""
    }
}
