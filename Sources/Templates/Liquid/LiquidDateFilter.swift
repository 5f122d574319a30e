/// The `date` filter.
enum LiquidDateFilter {
    /// Anything that is no date, or an empty format, comes back as it was.
    static func date(_ input: LiquidValue, _ format: LiquidValue, now: () -> Double) -> LiquidValue {
        let pattern: String = LiquidText.text(format)
        guard !pattern.isEmpty, let moment = moment(input, now: now) else { return input }
        return .string(LiquidDateFormat.format(moment, pattern))
    }

    private static func moment(_ input: LiquidValue, now: () -> Double) -> LiquidMoment? {
        switch input {
        case .int(let seconds): return seconds.magnitude < 1 << 50 ? LiquidMoment(seconds: seconds) : nil
        case .string(let text), .html(let text):
            let lower: String = text.lowercased()
            if lower == "now" || lower == "today" { return LiquidMoment(since1970: now()) }
            if !lower.isEmpty, lower.utf8.allSatisfy(ASCII.isDigit) {
                guard let seconds = Int(lower), seconds < 1 << 50 else { return nil }
                return LiquidMoment(seconds: seconds)
            }
            guard lower.utf8.count <= 128 else { return nil }
            return LiquidDateReader.read(lower, now: now)
        default: return nil
        }
    }
}

/// strftime, as Ruby has it: flags `-`, `_`, `0`, `^`, `#`, `:`, a width, and a letter.
enum LiquidDateFormat {
    private struct Directive {
        var pads: Bool?
        var padding: UInt8?
        var upper = false
        var swaps = false
        var colons = 0
        var width: Int?
    }

