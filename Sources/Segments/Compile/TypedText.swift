import Postgres
import Web

/// Comparing texts without regard to case costs most of what a condition on a text costs: PostgreSQL turns each one
/// into wide characters and back. In the collation "C" it folds the letters A to Z alone, in a third of the time, so
/// that is asked first: alone where it decides, else to spare most texts the rest.
///
/// Folding goes letter by letter. What becomes an ASCII letter was one before, in either case, but for `i` and `k`:
/// `İ`, `ı` in Turkish databases, and the sign of Kelvin are beside them. So these two are left open, like everything
/// that is not ASCII.
struct TypedText {
    /// Folded.
    let wanted: String

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar != "i" && scalar != "k"
    }

    /// Whether folding A to Z alone decides.
    var isPlain: Bool { wanted.unicodeScalars.allSatisfy(Self.isPlain) }

    /// For `LIKE`, which costs a quarter of `starts_with`.
    static func beginning(_ text: String) -> String {
        var pattern = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { append(scalar, to: &pattern) }
        return String(pattern) + "%"
    }

    private static func append(_ scalar: Unicode.Scalar, to pattern: inout String.UnicodeScalarView) {
        if scalar == "%" || scalar == "_" || scalar == "\\" { pattern.append("\\") }
        pattern.append(scalar)
    }

    /// The first letter as it may be written; nil where that cannot be told.
    var firstLetters: [String]? {
        guard let first = wanted.unicodeScalars.first, Self.isPlain(first) else { return nil }
        let letter = String(first)
        let capital: String = letter.uppercased()
        return capital == letter ? [letter] : [letter, capital]
    }

    /// For `LIKE`, with `_` for each letter that is left open; nil where nothing would be left.
    var pattern: String? {
        guard wanted.unicodeScalars.contains(where: Self.isPlain) else { return nil }
        var pattern = String.UnicodeScalarView()
        for scalar in wanted.unicodeScalars {
            if Self.isPlain(scalar) { Self.append(scalar, to: &pattern) } else { pattern.append("_") }
        }
        return String(pattern)
    }
}

extension RuleCompiler {
    /// What is asked before a text is folded to see what it begins with: its first letter, which spares most texts that.
    func beginning(_ comparison: RuleOperator, _ value: RuleValue, _ text: SQL) -> SQL {
        guard case (.startsWith, .text(let given)) = (comparison, value),
            let letters = TypedText(wanted: FoldedText.fold(given)).firstLetters
        else { return "" }
        return "(\(SQL.join(letters.map { "\(text) LIKE \(TypedText.beginning($0))" }, separator: " OR "))) AND "
    }

    /// The comparison of a text as people typed it. NULL counts as no.
    func typedPredicate(_ kind: FieldKind, _ comparison: RuleOperator, _ value: RuleValue, _ text: SQL) -> SQL {
        let plain: SQL = "lower((\(text)) COLLATE \"C\")"
        let folded: SQL = "lower(\(text))"
        switch value {
        case .texts(let given):
            let isPlain: Bool = given.allSatisfy { TypedText(wanted: FoldedText.fold($0, for: kind)).isPlain }
            return textPredicate(kind, comparison, value, isPlain ? plain : folded)
        case .text(let given):
            let typed = TypedText(wanted: FoldedText.fold(given, for: kind))
            if typed.isPlain { return textPredicate(kind, comparison, value, plain) }
            let whole: SQL = textPredicate(kind, comparison, value, folded)
            guard let pattern = typed.pattern else { return whole }
            let likely: String =
                switch comparison {
                case .contains: "%\(pattern)%"
                case .startsWith: "\(pattern)%"
                case .endsWith: "%\(pattern)"
                default: pattern
                }
            return "\(plain) LIKE \(likely) AND \(whole)"
        default: return textPredicate(kind, comparison, value, text)
        }
    }
}
