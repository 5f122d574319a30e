import Contacts
import Web

extension RuleMoney {
    /// As sentences say it: `12,408.50 EUR`. Forms take `words`.
    var grouped: String { NumberWords.grouped(decimal: words) }

    /// `12.50 EUR`.
    package var words: String {
        let decimals: Int = Currency.decimals(currency) ?? 2
        var digits: String = String(amount.magnitude)
        guard decimals > 0 else { return "\(amount < 0 ? "-" : "")\(digits) \(currency)" }
        if digits.count <= decimals { digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits }
        return "\(amount < 0 ? "-" : "")\(digits.dropLast(decimals)).\(digits.suffix(decimals)) \(currency)"
    }
}
