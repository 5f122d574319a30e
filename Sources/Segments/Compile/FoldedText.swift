import Core
import FoundationEssentials
import Web

/// Texts as rules compare them: without regard to case, character by character as PostgreSQL's `lower` does it.
enum FoldedText {
    static func fold(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        var folded = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            folded.append(scalar.properties.lowercaseMapping.unicodeScalars.first ?? scalar)
        }
        return String(folded)
    }

    /// An address as people are matched by; what is none is only folded.
    static func email(_ text: String) -> String {
        (try? EmailAddress(parsing: text.trimmed))?.key ?? fold(text.trimmed)
    }

    /// A number without the signs that people write between its digits.
    static func phone(_ text: String) -> String {
        let digits: String = text.filter { !" -()/.".contains($0) }
        return digits.hasPrefix("00") ? "+" + digits.dropFirst(2) : digits
    }

    static func fold(_ text: String, for kind: FieldKind) -> String {
        switch kind {
        case .email: email(text)
        case .phone: phone(text)
        default: fold(text)
        }
    }
}
