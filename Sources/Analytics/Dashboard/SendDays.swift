import Core
import FoundationEssentials

/// How many messages went out on each day. A send within one day counts whole; one that ran over several days is shared
/// out in proportion to the batches that were finished on each, so that the days add up to what was sent.
enum SendDays {
    static func needsSpread(_ send: RecentSend, buckets: LocalBuckets, now: Date) -> Bool {
        guard send.sent > 0, let first = send.firstSentAt else { return false }
        return buckets.start(of: first) != buckets.start(of: send.finishedAt ?? now)
    }

    /// - Parameter starts: the beginnings of the shown days. What lies outside is left out.
    static func counts(
        _ sends: [RecentSend], spread: [SendID: [Date: Int]], buckets: LocalBuckets, starts: [Date]
    ) -> [Int] {
        var byStart: [Date: Int] = [:]
        for send in sends {
            guard send.sent > 0, let first = send.firstSentAt else { continue }
            var weights: [Date: Int] = [:]
            for (moment, count) in spread[send.id] ?? [:] { weights[buckets.start(of: moment), default: 0] += count }
            if weights.isEmpty { weights = [buckets.start(of: first): 1] }
            for (start, count) in share(send.sent, by: weights) { byStart[start, default: 0] += count }
        }
        return starts.map { byStart[$0] ?? 0 }
    }

    /// Shares a total out by weights; the rounding goes to the earliest days, so that nothing is lost.
    static func share(_ total: Int, by weights: [Date: Int]) -> [(Date, Int)] {
        let sum: Int = weights.values.reduce(0, +)
        guard sum > 0 else { return [] }
        var left: Int = total
        let days: [(key: Date, value: Int)] = weights.sorted { $0.key < $1.key }
        var shares: [(Date, Int)] = days.map { day in
            let part: Int = total * day.value / sum
            left -= part
            return (day.key, part)
        }
        for index in shares.indices where left > 0 {
            shares[index].1 += 1
            left -= 1
        }
        return shares
    }
}
