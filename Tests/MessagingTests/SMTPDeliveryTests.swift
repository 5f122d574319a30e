import Core
import FoundationEssentials
import Mail
import Testing

@testable import Messaging

@Suite("Delivery to a mail server", .serialized)
struct SMTPDeliveryTests {
    private func carrier(_ port: Int, connections: Int = 2) throws -> SMTPCarrier {
        var settings = EmailSettings()
        settings.provider = .smtp
        settings.smtp = MailServer(host: "127.0.0.1", port: port, encryption: .none, connections: connections)
        return try SMTPCarrier(Sender(settings: settings, password: nil), helloName: "portal.test")
    }

    private func sink(_ reply: @escaping @Sendable (String) -> SinkBehavior?) throws -> SMTPSink {
        var options = SMTPSink.Options()
        options.recording = .envelopes
        options.behavior = reply
        return try SMTPSink(options: options)
    }

    @Test("Every answer of a mail server is told apart")
    func answers() async throws {
        try await MessagingStage.with(people: 9) { stage in
            let sink = try sink { recipient in
                switch recipient.prefix(2) {
                case "p0": SinkBehavior(.recipient, .reply("421 4.3.2 busy"))
                case "p1": SinkBehavior(.recipient, .reply("450 4.2.1 later"))
                case "p2": SinkBehavior(.recipient, .reply("452 4.2.2 full for now"))
                case "p3": SinkBehavior(.recipient, .reply("550 5.1.1 unknown"))
                case "p4": SinkBehavior(.recipient, .reply("552 5.2.2 full"))
                case "p5": SinkBehavior(.recipient, .reply("554 5.7.1 policy"))
                case "p6": SinkBehavior(.message, .acceptAndDisconnect)
                default: nil
                }
            }
            defer { sink.stop() }
            let run = try await stage.launch()
            try await stage.dispatcher(try carrier(sink.port)).dispatch(run)
            let tally = try await stage.tally(run)
            #expect(tally["sent"] == 2)
            #expect(tally["retry:soft_bounce"] == 3)
            #expect(tally["failed:hard_bounce"] == 1)
            #expect(tally["failed:soft_bounce"] == 1)
            #expect(tally["failed:blocked"] == 1)
            #expect(tally["uncertain:connection_lost_after_data"] == 1)
            #expect(Set(sink.records.map(\.recipient)) == ["p6@example.com", "p7@example.com", "p8@example.com"])
        }
    }

    @Test("Answers to the message itself are told apart too, and the server's words stand in the ledger")
    func answersToTheMessage() async throws {
        try await MessagingStage.with(people: 5) { stage in
            let sink = try sink { recipient in
                switch recipient.prefix(2) {
                case "p0": SinkBehavior(.message, .reply("421 4.3.2 shutting down"))
                case "p1": SinkBehavior(.message, .reply("452 4.3.1 no space"))
                case "p2": SinkBehavior(.message, .reply("552 5.3.4 too big"))
                case "p3": SinkBehavior(.message, .reply("554 5.7.1 looks like spam"))
                default: SinkBehavior(.message, .disconnect)
                }
            }
            defer { sink.stop() }
            let run = try await stage.launch()
            try await stage.dispatcher(try carrier(sink.port)).dispatch(run)
            #expect(
                try await stage.tally(run) == [
                    "retry:soft_bounce": 2, "failed:soft_bounce": 1, "failed:blocked": 1,
                    "uncertain:connection_lost_after_data": 1,
                ])
            let words = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.values(
                    String.self, "test.words",
                    "SELECT provider_response FROM marketing_messages WHERE state <> 'uncertain' ORDER BY email")
            }
            #expect(
                words == [
                    "421 4.3.2 shutting down", "452 4.3.1 no space", "552 5.3.4 too big", "554 5.7.1 looks like spam",
                ])
        }
    }

    @Test("A server that is down loses nothing, and everything goes when it is back")
    func down() async throws {
        try await MessagingStage.with(people: 30) { stage in
            let gone = try sink { _ in nil }
            let port: Int = gone.port
            gone.stop()
            let run = try await stage.launch()
            try await stage.dispatcher(try carrier(port)).dispatch(run)
            #expect(try await stage.tally(run) == ["pending": 30])
            #expect(try await stage.summary(run).notice?.hasPrefix("The mail server can't be reached:") == true)
            let back = try sink { _ in nil }
            defer { back.stop() }
            try await stage.dispatcher(try carrier(back.port)).dispatch(run)
            #expect(Set(back.records.map(\.recipient)).count == 30)
            #expect(back.messageCount == 30)
            #expect(try await stage.summary(run).state == .sent)
        }
    }

    @Test("A thousand people over several connections, each exactly once")
    func many() async throws {
        try await MessagingStage.with(people: 1000) { stage in
            let sink = try sink { _ in nil }
            defer { sink.stop() }
            let run = try await stage.launch(batchSize: 50)
            try await stage.dispatcher(try carrier(sink.port, connections: 4)).dispatch(run)
            #expect(sink.messageCount == 1000)
            #expect(Set(sink.records.map(\.recipient)).count == 1000)
            #expect(Set(sink.records.map(\.messageID)).count == 1000)
            #expect(try await stage.tally(run) == ["sent": 1000])
        }
    }
}
