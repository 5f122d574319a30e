import Foundation

/// Moments sorted into the hours or days of a time zone. Clock changes are kept: a day may have 23 or 25 hours, and the
/// hour that comes twice is two hours.
struct LocalBuckets: Sendable {
    enum Unit: String, Sendable, CaseIterable {
        case hour, day

        /// A length that is certainly inside the next bucket.
        var stride: Int { self == .hour ? 3600 : 26 * 3600 }
        var length: Int { self == .hour ? 3600 : 86_400 }
    }

    let unit: Unit
    private let zone: TimeZone

    /// - Parameter zone: an IANA name; UTC when the system does not know it.
    init(_ unit: Unit, zone name: String) {
        self.unit = unit
        zone = TimeZone(identifier: name) ?? .gmt
    }

    /// The beginning of the hour or day that holds the moment.
    func start(of date: Date) -> Date {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let local: Int = seconds + offset(at: seconds)
        let floor: Int = local - Self.modulo(local, unit.length)
        if unit == .hour { return Self.date(seconds - (local - floor)) }
        // Midnight may lie beyond a clock change, or be skipped by it: then the day begins with the change.
        let near: Int = floor - offset(at: seconds)
        let guess: Int = floor - offset(at: near)
        return Self.date(guess + offset(at: guess) == floor ? guess : max(near, guess))
    }

    func next(after start: Date) -> Date {
        self.start(of: start.addingTimeInterval(Double(unit.stride)))
    }

    /// The beginnings of all buckets from the one that holds `first` to the one that holds `last`, at most `limit`.
    func starts(from first: Date, through last: Date, limit: Int) -> [Date] {
        var starts: [Date] = []
        var current: Date = start(of: first)
        while current <= last, starts.count < limit {
            starts.append(current)
            current = next(after: current)
        }
        return starts
    }

    /// The day and month: `21 Nov`.
    func day(_ date: Date) -> String {
        let (_, month, day) = Self.civil(localDay(date))
        return "\(day) \(Self.months[month - 1])"
    }

    /// `14:00`.
    func time(_ date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let minute: Int = Self.modulo(seconds + offset(at: seconds), 86_400) / 60
        return "\(Self.two(minute / 60)):\(Self.two(minute % 60))"
    }

    /// The whole name of a bucket: `21 Nov, 14:00` or `21 Nov`.
    func name(_ start: Date) -> String {
        unit == .hour ? "\(day(start)), \(time(start))" : day(start)
    }

    /// `2026-11-21`, for the database.
    func isoDay(_ date: Date) -> String {
        let (year, month, day) = Self.civil(localDay(date))
        return "\(year)-\(Self.two(month))-\(Self.two(day))"
    }

    private func localDay(_ date: Date) -> Int {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let local: Int = seconds + offset(at: seconds)
        return (local - Self.modulo(local, 86_400)) / 86_400
    }

    private func offset(at seconds: Int) -> Int {
        zone.secondsFromGMT(for: Self.date(seconds))
    }

    private static func date(_ seconds: Int) -> Date { Date(timeIntervalSince1970: Double(seconds)) }

    private static func modulo(_ value: Int, _ divisor: Int) -> Int {
        let rest: Int = value % divisor
        return rest < 0 ? rest + divisor : rest
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The Gregorian date of a day counted from 1 January 1970 (the civil-from-days arithmetic over eras of 400 years).
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted: Int = days + 719_468
        let dayOfEra: Int = modulo(shifted, 146_097)
        let era: Int = (shifted - dayOfEra) / 146_097
        let yearOfEra: Int = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth: Int = (5 * dayOfYear + 2) / 153
        let day: Int = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month: Int = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
