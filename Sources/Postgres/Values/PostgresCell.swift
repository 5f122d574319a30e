/// One column of one row, in the binary form the server sent. Only valid inside the decoding initializer: the memory
/// belongs to libpq's result.
package struct PostgresCell {
    package let type: PostgresType
    /// Nil for SQL's NULL.
    package let bytes: UnsafeRawBufferPointer?

    package init(type: PostgresType, bytes: UnsafeRawBufferPointer?) {
        self.type = type
        self.bytes = bytes
    }

    package var isNull: Bool { bytes == nil }

    /// The bytes of a value that must not be NULL.
    package func value() throws -> UnsafeRawBufferPointer {
        guard let bytes else { throw CellMismatch.null }
        return bytes
    }

    func mismatch(_ wanted: String) -> CellMismatch {
        .type(wanted: wanted, found: type)
    }
}

/// Why a cell could not be read. Carries types, never the value.
package enum CellMismatch: Error, Sendable {
    case null
    case type(wanted: String, found: PostgresType)
    case value(of: String)

    var explanation: String {
        switch self {
        case .null: "is null"
        case .type(let wanted, let found): "has type \(found.oid), not \(wanted)"
        case .value(let wanted): "is no valid \(wanted)"
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The integer at an offset; the caller has checked the length.
    func bigEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int = 0) -> Number {
        Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
