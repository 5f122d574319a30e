import Foundation

/// Where chrome keeps the time zone and the present moment.
struct ViewClockSlots: Sendable {
    let timeZone: Int?
    let now: Int?

    init(_ shape: ViewShape) {
        timeZone = shape.slot(of: "timeZone")
        now = shape.slot(of: "now")
    }
}

/// Dates for people, in the zone of the page.
struct ViewCalendar {
    private let chrome: any ViewObject
    private let clock: ViewClockSlots
    private var zone: TimeZone?
    /// Offsets already asked for, by quarter of an hour: no zone changes its offset in between.
    private var offsets: [Int: Int] = [:]

    init(_ chrome: any ViewObject, _ clock: ViewClockSlots) {
        self.chrome = chrome
        self.clock = clock
    }

    private mutating func currentZone() -> TimeZone {
        if let zone { return zone }
        var found: TimeZone = .gmt
        if let slot = clock.timeZone, case .text(let name) = chrome.value(at: slot),
            let named = TimeZone(identifier: name)
        {
            found = named
        }
        zone = found
        return found
    }

    private mutating func local(_ date: Date) -> ViewMoment {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let quarter: Int = (seconds - (seconds % 900 + 900) % 900) / 900
        let offset: Int = offsets[quarter] ?? currentZone().secondsFromGMT(for: date)
        offsets[quarter] = offset
        return ViewMoment(seconds: seconds + offset)
    }

    /// 21 Nov 2026
    mutating func date(_ date: Date) -> String { local(date).date }

    /// 21 Nov 2026, 14:05
    mutating func dateAndTime(_ date: Date) -> String {
        let moment: ViewMoment = local(date)
        return "\(moment.date), \(moment.time)"
    }

    /// 14:05
    mutating func time(_ date: Date) -> String { local(date).time }

    /// 2026-11-21T13:05:00Z, for `datetime` attributes.
    static func iso(_ date: Date) -> String {
        ViewMoment(seconds: Int(date.timeIntervalSince1970.rounded(.down))).iso
    }

    /// "3 minutes ago", "in 2 days"; the date when it is more than 30 days away.
    mutating func relative(_ date: Date) -> String {
        guard let slot = clock.now, case .date(let now) = chrome.value(at: slot) else { return self.date(date) }
        let distance: Double = now.timeIntervalSince(date)
        let seconds = Int(abs(distance).rounded())
        if seconds < 45 { return "just now" }
        let text: String
        switch seconds {
        case ..<3570: text = Self.count(max(1, (seconds + 30) / 60), "minute")
        case ..<84_600: text = Self.count(max(1, (seconds + 1800) / 3600), "hour")
        case ..<(30 * 86_400): text = Self.count(max(1, (seconds + 43_200) / 86_400), "day")
        default: return self.date(date)
        }
        return distance >= 0 ? "\(text) ago" : "in \(text)"
    }

    private static func count(_ number: Int, _ unit: String) -> String {
        "\(number) \(unit)\(number == 1 ? "" : "s")"
    }
}

/// A day and a time of day in the Gregorian calendar, from seconds since 1970 in local time.
struct ViewMoment: Sendable, Equatable {
    let year: Int
    let month: Int
    let day: Int
    let secondOfDay: Int

    init(seconds: Int) {
        var days: Int = seconds / 86_400
        var rest: Int = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        secondOfDay = rest
        // Years counted from March of year 0 in eras of 400 years, so that leap days come last.
        let shifted: Int = days + 719_468
        let era: Int = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra: Int = shifted - era * 146_097
        let yearOfEra: Int = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth: Int = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    private static let months: [String] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    var date: String { "\(day) \(Self.months[month - 1]) \(year)" }
    var time: String { "\(Self.two(secondOfDay / 3600)):\(Self.two(secondOfDay / 60 % 60))" }

    var iso: String {
        let days = "\(year)-\(Self.two(month))-\(Self.two(day))"
        return "\(days)T\(time):\(Self.two(secondOfDay % 60))Z"
    }
}
