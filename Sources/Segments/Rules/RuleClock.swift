import Foundation

/// What time it is for rules: days are those of the workspace's zone.
package struct RuleClock: Sendable, Equatable {
    package let now: Date
    private let zone: TimeZone

    /// - Parameter zone: an IANA name; UTC when the system does not know it.
    package init(now: Date, zone name: String) {
        self.now = now
        zone = TimeZone(identifier: name) ?? .gmt
    }

    package var today: Day { day(of: now) }

    /// The local day that holds a moment.
    package func day(of moment: Date) -> Day {
        let seconds = Int(moment.timeIntervalSince1970.rounded(.down))
        let local: Int = seconds + offset(at: seconds)
        return Day(number: (local >= 0 ? local : local - 86_399) / 86_400)
    }

    /// The moment at which a local day begins. Where a clock change skips midnight, the day begins with the change.
    package func start(of day: Day) -> Date {
        let floor: Int = day.number * 86_400
        let near: Int = floor - offset(at: floor)
        let guess: Int = floor - offset(at: near)
        let isExact: Bool = guess + offset(at: guess) == floor
        return Date(timeIntervalSince1970: Double(isExact ? guess : max(near, guess)))
    }

    package var nextMidnight: Date { start(of: today.adding(1)) }

    /// The first of the last so many days, today included.
    package func first(ofLast days: Int) -> Day { today.adding(1 - days) }

    /// The last of the next so many days, today included.
    package func last(ofNext days: Int) -> Day { today.adding(days - 1) }

    /// The days of the year that so many days have, as `MM-DD`. 29 February comes with the 28th where a year has none.
    func daysOfYear(from first: Day, count: Int) -> [String] {
        if count >= 366 { return Self.allDaysOfYear }
        var days: [String] = []
        for offset in 0..<max(0, count) {
            let day: Day = first.adding(offset)
            let monthDay: MonthDay = day.monthDay
            days.append(monthDay.iso)
            if monthDay == MonthDay(month: 2, day: 28), !Day.isLeap(day.civil.year) { days.append("02-29") }
        }
        return days
    }

    private static let allDaysOfYear: [String] = (0..<366).map {
        Day(year: 2024, month: 1, day: 1).adding($0).monthDay.iso
    }

    /// A moment in the workspace's zone: `31 March 2026, 09:30`.
    func words(_ moment: Date) -> String {
        let seconds = Int(moment.timeIntervalSince1970.rounded(.down))
        let local: Int = seconds + offset(at: seconds)
        let minute: Int = ((local % 86_400 + 86_400) % 86_400) / 60
        return "\(day(of: moment).words), \(MonthDay.two(minute / 60)):\(MonthDay.two(minute % 60))"
    }

    private func offset(at seconds: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }
}
