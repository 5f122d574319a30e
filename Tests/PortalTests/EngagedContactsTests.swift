import Core
import FoundationEssentials
import Messaging
import Postgres
import TestSupport
import Testing

@Suite("Who ever opened or clicked, and was sent something when")
struct EngagedContactsTests {
    /// A workspace with people and a message to each.
    private struct Stage {
        let portal: PortalFixture
        let ana: TestMember

        static func with(_ body: (Stage) async throws -> Void) async throws {
            try await PortalFixture.with { portal in
                try await body(Stage(portal: portal, ana: try await portal.register("Ana")))
            }
        }

        var workspace: WorkspaceID { ana.scope.workspace }

        func person(_ email: String) async throws -> ContactID {
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"\#(email)"}"#)
            return try #require(try made.json()["id"]?.stringValue.flatMap { ContactID($0) })
        }

        func message(to person: ContactID) async throws -> MessageID {
            let message = MessageID(UUID())
            _ = try await portal.services.database.write(workspace) { tx in
                try await tx.run(
                    "test.message",
                    """
                    INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, state, created_at, sent_at)
                    VALUES (\(workspace), \(message), gen_random_uuid(), \(person), 'sent', now(), now())
                    """)
                try await tx.run(
                    "test.time",
                    "INSERT INTO marketing_sent_times VALUES (\(workspace), \(person), now(), \(message))")
            }
            return message
        }

        func hit(_ message: MessageID, _ kind: String, isHuman: Bool = true) async throws {
            let hit: SQL = """
                (SELECT \(message) AS message_id, \(kind) AS kind, clock_timestamp() AS occurred_at, \(isHuman) AS human)
                """
            _ = try await portal.services.database.write(workspace) { tx in
                try await tx.run(
                    "test.hit",
                    "WITH \(MessageEngagement().recording(hit, workspace: workspace)) SELECT count(*) FROM recorded")
            }
        }

        /// How many messages each was sent.
        func times(_ people: [ContactID]) async throws -> [Int] {
            let sent: [ContactID] = try await portal.services.database.read(workspace) { tx in
                try await tx.values(
                    ContactID.self, "test.times",
                    "SELECT contact_id FROM marketing_sent_times WHERE workspace_id = \(workspace)")
            }
            return people.map { person in sent.filter { $0 == person }.count }
        }

        func engaged(_ people: [ContactID]) async throws -> [[String]] {
            let rows = try await portal.services.database.read(workspace) { tx in
                try await tx.rows(
                    as: (ContactID, String).self, "test.engaged",
                    "SELECT contact_id, deed FROM marketing_engaged_contacts WHERE workspace_id = \(workspace)")
            }
            // Whoever else is there is nobody we know.
            #expect(Set(rows.map(\.0)).isSubset(of: Set(people)))
            return people.map { person in rows.filter { $0.0 == person }.map(\.1).sorted() }
        }
    }

    @Test("Each person is noted once for opening and once for clicking, machines by themselves")
    func noted() async throws {
        try await Stage.with { stage in
            let (ana, bo, cy) = (
                try await stage.person("a@example.com"), try await stage.person("b@example.com"),
                try await stage.person("c@example.com")
            )
            let people: [ContactID] = [ana, bo, cy]
            for _ in 0..<2 {
                let (first, second, third) = (
                    try await stage.message(to: ana), try await stage.message(to: bo), try await stage.message(to: cy)
                )
                for _ in 0..<2 {
                    try await stage.hit(first, "open")
                    try await stage.hit(second, "click")
                    try await stage.hit(third, "open", isHuman: false)
                    try await stage.hit(third, "click", isHuman: false)
                    try await stage.hit(third, "unsubscribe")
                }
            }
            #expect(
                try await stage.engaged(people) == [
                    ["opened"], ["clicked", "opened"], ["clicked_by_machine", "opened_by_machine"],
                ])
        }
    }

    @Test(
        "They move with the messages, and so do the times of those, when two people are made one, and back when that is undone"
    )
    func merged() async throws {
        try await Stage.with { stage in
            let (ana, bo) = (try await stage.person("a@example.com"), try await stage.person("b@example.com"))
            try await stage.hit(try await stage.message(to: ana), "open")
            try await stage.hit(try await stage.message(to: bo), "click")
            try await stage.hit(try await stage.message(to: bo), "open")
            let merge = try await stage.ana.api(.post, "/v1/contacts/\(ana)/merge", #"{"loserId":"\#(bo)"}"#)
            #expect(try await stage.engaged([ana, bo]) == [["clicked", "opened"], []])
            #expect(try await stage.times([ana, bo]) == [3, 0])
            let id: String = try #require(try merge.json()["mergeId"]?.stringValue)
            #expect(try await stage.ana.api(.post, "/v1/merges/\(id)/undo").status.code < 300)
            #expect(try await stage.engaged([ana, bo]) == [["opened"], ["clicked", "opened"]])
            #expect(try await stage.times([ana, bo]) == [1, 2])
        }
    }
}
