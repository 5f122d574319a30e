/// Reads the dates that people and programs write: `March 14, 2016`, `14 Mar 2016 9:30 pm`, `2016-03-14T09:30:00Z`,
/// `Mon, 14 Mar 2016 09:30:00 GMT`, `14/3/2016`, `20160314`, `09:30`. What is missing is taken from today; without an
/// offset the time is UTC.
struct LiquidDateReader {
    private enum Piece: Equatable {
        case number(Int, digits: Int)
        case word(String)
        case sign(UInt8)
    }

    private struct Found {
        var year: Int?
        var month: Int?
        var day: Int?
        var yearDay: Int?
        var weekday: Int?
        var hour: Int?
        var minute: Int?
        var second: Int?
        var nanoseconds = 0
        var offset: Int?
        var zone = ""
    }

    private var bytes: [UInt8]
    private var found = Found()

    /// - Parameter text: in lower case.
    static func read(_ text: String, now: () -> Double) -> LiquidMoment? {
        var reader = LiquidDateReader(bytes: Array(text.utf8))
        guard reader.readTime(), reader.readDate() else { return nil }
        return reader.moment(now: now)
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Time of day

    /// Takes `9:30`, `09:30:15.25`, `9 pm` and what follows as a zone out of the text. False when it cannot be.
    private mutating func readTime() -> Bool {
        if let colon = bytes.indices.first(where: { isClockColon($0) }) {
            var start: Int = colon
            while start > 0, ASCII.isDigit(bytes[start - 1]), colon - start < 2 { start -= 1 }
            var index: Int = start
            found.hour = digits(&index, most: 2)?.value
            index += 1
            found.minute = digits(&index, most: 2)?.value
            if index + 1 < bytes.count, bytes[index] == UInt8(ascii: ":"), ASCII.isDigit(bytes[index + 1]) {
                index += 1
                found.second = digits(&index, most: 2)?.value
                readFraction(&index)
            }
            readHalf(&index)
            readZone(&index)
            if start > 0, bytes[start - 1] == UInt8(ascii: "t"), start == 1 || ASCII.isDigit(bytes[start - 2]) {
                start -= 1
            }
            bytes.replaceSubrange(start..<index, with: [ASCII.space])
        } else if !readCompactTime() {
            readBareHour()
        }
        return isTimeValid
    }

    private var isTimeValid: Bool {
        let hour: Int = found.hour ?? 0
        let minute: Int = found.minute ?? 0
        let second: Int = found.second ?? 0
        return hour <= 24 && minute < 60 && second <= 60 && (hour < 24 || (minute == 0 && second == 0))
    }

    private func isClockColon(_ index: Int) -> Bool {
        bytes[index] == UInt8(ascii: ":") && index > 0 && ASCII.isDigit(bytes[index - 1]) && index + 1 < bytes.count
            && ASCII.isDigit(bytes[index + 1])
    }

    private func digits(_ index: inout Int, most: Int) -> (value: Int, count: Int)? {
        let start: Int = index
        var value = 0
        while index < bytes.count, index - start < most, ASCII.isDigit(bytes[index]) {
            value = value * 10 + Int(bytes[index] - 48)
            index += 1
        }
        return index > start ? (value, index - start) : nil
    }

    private mutating func readFraction(_ index: inout Int) {
        guard index + 1 < bytes.count, bytes[index] == ASCII.dot || bytes[index] == UInt8(ascii: ","),
            ASCII.isDigit(bytes[index + 1])
        else { return }
        index += 1
        guard let part = digits(&index, most: 9) else { return }
        var value: Int = part.value
        for _ in part.count..<9 { value *= 10 }
        found.nanoseconds = value
        while index < bytes.count, ASCII.isDigit(bytes[index]) { index += 1 }
    }

    /// `am`, `p.m.`
    private mutating func readHalf(_ index: inout Int) {
        var place: Int = index
        while place < bytes.count, ASCII.isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "a") || bytes[place] == UInt8(ascii: "p") else {
            return
        }
        let isAfternoon: Bool = bytes[place] == UInt8(ascii: "p")
        place += 1
        if place < bytes.count, bytes[place] == ASCII.dot { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "m") else { return }
        place += 1
        if place < bytes.count, bytes[place] == ASCII.dot { place += 1 }
        if place < bytes.count, ASCII.isLetter(bytes[place]) { return }
        if let hour = found.hour { found.hour = hour % 12 + (isAfternoon ? 12 : 0) }
        index = place
    }

