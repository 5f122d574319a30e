import Core
import Glibc
import Synchronization
import Testing

@testable import Mail

@Suite("Handing messages to a server")
struct SMTPTests {
    static let message: [UInt8] = Array("Subject: x\r\nMessage-ID: <m1@a.example>\r\n\r\nHi\r\n.\r\n..dots\r\n".utf8)

    private func sink(_ change: (inout SMTPSink.Options) -> Void = { _ in }) throws -> SMTPSink {
        var options = SMTPSink.Options()
        options.recording = .messages(limit: 1 << 20)
        change(&options)
        return try SMTPSink(options: options)
    }

    private func settings(_ sink: SMTPSink, _ change: (inout SMTPSettings) -> Void = { _ in }) -> SMTPSettings {
        var settings = SMTPSettings(
            host: "127.0.0.1", port: sink.port, encryption: .none, helloName: "client.example", connectTimeout: 5,
            answerTimeout: 1)
        change(&settings)
        return settings
    }

    /// Sends one message to a sink that behaves in one way towards everyone.
    private func outcome(_ behavior: SinkBehavior) async throws -> SMTPOutcome {
        let sink = try sink { $0.behavior = { _ in behavior } }
        return await deliver(to: sink)[0]
    }

    private func deliver(
        to sink: SMTPSink, _ recipients: [String] = ["ana@example.net"], settings: SMTPSettings? = nil
    ) async -> [SMTPOutcome] {
        let pool = SMTPPool(settings: settings ?? self.settings(sink), connections: 1)
        var batch = SMTPBatch()
        for recipient in recipients {
            batch.append(sender: "bounce@acme.example", recipient: recipient, message: Self.message)
        }
        let outcomes: [SMTPOutcome] = await pool.deliver(batch)
        pool.stop()
        return outcomes
    }