    static func format(_ moment: LiquidMoment, _ pattern: String) -> String {
        let fields: LiquidDateFields = moment.fields
        let bytes: [UInt8] = Array(pattern.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == ASCII.percent else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let start: Int = index
            index += 1
            let directive: Directive = directive(bytes, &index)
            if index < bytes.count, let text = text(bytes[index], directive, moment, fields) {
                result += text.utf8
                index += 1
            } else {
                index = min(index + 1, bytes.count)
                result += bytes[start..<index]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func directive(_ bytes: [UInt8], _ index: inout Int) -> Directive {
        var directive = Directive()
        while index < bytes.count {
            switch bytes[index] {
            case ASCII.dash: directive.pads = false
            case ASCII.underscore: (directive.pads, directive.padding) = (true, ASCII.space)
            case UInt8(ascii: "0"): (directive.pads, directive.padding) = (true, UInt8(ascii: "0"))
            case UInt8(ascii: "^"): directive.upper = true
            case UInt8(ascii: "#"): directive.swaps = true
            case UInt8(ascii: ":"): directive.colons += 1
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                var width = 0
                while index < bytes.count, ASCII.isDigit(bytes[index]) {
                    width = min(1000, width * 10 + Int(bytes[index] - 48))
                    index += 1
                }
                directive.width = width
                if index < bytes.count, bytes[index] == UInt8(ascii: "E") || bytes[index] == UInt8(ascii: "O") {
                    index += 1
                }
                return directive
            default: return directive
            }
            index += 1
        }
        return directive
    }

    private static func number(_ value: Int, _ digits: Int, _ directive: Directive, padding: UInt8 = 48) -> String {
        if directive.pads == false { return String(value) }
        let padding: UInt8 = directive.padding ?? padding
        let text: String = String(value.magnitude)
        let sign: String = value < 0 ? "-" : ""
        let width: Int = max(0, (directive.width ?? digits) - text.utf8.count - sign.utf8.count)
        let fill = String(repeating: padding == ASCII.space ? " " : "0", count: width)
        return padding == ASCII.space ? fill + sign + text : sign + fill + text
    }

    private static func word(_ text: String, _ directive: Directive, swapped: Bool = true) -> String {
        var text: String = text
        if directive.upper { text = text.uppercased() }
        if directive.swaps { text = swapped ? text.uppercased() : text.lowercased() }
        guard let width = directive.width, width > text.utf8.count else { return text }
        let fill: String = directive.padding == 48 ? "0" : " "
        return String(repeating: fill, count: width - text.utf8.count) + text
    }

    private static func text(
        _ letter: UInt8, _ directive: Directive, _ moment: LiquidMoment, _ fields: LiquidDateFields
    ) -> String? {
        if let text = numeric(letter, directive, moment, fields) { return text }
        let twelve: String = fields.hour < 12 ? "AM" : "PM"
        switch letter {
        case UInt8(ascii: "B"): return word(LiquidDateFields.monthNames[fields.month - 1], directive)
        case UInt8(ascii: "b"), UInt8(ascii: "h"):
            return word(String(LiquidDateFields.monthNames[fields.month - 1].prefix(3)), directive)
        case UInt8(ascii: "A"): return word(LiquidDateFields.dayNames[fields.weekday], directive)
        case UInt8(ascii: "a"): return word(String(LiquidDateFields.dayNames[fields.weekday].prefix(3)), directive)
        case UInt8(ascii: "p"): return word(twelve, directive, swapped: false)
        case UInt8(ascii: "P"): return word(twelve.lowercased(), directive)
        case UInt8(ascii: "Z"): return word(moment.zone, directive, swapped: false)
        case UInt8(ascii: "z"): return zone(moment.offset, directive)
        case ASCII.percent: return word("%", directive)
        case UInt8(ascii: "n"): return word("\n", directive)
        case UInt8(ascii: "t"): return word("\t", directive)
        default:
            guard let pattern = composed(letter) else { return nil }
            return word(format(moment, pattern), directive)
        }
    }

    /// The letters that stand for other patterns.
    private static func composed(_ letter: UInt8) -> String? {
        switch letter {
        case UInt8(ascii: "c"): "%a %b %e %H:%M:%S %Y"
        case UInt8(ascii: "D"), UInt8(ascii: "x"): "%m/%d/%y"
        case UInt8(ascii: "F"): "%Y-%m-%d"
        case UInt8(ascii: "T"), UInt8(ascii: "X"): "%H:%M:%S"
        case UInt8(ascii: "R"): "%H:%M"
        case UInt8(ascii: "r"): "%I:%M:%S %p"
        case UInt8(ascii: "v"): "%e-%^b-%Y"
        case UInt8(ascii: "+"): "%a %b %e %H:%M:%S %Z %Y"
        default: nil
        }
    }

    private static func numeric(
        _ letter: UInt8, _ directive: Directive, _ moment: LiquidMoment, _ fields: LiquidDateFields
    ) -> String? {
        let hour12: Int = (fields.hour + 11) % 12 + 1
        let space: UInt8 = ASCII.space
        switch letter {
        case UInt8(ascii: "Y"): return number(fields.year, fields.year < 0 ? 5 : 4, directive)
        case UInt8(ascii: "C"): return number(LiquidDateFields.floorDivide(fields.year, 100), 2, directive)
        case UInt8(ascii: "y"): return number((fields.year % 100 + 100) % 100, 2, directive)
        case UInt8(ascii: "m"): return number(fields.month, 2, directive)
        case UInt8(ascii: "d"): return number(fields.day, 2, directive)
        case UInt8(ascii: "e"): return number(fields.day, 2, directive, padding: space)
        case UInt8(ascii: "j"): return number(fields.yearDay, 3, directive)
        case UInt8(ascii: "H"): return number(fields.hour, 2, directive)
        case UInt8(ascii: "k"): return number(fields.hour, 2, directive, padding: space)
        case UInt8(ascii: "I"): return number(hour12, 2, directive)
        case UInt8(ascii: "l"): return number(hour12, 2, directive, padding: space)
        case UInt8(ascii: "M"): return number(fields.minute, 2, directive)
        case UInt8(ascii: "S"): return number(fields.second, 2, directive)
        case UInt8(ascii: "s"): return number(moment.seconds, 1, directive)
        case UInt8(ascii: "u"): return number(fields.weekday == 0 ? 7 : fields.weekday, 1, directive)
        case UInt8(ascii: "w"): return number(fields.weekday, 1, directive)
        case UInt8(ascii: "G"): return number(fields.isoWeek.year, 4, directive)
        case UInt8(ascii: "g"): return number(fields.isoWeek.year % 100, 2, directive)
        case UInt8(ascii: "V"): return number(fields.isoWeek.week, 2, directive)
        case UInt8(ascii: "U"): return number((fields.yearDay + 6 - fields.weekday) / 7, 2, directive)
        case UInt8(ascii: "W"): return number((fields.yearDay + 6 - (fields.weekday + 6) % 7) / 7, 2, directive)
        case UInt8(ascii: "L"): return fraction(moment.nanoseconds, directive.width ?? 3)
        case UInt8(ascii: "N"): return fraction(moment.nanoseconds, directive.width ?? 9)
        default: return nil
        }
    }

    private static func fraction(_ nanoseconds: Int, _ digits: Int) -> String {
        let text: String = String(nanoseconds)
        let padded: String = String(repeating: "0", count: 9 - text.utf8.count) + text
        if digits <= 9 { return String(padded.prefix(digits)) }
        return padded + String(repeating: "0", count: digits - 9)
    }

    private static func zone(_ offset: Int, _ directive: Directive) -> String {
        let sign: String = offset < 0 ? "-" : "+"
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let hours: String = two(abs(offset) / 3600)
        let minutes: String = two(abs(offset) / 60 % 60)
        return switch directive.colons {
        case 0: "\(sign)\(hours)\(minutes)"
        case 1: "\(sign)\(hours):\(minutes)"
        default: "\(sign)\(hours):\(minutes):\(two(abs(offset) % 60))"
        }
    }
}
