/// How a condition compares. The raw value is what rules say.
package enum RuleOperator: String, Sendable, CaseIterable, Hashable {
    case equals = "is"
    case differs = "isNot"
    case contains, notContains, startsWith, endsWith
    case oneOf = "in"
    case noneOf = "notIn"
    case containsAny, containsAll, containsNone
    case isEmpty, isNotEmpty
    case moreThan, lessThan, atLeast, atMost, between
    case before, after, inLast, inNext, olderThan
    case dayOfYearIs, dayOfYearInLast, dayOfYearInNext, dayOfYearBetween, monthIs

    /// Operators that say the contrary of another one: people without any value match them.
    package var opposite: RuleOperator? {
        switch self {
        case .differs: .equals
        case .notContains: .contains
        case .noneOf: .oneOf
        case .containsNone: .containsAny
        case .isEmpty: .isNotEmpty
        default: nil
        }
    }

    /// Whether its value is a list of any length.
    package var takesList: Bool {
        switch self {
        case .oneOf, .noneOf, .containsAny, .containsAll, .containsNone: true
        default: false
        }
    }

    package var takesValue: Bool { self != .isEmpty && self != .isNotEmpty }

    /// Whether what it says changes by itself at midnight.
    package var isRelative: Bool {
        switch self {
        case .inLast, .inNext, .olderThan, .dayOfYearInLast, .dayOfYearInNext: true
        default: false
        }
    }

    /// As people read it between field and value.
    package var words: String {
        switch self {
        case .equals: "is"
        case .differs: "is not"
        case .contains: "contains"
        case .notContains: "does not contain"
        case .startsWith: "starts with"
        case .endsWith: "ends with"
        case .oneOf: "is one of"
        case .noneOf: "is none of"
        case .containsAny: "has any of"
        case .containsAll: "has all of"
        case .containsNone: "has none of"
        case .isEmpty: "is empty"
        case .isNotEmpty: "is known"
        case .moreThan: "is more than"
        case .lessThan: "is less than"
        case .atLeast: "is at least"
        case .atMost: "is at most"
        case .between: "is between"
        case .before: "is before"
        case .after: "is after"
        case .inLast: "is in the last (days, including today)"
        case .inNext: "is in the next (days, including today)"
        case .olderThan: "is longer ago than (days)"
        case .dayOfYearIs: "comes every year on"
        case .dayOfYearInLast: "had its day in the last (days)"
        case .dayOfYearInNext: "has its day in the next (days)"
        case .dayOfYearBetween: "has its day of the year between"
        case .monthIs: "falls in the month"
        }
    }
}
