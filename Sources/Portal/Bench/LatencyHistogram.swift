/// How long answers took: in steps of 10 microseconds up to a second, then of a millisecond up to 100 seconds; longer ones
/// stand in the last step.
struct LatencyHistogram: Sendable {
    private static let fineSteps = 100_000
    private static let coarseSteps = 99_000
    private var counts = [UInt32](repeating: 0, count: LatencyHistogram.fineSteps + LatencyHistogram.coarseSteps)
    private(set) var count = 0

    mutating func record(nanoseconds: UInt64) {
        let fine = Int(nanoseconds / 10_000)
        let coarse = Self.fineSteps + Int(nanoseconds / 1_000_000) - 1_000
        counts[fine < Self.fineSteps ? fine : min(coarse, counts.count - 1)] += 1
        count += 1
    }

    mutating func merge(_ other: LatencyHistogram) {
        for (index, own) in other.counts.enumerated() where own > 0 { counts[index] += own }
        count += other.count
    }

    /// The time within which this share of all answers came.
    func milliseconds(at share: Double) -> Double {
        let wanted = Int((Double(count) * share).rounded(.up))
        var seen = 0
        for (index, count) in counts.enumerated() where count > 0 {
            seen += Int(count)
            if seen >= wanted {
                return index < Self.fineSteps
                    ? Double(index + 1) / 100 : Double(index - Self.fineSteps + 1_001)
            }
        }
        return 0
    }
}
