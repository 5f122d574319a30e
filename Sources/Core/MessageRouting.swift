import FoundationEssentials

/// Ids of messages tell which workspace they belong to, so that an open or a click, which brings nothing but the id, needs
/// no look-up across workspaces.
///
/// Layout (a UUID of version 7, RFC 9562 §5.7): 48 bits of milliseconds, the version, the high 12 bits of the workspace's
/// routing key, the variant, its low 20 bits, 32 bits of position in the send, 10 random bits. The ids of one send are
/// therefore in the order of its positions. `marketing_message_id` in migration 0005 makes the same ids in SQL.
extension Identifier where Entity == MessageTag {
    /// - Parameters:
    ///   - date: when the message was put in the ledger.
    ///   - routingKey: the workspace's `routing_key`.
    ///   - position: its place in the send, or any number for a message on its own.
    ///   - random: the low 10 bits are used.
    package static func make(at date: Date, routingKey: Int32, position: UInt32, random: UInt16) -> MessageID {
        let key = UInt64(UInt32(bitPattern: routingKey))
        let low: UInt64 = (key & 0xF_FFFF) << 42 | UInt64(position) << 10 | UInt64(random & 0x3FF)
        return MessageID(.version7(at: date, high: key >> 20, low: low))
    }

    /// The routing key of the workspace that the message belongs to. Any UUID has one; only the database knows whether
    /// it stands for a workspace.
    package var routingKey: Int32 {
        withUnsafeBytes(of: uuid.uuid) { bytes in
            let upper = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
            let lower = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            let key: UInt64 = (upper & 0xFFF) << 20 | lower >> 42 & 0xF_FFFF
            return Int32(bitPattern: UInt32(truncatingIfNeeded: key))
        }
    }

    /// The place in its send.
    package var position: UInt32 {
        withUnsafeBytes(of: uuid.uuid) { bytes in
            let lower = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            return UInt32(truncatingIfNeeded: lower >> 10)
        }
    }
}
