/// A day of the calendar without a time or a zone, counted from 1 January 1970 (Gregorian).
package struct Day: Hashable, Comparable, Sendable {
    package let number: Int

    package init(number: Int) {
        self.number = number
    }

    /// Reads `YYYY-MM-DD`; nil for anything else and for days that do not exist.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year > 0, (1...12).contains(month), day >= 1, day <= MonthDay.length(of: month, leap: Day.isLeap(year))
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    package init(year: Int, month: Int, day: Int) {
        // Days from civil: years begin in March, so that the leap day is the last of its year.
        let shifted: Int = month <= 2 ? year - 1 : year
        let era: Int = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra: Int = shifted - era * 400
        let dayOfYear: Int = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra: Int = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
    }

    package static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    package func adding(_ days: Int) -> Day { Day(number: number + days) }

    package var civil: (year: Int, month: Int, day: Int) {
        let shifted: Int = number + 719_468
        let era: Int = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra: Int = shifted - era * 146_097
        let yearOfEra: Int = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month: Int = (5 * dayOfYear + 2) / 153
        let civilMonth: Int = month < 10 ? month + 3 : month - 9
        return (
            yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, dayOfYear - (153 * month + 2) / 5 + 1
        )
    }

    package var monthDay: MonthDay { MonthDay(month: civil.month, day: civil.day) }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// `2026-03-31`.
    package var iso: String {
        let (year, month, day) = civil
        let digits: String = String(year)
        let padded: String = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        return "\(padded)-\(MonthDay.two(month))-\(MonthDay.two(day))"
    }

    /// `31 March 2026`.
    package var words: String { "\(civil.day) \(MonthDay.names[civil.month - 1]) \(civil.year)" }
}

/// A day that comes every year: birthdays.
package struct MonthDay: Hashable, Comparable, Sendable {
    package let month: Int
    package let day: Int

    package init(month: Int, day: Int) {
        self.month = month
        self.day = day
    }

    /// Reads `MM-DD`; 29 February counts as a day.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let month = Int(parts[0]), let day = Int(parts[1]), (1...12).contains(month),
            day >= 1, day <= Self.length(of: month, leap: true)
        else { return nil }
        self.init(month: month, day: day)
    }

    package static func < (left: MonthDay, right: MonthDay) -> Bool {
        (left.month, left.day) < (right.month, right.day)
    }

    /// `03-31`.
    package var iso: String { "\(Self.two(month))-\(Self.two(day))" }
    package var words: String { "\(day) \(Self.names[month - 1])" }

    static func length(of month: Int, leap: Bool) -> Int {
        switch month {
        case 2: leap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    package static let names: [String] = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
}
