import FoundationEssentials
import Testing

@testable import Analytics

@Suite("Charts")
struct ChartTests {
    private func moment(_ seconds: Int) -> Date { Date(timeIntervalSince1970: Double(seconds)) }

    @Test(
        "An axis begins at zero and ends at a round number above the greatest value",
        arguments: [
            (0, 1, 1), (1, 1, 1), (4, 4, 1), (7, 8, 2), (99, 100, 50), (1210, 1500, 500), (100_000, 100_000, 50_000),
        ])
    func scales(_ maximum: Int, _ top: Int, _ step: Int) {
        let scale = ChartScale(maximum: maximum)
        #expect(scale.top == top)
        #expect(scale.step == step)
        #expect(scale.ticks.first == 0)
        #expect(scale.ticks.last == top)
    }

    @Test("Coordinates have at most two decimals")
    func formatsCoordinates() {
        #expect([0, 12, 12.5, 12.346, 0.05, -0.5].map(coordinate) == ["0", "12", "12.5", "12.35", "0.05", "-0.5"])
    }

    @Test("A bar is as tall as its share of the axis, stands on the baseline and says what it is")
    func drawsBars() throws {
        let data = ChartData(
            id: "x", title: "Opened", summary: "", unitName: "Hour",
            buckets: [.init(name: "21 Nov, 08:00", tick: "08:00"), .init(name: "21 Nov, 09:00", tick: nil)],
            series: [.init(name: "Opened", one: "person opened", many: "people opened", color: 1, values: [100, 50])])
        let chart = ChartDrawing.bars(data)
        let bars = try #require(chart.series.first).bars
        #expect(bars.map(\.height) == ["166", "83"])
        #expect(bars.map(\.y) == ["22", "105"])
        #expect(bars[0].title == "21 Nov, 08:00: 100 people opened")
        #expect(chart.baseline == "188")
        #expect(chart.labels.map(\.text) == ["100"])
        #expect(chart.ticks.map(\.text) == ["08:00"])
        #expect(chart.rows.map(\.values) == [["100"], ["50"]])
    }

    @Test("Nothing is drawn for zero, and one of a hundred thousand can still be seen")
    func drawsSmallBars() throws {
        let data = ChartData(
            id: "x", title: "Sent", summary: "", unitName: "Day",
            buckets: (0..<3).map { .init(name: "\($0)", tick: nil) },
            series: [.init(name: "Sent", one: "message", many: "messages", color: 1, values: [100_000, 0, 1])])
        let bars = try #require(ChartDrawing.bars(data).series.first).bars
        #expect(bars.count == 2)
        #expect(bars[1].height == "1.5")
        #expect(bars[1].title == "2: 1 message")
    }

    @Test("A line begins and ends in its buckets, and its area reaches down to zero")
    func drawsLines() throws {
        let data = ChartData(
            id: "x", title: "Contacts", summary: "", unitName: "Day",
            buckets: (0..<2).map { .init(name: "\($0)", tick: nil) },
            series: [.init(name: "Contacts", one: "contact", many: "contacts", color: 3, values: [0, 10])])
        let series = try #require(ChartDrawing.lines(data).series.first)
        #expect(series.path == "M220 188L548 22")
        #expect(series.area == "M220 188L548 22L548 188L220 188Z")
        #expect(series.dots.map(\.title) == ["1: 10 contacts"])
    }

    @Test("Days begin at midnight of the time zone, also when the clock changes")
    func findsDays() {
        let madrid = LocalBuckets(.day, zone: "Europe/Madrid")
        // 25 October 2026: summer time ends at 03:00, the day has 25 hours.
        let start = madrid.start(of: moment(1_792_929_600))
        #expect(start == moment(1_792_879_200))
        #expect(madrid.next(after: start) == moment(1_792_879_200 + 25 * 3600))
        #expect(madrid.isoDay(start) == "2026-10-25")
        #expect(madrid.name(start) == "25 Oct")
    }

