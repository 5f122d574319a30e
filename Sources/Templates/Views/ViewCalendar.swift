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
    private let chrome: ViewObject
    private let clock: ViewClockSlots
    private var zone: TimeZone?
    /// Offsets already asked for, by quarter of an hour: no zone changes its offset in between.
    private var offsets: [Int: Int] = [:]
    /// The one asked for last: a date is often written in two forms.
    private var last: (quarter: Int, offset: Int) = (.min, 0)

    init(_ chrome: ViewObject, _ clock: ViewClockSlots) {
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
        if last.quarter != quarter {
            let offset: Int = offsets[quarter] ?? currentZone().secondsFromGMT(for: date)
            offsets[quarter] = offset
            last = (quarter, offset)
        }
        return ViewMoment(seconds: seconds + last.offset)
    }

    /// Writes a date in a form that needs no escaping in HTML.
    mutating func append(_ date: Date, as form: ViewFilter, to output: inout [UInt8]) {
        switch form {
        case .date: local(date).appendDate(&output)
        case .datetime: local(date).appendDateAndTime(&output)
        case .time: local(date).appendTime(&output)
        case .iso: ViewMoment(date).appendISO(&output)
        default: break
        }
    }

    /// The same as a text of its own.
    mutating func text(_ date: Date, as form: ViewFilter) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        append(date, as: form, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// 2026-11-21T13:05:00Z, for `datetime` attributes.
    static func iso(_ date: Date) -> String { ViewMoment(date).iso }

    /// "3 minutes ago", "in 2 days"; the date when it is more than 30 days away.
    mutating func relative(_ date: Date) -> String {
        guard let slot = clock.now, case .date(let now) = chrome.value(at: slot) else { return text(date, as: .date) }
        let distance: Double = now.timeIntervalSince(date)
        let seconds = Int(abs(distance).rounded())
        if seconds < 45 { return "just now" }
        let text: String
        switch seconds {
        case ..<3570: text = Self.count(max(1, (seconds + 30) / 60), "minute")
        case ..<84_600: text = Self.count(max(1, (seconds + 1800) / 3600), "hour")
        case ..<(30 * 86_400): text = Self.count(max(1, (seconds + 43_200) / 86_400), "day")
        default: return self.text(date, as: .date)
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

    /// The same in UTC.
    init(_ date: Date) {
        self.init(seconds: Int(date.timeIntervalSince1970.rounded(.down)))
    }

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

    private static let months: [[UInt8]] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// 2026-11-21T13:05:00Z
    var iso: String {
        var bytes: [UInt8] = []
        appendISO(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// 21 Nov 2026
    func appendDate(_ bytes: inout [UInt8]) {
        if day > 9 { bytes.append(UInt8(48 + day / 10)) }
        bytes.append(UInt8(48 + day % 10))
        bytes.append(ASCII.space)
        bytes.append(contentsOf: Self.months[month - 1])
        bytes.append(ASCII.space)
        Self.appendYear(year, &bytes)
    }

    /// 14:05
    func appendTime(_ bytes: inout [UInt8]) {
        Self.appendTwo(secondOfDay / 3600, &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.appendTwo(secondOfDay / 60 % 60, &bytes)
    }

    /// 21 Nov 2026, 14:05
    func appendDateAndTime(_ bytes: inout [UInt8]) {
        appendDate(&bytes)
        bytes.append(UInt8(ascii: ","))
        bytes.append(ASCII.space)
        appendTime(&bytes)
    }

    /// 2026-11-21T13:05:00Z
    func appendISO(_ bytes: inout [UInt8]) {
        Self.appendYear(year, &bytes)
        bytes.append(ASCII.dash)
        Self.appendTwo(month, &bytes)
        bytes.append(ASCII.dash)
        Self.appendTwo(day, &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendTime(&bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.appendTwo(secondOfDay % 60, &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func appendTwo(_ number: Int, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(48 + number / 10))
        bytes.append(UInt8(48 + number % 10))
    }

    private static func appendYear(_ year: Int, _ bytes: inout [UInt8]) {
        guard (1000...9999).contains(year) else { return bytes.append(contentsOf: String(year).utf8) }
        appendTwo(year / 100, &bytes)
        appendTwo(year % 100, &bytes)
    }
}
