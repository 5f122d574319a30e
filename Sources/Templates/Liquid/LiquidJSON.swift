/// Reads JSON (RFC 8259) straight into template data: members keep their order, and `1.0` stays a fraction.
package struct LiquidJSON {
    /// Why a text is no JSON.
    package struct Failure: Error, Hashable, Sendable {
        package let message: String
        /// Bytes from the start.
        package let offset: Int
    }

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    private static let deepest = 200

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package static func parse(_ bytes: [UInt8]) throws(Failure) -> LiquidValue {
        var reader = LiquidJSON(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.place = 3 }
        reader.skipSpace()
        let value: LiquidValue = try reader.value()
        reader.skipSpace()
        guard reader.place == bytes.count else { throw reader.failure("something follows the value") }
        return value
    }

    private func failure(_ message: String) -> Failure {
        Failure(message: message, offset: place)
    }

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 32 || byte == 9 || byte == 10 || byte == 13 { place += 1 }
    }

    private mutating func value() throws(Failure) -> LiquidValue {
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case ASCII.doubleQuote: return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw failure("the text ends too early")
        default: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: LiquidValue) throws(Failure) -> LiquidValue {
        let letters: [UInt8] = Array(text.description.utf8)
        guard LiquidBytes.matches(letters, in: bytes, at: place) else { throw failure("this is no JSON value") }
        place += letters.count
        return value
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        if depth > Self.deepest { throw failure("this is nested too deeply") }
        place += 1
        skipSpace()
    }

    private mutating func array() throws(Failure) -> LiquidValue {
        try enter()
        defer { depth -= 1 }
        var items: [LiquidValue] = []
        if current == UInt8(ascii: "]") {
            place += 1
            return .array([])
        }
        while true {
            items.append(try value())
            if try endsAfterItem(UInt8(ascii: "]")) { return .array(items) }
        }
    }

    private mutating func object() throws(Failure) -> LiquidValue {
        try enter()
        defer { depth -= 1 }
        var keys: [String] = []
        var values: [LiquidValue] = []
        var places: [String: Int] = [:]
        if current == UInt8(ascii: "}") {
            place += 1
            return .object(LiquidObject(LiquidShape([]), []))
        }
        while true {
            guard current == ASCII.doubleQuote else { throw failure("a member needs a name in quotes") }
            let key: String = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("a colon is missing after a name") }
            place += 1
            skipSpace()
            let value: LiquidValue = try value()
            if let known = places[key] {
                values[known] = value
            } else {
                places[key] = keys.count
                keys.append(key)
                values.append(value)
            }
            if try endsAfterItem(UInt8(ascii: "}")) { return .object(LiquidObject(LiquidShape(keys), values)) }
        }
    }

    /// True when the list has ended; after a comma the next item comes.
    private mutating func endsAfterItem(_ close: UInt8) throws(Failure) -> Bool {
        skipSpace()
        if current == close {
            place += 1
            return true
        }
        guard current == UInt8(ascii: ",") else { throw failure("a comma or the end is missing") }
        place += 1
        skipSpace()
        return false
    }

    private mutating func number() throws(Failure) -> LiquidValue {
        let start: Int = place
        var isWhole = true
        if current == ASCII.dash { place += 1 }
        let first: Int = place
        skipDigits()
        guard place > first, bytes[first] != 48 || place == first + 1 else { throw failure("this is no JSON value") }
        if current == ASCII.dot {
            isWhole = false
            place += 1
            let fraction: Int = place
            skipDigits()
            guard place > fraction else { throw failure("digits are missing after the point") }
        }
        if let byte = current, byte | 32 == UInt8(ascii: "e") {
            isWhole = false
            place += 1
            if current == ASCII.dash || current == UInt8(ascii: "+") { place += 1 }
            let exponent: Int = place
            skipDigits()
            guard place > exponent else { throw failure("digits are missing in the exponent") }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let value = Int(text) { return .int(value) }
        guard let value = Double(text) else { throw failure("this number cannot be read") }
        return .double(value)
    }

    private mutating func skipDigits() {
        while let byte = current, ASCII.isDigit(byte) { place += 1 }
    }

    private mutating func string() throws(Failure) -> String {
        place += 1
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case ASCII.doubleQuote:
                place += 1
                guard let result = String(validating: text, as: UTF8.self) else { throw failure("this is not UTF-8") }
                return result
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<32: throw failure("a control character stands in a string")
            default:
                text.append(byte)
                place += 1
            }
        }
        throw failure("a string has no closing quote")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        place += 1
        guard let byte = current else { throw failure("a string has no closing quote") }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "u"): text += try unicode()
        case ASCII.doubleQuote, UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        default: throw failure("an escape that JSON does not have")
        }
    }

    /// After `\u`; half of a pair without the other becomes the replacement character.
    private mutating func unicode() throws(Failure) -> [UInt8] {
        let first: UInt32 = try fourDigits()
        var code: UInt32 = first
        if first >= 0xD800, first < 0xDC00, current == UInt8(ascii: "\\"), place + 1 < bytes.count,
            bytes[place + 1] == UInt8(ascii: "u")
        {
            let before: Int = place
            place += 2
            let second: UInt32 = try fourDigits()
            if second >= 0xDC00, second < 0xE000 {
                code = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            } else {
                place = before
            }
        }
        return Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
    }

    private mutating func fourDigits() throws(Failure) -> UInt32 {
        guard place + 4 <= bytes.count, bytes[place..<place + 4].allSatisfy({ isHexadecimal($0) }),
            let value = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
        else { throw failure("four hexadecimal digits are missing") }
        place += 4
        return value
    }

    private func isHexadecimal(_ byte: UInt8) -> Bool {
        ASCII.isDigit(byte) || (byte | 32 >= 97 && byte | 32 <= 102)
    }
}

/// Writes a text as a JSON string.
extension [UInt8] {
    mutating func appendJSONString(_ text: String) {
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        append(ASCII.doubleQuote)
        for byte in text.utf8 {
            switch byte {
            case ASCII.doubleQuote, UInt8(ascii: "\\"): self += [UInt8(ascii: "\\"), byte]
            case 10: self += "\\n".utf8
            case 13: self += "\\r".utf8
            case 9: self += "\\t".utf8
            case 0..<32: self += "\\u00".utf8 + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: append(byte)
            }
        }
        append(ASCII.doubleQuote)
    }
}
