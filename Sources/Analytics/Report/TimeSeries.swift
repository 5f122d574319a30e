import FoundationEssentials
import Web

/// Sends, first opens and first clicks of a campaign, hour by hour or day by day.
struct TimeSeries: Sendable, Equatable {
    struct Point: Sendable, Equatable {
        let start: Date
        var sent: Int = 0
        var opened: Int = 0
        var clicked: Int = 0
    }

    let points: [Point]
    /// What happened after the last point that is shown.
    let later: Int

    /// Two days of hours, or about a season of days.
    static func limit(_ unit: LocalBuckets.Unit) -> Int { unit == .hour ? 48 : 92 }

    /// - Parameter limit: how many points at most.
    init(_ breakdown: SendBreakdown, buckets: LocalBuckets, now: Date, limit: Int) {
        guard let span = breakdown.span else {
            points = []
            later = 0
            return
        }
        let last: Date = max(span.last, min(now, span.first.addingTimeInterval(6 * Double(buckets.unit.length))))
        let starts: [Date] = buckets.starts(from: span.first, through: last, limit: limit)
        var byStart: [Date: Point] = Dictionary(
            starts.map { ($0, Point(start: $0)) }, uniquingKeysWith: { first, _ in first })
        var outside: Int = 0
        func add(_ moments: SendBreakdown.Moments, _ path: WritableKeyPath<Point, Int>) {
            for (moment, count) in moments {
                let start: Date = buckets.start(of: moment)
                if byStart[start] == nil { outside += count } else { byStart[start]?[keyPath: path] += count }
            }
        }
        add(breakdown.sent, \.sent)
        add(breakdown.opened, \.opened)
        add(breakdown.clicked, \.clicked)
        points = starts.compactMap { byStart[$0] }
        later = outside
    }
}

/// The two charts of a report. Sends stand apart: beside a hundred thousand of them nobody would see the clicks.
struct ReportCharts: Sendable, Equatable {
    let engagement: Chart
    let sends: Chart

    init?(_ series: TimeSeries, buckets: LocalBuckets, zone: String) {
        guard series.points.count > 0 else { return nil }
        let unit: String = buckets.unit == .hour ? "Hour" : "Day"
        let named: [ChartData.Bucket] = buckets.chartBuckets(series.points.map(\.start))
        let opened: Int = series.points.reduce(0) { $0 + $1.opened }
        let clicked: Int = series.points.reduce(0) { $0 + $1.clicked }
        let sent: Int = series.points.reduce(0) { $0 + $1.sent }
        let reach: String = series.later > 0 ? " The first \(series.points.count) \(unit.lowercased())s are shown." : ""
        // A few bars fit a phone whole; many are scrolled.
        let size: ChartDrawing.Size = series.points.count <= 12 ? .narrow : .wide
        engagement = ChartDrawing.bars(
            ChartData(
                id: "engagement", title: "People who opened and clicked, per \(unit.lowercased())",
                summary: "\(NumberWords.grouped(opened)) opened, \(NumberWords.grouped(clicked)) clicked; each person "
                    + "once, machines left out. Times in \(zone).\(reach)",
                unitName: unit, buckets: named,
                series: [
                    ChartData.Series(
                        name: "Opened", one: "person opened", many: "people opened", color: 1,
                        values: series.points.map(\.opened)),
                    ChartData.Series(
                        name: "Clicked", one: "person clicked", many: "people clicked", color: 2,
                        values: series.points.map(\.clicked)),
                ]), size: size)
        sends = ChartDrawing.bars(
            ChartData(
                id: "sends", title: "Sent, per \(unit.lowercased())",
                summary: "\(NumberWords.counted(sent, "message", "messages")). Times in \(zone).",
                unitName: unit, buckets: named,
                series: [
                    ChartData.Series(
                        name: "Sent", one: "message sent", many: "messages sent", color: 3,
                        values: series.points.map(\.sent))
                ]), size: size)
    }
}
