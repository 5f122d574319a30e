/// How long answers took, in steps of 10 microseconds up to 5 seconds; longer ones stand in the last step.
struct LatencyHistogram: Sendable {
    private static let step: UInt64 = 10_000
    private static let steps = 500_000
    private var counts = [UInt32](repeating: 0, count: LatencyHistogram.steps)
    private(set) var count = 0
    private(set) var longestNanoseconds: UInt64 = 0

    mutating func record(nanoseconds: UInt64) {
        let index = min(Int(nanoseconds / Self.step), Self.steps - 1)
        counts[index] += 1
        count += 1
        longestNanoseconds = max(longestNanoseconds, nanoseconds)
    }

    /// The time within which this share of all answers came.
    func milliseconds(at share: Double) -> Double {
        let wanted = Int((Double(count) * share).rounded(.up))
        var seen = 0
        for (index, count) in counts.enumerated() where count > 0 {
            seen += Int(count)
            if seen >= wanted { return Double(index + 1) * Double(Self.step) / 1_000_000 }
        }
        return 0
    }
}
