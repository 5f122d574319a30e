/// URL encoding and base 64.
enum LiquidEncodingFilters {
    static func apply(_ filter: LiquidFilter, to input: LiquidValue) throws(LiquidFailure) -> LiquidValue {
        let bytes: [UInt8] = Array(LiquidText.text(input).utf8)
        switch filter {
        case .base64Encode: return .string(encode(bytes, LiquidBase64.standard))
        case .base64URLEncode: return .string(encode(bytes, LiquidBase64.urlSafe))
        case .base64Decode:
            guard let decoded = LiquidBase64.decode(bytes) else { throw invalid(filter) }
            return .string(String(decoding: decoded, as: UTF8.self))
        case .base64URLDecode:
            guard let decoded = LiquidBase64.decodeURLSafe(bytes) else { throw invalid(filter) }
            return .string(String(decoding: decoded, as: UTF8.self))
        case .urlEncode: return isNull(input) ? .null : .string(urlEncode(bytes))
        default:
            if isNull(input) { return .null }
            guard let text = String(validating: urlDecode(bytes), as: UTF8.self) else {
                throw LiquidFailure("invalid byte sequence in UTF-8")
            }
            return .string(text)
        }
    }

    private static func isNull(_ value: LiquidValue) -> Bool {
        if case .null = value { true } else { false }
    }

    private static func invalid(_ filter: LiquidFilter) -> LiquidFailure {
        LiquidFailure("invalid base64 provided to \(filter.rawValue)")
    }

    private static func encode(_ bytes: [UInt8], _ alphabet: [UInt8]) -> String {
        LiquidBase64.encode(bytes, alphabet)
    }

    /// As forms encode: a space becomes `+`.
    private static func urlEncode(_ bytes: [UInt8]) -> String {
        let digits: [UInt8] = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            let isPlain: Bool =
                ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.dash || byte == ASCII.dot
                || byte == ASCII.underscore || byte == UInt8(ascii: "~")
            if isPlain {
                result.append(byte)
            } else if byte == ASCII.space {
                result.append(UInt8(ascii: "+"))
            } else {
                result += [ASCII.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func urlDecode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte: UInt8 = bytes[index]
            if byte == ASCII.percent, index + 2 < bytes.count, let high = hexadecimal(bytes[index + 1]),
                let low = hexadecimal(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
                continue
            }
            result.append(byte == UInt8(ascii: "+") ? ASCII.space : byte)
            index += 1
        }
        return result
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        if ASCII.isDigit(byte) { return byte - 48 }
        let lower: UInt8 = byte | 32
        return lower >= 97 && lower <= 102 ? lower - 87 : nil
    }
}

/// Base 64 (RFC 4648 §§4 and 5), strict: padding must be right, nothing else may stand in the text.
enum LiquidBase64 {
    static let standard: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let urlSafe: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let padding = UInt8(ascii: "=")

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in standard.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    static func encode(_ bytes: [UInt8], _ alphabet: [UInt8]) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count: Int = min(3, bytes.count - index)
            var group: Int = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? Int(bytes[index + offset]) : 0) }
            for place in 0..<4 {
                result.append(place <= count ? alphabet[group >> (18 - 6 * place) & 63] : padding)
            }
            index += 3
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        let padded: Int = bytes.suffix(2).filter { $0 == padding }.count
        if padded == 2, bytes.last != padding { return nil }
        if padded == 1, bytes.last != padding { return nil }
        var result: [UInt8] = []
        var buffer: UInt32 = 0
        var bits: UInt32 = 0
        for character in bytes.dropLast(padded) {
            let value: UInt8 = values[Int(character)]
            guard value != 255 else { return nil }
            buffer = (buffer << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                result.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        return buffer & (1 << bits - 1) == 0 ? result : nil
    }

    /// The padding may be missing.
    static func decodeURLSafe(_ bytes: [UInt8]) -> [UInt8]? {
        var text: [UInt8] = bytes.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        if bytes.last != padding { while !text.count.isMultiple(of: 4) { text.append(padding) } }
        return decode(text)
    }
}
