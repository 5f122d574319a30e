import Core

/// Reads JSON (RFC 8259) that the server has already checked, straight from its bytes.
struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func document() throws -> JSONValue {
        let value = try self.value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw CellMismatch.value(of: "JSON") }
        return value
    }

    /// Reads a document that is an object, telling each member in its order.
    mutating func members(_ take: (String, JSONValue) -> Void) throws {
        skipSpace()
        guard try peek() == UInt8(ascii: "{") else { throw CellMismatch.value(of: "JSON object") }
        try eachMember(depth: 0, take)
        skipSpace()
        guard position == bytes.count else { throw CellMismatch.value(of: "JSON") }
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth < 512 else { throw CellMismatch.value(of: "JSON of reasonable depth") }
        skipSpace()
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        var members: [String: JSONValue] = [:]
        try eachMember(depth: depth) { members[$0] = $1 }
        return .object(members)
    }

    private mutating func eachMember(depth: Int, _ use: (String, JSONValue) -> Void) throws {
        position += 1
        skipSpace()
        if try take(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            let key = try string()
            skipSpace()
            guard try take(UInt8(ascii: ":")) else { throw CellMismatch.value(of: "JSON") }
            use(key, try value(depth: depth + 1))
            skipSpace()
        } while try take(UInt8(ascii: ","))
        guard try take(UInt8(ascii: "}")) else { throw CellMismatch.value(of: "JSON") }
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if try take(UInt8(ascii: "]")) { return .array(values) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while try take(UInt8(ascii: ","))
        guard try take(UInt8(ascii: "]")) else { throw CellMismatch.value(of: "JSON") }
        return .array(values)
    }

    private mutating func string() throws -> String {
        guard try take(UInt8(ascii: "\"")) else { throw CellMismatch.value(of: "JSON") }
        let start: Int = position
        while try peek() != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") { position += 1 }
        if bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return String(decoding: bytes[start..<position - 1], as: UTF8.self)
        }
        var text: [UInt8] = [UInt8](bytes[start..<position])
        while true {
            let byte = try next()
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            try escape(into: &text)
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        switch try next() {
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if code & 0xFC00 == 0xD800 {
                guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else {
                    throw CellMismatch.value(of: "JSON")
                }
                code = 0x10000 + (code & 0x3FF) << 10 + (try codeUnit() & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else { throw CellMismatch.value(of: "JSON") }
            text.append(contentsOf: String(scalar).utf8)
        case let byte: text.append(byte)
        }
    }

    private mutating func codeUnit() throws -> UInt32 {
        guard bytes.count - position >= 4 else { throw CellMismatch.value(of: "JSON") }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard let code = UInt32(digits, radix: 16) else { throw CellMismatch.value(of: "JSON") }
        position += 4
        return code
    }

    private mutating func number() throws -> JSONValue {
        let start: Int = position
        var isWhole: Bool = true
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): position += 1
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"):
                isWhole = false
                position += 1
            default:
                return try number(from: start, isWhole: isWhole)
            }
        }
        return try number(from: start, isWhole: isWhole)
    }

    private func number(from start: Int, isWhole: Bool) throws -> JSONValue {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int(text) { return .int(whole) }
        guard let number = Double(text) else { throw CellMismatch.value(of: "JSON") }
        return .double(number)
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
        guard bytes.count - position >= word.utf8CodeUnitCount else { throw CellMismatch.value(of: "JSON") }
        for index in 0..<word.utf8CodeUnitCount where bytes[position + index] != word.utf8Start[index] {
            throw CellMismatch.value(of: "JSON")
        }
        position += word.utf8CodeUnitCount
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 32 { position += 1 }
    }

    private func peek() throws -> UInt8 {
        guard position < bytes.count else { throw CellMismatch.value(of: "JSON") }
        return bytes[position]
    }

    private mutating func next() throws -> UInt8 {
        let byte = try peek()
        position += 1
        return byte
    }

    private mutating func take(_ byte: UInt8) throws -> Bool {
        guard try peek() == byte else { return false }
        position += 1
        return true
    }
}
