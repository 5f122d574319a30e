import Core
import FoundationEssentials
import Synchronization
import Testing

@testable import Messaging

@Suite("Handing a send over")
struct DispatchTests {
    @Test("Every person gets a message of their own exactly once, and the send ends")
    func everybodyOnce() async throws {
        try await MessagingStage.with(people: 120) { stage in
            let run = try await stage.launch()
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(carrier.accepted.count == 120)
            #expect(Set(carrier.recipients).count == 120)
            #expect(try await stage.tally(run) == ["sent": 120])
            let summary = try await stage.summary(run)
            #expect(summary.state == .sent)
            #expect(summary.sent == 120)
            #expect(summary.remaining == 0)
            let text: String = try #require(carrier.accepted.first { $0.recipient == "p7@example.com" }?.text)
            #expect(text.contains("Subject: News for Person 7"))
            #expect(text.contains("List-Unsubscribe: <http://mail.test/v1/public/unsubscribe?token="))
            #expect(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"))
            #expect(text.contains("Feedback-ID:"))
            #expect(text.contains("1 Main Street"))
        }
    }

    @Test("Two processes on one send hand every message over once between them")
    func twoProcesses() async throws {
        try await MessagingStage.with(people: 300) { stage in
            let run = try await stage.launch()
            let first = FakeCarrier()
            let second = FakeCarrier()
            let one = stage.dispatcher(first, journals: "\(stage.services.varDirectory)/one")
            let two = stage.dispatcher(second, journals: "\(stage.services.varDirectory)/two")
            async let left: Void = one.dispatch(run)
            async let right: Void = two.dispatch(run)
            _ = try await (left, right)
            try await one.dispatch(run)
            let all: [String] = first.recipients + second.recipients
            #expect(all.count == 300)
            #expect(Set(all).count == 300)
            #expect(try await stage.summary(run).state == .sent)
        }
    }

    @Test("Refusals are told apart: later, never, not this sender")
    func refusals() async throws {
        try await MessagingStage.with(people: 5) { stage in
            let run = try await stage.launch()
            let carrier = FakeCarrier(lanes: 1) { recipient, _ in
                switch recipient.prefix(2) {
                case "p0": .soft("450 4.2.1 later")
                case "p1": .hard("550 5.1.1 unknown")
                case "p2": .blocked("550 5.7.1 policy")
                case "p3": .uncertain(.connectionLostAfterData, "gone")
                default: .accepted("250 OK")
                }
            }
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(
                try await stage.tally(run) == [
                    "retry:soft_bounce": 1, "failed:hard_bounce": 1, "failed:blocked": 1,
                    "uncertain:connection_lost_after_data": 1, "sent": 1,
                ])
            let summary = try await stage.summary(run)
            #expect(summary.state == .sending)
            #expect(summary.retrying == 1)
            #expect(summary.bounced == 1)
            let suppressed = try await stage.services.database.read(stage.workspace) { tx in
                try await SuppressionQueries(workspace: stage.workspace, tx: tx).active("p1@example.com")
            }
            #expect(suppressed?.reason == .hardBounce)
            // The retry is not due yet: nothing happens. When it is, it is sent and the send ends.
            try await stage.dispatcher(FakeCarrier()).dispatch(run)
            #expect(try await stage.tally(run)["retry:soft_bounce"] == 1)
            try await stage.run(
                "UPDATE marketing_send_batches SET not_before = now() - interval '1 second' WHERE ids IS NOT NULL")
            let second = FakeCarrier()
            try await stage.dispatcher(second).dispatch(run)
            #expect(second.recipients == ["p0@example.com"])
            #expect(try await stage.summary(run).state == .sent)
            #expect(try await stage.summary(run).retrying == 0)
        }
    }

    @Test("A server that cannot be reached loses nothing: the send waits and says why")
    func unreachable() async throws {
        try await MessagingStage.with(people: 20) { stage in
            let run = try await stage.launch()
            try await stage.dispatcher(FakeCarrier { _, _ in .unavailable("Nothing answers.") }).dispatch(run)
            #expect(try await stage.tally(run) == ["pending": 20])
            let summary = try await stage.summary(run)
            #expect(summary.state == .sending)
            #expect(summary.notice == "The mail server can't be reached: Nothing answers.")
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(Set(carrier.recipients).count == 20)
            #expect(try await stage.summary(run).notice == nil)
        }
    }

    @Test("A message that stays open early in a slow batch, told in parts, is taken again")
    func openOutcomesOfParts() async throws {
        try await MessagingStage.with(people: 6) { stage in
            // So large that messages are made one at a time, and so slow that each is told by itself.
            let html = "<p>" + String(repeating: "A long letter. ", count: 45_000) + "</p>"
            let run = try await stage.launch(html: html)
            let seconds = Mutex(0)
            let slow = Stopwatch {
                .seconds(
                    seconds.withLock {
                        $0 += 3
                        return $0
                    })
            }
            let told = Mutex<[String: Int]>([:])
            let carrier = FakeCarrier(lanes: 1) { recipient, count in
                told.withLock { $0[recipient, default: 0] += 1 }
                return count == 1 ? .misconfigured("530 5.7.0 sign in first") : .accepted("250 OK")
            }
            let dispatcher: SendDispatcher = stage.dispatcher(carrier, stopwatch: slow)
            // Whether the first run finds its own batch again depends on which comes first, telling or looking.
            try await dispatcher.dispatch(run)
            if try await stage.summary(run).state == .sending {
                #expect(try await stage.tally(run) == ["sent": 5, "pending": 1])
                try await dispatcher.dispatch(run)
            }
            #expect(try await stage.tally(run) == ["sent": 6])
            #expect(try await stage.summary(run).state == .sent)
            #expect(Set(carrier.recipients).count == 6 && carrier.recipients.count == 6)
            #expect(told.withLock { $0.values.sorted() } == [1, 1, 1, 1, 1, 2])
        }
    }

