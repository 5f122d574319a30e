import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Messaging
@testable import Segments

@Suite("Sending to a segment")
struct SegmentSendTests {
    /// Launches a campaign to a list; its audience is not written yet.
    private func launch(_ list: ContactListID, _ stage: SegmentStage) async throws -> JournalRecord.Run {
        let workspace: WorkspaceID = stage.workspace
        _ = try await stage.portal.services.database.write(workspace) { tx in
            try await tx.run(
                "test.address",
                "UPDATE marketing_workspaces SET postal_address = '1 High Street, Oldtown' WHERE id = \(workspace)")
        }
        stage.portal.services.directory.forget(workspace)
        let made = try await stage.ask(
            .post, "/v1/campaigns",
            """
            {"name":"Spring","type":"one_time","audience":{"listIds":["\(list)"],"excludeListIds":[]},
            "steps":[{"type":"email","subject":"Hello","previewText":"News","html":"<p>Hello</p>"}]}
            """)
        let id: String = try #require(try made.json()["id"]?.stringValue)
        let launched = try await stage.ask(.post, "/v1/campaigns/\(id)/send")
        #expect(launched.status.code < 300, "\(launched.text)")
        let send = try await stage.portal.services.database.read(workspace) { tx in
            try await tx.value(
                SendID.self, "test.send", "SELECT id FROM marketing_sends WHERE workspace_id = \(workspace)")
        }
        return JournalRecord.Run(workspace: workspace, send: send)
    }

    private func recipients(_ run: JournalRecord.Run, _ stage: SegmentStage) async throws -> Set<ContactID> {
        Set(
            try await stage.portal.services.database.read(run.workspace) { tx in
                try await tx.values(
                    ContactID.self, "test.recipients",
                    """
                    SELECT contact_id FROM marketing_messages
                    WHERE workspace_id = \(run.workspace) AND send_id = \(run.send) AND state = 'pending'
                    """)
            })
    }

    @Test(
        "A campaign goes to who was in the segment when its audience was written: leaving and entering later changes nothing"
    )
    func snapshot() async throws {
        try await SegmentStage.with { stage in
            try await stage.property("plan", .text)
            func person(_ name: String, _ plan: String) async throws -> ContactID {
                try await stage.contact("\(name)@example.com", #","properties":{"plan":"\#(plan)"}"#)
            }
            func move(_ person: ContactID, to plan: String) async throws {
                _ = try await stage.ask(.patch, "/v1/contacts/\(person)", #"{"properties":{"plan":"\#(plan)"}}"#)
                try await stage.settle()
            }
            let (bo, cy) = (try await person("bo", "pro"), try await person("cy", "pro"))
            let dee: ContactID = try await person("dee", "free")
            let list = try await stage.segment(
                "Payers", #"{"all":[{"field":"properties.plan","operator":"is","value":"pro"}]}"#)
            try await stage.settle()
            let run = try await launch(list, stage)
            // Until the audience is written the segment goes on living.
            try await move(cy, to: "free")
            let snapshot = SendSnapshot(services: stage.portal.services)
            try await snapshot.write(run)
            #expect(try await recipients(run, stage) == [bo])
            try await move(bo, to: "free")
            try await move(dee, to: "pro")
            #expect(try await stage.members(list) == [dee])
            try await snapshot.write(run)
            #expect(try await recipients(run, stage) == [bo])
        }
    }
}
