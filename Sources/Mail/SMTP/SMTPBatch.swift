/// Messages for one connection, all their bytes in one buffer.
package struct SMTPBatch: Sendable {
    package struct Envelope: Sendable {
        /// MAIL FROM; empty for messages that must not bounce.
        package let sender: String
        /// RCPT TO, in wire form.
        package let recipient: String
        /// Where the message lies in the batch's bytes.
        package let range: Range<Int>

        /// What the server is told before it sees the message.
        var announcement: SMTPEnvelope { SMTPEnvelope(sender: sender, recipient: recipient, size: range.count) }
    }

    package private(set) var envelopes: [Envelope] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// - Parameters:
    ///   - count: how many messages are to come.
    ///   - size: how many bytes they are about to have together.
    package mutating func reserve(count: Int, size: Int) {
        envelopes.reserveCapacity(count)
        bytes.reserveCapacity(size)
    }

    package var count: Int { envelopes.count }

    /// Takes all messages out and keeps the room for the next ones.
    package mutating func removeAll() {
        envelopes.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    package mutating func append(sender: String, recipient: String, message: [UInt8]) {
        append(sender: sender, recipient: recipient) { $0.append(contentsOf: message) }
    }

    /// Lets a template render straight into the batch. When the closure throws, the batch is as before.
    package mutating func append<Failure: Error>(
        sender: String, recipient: String, writing write: (inout [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        let start: Int = bytes.count
        do {
            try write(&bytes)
        } catch {
            bytes.removeSubrange(start...)
            throw error
        }
        envelopes.append(Envelope(sender: sender, recipient: recipient, range: start..<bytes.count))
    }
}
