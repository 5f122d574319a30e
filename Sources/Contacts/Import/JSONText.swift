import Core

/// The inside of a JSON string (RFC 8259 §7).
enum JSONText {
    static func append(_ text: some Sequence<UInt8>, to json: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            case 0..<0x20:
                json.append(contentsOf: "\\u00".utf8)
                json.append(Hexadecimal.digits[Int(byte >> 4)])
                json.append(Hexadecimal.digits[Int(byte & 15)])
            default: json.append(byte)
            }
        }
    }

    /// A whole value.
    static func append(_ value: JSONValue, to json: inout [UInt8]) {
        switch value {
        case .null: json.append(contentsOf: "null".utf8)
        case .bool(let flag): json.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): json.append(contentsOf: String(number).utf8)
        case .double(let number): json.append(contentsOf: number.description.utf8)
        case .string(let text):
            json.append(UInt8(ascii: "\""))
            append(text.utf8, to: &json)
            json.append(UInt8(ascii: "\""))
        case .array(let values):
            json.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                append(value, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        case .object(let members):
            json.append(UInt8(ascii: "{"))
            for (index, name) in members.keys.sorted().enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                append(.string(name), to: &json)
                json.append(UInt8(ascii: ":"))
                append(members[name] ?? .null, to: &json)
            }
            json.append(UInt8(ascii: "}"))
        }
    }
}
