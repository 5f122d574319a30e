/// The sums of the number filters. Exact where the digits fit, with doubles beyond that.
extension LiquidNumber {
    /// Both numbers as digits of one common power of ten; nil when they do not fit.
    private static func aligned(
        _ left: LiquidNumber, _ right: LiquidNumber
    ) -> (left: Int128, right: Int128, exponent: Int)? {
        guard let first = left.parts, let second = right.parts else { return nil }
        let exponent: Int = min(first.exponent, second.exponent)
        guard let firstDigits = scaled(first.digits, by: first.exponent - exponent),
            let secondDigits = scaled(second.digits, by: second.exponent - exponent)
        else { return nil }
        return (firstDigits, secondDigits, exponent)
    }

    private static func scaled(_ digits: Int128, by power: Int) -> Int128? {
        guard digits != 0 else { return 0 }
        guard power <= 38 else { return nil }
        var result: Int128 = digits
        for _ in 0..<power {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            result = product
        }
        return result
    }

    static func plus(_ left: LiquidNumber, _ right: LiquidNumber) -> LiquidNumber {
        if case .int(let first) = left, case .int(let second) = right {
            let (sum, overflow) = first.addingReportingOverflow(second)
            return overflow ? .double(Double(first) + Double(second)) : .int(sum)
        }
        guard let both = aligned(left, right) else { return .double(left.double + right.double) }
        let (sum, overflow) = both.left.addingReportingOverflow(both.right)
        return overflow ? .double(left.double + right.double) : .decimal(digits: sum, exponent: both.exponent)
    }

    var negated: LiquidNumber {
        switch self {
        case .int(let value): value == .min ? .double(-Double(value)) : .int(-value)
        case .decimal(let digits, let exponent): .decimal(digits: -digits, exponent: exponent)
        case .double(let value): .double(-value)
        }
    }

    static func times(_ left: LiquidNumber, _ right: LiquidNumber) -> LiquidNumber {
        if case .int(let first) = left, case .int(let second) = right {
            let (product, overflow) = first.multipliedReportingOverflow(by: second)
            return overflow ? .double(Double(first) * Double(second)) : .int(product)
        }
        guard let first = left.parts, let second = right.parts else { return .double(left.double * right.double) }
        let (product, overflow) = first.digits.multipliedReportingOverflow(by: second.digits)
        if overflow { return .double(left.double * right.double) }
        return .decimal(digits: product, exponent: first.exponent + second.exponent)
    }

    /// Whole numbers divide to the next whole number below; with a fraction on either side the result has one too.
    static func divided(_ left: LiquidNumber, by right: LiquidNumber) throws(LiquidFailure) -> LiquidNumber {
        guard !right.isZero else { throw LiquidFailure("divided by 0") }
        if case .int(let first) = left, case .int(let second) = right {
            if first == .min, second == -1 { return .double(-Double(first)) }
            let quotient: Int = first / second
            let isBelow: Bool = first % second != 0 && (first < 0) != (second < 0)
            return .int(isBelow ? quotient - 1 : quotient)
        }
        return .double(left.double / right.double)
    }

    /// The remainder has the divisor's sign.
    static func modulo(_ left: LiquidNumber, by right: LiquidNumber) throws(LiquidFailure) -> LiquidNumber {
        guard !right.isZero else { throw LiquidFailure("divided by 0") }
        if case .int(let first) = left, case .int(let second) = right {
            if second == -1 { return .int(0) }
            let remainder: Int = first % second
            return .int(remainder != 0 && (remainder < 0) != (second < 0) ? remainder + second : remainder)
        }
        if let both = aligned(left, right) {
            let remainder: Int128 = both.left % both.right
            let differs: Bool = remainder != 0 && (remainder < 0) != (both.right < 0)
            return .decimal(digits: differs ? remainder + both.right : remainder, exponent: both.exponent)
        }
        let remainder: Double = left.double.truncatingRemainder(dividingBy: right.double)
        return .double(remainder != 0 && (remainder < 0) != (right.double < 0) ? remainder + right.double : remainder)
    }

    static func isLess(_ left: LiquidNumber, _ right: LiquidNumber) -> Bool {
        guard let both = aligned(left, right) else { return left.double < right.double }
        return both.left < both.right
    }

    enum Rounding {
        /// To the nearest; a half goes away from zero.
        case nearest
        case down
        case up
    }

    /// Rounds to a number of digits after the point; fewer than one makes a whole number.
    func rounded(_ rounding: Rounding, places: Int = 0) throws(LiquidFailure) -> LiquidNumber {
        guard let parts else { return try roundedDouble(rounding) }
        let places: Int = max(-60, min(60, places))
        let dropped: Int = -parts.exponent - places
        if dropped <= 0 { return places > 0 ? self : try whole(parts.digits, exponent: parts.exponent) }
        guard let unit = Self.scaled(1, by: dropped) else {
            let rest: Int128 = parts.digits == 0 ? 0 : (parts.digits < 0 ? -1 : 1)
            let away: Bool = (rounding == .up && rest > 0) || (rounding == .down && rest < 0)
            return away ? .int(Int(rest)) : .zero
        }
        var digits: Int128 = parts.digits / unit
        let remainder: Int128 = parts.digits % unit
        switch rounding {
        case .nearest where remainder.magnitude >= unit.magnitude - remainder.magnitude:
            digits += remainder < 0 ? -1 : 1
        case .down where remainder < 0: digits -= 1
        case .up where remainder > 0: digits += 1
        default: break
        }
        if places > 0 {
            if case .int = self { return self }
            return .decimal(digits: digits, exponent: -places)
        }
        return try whole(digits, exponent: -places)
    }

    private func whole(_ digits: Int128, exponent: Int) throws(LiquidFailure) -> LiquidNumber {
        if let scaled = Self.scaled(digits, by: max(0, exponent)), exponent >= 0, let value = Int(exactly: scaled) {
            return .int(value)
        }
        return .double(LiquidNumber.decimal(digits: digits, exponent: exponent).double)
    }

    private func roundedDouble(_ rounding: Rounding) throws(LiquidFailure) -> LiquidNumber {
        let value: Double = double
        guard value.isFinite else { throw LiquidFailure(LiquidText.text(value)) }
        let result: Double =
            switch rounding {
            case .nearest: value.rounded(.toNearestOrAwayFromZero)
            case .down: value.rounded(.down)
            case .up: value.rounded(.up)
            }
        return Int(exactly: result).map { .int($0) } ?? .double(result)
    }
}
