import Core
import Foundation

/// Times as people of a workspace type and read them.
enum LocalTime {
    /// The moment that a date (`2026-11-21`) and a time (`09:30`) mean in a time zone; nil when they are none. A time that a
    /// clock change skips is moved on by the length of the change.
    static func date(_ date: String, _ time: String, in zone: String) -> Date? {
        guard let zone = TimeZone(identifier: zone) else { return nil }
        let day: [Int] = date.split(separator: "-").compactMap { Int($0) }
        let clock: [Int] = time.split(separator: ":").compactMap { Int($0) }
        guard day.count == 3, clock.count >= 2, (1...12).contains(day[1]), (1...31).contains(day[2]),
            (0...23).contains(clock[0]), (0...59).contains(clock[1]), (1970...9999).contains(day[0])
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let parts = DateComponents(year: day[0], month: day[1], day: day[2], hour: clock[0], minute: clock[1])
        guard let found = calendar.date(from: parts) else { return nil }
        let back: DateComponents = calendar.dateComponents([.day, .month], from: found)
        return back.day == day[2] && back.month == day[1] ? found : nil
    }

    /// The date and the time of a moment in a time zone, as form fields want them.
    static func fields(of date: Date, in zone: String) -> (date: String, time: String) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        func two(_ number: Int?) -> String {
            let number: Int = number ?? 0
            return number < 10 ? "0\(number)" : String(number)
        }
        return (
            "\(parts.year ?? 1970)-\(two(parts.month))-\(two(parts.day))", "\(two(parts.hour)):\(two(parts.minute))"
        )
    }
}
