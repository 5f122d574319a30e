/// A value that can be bound to a statement.
///
/// Every value travels in PostgreSQL's binary format, under the type it declares: no parsing on the other side, and
/// a value can never be taken for a piece of SQL.
package protocol PostgresEncodable: Sendable {
    static var postgresType: PostgresType { get }

    /// Appends the binary form. Answers false, and appends nothing, when the value is SQL's NULL.
    /// Throws when the value has no form in the database (an infinite number inside JSON, for example).
    func encode(into bytes: inout [UInt8]) throws -> Bool
}

/// A value that can be read from a column. The initializer gets the bytes as the server sent them.
package protocol PostgresDecodable: Sendable {
    init(from cell: PostgresCell) throws
}

/// Both directions. A string-backed enum needs one line: `extension CampaignStatus: PostgresCodable {}`.
package typealias PostgresCodable = PostgresEncodable & PostgresDecodable

/// A value that may stand in an array (`unnest($1)`, `= ANY ($1)`).
package protocol PostgresArrayElement: PostgresEncodable {
    static var postgresArrayType: PostgresType { get }

    /// Appends a whole array; bytes do it their own way, as one `bytea`.
    static func encode(array: [Self], into bytes: inout [UInt8]) throws
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var postgresType: PostgresType { RawValue.postgresType }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        try rawValue.encode(into: &bytes)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package init(from cell: PostgresCell) throws {
        guard let value = Self(rawValue: try RawValue(from: cell)) else { throw CellMismatch.value(of: "\(Self.self)") }
        self = value
    }
}

extension PostgresArrayElement where Self: RawRepresentable, RawValue: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { RawValue.postgresArrayType }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var postgresType: PostgresType { Wrapped.postgresType }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        guard let value = self else { return false }
        return try value.encode(into: &bytes)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package init(from cell: PostgresCell) throws {
        self = cell.isNull ? nil : try Wrapped(from: cell)
    }
}

extension PostgresArrayElement {
    /// The binary form of a one-dimensional array: dimensions, a flag for nulls, element type, length, lower bound,
    /// then each element with its length in front (`array_send` in the server).
    package static func encode(array: [Self], into bytes: inout [UInt8]) throws {
        guard !array.isEmpty else {
            bytes.append(bigEndian: Int32(0))
            bytes.append(bigEndian: Int32(0))
            bytes.append(bigEndian: postgresType.oid)
            return
        }
        bytes.append(bigEndian: Int32(1))
        let flag: Int = bytes.count
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: postgresType.oid)
        bytes.append(bigEndian: Int32(truncatingIfNeeded: array.count))
        bytes.append(bigEndian: Int32(1))
        var hasNull: Bool = false
        for element in array {
            let start: Int = bytes.count
            bytes.append(bigEndian: Int32(-1))
            if try element.encode(into: &bytes) {
                bytes.put(bigEndian: Int32(truncatingIfNeeded: bytes.count - start - 4), at: start)
            } else {
                hasNull = true
            }
        }
        if hasNull { bytes.put(bigEndian: Int32(1), at: flag) }
    }
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        try Element.encode(array: self, into: &bytes)
        return true
    }
}

extension [UInt8] {
    package mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func put(bigEndian value: Int32, at offset: Int) {
        Swift.withUnsafeBytes(of: value.bigEndian) { source in
            for index in 0..<4 { self[offset + index] = source[index] }
        }
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }
}
