import FoundationEssentials

/// What filters do. Absent stays absent.
enum ViewFiltering {
    static func apply(_ filter: ViewFilter, to value: ViewValue, _ calendar: inout ViewCalendar) -> ViewValue {
        switch value {
        case .absent: .absent
        case .number(let number): numeric(filter, number)
        case .decimal(let number): decimal(filter, number)
        case .text(let text): textual(filter, text)
        case .date(let date): moment(filter, date, &calendar)
        case .texts(let texts):
            switch filter {
            case .join(let separator): .text(texts.joined(separator: separator))
            case .size: .number(texts.count)
            default: value
            }
        case .list(let rows):
            if case .size = filter { .number(rows.count) } else { value }
        case .flag, .html, .record: value
        }
    }

    private static func numeric(_ filter: ViewFilter, _ number: Int) -> ViewValue {
        switch filter {
        case .number: .text(ViewNumbers.grouped(number))
        case .bytes: .text(ViewNumbers.bytes(number))
        case .plural(let one, let many): .text("\(ViewNumbers.grouped(number)) \(number == 1 ? one : many)")
        default: .number(number)
        }
    }

    private static func decimal(_ filter: ViewFilter, _ number: Double) -> ViewValue {
        switch filter {
        case .number: .text(ViewNumbers.decimal(number, places: 2, trimmed: true))
        case .percent: .text(ViewNumbers.percent(number))
        default: .decimal(number)
        }
    }

    private static func textual(_ filter: ViewFilter, _ text: String) -> ViewValue {
        switch filter {
        case .upcase: .text(text.uppercased())
        case .downcase: .text(text.lowercased())
        case .capitalize: .text(text.prefix(1).uppercased() + text.dropFirst())
        case .truncate(let count): .text(truncated(text, to: count))
        case .initials: .text(initials(text))
        case .size: .number(text.count)
        case .escapeQuery: .text(percentEncoded(text))
        default: .text(text)
        }
    }

    private static func truncated(_ text: String, to count: Int) -> String {
        if text.utf8.count <= count || text.count <= count { return text }
        return text.prefix(count - 1) + "…"
    }

    /// The first letters of the first and the last word.
    private static func initials(_ text: String) -> String {
        let words = text.split { $0.isWhitespace || $0 == "@" || $0 == "." }
        let chosen = words.count > 1 ? [words[0], words[words.count - 1]] : Array(words.prefix(1))
        return chosen.map { $0.prefix(1).uppercased() }.joined()
    }

    private static func percentEncoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        ViewEscaping.appendPercentEncoded(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func moment(_ filter: ViewFilter, _ date: Date, _ calendar: inout ViewCalendar) -> ViewValue {
        switch filter {
        case .date, .datetime, .time, .iso: .text(calendar.text(date, as: filter))
        case .relative: .text(calendar.relative(date))
        default: .date(date)
        }
    }
}

/// Numbers for people, in English.
enum ViewNumbers {
    /// 12,408
    static func grouped(_ number: Int) -> String {
        group(String(number.magnitude), negative: number < 0)
    }

    private static func group(_ digits: String, negative: Bool) -> String {
        var bytes: [UInt8] = negative ? [UInt8(ascii: "-")] : []
        let count: Int = digits.utf8.count
        for (index, digit) in digits.utf8.enumerated() {
            if index > 0, (count - index) % 3 == 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(digit)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Rounded half away from zero; `trimmed` drops zeros at the end of the fraction.
    static func decimal(_ number: Double, places: Int, trimmed: Bool) -> String {
        let scale: Double = places == 1 ? 10 : places == 2 ? 100 : 1
        guard number.isFinite, abs(number) < 1e15 else { return number.isFinite ? "\(number)" : "–" }
        let scaled = Int((number * scale).rounded())
        let unit = Int(scale)
        let magnitude: Int = abs(scaled)
        let whole: String = group(String(magnitude / unit), negative: scaled < 0)
        var digits: Int = places
        var fraction: Int = magnitude % unit
        while trimmed, digits > 0, fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        if digits == 0 { return whole }
        let zero: String = digits == 2 && fraction < 10 ? "0" : ""
        return "\(whole).\(zero)\(fraction)"
    }

    /// 0.0412 → 4.1 %, with a narrow no-break space.
    static func percent(_ share: Double) -> String {
        decimal(share * 100, places: 1, trimmed: false) + "\u{202F}%"
    }

    /// 1.4 MB, in powers of 1000.
    static func bytes(_ count: Int) -> String {
        if abs(count) < 1000 { return "\(count) B" }
        var value: Double = Double(count) / 1000
        for unit in ["kB", "MB", "GB"] {
            if abs(value) < 999.95 { return "\(decimal(value, places: 1, trimmed: true)) \(unit)" }
            value /= 1000
        }
        return "\(decimal(value, places: 1, trimmed: true)) TB"
    }
}
