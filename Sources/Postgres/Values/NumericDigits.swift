/// A `numeric` as the server sends it (`numeric_send`): groups of four decimal digits, the weight of the first
/// group, a sign. Sums and averages come in this type.
struct NumericDigits {
    private let groups: [Int16]
    private let weight: Int
    private let isNegative: Bool

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8 else { return nil }
        let count = Int(bytes.bigEndian(Int16.self))
        let sign: UInt16 = bytes.bigEndian(UInt16.self, at: 4)
        guard count >= 0, bytes.count == 8 + count * 2, sign == 0 || sign == 0x4000 else { return nil }
        weight = Int(bytes.bigEndian(Int16.self, at: 2))
        isNegative = sign == 0x4000
        groups = (0..<count).map { bytes.bigEndian(Int16.self, at: 8 + $0 * 2) }
    }

    /// Nil when there is a fraction or the number is too large.
    var wholeNumber: Int64? {
        guard !groups.isEmpty else { return 0 }
        guard groups.dropFirst(max(0, weight + 1)).allSatisfy({ $0 == 0 }) else { return nil }
        guard weight >= 0 else { return 0 }
        var total: Int64 = 0
        for index in 0...weight {
            let group: Int64 = index < groups.count ? Int64(groups[index]) : 0
            let (product, tooLarge) = total.multipliedReportingOverflow(by: 10_000)
            let (sum, overflow) = product.subtractingReportingOverflow(group)
            if tooLarge || overflow { return nil }
            total = sum
        }
        if isNegative { return total }
        return total == .min ? nil : -total
    }

    var approximation: Double {
        var total: Double = 0
        for group in groups { total = total * 10_000 + Double(group) }
        var exponent: Int = weight - groups.count + 1
        var scale: Double = 1
        while exponent != 0 {
            scale *= 10_000
            exponent += exponent > 0 ? -1 : 1
        }
        let magnitude: Double = weight >= groups.count - 1 ? total * scale : total / scale
        return isNegative ? -magnitude : magnitude
    }
}
