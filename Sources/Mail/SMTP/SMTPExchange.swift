import CLibCurl

/// What libcurl's callbacks read and note during one transaction. Lives on the connection's thread.
final class SMTPExchange {
    private var message: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    private var sent = 0
    private var lines: [UInt8] = []
    private var isReplyComplete = true
    /// Replies since the transaction began: 1 to MAIL, 2 to RCPT, 3 to DATA, 4 to the message.
    private var replies = 0
    private(set) var hasTransaction = false
    /// The code of the last complete reply.
    private(set) var code = 0

    init() {
        lines.reserveCapacity(512)
    }

    func begin(_ message: UnsafeRawBufferPointer) {
        self.message = message
        sent = 0
        lines.removeAll(keepingCapacity: true)
        isReplyComplete = true
        replies = 0
        code = 0
        hasTransaction = false
    }

    /// The connection is ready and MAIL is next.
    func beginTransaction() {
        hasTransaction = true
        replies = 0
    }

    /// Whether libcurl has taken every byte, so that the final dot may have gone out.
    var isMessageTaken: Bool { sent == message.count && replies >= 3 }

    /// The stage of the last complete reply.
    var stage: SMTPStage {
        guard hasTransaction else { return .session }
        switch replies {
        case 0: return .session
        case 1: return .sender
        case 2: return .recipient
        case 3: return .data
        default: return .message
        }
    }

    var reply: SMTPReply { SMTPReply(stage: stage, lines: lines) }

    func read(into buffer: UnsafeMutablePointer<CChar>, capacity: Int) -> Int {
        let count: Int = min(capacity, message.count - sent)
        guard count > 0, let base = message.baseAddress else { return 0 }
        UnsafeMutableRawPointer(buffer).copyMemory(from: base + sent, byteCount: count)
        sent += count
        return count
    }

    /// Notes one line from the server; a reply is complete when a space follows its code.
    ///
    /// A refusal ends the transaction: what comes after it answers libcurl's QUIT.
    func note(_ line: UnsafeBufferPointer<UInt8>) {
        guard !(hasTransaction && code >= 400) else { return }
        if isReplyComplete { lines.removeAll(keepingCapacity: true) }
        if lines.count < 4096 { lines.append(contentsOf: line) }
        isReplyComplete = line.count < 4 || line[3] != UInt8(ascii: "-")
        guard isReplyComplete else { return }
        replies += 1
        code = 0
        for digit in line.prefix(3) where (48...57).contains(digit) { code = code * 10 + Int(digit - 48) }
    }
}

/// Functions of C's calling convention that find their exchange in the pointer they are given.
enum SMTPCallbacks {
    static let read: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        buffer, size, count, context in
        guard let buffer, let context else { return 0 }
        return Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
            .read(into: buffer, capacity: size * count)
    }

    static let header: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        buffer, size, count, context in
        guard let buffer, let context else { return size * count }
        buffer.withMemoryRebound(to: UInt8.self, capacity: size * count) { bytes in
            Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue()
                .note(UnsafeBufferPointer(start: bytes, count: size * count))
        }
        return size * count
    }

    static let prereq:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?, Int32, Int32
        ) -> Int32 = { context, _, _, _, _ in
            guard let context else { return CURL_PREREQFUNC_OK }
            Unmanaged<SMTPExchange>.fromOpaque(context).takeUnretainedValue().beginTransaction()
            return CURL_PREREQFUNC_OK
        }
}
