import Core
import FoundationEssentials
import Synchronization

/// What was read from the ledger and the events of a send a moment ago: those of a large send are read again only when
/// the counters of the send have moved, at most every two seconds, and once a minute for what no counter shows.
final class BreakdownMemory: Sendable {
    private struct Known {
        let report: CampaignReport
        let readAt: Date
    }

    private let known = Mutex<[SendID: Known]>([:])
    private let clock: WallClock
    private static let capacity = 64
    /// Below this a send is read anew each time: it costs less than a millisecond.
    private static let smallest = 5_000

    init(clock: WallClock) {
        self.clock = clock
    }

    /// The report with these totals, as far as it may be shown without reading again.
    func report(at totals: CampaignTotals) -> CampaignReport? {
        guard let send = totals.send, totals.recipients + totals.skipped >= Self.smallest else { return nil }
        let now: Date = clock.now
        return known.withLock { known in
            guard let found = known[send] else { return nil }
            let age: TimeInterval = now.timeIntervalSince(found.readAt)
            guard age < 2 || (age < 60 && found.report.totals == totals) else { return nil }
            return CampaignReport(
                totals: totals, breakdown: found.report.breakdown, links: found.report.links,
                complaints: found.report.complaints)
        }
    }

    func remember(_ report: CampaignReport) {
        let totals: CampaignTotals = report.totals
        guard let send = totals.send, totals.recipients + totals.skipped >= Self.smallest else { return }
        let now: Date = clock.now
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[send] = Known(report: report, readAt: now)
        }
    }
}
