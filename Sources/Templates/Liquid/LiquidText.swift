/// How values become text: the rules of Liquid's reference implementation, which are Ruby's.
enum LiquidText {
    /// The text of a value inside a filter or a comparison.
    static func text(_ value: LiquidValue) -> String {
        switch value {
        case .string(let text), .html(let text): text
        case .null: ""
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .double(let value): text(value)
        case .array, .object: inspect(value)
        case .range(let first, let last): "\(first)..\(last)"
        }
    }

    /// The text of a value inside an array or an object: strings in quotes, nil as `nil`.
    static func inspect(_ value: LiquidValue) -> String {
        switch value {
        case .null: return "nil"
        case .string(let text), .html(let text): return quoted(text)
        case .array(let items): return "[" + items.map(inspect).joined(separator: ", ") + "]"
        case .object(let object):
            if let name = object.typeName { return name }
            let members: [String] = zip(object.shape.keys, object.values).map { "\(quoted($0))=>\(inspect($1))" }
            return "{" + members.joined(separator: ", ") + "}"
        default: return text(value)
        }
    }

    /// Shortest digits that read back as the same number: `1.0`, `0.0001`, `1.0e-05`, `1.0e+16`.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        let shortest: String = value.description
        let magnitude: Double = value.magnitude
        if !shortest.utf8.contains(UInt8(ascii: "e")), value == 0 || (magnitude >= 1e-4 && magnitude < 1e16) {
            return shortest
        }
        let decimal: (digits: [UInt8], exponent: Int) = scientific(shortest)
        let sign: String = value < 0 ? "-" : ""
        let digits = String(decoding: decimal.digits, as: UTF8.self)
        if magnitude >= 1e-4 && magnitude < 1e16 { return sign + plain(decimal.digits, decimal.exponent) }
        let fraction: String = decimal.digits.count > 1 ? String(digits.dropFirst()) : "0"
        let power: String = String(abs(decimal.exponent))
        let padded: String = power.utf8.count < 2 ? "0" + power : power
        return "\(sign)\(digits.prefix(1)).\(fraction)e\(decimal.exponent < 0 ? "-" : "+")\(padded)"
    }

    /// The significant digits of a number's description, and the power of ten of the first one.
    static func scientific(_ description: String) -> (digits: [UInt8], exponent: Int) {
        var digits: [UInt8] = []
        var pointPlace: Int?
        var exponent = 0
        var rest: Substring.UTF8View = description.utf8[...]
        if rest.first == ASCII.dash { rest = rest.dropFirst() }
        while let byte = rest.first {
            rest = rest.dropFirst()
            if byte == ASCII.dot {
                pointPlace = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(Substring(rest)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        exponent += (pointPlace ?? digits.count) - 1
        while digits.count > 1, digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, exponent)
    }

    private static func plain(_ digits: [UInt8], _ exponent: Int) -> String {
        let zero = UInt8(ascii: "0")
        var text: [UInt8] = []
        if exponent < 0 {
            text = [zero, ASCII.dot] + [UInt8](repeating: zero, count: -exponent - 1) + digits
        } else if digits.count > exponent + 1 {
            text = Array(digits[...exponent]) + [ASCII.dot] + digits[(exponent + 1)...]
        } else {
            text = digits + [UInt8](repeating: zero, count: exponent + 1 - digits.count) + [ASCII.dot, zero]
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        let scalars: [Unicode.Scalar] = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{07}": result += "\\a"
            case "\u{08}": result += "\\b"
            case "\u{0B}": result += "\\v"
            case "\u{0C}": result += "\\f"
            case "\u{1B}": result += "\\e"
            case "#":
                let next: Unicode.Scalar? = index + 1 < scalars.count ? scalars[index + 1] : nil
                result += next == "{" || next == "$" || next == "@" ? "\\#" : "#"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    let digits: String = String(scalar.value, radix: 16, uppercase: true)
                    result += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

/// Writing to the one buffer of a rendering.
extension [UInt8] {
    /// Text with the five characters that mean something in HTML replaced.
    mutating func appendEscaped(_ text: String) {
        var text: String = text
        text.withUTF8 { bytes in
            var start = 0
            for index in bytes.indices {
                let entity: [UInt8] = HTMLEntity.of(bytes[index])
                if entity.isEmpty { continue }
                append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
                append(contentsOf: entity)
                start = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        }
    }

    mutating func appendText(_ text: String) {
        var text: String = text
        text.withUTF8 { append(contentsOf: $0) }
    }
}

enum HTMLEntity {
    private static let ampersand: [UInt8] = Array("&amp;".utf8)
    private static let less: [UInt8] = Array("&lt;".utf8)
    private static let greater: [UInt8] = Array("&gt;".utf8)
    private static let doubleQuote: [UInt8] = Array("&quot;".utf8)
    private static let singleQuote: [UInt8] = Array("&#39;".utf8)

    /// Empty for a byte that may stand as it is.
    @inline(__always)
    static func of(_ byte: UInt8) -> [UInt8] {
        guard byte <= 62 else { return [] }
        switch byte {
        case UInt8(ascii: "&"): return ampersand
        case UInt8(ascii: "<"): return less
        case UInt8(ascii: ">"): return greater
        case UInt8(ascii: "\""): return doubleQuote
        case UInt8(ascii: "'"): return singleQuote
        default: return []
        }
    }

    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { !of($0).isEmpty }) else { return text }
        var bytes: [UInt8] = []
        bytes.appendEscaped(text)
        return String(decoding: bytes, as: UTF8.self)
    }
}
