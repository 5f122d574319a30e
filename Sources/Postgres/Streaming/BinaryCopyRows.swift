/// Rows in the binary format of COPY (PostgreSQL manual, COPY, "Binary Format"), for
/// `COPY … FROM STDIN (FORMAT binary)`.
///
/// The server converts nothing: the Swift type must be that of the column (`Int` for bigint, `Int32` for integer).
/// Append rows, write `take()` from time to time, and at the end `finish()`.
package struct BinaryCopyRows: Sendable {
    private var bytes: [UInt8]
    /// Rows appended so far.
    package private(set) var count: Int = 0

    package init() {
        bytes = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: Int32(0))
    }

    /// Bytes waiting to be taken.
    package var size: Int { bytes.count }

    package mutating func append<each Value: PostgresEncodable>(_ values: repeat each Value) throws {
        let start: Int = bytes.count
        bytes.append(bigEndian: Int16(0))
        var columns: Int16 = 0
        for value in repeat each values {
            columns += 1
            try append(value)
        }
        bytes[start] = UInt8(truncatingIfNeeded: columns >> 8)
        bytes[start + 1] = UInt8(truncatingIfNeeded: columns)
        count += 1
    }

    private mutating func append(_ value: some PostgresEncodable) throws {
        let start: Int = bytes.count
        bytes.append(bigEndian: Int32(-1))
        if try value.encode(into: &bytes) {
            bytes.put(bigEndian: Int32(truncatingIfNeeded: bytes.count - start - 4), at: start)
        }
    }

    /// What has been appended since the last time.
    package mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// The rest, and the mark of the end.
    package mutating func finish() -> [UInt8] {
        bytes.append(bigEndian: Int16(-1))
        return take()
    }
}
