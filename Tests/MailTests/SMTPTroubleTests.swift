import Core
import Glibc
import MailTesting
import Testing

@testable import Mail

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
