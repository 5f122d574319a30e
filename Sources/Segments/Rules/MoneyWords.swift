import Contacts

extension RuleMoney {
    /// `12.50 EUR`.
    package var words: String {
        let decimals: Int = Currency.decimals(currency) ?? 2
        var digits: String = String(amount.magnitude)
        guard decimals > 0 else { return "\(amount < 0 ? "-" : "")\(digits) \(currency)" }
        if digits.count <= decimals { digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits }
        return "\(amount < 0 ? "-" : "")\(digits.dropLast(decimals)).\(digits.suffix(decimals)) \(currency)"
    }
}
