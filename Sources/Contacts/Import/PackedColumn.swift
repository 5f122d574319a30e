import Core
import Postgres

/// A column of values on their way to `unnest($1::text[])`, in the form PostgreSQL reads (`array_recv`), filled straight
/// from the file's bytes: no value becomes a `String` on the way.
struct PackedText: PostgresEncodable {
    static var postgresType: PostgresType { .textArray }
    private(set) var packed = Packed(element: .text)

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) { packed.append(bytes, prefix: nil) }
    mutating func appendNull() { packed.appendNull() }

    func encode(into bytes: inout [UInt8]) throws -> Bool { packed.encode(into: &bytes) }
}

/// The same for `jsonb[]`.
struct PackedJSON: PostgresEncodable {
    static var postgresType: PostgresType { .jsonbArray }
    private(set) var packed = Packed(element: .jsonb)

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) { packed.append(bytes, prefix: 1) }

    func encode(into bytes: inout [UInt8]) throws -> Bool { packed.encode(into: &bytes) }
}

struct Packed: Sendable {
    private let element: PostgresType
    private var bytes: [UInt8] = []
    private(set) var count: Int = 0
    private(set) var nullCount: Int = 0

    init(element: PostgresType) {
        self.element = element
    }

    mutating func append(_ value: UnsafeBufferPointer<UInt8>, prefix: UInt8?) {
        bytes.append(bigEndian: Int32(truncatingIfNeeded: value.count + (prefix == nil ? 0 : 1)))
        if let prefix { bytes.append(prefix) }
        bytes.append(contentsOf: value)
        count += 1
    }

    mutating func appendNull() {
        bytes.append(bigEndian: Int32(-1))
        count += 1
        nullCount += 1
    }

    mutating func reserve(_ capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    func encode(into output: inout [UInt8]) -> Bool {
        output.reserveCapacity(output.count + bytes.count + 20)
        output.append(bigEndian: Int32(count == 0 ? 0 : 1))
        output.append(bigEndian: Int32(nullCount > 0 ? 1 : 0))
        output.append(bigEndian: element.oid)
        if count > 0 {
            output.append(bigEndian: Int32(truncatingIfNeeded: count))
            output.append(bigEndian: Int32(1))
            output.append(contentsOf: bytes)
        }
        return true
    }
}
