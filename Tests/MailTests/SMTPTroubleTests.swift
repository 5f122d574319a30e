import Core
import Glibc
import Testing

@testable import Mail

/// A server that says what a test tells it, each connection on a thread of its own.
final class ScriptedServer: Sendable {
    struct Connection: Sendable {
        let socket: Int32

        /// False when the client has gone.
        @discardableResult
        func say(_ text: String) -> Bool {
            let bytes: [UInt8] = Array("\(text)\r\n".utf8)
            return send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
        }

        /// Reads up to a text; nil when the client has gone.
        func hear(_ end: String = "\r\n") -> String? {
            var heard: [UInt8] = []
            var byte: UInt8 = 0
            while !heard.reversed().starts(with: Array(end.utf8).reversed()) {
                guard recv(socket, &byte, 1, 0) == 1 else { return nil }
                heard.append(byte)
            }
            return String(decoding: heard, as: UTF8.self)
        }

        /// Says nothing until the client goes away.
        func sitStill() {
            while hear() != nil {}
        }

        /// Repeats a line ten times a second until the client goes away.
        func goOn(_ text: String) {
            // POLLRDHUP, which Glibc's module does not name.
            var isGone = pollfd(fd: socket, events: 0x2000, revents: 0)
            while say(text), poll(&isGone, 1, 100) == 0 {}
        }

        /// Everything up to the dot of a message.
        func takeMessage() {
            say("220 trouble.example ESMTP")
            guard hear() != nil, say("250 trouble.example"), hear() != nil, say("250 sender ok"), hear() != nil,
                say("250 recipient ok"), hear() != nil, say("354 go on")
            else { return }
            _ = hear("\r\n.\r\n")
        }
    }

    let port: Int
    private let listener: Int32

    init(_ conversation: @escaping @Sendable (Connection) -> Void) throws {
        (listener, port) = try LoopbackListener.open(port: 0)
        let listener: Int32 = listener
        OwnThread.launch(name: "scripted") {
            while true {
                let socket: Int32 = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                OwnThread.launch(name: "scripted") {
                    conversation(Connection(socket: socket))
                    close(socket)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

@Suite("Servers that are slow, silent or gone")
struct SMTPTroubleTests {
    private func outcome(_ conversation: @escaping @Sendable (ScriptedServer.Connection) -> Void) async throws
        -> SMTPOutcome
    {
        let server = try ScriptedServer(conversation)
        let settings = SMTPSettings(
            host: "127.0.0.1", port: server.port, encryption: .none, helloName: "client.example", connectTimeout: 2,
            answerTimeout: 1)
        let pool = SMTPPool(settings: settings, connections: 1)
        var batch = SMTPBatch()
        batch.append(sender: "a@b.example", recipient: "c@d.example", message: SMTPTests.message)
        let outcomes: [SMTPOutcome] = await pool.deliver(batch)
        pool.stop()
        return try #require(outcomes.first)
    }

    private func expectLate(_ outcome: SMTPOutcome) {
        guard case .unavailable(let reason) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("did not answer in time") || reason.contains("ended the conversation"))
    }

    @Test("a server that takes the connection and never greets is unavailable, and soon")
    func noBanner() async throws {
        expectLate(try await outcome { $0.sitStill() })
    }

    @Test("a server that greets and then says nothing is unavailable")
    func silenceAfterBanner() async throws {
        expectLate(
            try await outcome { connection in
                connection.say("220 trouble.example ESMTP")
                connection.sitStill()
            })
    }

    @Test("a greeting without end does not hold a connection for ever")
    func endlessBanner() async throws {
        expectLate(try await outcome { $0.goOn("220-and another thing") })
    }

    @Test("a server that goes away after its greeting, or after EHLO, is unavailable")
    func hangsUp() async throws {
        let afterBanner = try await outcome { $0.say("220 trouble.example ESMTP") }
        let afterHello = try await outcome { connection in
            connection.say("220 trouble.example ESMTP")
            _ = connection.hear()
        }
        for outcome in [afterBanner, afterHello] {
            guard case .unavailable = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
    }

    @Test("an answer to the message that comes too late, without end, or as a lost connection leaves it uncertain")
    func afterTheMessage() async throws {
        let outcomes: [SMTPOutcome] = [
            try await outcome { connection in
                connection.takeMessage()
                connection.sitStill()
            },
            try await outcome { connection in
                connection.takeMessage()
                connection.goOn("250-still thinking")
            },
            try await outcome { $0.takeMessage() },
        ]
        for outcome in outcomes {
            guard case .uncertain = outcome else {
                Issue.record("\(outcome)")
                return
            }
        }
    }
}
