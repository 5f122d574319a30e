/// The filters of Liquid, and how many arguments each one takes.
enum LiquidFilter: String, CaseIterable, Sendable {
    // Text
    case append, capitalize, downcase, escape
    case escapeOnce = "escape_once"
    case lstrip
    case newlineToBr = "newline_to_br"
    case prepend, remove
    case removeFirst = "remove_first"
    case removeLast = "remove_last"
    case replace
    case replaceFirst = "replace_first"
    case replaceLast = "replace_last"
    case rstrip, slice, split, squish, strip
    case stripHTML = "strip_html"
    case stripNewlines = "strip_newlines"
    case truncate, truncatewords, upcase
    // Encodings
    case base64Decode = "base64_decode"
    case base64Encode = "base64_encode"
    case base64URLDecode = "base64_url_safe_decode"
    case base64URLEncode = "base64_url_safe_encode"
    case urlDecode = "url_decode"
    case urlEncode = "url_encode"
    // Numbers
    case abs
    case atLeast = "at_least"
    case atMost = "at_most"
    case ceil
    case dividedBy = "divided_by"
    case floor, minus, modulo, plus, round, times
    // Arrays
    case compact, concat, find
    case findIndex = "find_index"
    case first, has, join, last, map, reject, reverse, size, sort
    case sortNatural = "sort_natural"
    case sum, uniq, `where`
    // The rest
    case date, `default`

    /// By the name that a template uses.
    static func named(_ name: String) -> LiquidFilter? {
        name == "h" ? .escape : byName[name]
    }

    private static let byName: [String: LiquidFilter] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })

    /// How many arguments there may be; all named ones together count as one.
    var argumentCounts: ClosedRange<Int> {
        switch self {
        case .append, .prepend, .remove, .removeFirst, .removeLast, .split, .atLeast, .atMost, .dividedBy, .minus,
            .modulo,
            .plus, .times, .concat, .map, .date:
            1...1
        case .replaceLast: 2...2
        case .replace, .replaceFirst, .slice, .find, .findIndex, .has, .reject, .where: 1...2
        case .truncate, .truncatewords, .default: 0...2
        case .round, .compact, .join, .sort, .sortNatural, .sum, .uniq: 0...1
        default: 0...0
        }
    }

    enum Family {
        case text, encoding, number, array, other
    }

    var family: Family {
        switch self {
        case .append, .capitalize, .downcase, .escape, .escapeOnce, .lstrip, .newlineToBr, .prepend, .remove,
            .removeFirst,
            .removeLast, .replace, .replaceFirst, .replaceLast, .rstrip, .slice, .split, .squish, .strip, .stripHTML,
            .stripNewlines, .truncate, .truncatewords, .upcase:
            .text
        case .base64Decode, .base64Encode, .base64URLDecode, .base64URLEncode, .urlDecode, .urlEncode: .encoding
        case .abs, .atLeast, .atMost, .ceil, .dividedBy, .floor, .minus, .modulo, .plus, .round, .times: .number
        case .compact, .concat, .find, .findIndex, .first, .has, .join, .last, .map, .reject, .reverse, .size, .sort,
            .sortNatural, .sum, .uniq, .where:
            .array
        case .date, .default: .other
        }
    }
}

/// What filters may know besides their input.
struct LiquidFilterContext {
    let limits: LiquidLimits
    let now: () -> Double

    /// Runs one filter. The arguments have been counted when the template was compiled.
    func apply(
        _ filter: LiquidFilter, to input: LiquidValue, _ arguments: [LiquidValue]
    ) throws(LiquidFailure) -> LiquidValue {
        switch filter.family {
        case .text: try LiquidTextFilters(limits: limits).apply(filter, to: input, arguments)
        case .encoding: try LiquidEncodingFilters.apply(filter, to: input)
        case .number: try LiquidNumberFilters.apply(filter, to: input, arguments)
        case .array: try LiquidArrayFilters(limits: limits).apply(filter, to: input, arguments)
        case .other:
            filter == .date ? LiquidDateFilter.date(input, arguments[0], now: now) : Self.default(input, arguments)
        }
    }

    /// The second argument, when it is the named ones, may say `allow_false: true`.
    private static func `default`(_ input: LiquidValue, _ arguments: [LiquidValue]) -> LiquidValue {
        var allowsFalse = false
        if arguments.count > 1, case .object(let options) = arguments[1] {
            allowsFalse = LiquidComparison.isTruthy(options["allow_false"] ?? .null)
        }
        let isMissing: Bool
        if allowsFalse, case .bool = input {
            isMissing = false
        } else {
            isMissing = !LiquidComparison.isTruthy(input)
        }
        return isMissing || LiquidComparison.isEmpty(input) ? arguments.first ?? "" : input
    }
}
