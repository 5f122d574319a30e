import FoundationEssentials
import Web

/// What a chart is to show: values over time, one per bucket and series.
struct ChartData: Sendable {
    struct Series: Sendable {
        let name: String
        /// One and many, for titles: `open`, `opens`.
        let one: String
        let many: String
        let color: Int
        let values: [Int]
    }

    /// A bucket of time: its whole name, and the words below the axis if it gets any.
    struct Bucket: Sendable {
        let name: String
        let tick: String?
    }

    let id: String
    let title: String
    let summary: String
    /// `Hour` or `Day`.
    let unitName: String
    let buckets: [Bucket]
    let series: [Series]
}

/// Turns values into coordinates. Pure: the same data gives the same drawing.
struct ChartDrawing: Sendable {
    /// Wide charts stand alone in a row, narrow ones beside each other.
    enum Size: Double {
        case wide = 720
        case narrow = 480
    }

    private static let left: Double = 56
    private static let top: Double = 22
    private static let bottom: Double = 188
    private static let height: Double = 214

    private let data: ChartData
    private let scale: ChartScale
    private let size: Size
    private let slot: Double

    private var right: Double { size.rawValue - 8 }

    private init(_ data: ChartData, scale: ChartScale, size: Size) {
        self.data = data
        self.scale = scale
        self.size = size
        slot = (size.rawValue - 8 - Self.left) / Double(max(1, data.buckets.count))
    }

    private static func greatest(_ data: ChartData) -> Int {
        data.series.flatMap(\.values).max() ?? 0
    }

    /// Bars from zero, the series beside each other.
    static func bars(_ data: ChartData, size: Size = .wide) -> Chart {
        let drawing = ChartDrawing(data, scale: ChartScale(maximum: greatest(data)), size: size)
        let series: [ChartSeries] = data.series.indices.map { drawing.bars(at: $0) }
        return drawing.chart(series, labels: drawing.peakLabels())
    }

    /// Lines with the area below them, from zero.
    static func lines(_ data: ChartData, size: Size = .wide) -> Chart {
        let drawing = ChartDrawing(data, scale: ChartScale(maximum: greatest(data)), size: size)
        let series: [ChartSeries] = data.series.map { drawing.line($0) }
        return drawing.chart(series, labels: drawing.lastLabels())
    }

    private func y(_ value: Int) -> Double {
        Self.bottom - scale.share(value) * (Self.bottom - Self.top)
    }

    private func middle(_ index: Int) -> Double {
        Self.left + (Double(index) + 0.5) * slot
    }

    private func title(_ series: ChartData.Series, _ index: Int) -> String {
        "\(data.buckets[index].name): \(NumberWords.counted(series.values[index], series.one, series.many))"
    }

    private func bars(at place: Int) -> ChartSeries {
        let series: ChartData.Series = data.series[place]
        let gap: Double = min(slot * 0.24, 12)
        let width: Double = min((slot - gap) / Double(data.series.count), 48)
        let group: Double = width * Double(data.series.count)
        var bars: [ChartBar] = []
        for (index, value) in series.values.enumerated() where value > 0 {
            // A value that is not nothing can be seen, however small beside the greatest.
            let height: Double = max(Self.bottom - y(value), 1.5)
            let x: Double = middle(index) - group / 2 + Double(place) * width
            bars.append(
                ChartBar(
                    x: coordinate(x), y: coordinate(Self.bottom - height), width: coordinate(max(width - 1, 1)),
                    height: coordinate(height), title: title(series, index)))
        }
        return ChartSeries(name: series.name, color: series.color, bars: bars, path: nil, area: nil, dots: [])
    }

