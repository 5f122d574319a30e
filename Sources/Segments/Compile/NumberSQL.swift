import Core
import Postgres

/// Numbers of properties, compared as they are stored: as text and then as float8 they cost twice as much.
extension RuleCompiler {
    /// Up to here every number of a rule, and every whole number that is stored, is exact. Others were doubles before
    /// they were stored, in their shortest digits, which sort as the doubles do.
    private static let exact: Double = 9_007_199_254_740_992

    /// Whether a member of an object is this value and nothing else.
    static func holds(_ object: SQL, _ name: String, _ value: JSONValue) -> SQL {
        "\(object) @> \(JSONValue.object([name: value]))"
    }

    func numberPredicate(
        _ comparison: RuleOperator, _ value: RuleValue, in object: SQL, _ name: String
    ) -> SQL {
        let member: SQL = "\(object)->\(name)"
        let isNumber: SQL = "jsonb_typeof(\(member)) = 'number'"
        switch value {
        case .numberRange(let low, let high) where abs(low) < Self.exact && abs(high) < Self.exact:
            // Texts and nothing at all come before numbers, everything else after them.
            return "\(member) BETWEEN \(Self.json(low)) AND \(Self.json(high))"
        case .number(let wanted) where abs(wanted) < Self.exact:
            let limit: JSONValue = Self.json(wanted)
            switch comparison {
            case .moreThan: return "\(member) > \(limit) AND \(isNumber)"
            case .lessThan: return "\(member) < \(limit) AND \(isNumber)"
            case .atLeast: return "\(member) >= \(limit) AND \(isNumber)"
            case .atMost: return "\(member) <= \(limit) AND \(isNumber)"
            default: return Self.holds(object, name, limit)
            }
        default:
            return numberPredicate(
                comparison, value,
                "CASE jsonb_typeof(\(member)) WHEN 'number' THEN (\(object)->>\(name))::float8 END")
        }
    }

    /// The same for a number in a column, where NaN is something else than a number: it is more than every number.
    func numberPredicate(_ comparison: RuleOperator, _ value: RuleValue, fact: SQL) -> SQL {
        switch value {
        case .numberRange(let low, let high) where abs(low) < Self.exact && abs(high) < Self.exact:
            return "\(fact) BETWEEN \(Self.numeric(low)) AND \(Self.numeric(high))"
        case .number(let wanted) where abs(wanted) < Self.exact:
            let limit: SQL = Self.numeric(wanted)
            switch comparison {
            case .moreThan: return "\(fact) > \(limit) AND \(fact) < 'NaN'"
            case .lessThan: return "\(fact) < \(limit)"
            case .atLeast: return "\(fact) >= \(limit) AND \(fact) < 'NaN'"
            case .atMost: return "\(fact) <= \(limit)"
            default: return "\(fact) = \(limit)"
            }
        default: return numberPredicate(comparison, value, "CASE WHEN \(fact) < 'NaN' THEN \(fact)::float8 END")
        }
    }

    private static func numeric(_ number: Double) -> SQL {
        "\(number == number.rounded() ? String(Int(number)) : String(number))::text::numeric"
    }

    private static func json(_ number: Double) -> JSONValue {
        number == number.rounded() ? .int(Int(number)) : .double(number)
    }
}
