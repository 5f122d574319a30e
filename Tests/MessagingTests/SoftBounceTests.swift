import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Messaging

@Suite("Addresses that bounce softly again and again")
struct SoftBounceTests {
    /// Gives `p0@example.com` earlier messages with these ages in days and outcomes, then lets one more fail softly.
    private func suppressed(
        _ history: [(days: Double, state: String)], last: HandoverOutcome = .softFailure("552 5.2.2 full"),
        before: SQL? = nil
    ) async throws -> SuppressionReason? {
        var result: SuppressionReason?
        try await MessagingStage.with(people: 1) { stage in
            let now = Date()
            let contact = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.value(ContactID.self, "test.contact", "SELECT id FROM marketing_contacts")
            }
            for (days, state) in history {
                let created: Date = now.addingTimeInterval(-days * 86_400)
                let id = MessageID.make(at: created, routingKey: 1, position: 1, random: 0)
                let send: SendID = stage.services.ids.next()
                try await stage.run(
                    """
                    INSERT INTO marketing_messages
                        (workspace_id, id, send_id, contact_id, created_at, state, email, reason)
                    VALUES (\(stage.workspace), \(id), \(send), \(contact), \(created), \(state), 'p0@example.com',
                        CASE WHEN \(state) = 'sent' THEN NULL ELSE 'soft_bounce' END)
                    """)
            }
            if let before { try await stage.run(before) }
            let run = try await stage.launch()
            try await stage.dispatcher(FakeCarrier { _, _ in last }).dispatch(run)
            result = try await stage.services.database.read(stage.workspace) { tx in
                try await SuppressionQueries(workspace: stage.workspace, tx: tx).active("p0@example.com")?.reason
            }
        }
        return result
    }

    private static let four: [(days: Double, state: String)] = [
        (15, "failed"), (12, "bounced"), (8, "failed"), (3, "failed"),
    ]

    @Test("Five in a row over two weeks suppress, as what they are")
    func fifth() async throws {
        #expect(try await suppressed(Self.four) == .softBounce)
        #expect(try await suppressed(Self.four, last: .rejected("550 what")) == .softBounce)
    }

    @Test("Fewer, or in a shorter time, or with a success between, do not")
    func notYet() async throws {
        #expect(try await suppressed(Array(Self.four.dropFirst())) == nil)
        #expect(try await suppressed([(13, "failed"), (12, "failed"), (8, "failed"), (3, "failed")]) == nil)
        #expect(try await suppressed(Self.four + [(5, "sent")]) == nil)
        #expect(try await suppressed([(20, "sent")] + Self.four) == .softBounce)
        #expect(try await suppressed(Self.four, last: .blocked("550 5.7.1 policy")) == nil)
        #expect(try await suppressed(Self.four, last: .soft("450 4.2.1 later")) == nil)
    }

    @Test("What came before somebody lifted a suppression does not count")
    func lifted() async throws {
        let lifted: SQL = """
            INSERT INTO marketing_suppressions (workspace_id, id, email_key, reason, source, created_at, lifted_at)
            SELECT workspace_id, gen_random_uuid(), 'p0@example.com', 'soft_bounce', 'smtp', now() - interval '9 days',
                now() - interval '7 days'
            FROM marketing_contacts
            """
        #expect(try await suppressed(Self.four, before: lifted) == nil)
    }
}