    @Test("Where midnight is skipped, the day begins with the change")
    func findsDayWithoutMidnight() {
        // Beirut, 29 March 2026: the clock goes from 00:00 to 01:00 (28 March, 22:00 UTC).
        let beirut = LocalBuckets(.day, zone: "Asia/Beirut")
        let start = beirut.start(of: moment(1_774_778_400))
        #expect(start == moment(1_774_735_200))
        #expect(beirut.isoDay(start) == "2026-03-29")
    }

    @Test("Hours follow the time zone's quarter hours, and an hour that comes twice is two hours")
    func findsHours() {
        let kathmandu = LocalBuckets(.hour, zone: "Asia/Kathmandu")
        #expect(kathmandu.start(of: moment(1_768_469_400)) == moment(1_768_468_500))
        #expect(kathmandu.time(moment(1_768_468_500)) == "15:00")
        let madrid = LocalBuckets(.hour, zone: "Europe/Madrid")
        let starts = madrid.starts(from: moment(1_792_886_400), through: moment(1_792_893_600), limit: 10)
        #expect(starts.map { madrid.time($0) } == ["02:00", "02:00", "03:00"])
    }
}

@Suite("Rates and days")
struct RateTests {
    @Test("A rate names its base, and nothing is never a percentage of nothing")
    func words() {
        #expect(Rate(count: 423, base: 10_312, baseName: "delivered").words == "4.1\u{202F}% of 10,312 delivered")
        #expect(Rate(count: 0, base: 0, baseName: "delivered").words == "None delivered yet")
        #expect(Rate(count: 1, base: 100_000, baseName: "sent").percent == "<0.1\u{202F}%")
        #expect(Rate(count: 0, base: 10, baseName: "sent").percent == "0.0\u{202F}%")
    }

    @Test("A send over several days is shared out so that the days add up to what was sent")
    func shares() {
        let days: [Date: Int] = [
            Date(timeIntervalSince1970: 0): 200, Date(timeIntervalSince1970: 86_400): 200,
            Date(timeIntervalSince1970: 172_800): 200,
        ]
        #expect(SendDays.share(100, by: days).map(\.1) == [34, 33, 33])
        #expect(SendDays.share(5, by: [:]).isEmpty)
    }

    @Test("Days without an entry have the number of the day before, and today has the number of now")
    func growth() {
        let entries: [(day: String, count: Int)] = [("2026-01-01", 10), ("2026-01-12", 20), ("2026-01-14", 30)]
        let days = ["2026-01-11", "2026-01-12", "2026-01-13", "2026-01-14", "2026-01-15"]
        #expect(ContactCounts.series(entries, days: days, current: 31) == [10, 20, 20, 30, 31])
        #expect(ContactCounts.series([], days: days, current: 4) == [0, 0, 0, 0, 4])
    }

    @Test("Every reason that leaves somebody out is explained in a sentence about the person")
    func answers() {
        #expect(MessageAnswer(keptFor: "Ana").sentence.contains("not sent to anybody"))
        let answer = MessageAnswer(name: "Ana Ruiz", state: .skipped, reason: "suppressed_unsubscribed")
        #expect(answer.sentence == "Ana Ruiz was left out: they have unsubscribed.")
        let bounced = MessageAnswer(name: "Ana Ruiz", state: .failed, reason: "hard_bounce")
        #expect(bounced.sentence.contains("does not exist"))
        #expect(
            MessageAnswer(name: "Ana", state: .skipped, reason: "a word from the future").sentence.contains("left out"))
    }

    @Test("A breakdown adds up states, reasons and moments")
    func breakdown() {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        let found = SendBreakdown([
            BreakdownRow(
                state: "sent", sentAt: noon, openedAt: noon, messages: 3, opens: 5, clicks: 0, anyOpened: 3),
            BreakdownRow(state: "sent", sentAt: noon, messages: 7, opens: 2, anyOpened: 1),
            BreakdownRow(state: "skipped", reason: "no_email", messages: 2),
            BreakdownRow(state: "failed", reason: "hard_bounce", messages: 4),
        ])
        #expect(found.sent == [noon: 10])
        #expect(found.opened == [noon: 3])
        #expect(found.totalOpens == 7)
        #expect(found.anyOpened == 4)
        #expect(found.reasons.map(\.label) == ["The address does not exist", "No e-mail address"])
        #expect(found.reasons.map(\.count) == [4, 2])
    }
}
