import Core
import FoundationEssentials
import TestSupport
import Testing

@testable import Messaging
@testable import Postgres

@Suite("Results that the database refuses")
struct SettlementSalvageTests {
    @Test("A result that the database never takes is parked alone; all others are written", arguments: [1, 3])
    func badRows(lanes: Int) async throws {
        try await MessagingStage.with(people: 40) { stage in
            try await stage.runAsOwner(
                "ALTER TABLE marketing_messages ADD CONSTRAINT refused CHECK (provider_response <> 'poison') NOT VALID")
            let run = try await stage.launch()
            let carrier = FakeCarrier(lanes: lanes) { recipient, _ in
                switch recipient {
                case "p7@example.com", "p23@example.com": .accepted("poison")
                case "p8@example.com": .hard("550 5.1.1 unknown")
                case "p9@example.com": .soft("450 4.2.1 later")
                default: .accepted("250 OK")
                }
            }
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(
                try await stage.tally(run) == [
                    "sent": 36, "uncertain:not_recorded": 2, "failed:hard_bounce": 1, "retry:soft_bounce": 1,
                ])
            #expect(Set(carrier.recipients).count == carrier.recipients.count)
            let summary = try await stage.summary(run)
            #expect(summary.sent == 36)
            #expect(summary.uncertain == 2)
            let details = try await stage.services.database.read(stage.workspace) { tx in
                try await UncertainQueries(workspace: stage.workspace, send: run.send, tx: tx)
                    .page(after: nil, limit: 10).map(\.detail)
            }
            #expect(details.allSatisfy { $0?.contains("SQLSTATE 23514") == true })
        }
    }

    @Test("What follows from an outcome may be refused too: the message is parked, the send ends")
    func badFollowUp() async throws {
        try await MessagingStage.with(people: 12) { stage in
            try await stage.runAsOwner(
                "ALTER TABLE marketing_suppressions ADD CONSTRAINT refused CHECK (email_key <> 'p3@example.com') NOT VALID"
            )
            let run = try await stage.launch()
            try await stage.dispatcher(
                FakeCarrier { recipient, _ in
                    ["p3@example.com", "p4@example.com"].contains(recipient)
                        ? .hard("550 5.1.1 no") : .accepted("250 OK")
                }
            ).dispatch(run)
            #expect(
                try await stage.tally(run) == ["sent": 10, "failed:hard_bounce": 1, "uncertain:not_recorded": 1])
            #expect(try await stage.summary(run).state == .sent)
        }
    }

    @Test("When nothing can be written the send pauses; what was handed over is kept and never handed over again")
    func nothingCanBeWritten() async throws {
        try await MessagingStage.with(people: 30) { stage in
            let run = try await stage.launch()
            try await stage.runAsOwner("REVOKE UPDATE ON marketing_messages FROM marketing_app")
            let carrier = FakeCarrier(lanes: 2)
            let dispatcher: SendDispatcher = stage.dispatcher(carrier)
            try await dispatcher.dispatch(run)
            #expect(try await stage.summary(run).state == .paused)
            #expect(try await stage.summary(run).notice?.contains("refuses") == true)
            #expect(try await stage.tally(run) == ["pending": 30])
            #expect(!carrier.recipients.isEmpty)
            try await stage.runAsOwner("GRANT UPDATE ON marketing_messages TO marketing_app")
            _ = try await stage.services.database.write(stage.workspace) { tx in
                try await SendActions(services: stage.services).resume(run.send, workspace: stage.workspace, in: tx)
            }
            try await dispatcher.dispatch(run)
            #expect(try await stage.tally(run) == ["sent": 30])
            #expect(carrier.recipients.count == 30)
            #expect(Set(carrier.recipients).count == 30)
            #expect(try await stage.summary(run).state == .sent)
        }
    }

    @Test("A lost connection, a full disk and a restart pass; a refused value, rule or right does not")
    func kinds() {
        func refusal(_ state: String) -> PostgresError {
            .server(
                ServerRefusal(
                    query: "q", sqlState: state, message: "", table: nil, column: nil, constraint: nil, position: nil))
        }
        for state in ["40001", "53100", "57P01", "08006", "25006", "55P03", "58030"] {
            #expect(!SettlementFlaw.isPermanent(refusal(state)))
        }
        for state in ["22021", "23505", "23514", "42501", "42P01", "P0001"] {
            #expect(SettlementFlaw.isPermanent(refusal(state)))
        }
        #expect(!SettlementFlaw.isPermanent(PostgresError.timedOut(query: "q")))
        #expect(!SettlementFlaw.isPermanent(PostgresError.connectionLost(query: "q", reason: "gone")))
        #expect(SettlementFlaw.isPermanent(PostgresError.encoding(query: "q", problem: "a NUL")))
    }
}
