import Core
import FoundationEssentials

/// Reads `bytea` into bytes and one-dimensional arrays into arrays; elements may be NULL where the Swift element is
/// optional.
extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    package init(from cell: PostgresCell) throws {
        self = try Element.decode(arrayFrom: cell)
    }
}

/// What may stand in a decoded array.
package protocol PostgresArrayDecodable: Sendable {
    static func decode(arrayFrom cell: PostgresCell) throws -> [Self]
}

extension PostgresArrayDecodable where Self: PostgresDecodable {
    package static func decode(arrayFrom cell: PostgresCell) throws -> [Self] {
        let bytes = try cell.value()
        guard bytes.count >= 12 else { throw cell.mismatch("array") }
        let dimensions: Int32 = bytes.bigEndian(Int32.self)
        let elementType = PostgresType(oid: bytes.bigEndian(UInt32.self, at: 8))
        if dimensions == 0 { return [] }
        guard dimensions == 1, bytes.count >= 20 else { throw cell.mismatch("array of one dimension") }
        let count = Int(bytes.bigEndian(Int32.self, at: 12))
        guard count >= 0, count <= (bytes.count - 20) / 4 else { throw cell.mismatch("array") }
        var elements: [Self] = []
        elements.reserveCapacity(count)
        var offset: Int = 20
        for _ in 0..<count {
            guard bytes.count - offset >= 4 else { throw cell.mismatch("array") }
            let length = Int(bytes.bigEndian(Int32.self, at: offset))
            offset += 4
            if length < 0 {
                elements.append(try Self(from: PostgresCell(type: elementType, bytes: nil)))
            } else {
                guard bytes.count - offset >= length else { throw cell.mismatch("array") }
                let element = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
                elements.append(try Self(from: PostgresCell(type: elementType, bytes: element)))
                offset += length
            }
        }
        return elements
    }
}

extension UInt8: PostgresArrayDecodable {
    package static func decode(arrayFrom cell: PostgresCell) throws -> [UInt8] {
        let bytes = try cell.value()
        guard cell.type == .bytea else { throw cell.mismatch("bytea") }
        return [UInt8](bytes)
    }
}

extension Bool: PostgresArrayDecodable {}
extension Int: PostgresArrayDecodable {}
extension Int16: PostgresArrayDecodable {}
extension Int32: PostgresArrayDecodable {}
extension Int64: PostgresArrayDecodable {}
extension Double: PostgresArrayDecodable {}
extension String: PostgresArrayDecodable {}
extension Date: PostgresArrayDecodable {}
extension UUID: PostgresArrayDecodable {}
extension Identifier: PostgresArrayDecodable {}
extension Array: PostgresArrayDecodable where Element == UInt8 {}
extension Optional: PostgresArrayDecodable where Wrapped: PostgresDecodable {}
