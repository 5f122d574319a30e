import Core

extension Bool: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .bool }
    package static var postgresArrayType: PostgresType { .boolArray }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(self ? 1 : 0)
        return true
    }

    package init(from cell: PostgresCell) throws {
        let bytes = try cell.value()
        guard cell.type == .bool, bytes.count == 1 else { throw cell.mismatch("boolean") }
        self = bytes[0] != 0
    }
}

extension PostgresCell {
    /// Any whole number the server may answer with, `count(*)` and `sum(bigint)` (a numeric) included.
    func wholeNumber() throws -> Int64 {
        let bytes = try value()
        switch (type, bytes.count) {
        case (.int8, 8): return bytes.bigEndian(Int64.self)
        case (.int4, 4): return Int64(bytes.bigEndian(Int32.self))
        case (.int2, 2): return Int64(bytes.bigEndian(Int16.self))
        case (.oid, 4): return Int64(bytes.bigEndian(UInt32.self))
        case (.numeric, _):
            guard let number = NumericDigits(bytes)?.wholeNumber else { throw CellMismatch.value(of: "whole number") }
            return number
        default: throw mismatch("whole number")
        }
    }

    fileprivate func wholeNumber<Number: FixedWidthInteger>(as wanted: Number.Type) throws -> Number {
        guard let number = Number(exactly: try wholeNumber()) else { throw CellMismatch.value(of: "\(wanted)") }
        return number
    }
}

extension Int: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: Int64(self))
        return true
    }

    package init(from cell: PostgresCell) throws { self = try cell.wholeNumber(as: Int.self) }
}

extension Int64: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }

    package init(from cell: PostgresCell) throws { self = try cell.wholeNumber() }
}

extension Int32: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .int4 }
    package static var postgresArrayType: PostgresType { .int4Array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }

    package init(from cell: PostgresCell) throws { self = try cell.wholeNumber(as: Int32.self) }
}

extension Int16: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .int2Array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: self)
        return true
    }

    package init(from cell: PostgresCell) throws { self = try cell.wholeNumber(as: Int16.self) }
}

extension Double: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .float8 }
    package static var postgresArrayType: PostgresType { .float8Array }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: bitPattern)
        return true
    }

    package init(from cell: PostgresCell) throws {
        let bytes = try cell.value()
        switch (cell.type, bytes.count) {
        case (.float8, 8): self = Double(bitPattern: bytes.bigEndian(UInt64.self))
        case (.float4, 4): self = Double(Float(bitPattern: bytes.bigEndian(UInt32.self)))
        case (.numeric, _):
            guard let number = NumericDigits(bytes)?.approximation else { throw CellMismatch.value(of: "number") }
            self = number
        default:
            guard let whole = try? cell.wholeNumber() else { throw cell.mismatch("number") }
            self = Double(whole)
        }
    }
}

extension String: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .text }
    package static var postgresArrayType: PostgresType { .textArray }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(contentsOf: utf8)
        return true
    }

    /// Text types, names, JSON as text, and types made by users (whose enums travel as their label).
    package init(from cell: PostgresCell) throws {
        let bytes = try cell.value()
        switch cell.type {
        case .text, .varchar, .bpchar, .name, .unknown, .json:
            self = String(decoding: bytes, as: UTF8.self)
        case .jsonb:
            self = String(decoding: bytes.dropFirst(), as: UTF8.self)
        default:
            guard cell.type.isUserDefined else { throw cell.mismatch("text") }
            self = String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension UInt8: PostgresArrayElement {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .bytea }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        bytes.append(bigEndian: Int16(self))
        return true
    }

    /// An array of bytes is one `bytea`.
    package static func encode(array: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(contentsOf: array)
    }
}

extension Role: PostgresCodable {}
