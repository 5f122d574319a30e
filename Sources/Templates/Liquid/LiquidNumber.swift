/// A number while a filter works on it. Fractions are decimal, as people expect: 0.1 plus 0.2 is 0.3.
enum LiquidNumber {
    case int(Int)
    /// `digits` × 10^`exponent`
    case decimal(digits: Int128, exponent: Int)
    /// What does not fit the exact forms.
    case double(Double)

    static let zero = LiquidNumber.int(0)

    /// Numbers, and strings that begin with one; anything else counts as zero.
    init(_ value: LiquidValue) {
        switch value {
        case .int(let value): self = .int(value)
        case .double(let value): self = Self.exact(value)
        case .string(let text), .html(let text): self = Self.parsed(text)
        default: self = .zero
        }
    }

    private static func exact(_ value: Double) -> LiquidNumber {
        guard value.isFinite else { return .double(value) }
        let parts: (digits: [UInt8], exponent: Int) = LiquidText.scientific(value.description)
        var digits: Int128 = 0
        for byte in parts.digits { digits = digits * 10 + Int128(byte - 48) }
        return .decimal(digits: value < 0 ? -digits : digits, exponent: parts.exponent - parts.digits.count + 1)
    }

    private static func parsed(_ text: String) -> LiquidNumber {
        let trimmed: [UInt8] = trim(text)
        if let decimal = decimal(trimmed) { return decimal }
        return .int(leadingInteger(trimmed))
    }

    private static func trim(_ text: String) -> [UInt8] {
        var bytes: ArraySlice<UInt8> = Array(text.utf8)[...]
        while let first = bytes.first, ASCII.isSpace(first) || first == 0 { bytes = bytes.dropFirst() }
        while let last = bytes.last, ASCII.isSpace(last) || last == 0 { bytes = bytes.dropLast() }
        return Array(bytes)
    }

    /// `-12.50`, all of it.
    private static func decimal(_ bytes: [UInt8]) -> LiquidNumber? {
        let body: ArraySlice<UInt8> = bytes.first == ASCII.dash ? bytes.dropFirst() : bytes[...]
        guard let dot = body.firstIndex(of: ASCII.dot), dot > body.startIndex, dot < body.endIndex - 1 else {
            return nil
        }
        let whole: ArraySlice<UInt8> = body[..<dot]
        let fraction: ArraySlice<UInt8> = body[(dot + 1)...]
        guard whole.allSatisfy(ASCII.isDigit), fraction.allSatisfy(ASCII.isDigit) else { return nil }
        guard whole.count + fraction.count <= 36 else {
            return Double(String(decoding: bytes, as: UTF8.self)).map { exact($0) }
        }
        var digits: Int128 = 0
        for byte in whole { digits = digits * 10 + Int128(byte - 48) }
        for byte in fraction { digits = digits * 10 + Int128(byte - 48) }
        return .decimal(digits: bytes.first == ASCII.dash ? -digits : digits, exponent: -fraction.count)
    }

    /// The whole number at the start of a text, or zero.
    static func leadingInteger(_ bytes: [UInt8]) -> Int {
        var index = 0
        while index < bytes.count, ASCII.isSpace(bytes[index]) { index += 1 }
        var negative = false
        if index < bytes.count, bytes[index] == ASCII.dash || bytes[index] == UInt8(ascii: "+") {
            negative = bytes[index] == ASCII.dash
            index += 1
        }
        var value = 0
        var wasDigit = false
        while index < bytes.count {
            let byte: UInt8 = bytes[index]
            if ASCII.isDigit(byte) {
                let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = product.addingReportingOverflow(Int(byte - 48))
                if tooLarge || overflow { return negative ? .min : .max }
                value = sum
                wasDigit = true
            } else if byte == ASCII.underscore, wasDigit {
                wasDigit = false
            } else {
                break
            }
            index += 1
        }
        return negative ? -value : value
    }

    /// What a template sees of the number again.
    var value: LiquidValue {
        switch self {
        case .int(let value): .int(value)
        case .decimal, .double: .double(double)
        }
    }

    var double: Double {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .decimal(let digits, let exponent): Double("\(digits)e\(exponent)") ?? .nan
        }
    }

    /// Digits and exponent; nil for what is only known as a double.
    var parts: (digits: Int128, exponent: Int)? {
        switch self {
        case .int(let value): (Int128(value), 0)
        case .decimal(let digits, let exponent): (digits, exponent)
        case .double: nil
        }
    }

    var isZero: Bool {
        switch self {
        case .int(let value): value == 0
        case .decimal(let digits, _): digits == 0
        case .double(let value): value == 0
        }
    }

    var isNegative: Bool {
        switch self {
        case .int(let value): value < 0
        case .decimal(let digits, _): digits < 0
        case .double(let value): value < 0
        }
    }
}

/// Whole numbers where a template must give one.
enum LiquidInteger {
    /// Strict: a whole number, or a text that is one (also `0x1f`, `0b11`, `017` and `1_000`).
    static func strict(_ value: LiquidValue) throws(LiquidFailure) -> Int {
        if case .int(let number) = value { return number }
        guard let text = value.stringValue, let number = parse(text) else { throw LiquidFailure("invalid integer") }
        return number
    }

    private static func parse(_ text: String) -> Int? {
        var bytes: ArraySlice<UInt8> = Array(text.utf8)[...]
        while let first = bytes.first, ASCII.isSpace(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, ASCII.isSpace(last) { bytes = bytes.dropLast() }
        var sign = ""
        if let first = bytes.first, first == ASCII.dash || first == UInt8(ascii: "+") {
            sign = first == ASCII.dash ? "-" : ""
            bytes = bytes.dropFirst()
        }
        var radix = 10
        if bytes.first == UInt8(ascii: "0"), bytes.count > 1 {
            bytes = bytes.dropFirst()
            switch bytes.first.map({ $0 | 32 }) {
            case UInt8(ascii: "x"): (radix, bytes) = (16, bytes.dropFirst())
            case UInt8(ascii: "b"): (radix, bytes) = (2, bytes.dropFirst())
            case UInt8(ascii: "d"): bytes = bytes.dropFirst()
            case UInt8(ascii: "o"): (radix, bytes) = (8, bytes.dropFirst())
            default: radix = 8
            }
        }
        guard let first = bytes.first, first != ASCII.underscore, bytes.last != ASCII.underscore else { return nil }
        guard first != ASCII.dash, first != UInt8(ascii: "+") else { return nil }
        let digits = String(decoding: bytes.filter { $0 != ASCII.underscore }, as: UTF8.self)
        return Int(sign + digits, radix: radix)
    }

    /// Lenient, as `tablerow` has it: nil is zero, a text counts as far as it is a number, a fraction is cut off.
    static func lenient(_ value: LiquidValue) throws(LiquidFailure) -> Int {
        switch value {
        case .int(let number): return number
        case .null: return 0
        case .string(let text), .html(let text): return LiquidNumber.leadingInteger(Array(text.utf8))
        case .double(let number):
            guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw LiquidFailure("invalid integer") }
            return whole
        default: throw LiquidFailure("invalid integer")
        }
    }
}
