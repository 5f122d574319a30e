import Templates

/// A chart as its view draws it: coordinates of lines, bars and words in a drawing 720 wide, and the same as a table.
struct Chart: ViewRecord, Equatable {
    let id: String
    let title: String
    /// The chart in a sentence, for those who do not see it.
    let summary: String
    let isNarrow: Bool
    let viewBox: String
    let left: String
    let right: String
    let baseline: String
    let grid: [ChartGridLine]
    let ticks: [ChartText]
    let series: [ChartSeries]
    /// The words that stand at the drawing itself: the greatest value, the last one.
    let labels: [ChartText]
    /// The head of the table's first column.
    let unitName: String
    let columns: [String]
    let rows: [ChartRow]

    static let fields = Fields<Chart> { f in
        f.text("id") { $0.id }
        f.text("title") { $0.title }
        f.text("summary") { $0.summary }
        f.flag("isNarrow") { $0.isNarrow }
        f.text("viewBox") { $0.viewBox }
        f.text("left") { $0.left }
        f.text("right") { $0.right }
        f.text("baseline") { $0.baseline }
        f.list("grid", of: ChartGridLine.self) { $0.grid }
        f.list("ticks", of: ChartText.self) { $0.ticks }
        f.list("series", of: ChartSeries.self) { $0.series }
        f.list("labels", of: ChartText.self) { $0.labels }
        f.text("unitName") { $0.unitName }
        f.texts("columns") { $0.columns }
        f.list("rows", of: ChartRow.self) { $0.rows }
    }
}

struct ChartGridLine: ViewRecord, Equatable {
    let y: String
    /// Where the words beside the line stand.
    let textX: String
    let textY: String
    let text: String

    static let fields = Fields<ChartGridLine> { f in
        f.text("y") { $0.y }
        f.text("textX") { $0.textX }
        f.text("textY") { $0.textY }
        f.text("text") { $0.text }
    }
}

struct ChartText: ViewRecord, Equatable {
    let x: String
    let y: String
    /// `start`, `middle` or `end`.
    let anchor: String
    let text: String

    static let fields = Fields<ChartText> { f in
        f.text("x") { $0.x }
        f.text("y") { $0.y }
        f.text("anchor") { $0.anchor }
        f.text("text") { $0.text }
    }
}

/// One colour of a chart: bars, or a line with the area below it.
struct ChartSeries: ViewRecord, Equatable {
    let name: String
    /// The place in the palette, from 1.
    let color: Int
    let bars: [ChartBar]
    /// The line's path; nil for bars.
    let path: String?
    let area: String?
    let dots: [ChartDot]

    static let fields = Fields<ChartSeries> { f in
        f.text("name") { $0.name }
        f.number("color") { $0.color }
        f.list("bars", of: ChartBar.self) { $0.bars }
        f.optionalText("path") { $0.path }
        f.optionalText("area") { $0.area }
        f.list("dots", of: ChartDot.self) { $0.dots }
    }
}

struct ChartBar: ViewRecord, Equatable {
    let x: String
    let y: String
    let width: String
    let height: String
    /// What the bar says when it is pointed at.
    let title: String

    static let fields = Fields<ChartBar> { f in
        f.text("x") { $0.x }
        f.text("y") { $0.y }
        f.text("width") { $0.width }
        f.text("height") { $0.height }
        f.text("title") { $0.title }
    }
}

struct ChartDot: ViewRecord, Equatable {
    let x: String
    let y: String
    let title: String

    static let fields = Fields<ChartDot> { f in
        f.text("x") { $0.x }
        f.text("y") { $0.y }
        f.text("title") { $0.title }
    }
}

/// A line of a chart's table.
struct ChartRow: ViewRecord, Equatable {
    let name: String
    let values: [String]

    static let fields = Fields<ChartRow> { f in
        f.text("name") { $0.name }
        f.texts("values") { $0.values }
    }
}