    private func line(_ series: ChartData.Series) -> ChartSeries {
        let points: [(x: Double, y: Double)] = series.values.enumerated().map { (middle($0), y($1)) }
        let corners: [String] = points.map { "\(coordinate($0.x)) \(coordinate($0.y))" }
        guard let first = points.first, let last = points.last else {
            return ChartSeries(name: series.name, color: series.color, bars: [], path: nil, area: nil, dots: [])
        }
        let path: String = "M" + corners.joined(separator: "L")
        let floor: String = coordinate(Self.bottom)
        let area: String = "\(path)L\(coordinate(last.x)) \(floor)L\(coordinate(first.x)) \(floor)Z"
        let index: Int = points.count - 1
        let dot = ChartDot(x: coordinate(last.x), y: coordinate(last.y), title: title(series, index))
        return ChartSeries(
            name: series.name, color: series.color, bars: [], path: points.count > 1 ? path : nil,
            area: points.count > 1 ? area : nil, dots: [dot])
    }

    /// The greatest value of each series stands above its bar, unless other labels or bars are in the way.
    private func peakLabels() -> [ChartText] {
        var labels: [ChartText] = []
        var taken: [(Double, Double)] = []
        for (place, series) in data.series.enumerated() {
            guard let peak = series.values.max(), peak > 0, let index = series.values.firstIndex(of: peak) else {
                continue
            }
            let width: Double = min((slot - min(slot * 0.24, 12)) / Double(data.series.count), 48)
            let offset: Double = (Double(place) + 0.5) * width - width * Double(data.series.count) / 2
            let x: Double = min(max(middle(index) + offset, Self.left + 16), right - 16)
            let height: Double = y(peak) - 6
            guard taken.isEmpty || slot >= 60, taken.allSatisfy({ abs($0.0 - x) > 48 || abs($0.1 - height) > 14 })
            else { continue }
            taken.append((x, height))
            labels.append(
                ChartText(x: coordinate(x), y: coordinate(height), anchor: "middle", text: NumberWords.grouped(peak)))
        }
        return labels
    }

    private func lastLabels() -> [ChartText] {
        data.series.compactMap { series in
            guard let last = series.values.last else { return nil }
            let x: Double = middle(series.values.count - 1)
            return ChartText(
                x: coordinate(min(x + 4, right)), y: coordinate(max(y(last) - 9, 12)), anchor: "end",
                text: NumberWords.grouped(last))
        }
    }

    private func chart(_ series: [ChartSeries], labels: [ChartText]) -> Chart {
        let grid: [ChartGridLine] = scale.ticks.map { value in
            ChartGridLine(
                y: coordinate(y(value)), textX: coordinate(Self.left - 8), textY: coordinate(y(value) + 4),
                text: NumberWords.grouped(value))
        }
        let ticks: [ChartText] = data.buckets.enumerated().compactMap { index, bucket in
            bucket.tick.map {
                ChartText(x: coordinate(middle(index)), y: coordinate(Self.bottom + 20), anchor: "middle", text: $0)
            }
        }
        let rows: [ChartRow] = data.buckets.enumerated().map { index, bucket in
            ChartRow(name: bucket.name, values: data.series.map { NumberWords.grouped($0.values[index]) })
        }
        return Chart(
            id: data.id, title: data.title, summary: data.summary,
            isNarrow: size == .narrow,
            viewBox: "0 0 \(coordinate(size.rawValue)) \(coordinate(Self.height))", left: coordinate(Self.left),
            right: coordinate(right), baseline: coordinate(Self.bottom), grid: grid, ticks: ticks, series: series,
            labels: labels, unitName: data.unitName, columns: data.series.map(\.name), rows: rows)
    }
}

extension LocalBuckets {
    /// The buckets of a chart with about `ticks` of them named below the axis: days at their first hour, hours by time.
    func chartBuckets(_ starts: [Date], ticks: Int = 8) -> [ChartData.Bucket] {
        let every: Int = max(1, (starts.count + ticks - 1) / ticks)
        var lastDay: String = ""
        return starts.enumerated().map { index, start in
            guard index % every == 0 else { return ChartData.Bucket(name: name(start), tick: nil) }
            let day: String = day(start)
            defer { lastDay = day }
            let words: String = unit == .day || day != lastDay ? day : time(start)
            let isFirstHour: Bool = unit == .hour && day != lastDay && starts.count > 1
            return ChartData.Bucket(name: name(start), tick: isFirstHour ? "\(words), \(time(start))" : words)
        }
    }
}