    @Test("a message arrives byte for byte, lines of dots included, and the queue id is kept")
    func arrives() async throws {
        let sink = try sink()
        let outcome: SMTPOutcome = await deliver(to: sink)[0]
        guard case .accepted(let reply) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reply.code == 250)
        #expect(reply.text == "Ok: queued as 1")
        let record = try #require(sink.records.first)
        #expect(record.sender == "bounce@acme.example")
        #expect(record.recipient == "ana@example.net")
        #expect(record.messageID == "m1@a.example")
        #expect(record.message == Self.message)
    }

    @Test("one connection carries a whole batch")
    func keptConnection() async throws {
        let sink = try sink()
        let outcomes = await deliver(to: sink, (0..<50).map { "p\($0)@example.net" })
        #expect(outcomes.count == 50)
        #expect(outcomes.allSatisfy { if case .accepted = $0 { true } else { false } })
        #expect(sink.connectionCount == 1)
        #expect(sink.records.map(\.recipient) == (0..<50).map { "p\($0)@example.net" })
    }

    @Test(
        "refusals for now are deferred, refusals for good are rejected, each with its stage",
        arguments: [
            (SMTPStage.recipient, "450 4.2.1 busy"), (.recipient, "452 4.2.2 full"),
            (.recipient, "550 5.1.1 no such user"),
            (.recipient, "421 4.3.2 closing"), (.message, "421 4.7.0 later"), (.message, "552 5.3.4 too big"),
            (.message, "554 5.7.1 spam"), (.data, "451 4.3.0 no"), (.data, "554 5.5.1 no"),
            (.message, "451 4.3.0 disk"),
        ])
    func refusals(stage: SMTPStage, line: String) async throws {
        let outcome: SMTPOutcome = try await outcome(SinkBehavior(stage, .reply(line)))
        switch outcome {
        case .deferred(let reply):
            #expect(line.hasPrefix("4"))
            #expect(reply.line == line)
            #expect(reply.stage == stage)
        case .rejected(let reply):
            #expect(line.hasPrefix("5"))
            #expect(reply.line == line)
            #expect(reply.stage == stage)
        default: Issue.record("\(outcome)")
        }
    }

    @Test("a refused sender is told apart from a refused recipient")
    func sender() async throws {
        let sink = try sink { $0.senderReply = { _ in "550 5.7.1 sender not allowed" } }
        guard case .rejected(let reply) = await deliver(to: sink)[0] else {
            Issue.record("not rejected")
            return
        }
        #expect(reply.stage == .sender)
    }

    @Test(
        "no answer after the dot is uncertain, whether the connection closed, stalled or spoke nonsense",
        arguments: [SinkBehavior.Action.disconnect, .acceptAndDisconnect, .garbage, .silence])
    func uncertain(action: SinkBehavior.Action) async throws {
        let outcome: SMTPOutcome = try await outcome(SinkBehavior(.message, action))
        guard case .uncertain = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test(
        "a connection that breaks before the message is out leaves nothing uncertain",
        arguments: [SMTPStage.recipient, .data])
    func brokenEarly(stage: SMTPStage) async throws {
        for action in [SinkBehavior.Action.disconnect, .silence] {
            let outcome: SMTPOutcome = try await outcome(SinkBehavior(stage, action))
            guard case .unavailable = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
    }

    @Test("one bad recipient in a batch does not touch the others")
    func mixed() async throws {
        let sink = try sink {
            $0.behavior = { $0 == "p3@example.net" ? SinkBehavior(.recipient, .reply("550 5.1.1 gone")) : nil }
        }
        let outcomes = await deliver(to: sink, (0..<6).map { "p\($0)@example.net" })
        #expect(sink.records.map(\.recipient) == [0, 1, 2, 4, 5].map { "p\($0)@example.net" })
        guard case .rejected = outcomes[3] else {
            Issue.record("\(outcomes[3])")
            return
        }
    }

    @Test(
        "with and without pipelining, refusals in a batch cost neither the connection nor the messages after them",
        arguments: [["PIPELINING", "SIZE 1000000"], ["SIZE 1000000"], []])
    func refusalsOnOneConnection(extensions: [String]) async throws {
        let sink = try sink {
            $0.extensions = extensions
            $0.behavior = { recipient in
                switch recipient {
                case "p1@example.net": SinkBehavior(.recipient, .reply("550 5.1.1 gone"))
                case "p2@example.net": SinkBehavior(.data, .reply("451 4.3.0 no"))
                case "p4@example.net": SinkBehavior(.message, .reply("552 5.3.4 too big"))
                default: nil
                }
            }
        }
        let outcomes = await deliver(to: sink, (0..<7).map { "p\($0)@example.net" })
        #expect(sink.records.map(\.recipient) == [0, 3, 5, 6].map { "p\($0)@example.net" })
        #expect(sink.connectionCount == 1)
        #expect(outcomes[1].reply?.line == "550 5.1.1 gone")
        #expect(outcomes[2].reply?.stage == .data)
        #expect(outcomes[4].reply?.stage == .message)
        for index in [0, 3, 5, 6] { #expect(outcomes[index].reply?.code == 250) }
    }

    @Test("a message that was only announced is never taken for sent when the connection breaks")
    func brokenAfterAnnouncing() async throws {
        let sink = try sink {
            $0.behavior = { $0 == "p1@example.net" ? SinkBehavior(.message, .acceptAndDisconnect) : nil }
        }
        let outcomes = await deliver(to: sink, (0..<4).map { "p\($0)@example.net" })
        guard case .uncertain = outcomes[1] else {
            Issue.record("\(outcomes[1])")
            return
        }
        #expect(sink.records.map(\.recipient) == (0..<4).map { "p\($0)@example.net" })
        #expect(outcomes[2].reply?.code == 250)
        #expect(sink.connectionCount == 2)
    }

    @Test(
        "dots and ends of messages survive the way",
        arguments: [".", "..", ".\r\n", "\r\n.\r\n", "a\r\n.b", "no end", "\r\n", "x\n.y\r\n"])
    func dots(body: String) async throws {
        let sink = try sink()
        let pool = SMTPPool(settings: settings(sink), connections: 1)
        var batch = SMTPBatch()
        batch.append(sender: "a@b.example", recipient: "c@d.example", message: Array(body.utf8))
        batch.append(sender: "a@b.example", recipient: "e@d.example", message: Self.message)
        let outcomes: [SMTPOutcome] = await pool.deliver(batch)
        pool.stop()
        #expect(outcomes.allSatisfy { $0.reply?.code == 250 })
        let arrived = sink.records.map { String(decoding: $0.message, as: UTF8.self) }
        #expect(arrived.first == (body.hasSuffix("\r\n") ? body : body + "\r\n"))
        #expect(sink.records.last?.message == Self.message)
    }

    @Test("a delivered batch has its memory to itself again, for the next messages")
    func memory() async throws {
        let sink = try sink()
        let pool = SMTPPool(settings: settings(sink), connections: 1)
        var batch = SMTPBatch()
        batch.reserve(count: 2, size: 1 << 20)
        let address = batch.bytes.withUnsafeBufferPointer(\.baseAddress)
        for _ in 0..<3 {
            batch.removeAll()
            batch.append(sender: "a@b.example", recipient: "c@d.example", message: Self.message)
            #expect(batch.bytes.withUnsafeBufferPointer(\.baseAddress) == address)
            _ = await pool.deliver(batch)
        }
        pool.stop()
        #expect(sink.messageCount == 3)
    }

    @Test("replies are put together from any pieces, and lines without a code are no reply")
    func replyLines() throws {
        let text = "250-first\r\n250 2.1.0 second\r\n354 go\r\n"
        for step in 1...text.utf8.count {
            var lines = SMTPReplyLines()
            var replies: [SMTPReply] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                Array(rest.prefix(step)).withUnsafeBytes { lines.append($0) }
                rest = rest.dropFirst(step)
                while let reply = try lines.next() { replies.append(SMTPReply(stage: .sender, lines: reply)) }
            }
            #expect(replies.map(\.line) == ["250 first 2.1.0 second", "354 go"])
        }
        var nonsense = SMTPReplyLines()
        Array("hello there\r\n".utf8).withUnsafeBytes { nonsense.append($0) }
        #expect(throws: SMTPConnection.Break.nonsense) { try nonsense.next() }
    }

    @Test("a kept connection that the server closed is replaced without anyone noticing")
    func replaced() async throws {
        let sink = try sink()
        let pool = SMTPPool(settings: settings(sink), connections: 1)
        for round in 1...3 {
            var batch = SMTPBatch()
            batch.append(sender: "a@b.example", recipient: "c@d.example", message: Self.message)
            guard case .accepted = await pool.deliver(batch)[0] else {
                Issue.record("round \(round)")
                return
            }
            sink.cutConnections()
        }
        pool.stop()
        #expect(sink.connectionCount == 3)
    }

    @Test("when nothing listens, the whole batch is unavailable and only one connection is tried")
    func nobody() async throws {
        let sink = try sink()
        let settings: SMTPSettings = settings(sink)
        sink.stop()
        let outcomes = await deliver(to: sink, ["a@b.example", "c@d.example", "e@f.example"], settings: settings)
        #expect(outcomes.count == 3)
        #expect(Set(outcomes.map { "\($0)" }).count == 1)
        guard case .unavailable(let reason) = outcomes[0] else {
            Issue.record("\(outcomes[0])")
            return
        }
        #expect(reason == "Nothing answers at 127.0.0.1, port \(sink.port).")
    }

    @Test(
        "a server that greets with 421 or 554 is unavailable, and its words are shown",
        arguments: ["421 4.3.2 busy", "554 go away"])
    func greeting(line: String) async throws {
        let sink = try sink { $0.greeting = line }
        guard case .unavailable(let reason) = await deliver(to: sink)[0] else {
            Issue.record("not unavailable")
            return
        }
        #expect(reason.hasSuffix("The server said: \(line)"))
    }

    @Test("encryption that the server does not offer is a settings error and nothing is sent in the clear")
    func startTLSMissing() async throws {
        let sink = try sink()
        let outcome = await deliver(to: sink, settings: settings(sink) { $0.encryption = .startTLS })[0]
        guard case .configuration(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("STARTTLS"))
        #expect(sink.messageCount == 0)
    }

    @Test("signing in works with the right password and is a settings error with a wrong one")
    func signIn() async throws {
        let sink = try sink { $0.credentials = ("mailer@example.com", "S3nd!t") }
        let right: SMTPSettings = settings(sink) {
            $0.username = "mailer@example.com"
            $0.password = Secret("S3nd!t")
            $0.answerTimeout = 10
        }
        guard case .accepted = await deliver(to: sink, settings: right)[0] else {
            Issue.record("right password")
            return
        }
        var wrong: SMTPSettings = right
        wrong.password = Secret("nope")
        guard case .configuration(let reason) = await deliver(to: sink, settings: wrong)[0] else {
            Issue.record("wrong password")
            return
        }
        #expect(reason.contains("535 5.7.8"))
        guard case .configuration = await deliver(to: sink)[0] else {
            Issue.record("no password")
            return
        }
    }

    @Test("addresses that could break a command never reach the server")
    func badAddresses() async throws {
        let sink = try sink()
        let outcomes = await deliver(to: sink, ["a@b.example> SIZE=1\r\nRCPT TO:<x@y.example", "ä@b.example"])
        for outcome in outcomes {
            guard case .rejected(let reply) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(reply.code == 553)
        }
        #expect(sink.connectionCount == 0)
    }

    @Test("a batch can be stopped between two messages; the rest is left unsent")
    func stopping() async throws {
        let sink = try sink()
        let pool = SMTPPool(settings: settings(sink), connections: 1)
        var batch = SMTPBatch()
        for index in 0..<5 {
            batch.append(sender: "a@b.example", recipient: "p\(index)@d.example", message: Self.message)
        }
        let told = Mutex<[Int]>([])
        let hooks = SMTPPool.Hooks(
            shouldSend: { $0 < 2 }, didSend: { index, _ in told.withLock { $0.append(index) } })
        let outcomes = await pool.deliver(batch, hooks: hooks)
        pool.stop()
        #expect(told.withLock { $0 } == [0, 1])
        #expect(outcomes[2...].allSatisfy { $0 == .unavailable(reason: "Sending was stopped.") })
        #expect(sink.messageCount == 2)
        #expect(await pool.deliver(batch)[0] == .unavailable(reason: "Sending was stopped."))
    }

    @Test("a test send keeps the dialogue and masks the password")
    func transcript() async throws {
        let sink = try sink { $0.credentials = ("mailer@example.com", "S3nd!t") }
        let settings: SMTPSettings = settings(sink) {
            $0.username = "mailer@example.com"
            $0.password = Secret("S3nd!t")
        }
        let report = await SMTPTest.run(
            settings: settings, sender: "a@b.example", recipient: "c@d.example", message: Self.message)
        let text: String = report.lines.map { "\($0.side) \($0.text)" }.joined(separator: "\n")
        #expect(text.contains("client EHLO client.example"))
        #expect(text.contains("client AUTH PLAIN •••"))
        #expect(text.contains("server 250 2.0.0 Ok: queued as 1"))
        #expect(!text.contains("AG1haWxlckBleGFtcGxlLmNvbQBTM25kIXQ"))
        #expect(!text.contains("S3nd"))
    }
}

@Suite("SMTP settings")
struct SMTPSettingsTests {
    @Test("a URL gives host, port, user, password and a safe encryption")
    func urls() throws {
        let full = try SMTPSettings(url: "smtp://user%40x.example:p%3Ass@mail.example.com:2525")
        #expect(full.host == "mail.example.com")
        #expect(full.port == 2525)
        #expect(full.username == "user@x.example")
        #expect(full.password?.reveal() == "p:ss")
        #expect(full.encryption == .startTLS)
        #expect(try SMTPSettings(url: "smtps://mail.example.com").port == 465)
        #expect(try SMTPSettings(url: "smtp://mail.example.com").port == 587)
        #expect(try SMTPSettings(url: "smtp://127.0.0.1:1025").encryption == .none)
        #expect(try SMTPSettings(url: "smtp://mail.example.com:25?encryption=starttls").encryption == .startTLS)
    }

    @Test(
        "URLs that cannot work, or would send a password in the clear, are refused",
        arguments: [
            "", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:p@mail.example.com:25",
            "smtp://mail.example.com?encryption=maybe", "smtp://mail.example.com:99999",
        ])
    func refused(url: String) {
        #expect(throws: ValidationErrors.self) { try SMTPSettings(url: url) }
    }

    @Test(
        "host and hello names cannot carry anything else into the connection",
        arguments: ["a b", "a/b", "a@b", "", "-a", "a\r\nb", "ü.example"])
    func names(text: String) {
        let settings = SMTPSettings(host: text, port: 25, encryption: .none, helloName: "x")
        #expect(throws: ValidationErrors.self) { try settings.validate() }
        let hello = SMTPSettings(host: "x", port: 25, encryption: .none, helloName: text)
        #expect(throws: ValidationErrors.self) { try hello.validate() }
    }
}
