import Core
import FoundationEssentials
import Testing

@testable import Messaging

@Suite("Snapshot of an audience")
struct SnapshotTests {
    @Test("Everybody on the lists is in the ledger once, with the decision and its reason")
    func decisions() async throws {
        try await MessagingStage.with(people: 6) { stage in
            let other: ContactListID = stage.services.ids.next()
            let excluded: ContactListID = stage.services.ids.next()
            try await stage.addList(other)
            try await stage.addList(excluded)
            try await stage.run(
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT workspace_id, \(other), id, now() FROM marketing_contacts WHERE email_key IN ('p0@example.com', 'p1@example.com')
                """)
            try await stage.run(
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT workspace_id, \(excluded), id, now() FROM marketing_contacts WHERE email_key = 'p1@example.com'
                """)
            try await stage.run(
                "UPDATE marketing_contacts SET email_status = 'unsubscribed' WHERE email_key = 'p2@example.com'")
            try await stage.run(
                "UPDATE marketing_contacts SET email = NULL, email_key = NULL WHERE email_key = 'p3@example.com'")
            try await stage.services.database.write(stage.workspace) { tx in
                _ = try await SuppressionQueries(workspace: stage.workspace, tx: tx).add(
                    "p4@example.com", reason: .complaint, source: "test", id: stage.services.ids.next(), now: Date())
            }
            let audience = SendAudience(listIds: [stage.list, other], excludeListIds: [excluded])
            let forecast = try await stage.services.database.read(stage.workspace) { tx in
                try await SnapshotQueries(workspace: stage.workspace, tx: tx).forecast(audience, at: Date())
            }
            #expect(forecast.people == 6)
            #expect(forecast.recipients == 2)
            let run = try await stage.launch(audience: audience)
            #expect(
                try await stage.tally(run) == [
                    "pending": 2, "skipped:on_excluded_list": 1, "skipped:suppressed_unsubscribed": 1,
                    "skipped:no_email": 1, "skipped:suppressed_complaint": 1,
                ])
            let summary = try await stage.summary(run)
            #expect(summary.recipients == 2)
            #expect(summary.skipped == 4)
            #expect(summary.isSnapshotComplete)
        }
    }

    @Test("Chunks of any size reach everybody, and a repeated snapshot adds nobody")
    func chunks() async throws {
        try await MessagingStage.with(people: 25) { stage in
            let run = try await stage.launch(chunk: 7, batchSize: 3)
            #expect(try await stage.tally(run) == ["pending": 25])
            try await stage.run(
                "UPDATE marketing_send_snapshots SET after_contact = '00000000-0000-0000-0000-000000000000', complete = false"
            )
            try await SendSnapshot(services: stage.services, firstChunk: 9, chunk: 9, batchSize: 4).write(run)
            #expect(try await stage.tally(run) == ["pending": 25])
            #expect(try await stage.summary(run).recipients == 25)
        }
    }

    @Test("Each chunk is at most three times as large as all before it, so that sending need not wait for a large one")
    func growth() async throws {
        try await MessagingStage.with(people: 40) { stage in
            let run = try await stage.launch(chunk: 40)
            try await stage.run("DELETE FROM marketing_messages WHERE send_id = \(run.send)")
            try await stage.run(
                """
                UPDATE marketing_send_snapshots
                SET after_contact = '00000000-0000-0000-0000-000000000000', next_position = 0, complete = false
                WHERE send_id = \(run.send)
                """)
            let snapshot = SendSnapshot(services: stage.services, firstChunk: 2, chunk: 20)
            let workspace = try #require(try await stage.services.directory.workspace(stage.workspace))
            var written: [Int] = []
            var more = true
            while more {
                more = try await snapshot.writeNext(run, routingKey: workspace.routingKey)
                written.append(try await stage.tally(run)["pending"] ?? 0)
            }
            #expect(written == [2, 8, 28, 40])
        }
    }

    @Test("Message ids made in SQL carry the routing key and the position")
    func identifiers() async throws {
        try await MessagingStage.with(people: 3) { stage in
            let run = try await stage.launch()
            let ids = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.values(
                    MessageID.self, "test.ids",
                    "SELECT id FROM marketing_messages WHERE workspace_id = \(stage.workspace) AND send_id = \(run.send) ORDER BY id"
                )
            }
            let workspace = try await stage.services.directory.workspace(stage.workspace)
            #expect(ids.map(\.position) == [0, 1, 2])
            #expect(ids.allSatisfy { $0.routingKey == workspace?.routingKey })
            let made = MessageID.make(
                at: Date(timeIntervalSince1970: 1_768_469_400), routingKey: -5, position: 77, random: 9)
            let inSQL = try await stage.services.database.read(stage.workspace) { tx in
                try await tx.value(
                    MessageID.self, "test.id", "SELECT marketing_message_id(1768469400000, -5, 77, 9)")
            }
            #expect(made == inSQL)
        }
    }
}
