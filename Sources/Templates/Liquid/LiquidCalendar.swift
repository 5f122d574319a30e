/// A moment, and the offset from UTC in which it is shown.
struct LiquidMoment: Equatable {
    /// Seconds since 1970, UTC.
    let seconds: Int
    let nanoseconds: Int
    /// Seconds east of UTC.
    let offset: Int
    /// What `%Z` says; empty when only the offset is known.
    let zone: String

    init(seconds: Int, nanoseconds: Int = 0, offset: Int = 0, zone: String = "UTC") {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.zone = zone
    }

    init(since1970 interval: Double) {
        let whole: Double = interval.rounded(.down)
        self.init(
            seconds: Int(exactly: whole) ?? 0, nanoseconds: min(999_999_999, Int((interval - whole) * 1_000_000_000)))
    }

    var fields: LiquidDateFields {
        LiquidDateFields(seconds: seconds + offset)
    }
}

/// The fields of a date and time in the Gregorian calendar.
struct LiquidDateFields {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    /// 0 is Sunday.
    let weekday: Int
    /// 1 is the first of January.
    let yearDay: Int

    init(seconds: Int) {
        let days: Int = Self.floorDivide(seconds, 86400)
        let rest: Int = seconds - days * 86400
        let date: (year: Int, month: Int, day: Int) = Self.civil(days)
        self.year = date.year
        self.month = date.month
        self.day = date.day
        self.hour = rest / 3600
        self.minute = rest / 60 % 60
        self.second = rest % 60
        self.weekday = ((days + 4) % 7 + 7) % 7
        self.yearDay = days - Self.days(year: date.year, month: 1, day: 1) + 1
    }

    static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// Days since 1970-01-01 of a date (years count from March, so that the leap day comes last).
    static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted: Int = month <= 2 ? year - 1 : year
        let era: Int = floorDivide(shifted, 400)
        let yearOfEra: Int = shifted - era * 400
        let dayOfYear: Int = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra: Int = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted: Int = days + 719_468
        let era: Int = floorDivide(shifted, 146_097)
        let dayOfEra: Int = shifted - era * 146_097
        let yearOfEra: Int = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear: Int = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part: Int = (5 * dayOfYear + 2) / 153
        let month: Int = part < 10 ? part + 3 : part - 9
        let year: Int = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * part + 2) / 5 + 1)
    }

    static func isValid(year: Int, month: Int, day: Int) -> Bool {
        guard month >= 1, month <= 12, day >= 1, day <= 31 else { return false }
        let back: (year: Int, month: Int, day: Int) = civil(days(year: year, month: month, day: day))
        return back.month == month && back.day == day
    }

    /// Week of the year by ISO 8601, and the year it belongs to.
    var isoWeek: (year: Int, week: Int) {
        let monday: Int = (weekday + 6) % 7
        let week: Int = (yearDay - 1 - monday + 10) / 7
        if week < 1 { return (year - 1, Self.isoWeeks(in: year - 1)) }
        if week > Self.isoWeeks(in: year) { return (year + 1, 1) }
        return (year, week)
    }

    private static func isoWeeks(in year: Int) -> Int {
        let start: Int = ((days(year: year, month: 1, day: 1) + 4) % 7 + 7) % 7
        let end: Int = ((days(year: year, month: 12, day: 31) + 4) % 7 + 7) % 7
        return start == 4 || end == 4 ? 53 : 52
    }

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}
