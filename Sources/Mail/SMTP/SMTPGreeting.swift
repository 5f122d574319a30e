import CLibCurl

/// What the server said while libcurl connected and signed in.
final class SMTPGreeting {
    private(set) var capabilities = SMTPCapabilities()
    private var lines = SMTPReplyLines()
    /// The last complete reply, for words to show when connecting failed.
    private(set) var lastReply: SMTPReply?

    static let callback: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        text, size, count, context in
        guard let text, let context else { return size * count }
        Unmanaged<SMTPGreeting>.fromOpaque(context).takeUnretainedValue()
            .note(UnsafeRawBufferPointer(start: text, count: size * count))
        return size * count
    }

    private func note(_ bytes: UnsafeRawBufferPointer) {
        lines.append(bytes)
        do {
            while let reply = try lines.next() { take(reply) }
        } catch {
            // libcurl judges for itself what makes no sense; only the words for people are lost.
            lines = SMTPReplyLines()
        }
    }

    private func take(_ bytes: [UInt8]) {
        let reply = SMTPReply(stage: .session, lines: bytes)
        lastReply = reply
        // 220 greets, or goes ahead with TLS: whatever was promised before does not count any more (RFC 3207 §4.2).
        if reply.code == 220 { capabilities = SMTPCapabilities() }
        if reply.code == 250 { capabilities = SMTPCapabilities(reply: bytes) }
    }
}

/// The extensions in an answer to EHLO that change what we say.
struct SMTPCapabilities: Equatable {
    /// Commands may follow each other without waiting for answers (RFC 2920).
    var pipelining = false
    /// MAIL may name the message's size (RFC 1870).
    var size = false

    init() {}

    init(reply: [UInt8]) {
        for line in reply.split(whereSeparator: { $0 == 13 || $0 == 10 }).dropFirst() {
            let name = line.dropFirst(4).prefix { $0 != UInt8(ascii: " ") }
            switch String(decoding: name, as: UTF8.self).uppercased() {
            case "PIPELINING": pipelining = true
            case "SIZE": size = true
            default: break
            }
        }
    }
}

/// Cuts what a server sends into replies: lines with one code, of which the last has a space behind it (RFC 5321 §4.2.1).
struct SMTPReplyLines {
    private static let limit = 65_536
    private var bytes: [UInt8] = []
    private var head = 0

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if head == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            head = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next complete reply, with its line ends.
    /// - Throws: `nonsense` for lines that do not begin with a code, and for replies without an end.
    mutating func next() throws(SMTPConnection.Break) -> [UInt8]? {
        var line: Int = head
        while let end = bytes[line...].firstIndex(of: 10) {
            guard Self.beginsWithCode(bytes[line..<end]) else { throw .nonsense }
            let isLast: Bool = end - line < 4 || bytes[line + 3] != UInt8(ascii: "-")
            line = end + 1
            if isLast {
                defer { head = line }
                return Array(bytes[head..<line])
            }
        }
        guard bytes.count - head < Self.limit else { throw .nonsense }
        return nil
    }

    private static func beginsWithCode(_ line: ArraySlice<UInt8>) -> Bool {
        line.count >= 3 && line.prefix(3).allSatisfy { (48...57).contains($0) }
    }
}
