import Foundation

/// Moments of properties as people type and read them: in the workspace's time zone. Stored they are UTC.
enum LocalMoment {
    /// The hidden field of forms that says in which zone their moments are: what was shown is what was meant, also when the
    /// workspace's zone changes before the form comes back.
    static let zoneField = "momentZone"

    /// `2026-03-31T07:30:00Z` as a field for moments wants it, `2026-03-31T09:30`; seconds only where there are some.
    static func field(_ stored: String, zone: String) -> String {
        guard let local = parts(stored, zone) else { return stored }
        let seconds: String = local.second == 0 ? "" : ":\(two(local.second))"
        return "\(local.year)-\(two(local.month))-\(two(local.day))T\(two(local.hour)):\(two(local.minute))\(seconds)"
    }

    /// As pages say it: `31 Mar 2026, 09:30`.
    static func words(_ stored: String, zone: String) -> String {
        guard let local = parts(stored, zone), (1...12).contains(local.month) else { return stored }
        return "\(local.day) \(months[local.month - 1]) \(local.year), \(two(local.hour)):\(two(local.minute))"
    }

    /// The same of a moment.
    static func words(_ moment: Date, zone: String) -> String {
        words(Date(timeIntervalSince1970: moment.timeIntervalSince1970.rounded(.down)).formatted(.iso8601), zone: zone)
    }

    /// A day as pages say it: `31 Mar 2026`; a text that is no day stays as it is.
    static func dayWords(_ stored: String) -> String {
        let parts: [Int] = stored.split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard stored.utf8.count == 10, parts.count == 3, (1...12).contains(parts[1]) else { return stored }
        return "\(parts[2]) \(months[parts[1] - 1]) \(parts[0])"
    }

    /// What somebody typed, in UTC. A time that the clocks jump over is the same time after the jump; of one that comes
    /// twice it is the first. A text that is no local time stays as it is: what has a zone of its own is fine, and
    /// everything else is refused with reasons later.
    static func utc(_ typed: String, zone: String) -> String {
        let text: String = typed.trimmed
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].count == 10, halves[1].count == 5 || halves[1].count == 8 else {
            return text
        }
        let numbers: [Int?] = (halves[0].split(separator: "-") + halves[1].split(separator: ":")).map { Int($0) }
        let known: [Int] = numbers.compactMap { $0 }
        guard known.count == numbers.count, known.count == 5 || known.count == 6 else { return text }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let wanted = DateComponents(
            year: known[0], month: known[1], day: known[2], hour: known[3], minute: known[4],
            second: known.count == 6 ? known[5] : 0)
        guard (1...12).contains(known[1]), known[3] < 24, known[4] < 60, let date = calendar.date(from: wanted),
            calendar.component(.day, from: date) == known[2]
        else { return text }
        return date.formatted(.iso8601)
    }

    private struct Parts {
        let year, month, day, hour, minute, second: Int
    }

    private static func parts(_ stored: String, _ zone: String) -> Parts? {
        guard let date = try? Date(stored, strategy: .iso8601) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let found = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        guard let year = found.year, let month = found.month, let day = found.day, let hour = found.hour,
            let minute = found.minute, let second = found.second
        else { return nil }
        return Parts(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    }

    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
