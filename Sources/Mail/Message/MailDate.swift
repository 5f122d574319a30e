import FoundationEssentials

/// The value of a `Date` header, `Thu, 15 Jan 2026 09:30:00 +0000`: made once for a batch.
package struct MailDate: Sendable {
    let bytes: [UInt8]

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    package init(_ date: Date) {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let day: Int = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let time: Int = seconds - day * 86_400
        let (year, month, dayOfMonth) = Self.calendarDate(day)
        let weekday: String = Self.days[((day % 7) + 7) % 7]
        let clock = "\(Self.two(time / 3600)):\(Self.two(time / 60 % 60)):\(Self.two(time % 60))"
        let text = "\(weekday), \(Self.two(dayOfMonth)) \(Self.months[month - 1]) \(year) \(clock) +0000"
        bytes = Array(text.utf8)
    }

    private static func two(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    /// Gregorian year, month and day of a day number, 0 being 1 January 1970. Counts years from 1 March, so that the
    /// leap day is the last of its year.
    private static func calendarDate(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted: Int = day + 719_468
        let era: Int = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra: Int = shifted - era * 146_097
        let leapDays: Int = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra: Int = (dayOfEra - leapDays) / 365
        let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth: Int = (5 * dayOfYear + 2) / 153
        let dayOfMonth: Int = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month: Int = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }
}
