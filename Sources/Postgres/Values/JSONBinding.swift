import Core
import FoundationEssentials

/// A Codable value stored as one `jsonb`. Times inside it are ISO 8601.
package struct JSONB<Value: Codable & Sendable>: Sendable {
    package var value: Value

    package init(_ value: Value) {
        self.value = value
    }
}

extension JSONB: Equatable where Value: Equatable {}
extension JSONB: Hashable where Value: Hashable {}

extension JSONB: PostgresArrayElement, PostgresEncodable, PostgresDecodable, PostgresArrayDecodable {
    package static var postgresType: PostgresType { .jsonb }
    package static var postgresArrayType: PostgresType { .jsonbArray }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        bytes.append(1)
        bytes.append(contentsOf: try encoder.encode(value))
        return true
    }

    package init(from cell: PostgresCell) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            self.init(try decoder.decode(Value.self, from: Data(try cell.jsonText())))
        } catch is DecodingError {
            throw CellMismatch.value(of: "\(Value.self) in JSON")
        }
    }
}

extension JSONValue: PostgresArrayElement, PostgresDecodable, PostgresArrayDecodable {
    package static var postgresType: PostgresType { .jsonb }
    package static var postgresArrayType: PostgresType { .jsonbArray }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        bytes.append(1)
        try append(to: &bytes)
        return true
    }

    package init(from cell: PostgresCell) throws {
        var reader = JSONReader(try cell.jsonText())
        self = try reader.document()
    }

    private func append(to bytes: inout [UInt8]) throws {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .double(let value):
            guard value.isFinite else { throw CellMismatch.value(of: "number in JSON") }
            bytes.append(contentsOf: value.description.utf8)
        case .string(let text): JSONValue.append(text, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst: Bool = true
            for (key, value) in members {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                JSONValue.append(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Hexadecimal.digits[Int(byte >> 4)])
                bytes.append(Hexadecimal.digits[Int(byte & 15)])
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension PostgresCell {
    func jsonText() throws -> UnsafeRawBufferPointer {
        let bytes = try value()
        switch type {
        case .jsonb:
            guard bytes.first == 1 else { throw mismatch("jsonb of version 1") }
            return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        case .json, .text: return bytes
        default: throw mismatch("json")
        }
    }
}