    private static let zones: [String: Int] = [
        "z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
        "pst": -8,
        "pdt": -7, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "wet": 0, "west": 1, "msk": 3, "ist": 5,
        "jst": 9,
    ]

    /// `z`, `utc`, `est`, `+0100`, `-05:30`, `+2`
    private mutating func readZone(_ index: inout Int) {
        var place: Int = index
        while place < bytes.count, ASCII.isSpace(bytes[place]) { place += 1 }
        let start: Int = place
        while place < bytes.count, ASCII.isLetter(bytes[place]) { place += 1 }
        let name = String(decoding: bytes[start..<place], as: UTF8.self)
        if let hours = Self.zones[name] {
            found.offset = hours * 3600 + (name == "ist" ? 1800 : 0)
            found.zone = hours == 0 && name != "wet" ? "UTC" : ""
            index = place
            guard name == "utc" || name == "gmt" else { return }
        } else if place > start {
            return
        }
        guard place < bytes.count, bytes[place] == ASCII.dash || bytes[place] == UInt8(ascii: "+") else { return }
        let sign: Int = bytes[place] == ASCII.dash ? -1 : 1
        place += 1
        guard let hours = digits(&place, most: 2) else { return }
        if place < bytes.count, bytes[place] == UInt8(ascii: ":") { place += 1 }
        let minutes: Int = digits(&place, most: 2)?.value ?? 0
        found.offset = sign * (hours.value * 3600 + minutes * 60)
        found.zone = ""
        index = place
    }

    /// `20160314T093000`
    private mutating func readCompactTime() -> Bool {
        guard bytes.count >= 13, bytes[8] == UInt8(ascii: "t"), bytes[..<8].allSatisfy(ASCII.isDigit) else {
            return false
        }
        var index = 9
        guard let hour = digits(&index, most: 2), let minute = digits(&index, most: 2) else { return false }
        found.hour = hour.value
        found.minute = minute.value
        found.second = digits(&index, most: 2)?.value
        readFraction(&index)
        readZone(&index)
        bytes.replaceSubrange(8..<index, with: [ASCII.space])
        return true
    }

    /// `9 pm`
    private mutating func readBareHour() {
        for start in bytes.indices where ASCII.isDigit(bytes[start]) && (start == 0 || !ASCII.isDigit(bytes[start - 1]))
        {
            var index: Int = start
            guard let hour = digits(&index, most: 2), hour.value <= 12 else { continue }
            let before: Int = index
            found.hour = hour.value
            readHalf(&index)
            if index > before {
                readZone(&index)
                bytes.replaceSubrange(start..<index, with: [ASCII.space])
                return
            }
            found.hour = nil
        }
    }

    // MARK: Date

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private func pieces() -> [Piece] {
        var result: [Piece] = []
        var index = 0
        while index < bytes.count {
            let start: Int = index
            if ASCII.isDigit(bytes[index]) {
                guard let number = digits(&index, most: 14) else { break }
                result.append(.number(number.value, digits: number.count))
                let suffix: [UInt8] = Array(bytes[index...].prefix(2))
                let isOrdinal: Bool = ["st", "nd", "rd", "th"].contains(String(decoding: suffix, as: UTF8.self))
                if isOrdinal, index + 2 >= bytes.count || !ASCII.isLetter(bytes[index + 2]) { index += 2 }
            } else if ASCII.isLetter(bytes[index]) {
                while index < bytes.count, ASCII.isLetter(bytes[index]) { index += 1 }
                result.append(.word(String(decoding: bytes[start..<index], as: UTF8.self)))
            } else {
                if !ASCII.isSpace(bytes[index]) { result.append(.sign(bytes[index])) }
                index += 1
            }
        }
        return result
    }

    private mutating func readDate() -> Bool {
        var rest: [Piece] = []
        for piece in pieces() {
            if case .word(let word) = piece {
                if found.month == nil, word.count >= 3, let place = Self.months.firstIndex(of: String(word.prefix(3))),
                    LiquidDateFields.monthNames[place].lowercased().hasPrefix(word) || word == "sept"
                {
                    found.month = place + 1
                    rest.append(.word("month"))
                } else if let place = Self.days.firstIndex(of: String(word.prefix(3))),
                    LiquidDateFields.dayNames[place].lowercased().hasPrefix(word) || word.count == 4
                {
                    found.weekday = place
                }
            } else {
                rest.append(piece)
            }
        }
        return found.month != nil ? readNamedMonth(rest) : readNumbers(rest)
    }

