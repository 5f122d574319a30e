import Core
import FoundationEssentials
import TestSupport
import Testing

@testable import Messaging

@Suite("Cleaning the Outbox")
struct OutboxCleaningTests {
    private func fill(_ stage: MessagingStage, _ workspace: WorkspaceID, ages: [Double]) async throws {
        for (index, days) in ages.enumerated() {
            let date: Date = Date().addingTimeInterval(-days * 86_400)
            let message = OutboxMessage(
                id: .make(at: date, routingKey: 1, position: UInt32(index), random: 0),
                recipient: "p\(index)@example.com",
                subject: "\(Int(days)) days", raw: [65])
            try await stage.services.database.write(workspace) { tx in
                try await OutboxQueries(workspace: workspace, tx: tx).insert([message], send: nil, now: date)
            }
        }
    }

    private func subjects(_ stage: MessagingStage, _ workspace: WorkspaceID) async throws -> [String] {
        try await stage.services.database.read(workspace) { tx in
            try await OutboxQueries(workspace: workspace, tx: tx).page(search: nil, before: nil, limit: 100).map(
                \.subject)
        }
    }

    @Test("Old messages go, and the oldest of too many, in every workspace; the rest stays")
    func cleaning() async throws {
        try await MessagingStage.with(people: 0) { stage in
            let other = try await stage.portal.register("Bo").principal.workspace
            try await fill(stage, stage.workspace, ages: [40, 31, 29, 3, 2, 1])
            try await fill(stage, other, ages: [50, 5])
            try await OutboxCleaning(services: stage.services, limits: OutboxLimits(days: 30, messages: 3)).run()
            #expect(try await subjects(stage, stage.workspace) == ["1 days", "2 days", "3 days"])
            #expect(try await subjects(stage, other) == ["5 days"])
        }
    }

    @Test("More messages than one step are removed, and a message of an old send that was stored today stays")
    func steps() async throws {
        try await MessagingStage.with(people: 0) { stage in
            try await stage.run(
                """
                INSERT INTO marketing_outbox_messages (workspace_id, id, recipient, subject, raw, created_at)
                SELECT \(stage.workspace), marketing_message_id(1700000000000, 1, n, 0), 'a@b.example', n::text, '',
                    CASE WHEN n = 700 THEN now() ELSE now() - interval '31 days' END
                FROM generate_series(1, 1200) AS n
                """)
            let cleaning = OutboxCleaning(services: stage.services, limits: OutboxLimits())
            #expect(try await cleaning.clean(stage.workspace) == 1199)
            #expect(try await subjects(stage, stage.workspace) == ["700"])
        }
    }

    @Test("The page says how long messages are kept")
    func page() async throws {
        try await MessagingStage.with(people: 0) { stage in
            let page = try await stage.member.signIn().get("/outbox").text
            #expect(page.contains("Messages are kept for 30 days, and never more than the newest 20,000."))
        }
    }
}
