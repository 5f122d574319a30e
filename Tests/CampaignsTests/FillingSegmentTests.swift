import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Campaigns
@testable import Messaging

@Suite("Campaigns to segments that are being filled")
struct FillingSegmentTests {
    /// A segment, which nobody fills here, and one person who would be in it.
    private func segment(_ ana: TestMember, _ rule: String? = nil) async throws -> ContactListID {
        let rules = rule ?? #"{"all":[{"field":"firstName","operator":"is","value":"Bo"}]}"#
        let answer = try await ana.api(
            .post, "/v1/lists",
            #"{"name":"Regulars\#(rule == nil ? "" : " again")","type":"segment","filterRules":\#(rules)}"#)
        return try #require(try answer.json()["id"]?.stringValue.flatMap { ContactListID($0) }, "\(answer.text)")
    }

    private func run(_ portal: PortalFixture, _ ana: TestMember, _ sql: SQL) async throws {
        _ = try await portal.services.database.write(ana.principal.workspace) { try await $0.run("test.run", sql) }
    }

    /// What the job of the segment would do.
    private func fill(_ portal: PortalFixture, _ ana: TestMember, _ segment: ContactListID) async throws {
        let workspace = ana.principal.workspace
        try await run(
            portal, ana,
            """
            INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
            SELECT \(workspace), \(segment), id, now() FROM marketing_contacts WHERE workspace_id = \(workspace)
            """)
        try await run(portal, ana, "UPDATE marketing_segments SET state = 'live' WHERE workspace_id = \(workspace)")
    }

    private func campaign(_ ana: TestMember, _ list: ContactListID, excluding: ContactListID? = nil) async throws
        -> String
    {
        let excluded: String = excluding.map { "\"\($0)\"" } ?? ""
        let made = try await ana.api(
            .post, "/v1/campaigns",
            """
            {"name":"Spring","type":"one_time","audience":{"listIds":["\(list)"],"excludeListIds":[\(excluded)]},
            "steps":[{"type":"email","subject":"Hello","html":"<p>Hi</p>"}]}
            """)
        return try #require(try made.json()["id"]?.stringValue, "\(made.text)")
    }

    @Test("The review says that a segment is being filled, and people cannot send until it is")
    func people() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            _ = try await ana.api(.patch, "/v1/account", #"{"postalAddress":"1 High Street, Oldtown"}"#)
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com","firstName":"Bo"}"#)
            let segment = try await segment(ana)
            let id = try await campaign(ana, segment)
            let browser = try await ana.signIn()
            let review = try await browser.get("/campaigns/\(id)/review")
            #expect(review.text.contains("The segment “Regulars” is being filled"))
            #expect(try review.page().has("[data-live-src='/campaigns/\(id)/review/live']"))
            #expect(try !review.page().has("form[action='/campaigns/\(id)/launch']"))
            #expect(!review.text.contains("Nobody would get it"))
            let refused = try await browser.post("/campaigns/\(id)/launch")
            #expect(refused.status == .unprocessableContent)
            #expect(try await ana.api(.get, "/v1/campaigns/\(id)").json()["status"] == .string("draft"))
            try await fill(portal, ana, segment)
            let ready = try await browser.get("/campaigns/\(id)/review")
            #expect(!ready.text.contains("is being filled"))
            #expect(try !ready.page().has("[data-live-src='/campaigns/\(id)/review/live']"))
            #expect(try ready.page().has("form[action='/campaigns/\(id)/launch']"))
            #expect(try await browser.post("/campaigns/\(id)/launch").status == .seeOther)
        }
    }

    @Test("What a program sends to a segment that is being filled waits, says so, and then reaches everybody in it")
    func programs() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let workspace = ana.principal.workspace
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com","firstName":"Bo"}"#)
            let segment = try await segment(ana)
            let id = try await campaign(ana, segment)
            let sent = try await ana.api(.post, "/v1/campaigns/\(id)/send")
            #expect(sent.status == .accepted, "\(sent.text)")
            let send = try await portal.services.database.read(workspace) { tx in
                try await tx.value(
                    SendID.self, "test.send", "SELECT id FROM marketing_sends WHERE workspace_id = \(workspace)")
            }
            let runOfIt = JournalRecord.Run(workspace: workspace, send: send)
            let snapshot = SendSnapshot(
                services: portal.services, readiness: portal.assembly.messaging.interface.readiness)
            func summary() async throws -> SendSummary {
                try #require(
                    try await portal.services.database.read(workspace) { tx in
                        try await SendQueries(workspace: workspace, tx: tx).summary(send)
                    })
            }
            try await snapshot.write(runOfIt)
            #expect(try await summary().notice == "It waits until the segment “Regulars” is filled.")
            #expect(try await summary().isSnapshotComplete == false)
            #expect(try await summary().recipients == 0)
            try await fill(portal, ana, segment)
            try await snapshot.write(runOfIt)
            #expect(try await summary().notice == nil)
            #expect(try await summary().isSnapshotComplete)
            #expect(try await summary().recipients == 1)
        }
    }

    @Test("Segments that are excluded, and those that another one asks for, are waited for too")
    func behindOthers() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let inner = try await segment(ana)
            let outer = try await segment(ana, #"{"all":[{"field":"list","operator":"is","value":"\#(inner)"}]}"#)
            let list = try await ana.api(.post, "/v1/lists", #"{"name":"Everybody"}"#).json()["id"]?.stringValue
            let everybody = try #require(list.flatMap { ContactListID($0) })
            try await run(
                portal, ana, "UPDATE marketing_segments SET state = 'live' WHERE list_id = \(outer)")
            for id in [try await campaign(ana, outer), try await campaign(ana, everybody, excluding: inner)] {
                let review = try await ana.api(.get, "/v1/campaigns/\(id)/review")
                #expect(review.text.contains("segment_filling"), "\(review.text)")
            }
        }
    }

    @Test("A segment whose rule cannot be read any more keeps everybody from sending")
    func broken() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let segment = try await segment(ana)
            let id = try await campaign(ana, segment)
            try await run(
                portal, ana,
                "UPDATE marketing_segments SET state = 'broken', problem = 'plan: no such property' WHERE list_id = \(segment)"
            )
            let refused = try await ana.api(.post, "/v1/campaigns/\(id)/send")
            #expect(refused.status == .unprocessableContent)
            #expect(refused.text.contains("segment_broken"))
            #expect(refused.text.contains("plan: no such property"))
        }
    }
}
