import Core
import Glibc

/// One client's conversation with the sink, on a thread of its own.
final class SinkSession {
    private let socket: Int32
    private let sink: SMTPSink
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    private var input: [UInt8] = []
    private var head = 0
    private var output: [UInt8] = []
    private var isOpen = true
    private var isSignedIn: Bool
    private var sender: String?
    private var recipients: [String] = []
    private var behavior: SinkBehavior?
    private var signIn = SinkSignIn()

    init(socket: Int32, sink: SMTPSink) {
        self.socket = socket
        self.sink = sink
        isSignedIn = sink.options.credentials == nil
        var on: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        input.reserveCapacity(scratch.count)
    }

    deinit {
        scratch.deallocate()
    }

    func run() {
        reply(sink.options.greeting)
        while isOpen, let line = nextLine() { handle(line) }
        flush()
    }

    // MARK: Bytes

    /// Sends what is waiting and reads more; false at the end of the connection.
    private func fill() -> Bool {
        flush()
        guard isOpen else { return false }
        if head > 0 {
            input.removeSubrange(..<head)
            head = 0
        }
        let count: Int = recv(socket, scratch.baseAddress, scratch.count, 0)
        if count > 0 { input.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<count])) }
        if count <= 0 { isOpen = false }
        return count > 0
    }

    private func flush() {
        var start = 0
        while start < output.count {
            let count: Int = output.withUnsafeBytes { bytes in
                send(socket, bytes.baseAddress?.advanced(by: start), bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                isOpen = false
                break
            }
            start += count
        }
        output.removeAll(keepingCapacity: true)
    }

    private func nextLine() -> String? {
        while true {
            if let end = input[head...].firstIndex(of: 10) {
                let line: ArraySlice<UInt8> = input[head..<end]
                head = end + 1
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            guard input.count - head < 8192, fill() else { return nil }
        }
    }

    private func reply(_ line: String) {
        output.append(contentsOf: line.utf8)
        output.append(13)
        output.append(10)
    }

    // MARK: Commands

    private func handle(_ line: String) {
        if signIn.isExpected {
            finishSignIn(line)
            return
        }
        let verb: String = line.prefix(4).uppercased()
        switch verb {
        case "EHLO": greet()
        case "HELO": reply("250 sink.example")
        case "MAIL": takeSender(line)
        case "RCPT": takeRecipient(line)
        case "DATA": takeMessage()
        case "AUTH": beginSignIn(line)
        case "RSET":
            reset()
            reply("250 2.0.0 Ok")
        case "NOOP": reply("250 2.0.0 Ok")
        case "QUIT":
            reply("221 2.0.0 Bye")
            flush()
            isOpen = false
        default: reply("502 5.5.1 Command not known")
        }
    }

    private func greet() {
        var lines: [String] = ["sink.example"] + sink.options.extensions
        if sink.options.credentials != nil { lines.append("AUTH PLAIN LOGIN") }
        for (index, line) in lines.enumerated() { reply("250\(index == lines.count - 1 ? " " : "-")\(line)") }
    }

    private func takeSender(_ line: String) {
        guard isSignedIn else { return reply("530 5.7.0 Authentication required") }
        let address: String = Self.path(line)
        if let refusal = sink.options.senderReply?(address) { return reply(refusal) }
        reset()
        sender = address
        reply("250 2.1.0 Ok")
    }

    private func takeRecipient(_ line: String) {
        guard sender != nil else { return reply("503 5.5.1 MAIL first") }
        let address: String = Self.path(line)
        behavior = sink.options.behavior?(address)
        guard act(at: .recipient) else { return }
        recipients.append(address)
        reply("250 2.1.5 Ok")
    }

    private func takeMessage() {
        guard !recipients.isEmpty else { return reply("503 5.5.1 RCPT first") }
        guard act(at: .data) else { return }
        reply("354 End data with <CR><LF>.<CR><LF>")
        guard let end = endOfMessage() else {
            isOpen = false
            return
        }
        if behavior == SinkBehavior(.message, .acceptAndDisconnect) { accept(upTo: end) }
        if act(at: .message) {
            accept(upTo: end)
            reply("250 2.0.0 Ok: queued as \(sink.messageCount)")
        }
        head = end + 3
        reset()
    }

    private func accept(upTo end: Int) {
        input.withUnsafeBytes { bytes in
            sink.take(
                sender: sender ?? "", recipients: recipients,
                message: UnsafeRawBufferPointer(rebasing: bytes[head..<end]))
        }
    }

    /// Reads until the lone dot; the index after the message's last CRLF, which is the dot's own.
    private func endOfMessage() -> Int? {
        var searched: Int = 0
        while true {
            if input.count - head >= 3, input[head] == 46, input[head + 1] == 13, input[head + 2] == 10 { return head }
            let found: Int? = input.withUnsafeBytes { bytes in
                SinkMessage.loneDot(in: UnsafeRawBufferPointer(rebasing: bytes[(head + searched)...]))
            }
            if let found { return head + searched + found }
            searched = max(0, input.count - head - 5)
            guard input.count - head < 64 << 20, fill() else { return nil }
        }
    }

    /// Does what the script says for this stage; true when the usual answer is still to be given.
    private func act(at stage: SMTPStage) -> Bool {
        guard let behavior, behavior.stage == stage else { return true }
        switch behavior.action {
        case .reply(let line): reply(line)
        case .garbage: reply("what was that")
        case .delay(let milliseconds):
            flush()
            poll(nil, 0, Int32(clamping: milliseconds))
            return true
        case .disconnect, .acceptAndDisconnect:
            flush()
            isOpen = false
        case .silence:
            while fill() { head = input.count }
        }
        return false
    }

    private func reset() {
        sender = nil
        recipients.removeAll(keepingCapacity: true)
        behavior = nil
    }

    private static func path(_ line: String) -> String {
        guard let open = line.firstIndex(of: "<"), let close = line.firstIndex(of: ">"), open < close else { return "" }
        return String(line[line.index(after: open)..<close])
    }

    // MARK: Sign-in

    private func beginSignIn(_ line: String) {
        guard sink.options.credentials != nil else { return reply("502 5.5.1 No sign-in here") }
        answerSignIn(signIn.begin(line))
    }

    private func finishSignIn(_ line: String) {
        answerSignIn(signIn.take(line))
    }

    private func answerSignIn(_ step: SinkSignIn.Step) {
        switch step {
        case .ask(let text): reply("334 \(text)")
        case .done(let user, let password):
            guard let wanted = sink.options.credentials else { return }
            isSignedIn = user == wanted.user && password == wanted.password
            reply(isSignedIn ? "235 2.7.0 Welcome" : "535 5.7.8 Wrong user or password")
        case .wrong: reply("501 5.5.2 That is no sign-in")
        }
    }
}