    /// `March 14, 2016`, `14 mar 2016`, `2016 mar 14`, `mar 2016`
    private mutating func readNamedMonth(_ pieces: [Piece]) -> Bool {
        for piece in pieces {
            guard case .number(let value, let digits) = piece else { continue }
            if digits >= 3 || value > 31 || (found.day != nil && found.year == nil) {
                if found.year == nil { found.year = digits <= 2 ? Self.century(value) : value }
            } else if found.day == nil {
                found.day = value
            }
        }
        return true
    }

    private static func century(_ year: Int) -> Int {
        year >= 69 ? 1900 + year : 2000 + year
    }

    private mutating func readNumbers(_ pieces: [Piece]) -> Bool {
        var numbers: [(value: Int, digits: Int)] = []
        var separators: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .number(let value, let digits): numbers.append((value, digits))
            case .sign(let sign): if !numbers.isEmpty { separators.append(sign) }
            case .word: break
            }
        }
        switch numbers.count {
        case 0: return found.hour != nil || found.weekday != nil
        case 1: return readSingle(numbers[0])
        case 2 where numbers[0].digits >= 3 && numbers[1].digits == 3:
            (found.year, found.yearDay) = (numbers[0].value, numbers[1].value)
        case 2 where numbers[0].digits >= 3: (found.year, found.month) = (numbers[0].value, numbers[1].value)
        case 2: (found.month, found.day) = (numbers[0].value, numbers[1].value)
        default: readThree(numbers, separator: separators.first)
        }
        return true
    }

    /// Year first when it has four digits or dashes stand between; day first when the year is last.
    private mutating func readThree(_ numbers: [(value: Int, digits: Int)], separator: UInt8?) {
        if numbers[2].digits >= 3, numbers[0].digits <= 2 {
            (found.day, found.month, found.year) = (numbers[0].value, numbers[1].value, numbers[2].value)
            return
        }
        let year: Int = numbers[0].digits <= 2 ? Self.century(numbers[0].value) : numbers[0].value
        (found.year, found.month, found.day) = (year, numbers[1].value, numbers[2].value)
    }

    private mutating func readSingle(_ number: (value: Int, digits: Int)) -> Bool {
        switch number.digits {
        case 1, 2: found.day = number.value
        case 3: found.yearDay = number.value
        case 4: (found.month, found.day) = (number.value / 100, number.value % 100)
        case 5: (found.year, found.yearDay) = (Self.century(number.value / 1000), number.value % 1000)
        case 6:
            (found.year, found.month) = (Self.century(number.value / 10_000), number.value / 100 % 100)
            found.day = number.value % 100
        case 7: (found.year, found.yearDay) = (number.value / 1000, number.value % 1000)
        case 8, 10, 12, 14:
            var rest: Int = number.value
            var time: [Int] = []
            for _ in 0..<(number.digits - 8) / 2 {
                time.insert(rest % 100, at: 0)
                rest /= 100
            }
            if let hour = time.first { found.hour = hour }
            if time.count > 1 { found.minute = time[1] }
            if time.count > 2 { found.second = time[2] }
            (found.year, found.month, found.day) = (rest / 10_000, rest / 100 % 100, rest % 100)
        default: return false
        }
        return isTimeValid
    }

    /// What has been found, with the rest from today.
    private func moment(now: () -> Double) -> LiquidMoment? {
        let offset: Int = found.offset ?? 0
        let today: LiquidDateFields = LiquidMoment(since1970: now() + Double(offset)).fields
        let year: Int = found.year ?? today.year
        guard year <= 200_000 else { return nil }
        var days: Int
        if let yearDay = found.yearDay {
            guard yearDay >= 1, yearDay <= 366 else { return nil }
            days = LiquidDateFields.days(year: year, month: 1, day: 1) + yearDay - 1
        } else {
            let month: Int = found.month ?? (found.year == nil ? today.month : 1)
            let day: Int = found.day ?? (found.year == nil && found.month == nil ? today.day : 1)
            guard LiquidDateFields.isValid(year: year, month: month, day: day) else { return nil }
            days = LiquidDateFields.days(year: year, month: month, day: day)
        }
        if let weekday = found.weekday, found.day == nil, found.month == nil, found.year == nil {
            days += weekday - today.weekday
        }
        let time: Int = (found.hour ?? 0) * 3600 + (found.minute ?? 0) * 60 + (found.second ?? 0)
        return LiquidMoment(
            seconds: days * 86400 + time - offset, nanoseconds: found.nanoseconds, offset: offset,
            zone: found.offset == nil ? "UTC" : found.zone)
    }
}
