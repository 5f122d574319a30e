import Core
import FoundationEssentials

/// Times are `timestamptz` to the microsecond, counted from 2000-01-01 UTC, which is 366 days before the reference
/// date of `Date` (2001-01-01; the year 2000 was a leap year).
extension Date: PostgresArrayElement, PostgresDecodable {
    private static let daysFromReference: Double = 366 * 86_400

    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }

    package func encode(into bytes: inout [UInt8]) throws -> Bool {
        let microseconds: Double = ((timeIntervalSinceReferenceDate + Date.daysFromReference) * 1_000_000).rounded()
        if self == .distantFuture {
            bytes.append(bigEndian: Int64.max)
        } else if self == .distantPast {
            bytes.append(bigEndian: Int64.min)
        } else {
            guard let whole = Int64(exactly: microseconds) else { throw CellMismatch.value(of: "time") }
            bytes.append(bigEndian: whole)
        }
        return true
    }

    /// `timestamptz`, `timestamp` (taken as UTC) and `date` (its midnight, UTC). The infinities are
    /// `distantPast` and `distantFuture`.
    package init(from cell: PostgresCell) throws {
        let bytes = try cell.value()
        switch (cell.type, bytes.count) {
        case (.timestamptz, 8), (.timestamp, 8):
            let microseconds: Int64 = bytes.bigEndian(Int64.self)
            if microseconds == .max {
                self = .distantFuture
            } else if microseconds == .min {
                self = .distantPast
            } else {
                let seconds: Double = Double(microseconds) / 1_000_000
                self = Date(timeIntervalSinceReferenceDate: seconds - Date.daysFromReference)
            }
        case (.date, 4):
            let days: Int32 = bytes.bigEndian(Int32.self)
            self = Date(timeIntervalSinceReferenceDate: Double(days) * 86_400 - Date.daysFromReference)
        default:
            throw cell.mismatch("time")
        }
    }
}

extension UUID: PostgresArrayElement, PostgresDecodable {
    package static var postgresType: PostgresType { .uuid }
    package static var postgresArrayType: PostgresType { .uuidArray }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
        return true
    }

    package init(from cell: PostgresCell) throws {
        let bytes = try cell.value()
        guard cell.type == .uuid, bytes.count == 16 else { throw cell.mismatch("uuid") }
        self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Identifier: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var postgresType: PostgresType { .uuid }
    package static var postgresArrayType: PostgresType { .uuidArray }

    package func encode(into bytes: inout [UInt8]) -> Bool {
        uuid.encode(into: &bytes)
    }

    package init(from cell: PostgresCell) throws {
        self.init(try UUID(from: cell))
    }
}
