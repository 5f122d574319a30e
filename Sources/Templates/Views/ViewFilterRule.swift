/// What a filter takes and gives, for checking.
struct ViewFilterRule: Sendable {
    let kinds: [ViewKind]
    /// In words, for messages.
    let takes: String
    let result: ViewKind?
    var arguments: [String] = []
    /// Fields of chrome it reads.
    var chrome: [String] = []

    /// Nil when any kind will do.
    func accepts(_ type: ViewType) -> Bool {
        if kinds.isEmpty { return true }
        if case .list = type.kind, kinds.contains(.texts), result == .number { return true }
        return kinds.contains(type.kind)
    }

    private static let numeric = ViewFilterRule(kinds: [.number, .decimal], takes: "a number", result: .text)
    private static let textual = ViewFilterRule(kinds: [.text, .link], takes: "a text", result: .text)

    private static func moment(_ chrome: [String]) -> ViewFilterRule {
        ViewFilterRule(kinds: [.date], takes: "a date", result: .text, chrome: chrome)
    }

    static let all: [String: ViewFilterRule] = [
        "number": numeric,
        "percent": ViewFilterRule(kinds: [.decimal], takes: "a decimal share such as 0.04", result: .text),
        "bytes": ViewFilterRule(kinds: [.number], takes: "a number", result: .text),
        "date": moment(["timeZone"]), "datetime": moment(["timeZone"]), "time": moment(["timeZone"]),
        "iso": moment([]), "relative": moment(["timeZone", "now"]),
        "plural": ViewFilterRule(
            kinds: [.number], takes: "a number", result: .text, arguments: ["\"one\"", "\"many\""]),
        "default": ViewFilterRule(kinds: [], takes: "anything", result: nil, arguments: ["a value"]),
        "upcase": textual, "downcase": textual, "capitalize": textual, "initials": textual,
        "escape_query": textual,
        "truncate": ViewFilterRule(
            kinds: [.text, .link], takes: "a text", result: .text, arguments: ["a number of characters"]),
        "join": ViewFilterRule(kinds: [.texts], takes: "a list of texts", result: .text, arguments: ["\"separator\""]),
        "size": ViewFilterRule(kinds: [.texts, .text, .link], takes: "a list or a text", result: .number),
        "json": ViewFilterRule(kinds: [], takes: "anything", result: nil),
    ]

    /// The filter of a call with the right number of arguments, or nil when one has the wrong kind.
    static func filter(_ call: FilterCall) -> ViewFilter? {
        switch call.name {
        case "number": return .number
        case "percent": return .percent
        case "bytes": return .bytes
        case "date": return .date
        case "datetime": return .datetime
        case "time": return .time
        case "iso": return .iso
        case "relative": return .relative
        case "upcase": return .upcase
        case "downcase": return .downcase
        case "capitalize": return .capitalize
        case "initials": return .initials
        case "escape_query": return .escapeQuery
        case "size": return .size
        case "json": return .json
        case "plural":
            guard case .string(let one) = call.arguments[0], case .string(let many) = call.arguments[1] else {
                return nil
            }
            return .plural(one: one, many: many)
        case "truncate":
            guard case .integer(let count) = call.arguments[0], count > 0 else { return nil }
            return .truncate(count)
        case "join":
            guard case .string(let separator) = call.arguments[0] else { return nil }
            return .join(separator)
        default: return nil
        }
    }
}