    @Test("A server that refuses the sender again and again pauses the send")
    func harmful() async throws {
        try await MessagingStage.with(people: 60) { stage in
            let run = try await stage.launch()
            try await stage.dispatcher(FakeCarrier(lanes: 1) { _, _ in .blocked("550 5.7.1 no") }).dispatch(run)
            let summary = try await stage.summary(run)
            #expect(summary.state == .paused)
            #expect(summary.failed == FailureStreak.blockLimit)
            #expect(summary.notice?.contains("refused 10 messages in a row") == true)
            #expect(summary.remaining == 50)
        }
    }

    @Test("The page behind the unsubscribe link shows the address masked, before and after")
    func maskedAddress() async throws {
        try await MessagingStage.with(people: 1) { stage in
            let run = try await stage.launch()
            try await stage.dispatcher(FakeCarrier()).dispatch(run)
            let (message, contact): (MessageID, ContactID) = try await stage.services.database.read(stage.workspace) {
                tx in
                try #require(
                    try await tx.rows(
                        as: (MessageID, ContactID).self, "test.message", "SELECT id, contact_id FROM marketing_messages"
                    ).first)
            }
            let link = LinkFactory(services: stage.services).unsubscribing.url(
                .init(workspace: stage.workspace, contact: contact, message: message))
            let path = String(link.dropFirst("http://mail.test".count))
            for step in 0..<2 {
                let page = try await stage.portal.send(.get, path)
                #expect(page.text.contains("p•••@example.com") && !page.text.contains("p0@example.com"), "\(step)")
                _ = try await stage.portal.send(.post, path, headers: [:], body: [])
            }
        }
    }

    @Test("People who unsubscribe or are deleted after the snapshot are left out at the last moment")
    func lastGate() async throws {
        try await MessagingStage.with(people: 4) { stage in
            let run = try await stage.launch()
            try await stage.services.database.write(stage.workspace) { tx in
                _ = try await SuppressionQueries(workspace: stage.workspace, tx: tx).add(
                    "p1@example.com", reason: .unsubscribed, source: "test", id: stage.services.ids.next(), now: Date())
            }
            try await stage.run("UPDATE marketing_contacts SET deleted_at = now() WHERE email_key = 'p2@example.com'")
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(Set(carrier.recipients) == ["p0@example.com", "p3@example.com"])
            #expect(
                try await stage.tally(run)
                    == ["sent": 2, "skipped:suppressed_unsubscribed": 1, "skipped:deleted": 1])
        }
    }

    @Test("Pausing stops within a batch; resuming sends the rest; nobody twice")
    func pausing() async throws {
        try await MessagingStage.with(people: 50) { stage in
            let run = try await stage.launch()
            let control = SendControl()
            let carrier = FakeCarrier(lanes: 1) { _, count in
                if count == 13 { control.stop(.paused) }
                return .accepted("250 OK")
            }
            try await stage.dispatcher(carrier).dispatch(run, whenStopped: control)
            #expect(carrier.accepted.count == 13)
            #expect(try await stage.tally(run) == ["sent": 13, "pending": 37])
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(Set(carrier.recipients).count == 50)
            #expect(carrier.accepted.count == 50)
        }
    }

    @Test("Cancelling marks everybody who got nothing")
    func cancelling() async throws {
        try await MessagingStage.with(people: 30) { stage in
            let run = try await stage.launch()
            let control = SendControl()
            let carrier = FakeCarrier(lanes: 1) { _, count in
                if count == 5 { control.stop(.paused) }
                return .accepted("250 OK")
            }
            try await stage.dispatcher(carrier).dispatch(run, whenStopped: control)
            let cancelled = try await stage.services.database.write(stage.workspace) { tx in
                try await SendActions(services: stage.services).cancel(run.send, workspace: stage.workspace, in: tx)
            }
            #expect(cancelled)
            let batches = try await stage.services.database.write(stage.workspace) { tx in
                try await BatchQueries(workspace: stage.workspace, send: run.send, tx: tx).cancelFree(100, now: Date())
            }
            #expect(batches > 0)
            #expect(try await stage.tally(run) == ["sent": 5, "cancelled:cancelled": 25])
            #expect(try await stage.summary(run).cancelled == 25)
        }
    }

    @Test("A message that cannot be made fails alone")
    func unrenderable() async throws {
        try await MessagingStage.with(people: 3) { stage in
            try await stage.run(
                "UPDATE marketing_contacts SET first_name = E'x\\r\\nBcc: a@b.example' WHERE email_key = 'p1@example.com'"
            )
            let run = try await stage.launch()
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(try await stage.tally(run) == ["sent": 2, "failed:render_error": 1])
            #expect(!carrier.accepted.contains { $0.text.contains("\r\nBcc:") })
        }
    }
}
