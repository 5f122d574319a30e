import Glibc

/// Sender, recipient and size of a message, as the server is told before it sees the message.
struct SMTPEnvelope: Equatable {
    let sender: String
    let recipient: String
    /// In bytes.
    let size: Int

    /// Nothing in the address can end the command it stands in. The empty sender is that of mail that must not bounce.
    var hasSafeSender: Bool { sender.isEmpty || WireAddress.isSafe(sender) }
    var hasSafeRecipient: Bool { WireAddress.isSafe(recipient) }
}

/// The words of a transaction.
enum SMTPCommands {
    static let reset: [UInt8] = Array("RSET\r\n".utf8)
    static let data: [UInt8] = Array("DATA\r\n".utf8)
    static let quit: [UInt8] = Array("QUIT\r\n".utf8)
    private static let mail: [UInt8] = Array("MAIL FROM:<".utf8)
    private static let recipient: [UInt8] = Array("RCPT TO:<".utf8)
    private static let size: [UInt8] = Array("> SIZE=".utf8)
    private static let end: [UInt8] = Array(">\r\n".utf8)
    private static let lineEnd: [UInt8] = [13, 10]
    static let lonelyDot: [UInt8] = [46, 13, 10]

    static func appendMail(_ envelope: SMTPEnvelope, withSize: Bool, to output: inout [UInt8]) {
        output += mail
        output += envelope.sender.utf8
        if withSize {
            output += size
            output += String(envelope.size).utf8
            output += lineEnd
        } else {
            output += end
        }
    }

    static func appendRecipient(_ envelope: SMTPEnvelope, to output: inout [UInt8]) {
        output += recipient
        output += envelope.recipient.utf8
        output += end
    }

    /// Appends a message with its end: dots that begin lines are doubled, a dot alone follows (RFC 5321 §4.5.2).
    static func appendMessage(_ message: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + message.count + 256)
        var copied = 0
        if message.first == UInt8(ascii: ".") { output.append(UInt8(ascii: ".")) }
        while let dot = dotAfterLineEnd(in: message, from: copied) {
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: message[copied...dot]))
            output.append(UInt8(ascii: "."))
            copied = dot + 1
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: message[copied...]))
        let endsItsLine: Bool =
            message.count >= 2 && message[message.count - 2] == 13 && message[message.count - 1] == 10
        if !endsItsLine { output += lineEnd }
        output += lonelyDot
    }
}

extension SMTPCommands {
    /// The index of the next dot that begins a line.
    private static func dotAfterLineEnd(in message: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = message.baseAddress else { return nil }
        var from: Int = start
        while from + 1 < message.count, let hit = memchr(base + from, 10, message.count - from - 1) {
            let next: Int = UnsafeRawPointer(hit) - base + 1
            if message[next] == UInt8(ascii: ".") { return next }
            from = next
        }
        return nil
    }
}
