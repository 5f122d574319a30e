import Contacts
import Core
import FoundationEssentials
import Jobs
import Portal
import Postgres
import TestSupport
import Testing
import Web

@testable import Segments

/// A workspace with a few people, and the things that tests of segments do again and again.
struct SegmentStage {
    let portal: PortalFixture
    let ana: TestMember

    var workspace: WorkspaceID { ana.scope.workspace }

    static func with(clock: WallClock = .system, _ body: (SegmentStage) async throws -> Void) async throws {
        try await PortalFixture.with(clock: clock) { portal in
            try await body(SegmentStage(portal: portal, ana: try await portal.register("Ana")))
        }
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, as member: TestMember? = nil
    ) async throws -> TestResponse {
        try await portal.send(
            method, path,
            headers: [.authorization: "Bearer \((member ?? ana).token)", .contentType: "application/json"],
            body: Array((json ?? "").utf8))
    }

    func contact(_ email: String, _ more: String = "") async throws -> ContactID {
        let answer = try await ask(.post, "/v1/contacts", #"{"email":"\#(email)"\#(more)}"#)
        guard let id = try answer.json()["id"]?.stringValue.flatMap({ ContactID($0) }) else {
            throw TestFailure("No contact: \(answer.text)")
        }
        return id
    }

    /// Declares a property, unless it is.
    func property(_ name: String, _ type: PropertyType) async throws {
        let id: PropertyID = portal.services.ids.next()
        _ = try await portal.services.database.write(workspace) { tx in
            try await tx.run(
                "test.property",
                """
                INSERT INTO marketing_property_definitions (workspace_id, id, object, name, label, type, created_at, updated_at)
                VALUES (\(workspace), \(id), 'contact', \(name), \(name), \(type.rawValue), now(), now())
                ON CONFLICT DO NOTHING
                """)
        }
    }

    func segment(_ name: String, _ rules: String) async throws -> ContactListID {
        let answer = try await ask(
            .post, "/v1/lists", #"{"name":"\#(name)","type":"segment","filterRules":\#(rules)}"#)
        guard let id = try answer.json()["id"]?.stringValue.flatMap({ ContactListID($0) }) else {
            throw TestFailure("No segment: \(answer.text)")
        }
        return id
    }

    /// Does what the jobs of segments would do, then works off all notes.
    func settle() async throws {
        let jobs = try await portal.services.database.session { session in
            try await session.values(
                JSONValue.self, "test.jobs",
                "DELETE FROM marketing_job_queue WHERE kind = 'segments.refresh' RETURNING payload")
        }
        for job in jobs {
            let order = try JSONDecoder().decode(SegmentRefreshJob.self, from: JSONEncoder().encode(job))
            try await SegmentRefresh(services: portal.services, ledger: LedgerBehaviour(), workspace: workspace)
                .run(order.list, because: order.cause)
        }
        try await portal.assembly.segments.keeper.round()
    }

    func members(_ list: ContactListID) async throws -> Set<ContactID> {
        let answer = try await ask(.get, "/v1/lists/\(list)/contacts?limit=200")
        guard case .array(let rows)? = try answer.json()["data"] else { throw TestFailure(answer.text) }
        return Set(rows.compactMap { $0["id"]?.stringValue.flatMap { ContactID($0) } })
    }

    func count(_ list: ContactListID) async throws -> Int {
        guard case .int(let count)? = try await ask(.get, "/v1/lists/\(list)").json()["memberCount"] else {
            throw TestFailure("no count")
        }
        return count
    }

    /// What the outbox tells of segments, oldest first.
    func told() async throws -> [SegmentChange] {
        let payloads = try await portal.services.database.session { session in
            try await session.values(
                JSONValue.self, "test.outbox",
                "SELECT payload FROM marketing_outbox WHERE topic = 'segment.changed' ORDER BY position")
        }
        return try payloads.map { try JSONDecoder().decode(SegmentChange.self, from: JSONEncoder().encode($0)) }
    }
}

@Suite("Segments by the API")
struct SegmentAPITests {
    @Test("A segment finds its people, follows their changes, and tells of them in the outbox")
    func follows() async throws {
        try await SegmentStage.with { stage in
            try await stage.property("plan", .text)
            let bo = try await stage.contact("bo@example.com", #","properties":{"plan":"pro"}"#)
            let cy = try await stage.contact("cy@example.com", #","properties":{"plan":"free"}"#)
            let list = try await stage.segment(
                "Payers", #"{"all":[{"field":"properties.plan","operator":"isNot","value":"free"}]}"#)
            try await stage.settle()
            #expect(try await stage.members(list) == [bo])
            #expect(try await stage.count(list) == 1)
            _ = try await stage.ask(.patch, "/v1/contacts/\(cy)", #"{"properties":{"plan":"pro"}}"#)
            _ = try await stage.ask(.patch, "/v1/contacts/\(bo)", #"{"properties":{"plan":"free"}}"#)
            try await stage.settle()
            #expect(try await stage.members(list) == [cy])
            #expect(try await stage.count(list) == 1)
            let told = try await stage.told()
            #expect(told.first == SegmentChange(listId: list, entered: [bo], exited: [], cause: .fill))
            #expect(told.dropFirst().flatMap(\.entered) == [cy])
            #expect(told.dropFirst().flatMap(\.exited) == [bo])
        }
    }

    @Test("A change that no rule mentions moves nobody, and notes do not stay")
    func ignores() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com")
            let list = try await stage.segment(
                "Named", #"{"all":[{"field":"firstName","operator":"isNotEmpty"}]}"#)
            try await stage.settle()
            _ = try await stage.ask(.patch, "/v1/contacts/\(bo)", #"{"lastName":"Ek"}"#)
            try await stage.settle()
            #expect(try await stage.members(list).isEmpty)
            let left: Int = try await stage.portal.services.database.session { session in
                try await session.value(Int.self, "test.left", "SELECT count(*) FROM marketing_audience_changes")
            }
            #expect(left == 0)
        }
    }

    @Test("Rules are refused with the place of the mistake")
    func refuses() async throws {
        try await SegmentStage.with { stage in
            for (rules, pointer) in [
                (#"{"all":[]}"#, "filterRules.all"),
                (#"{"all":[{"field":"shoe","operator":"is","value":"x"}]}"#, "filterRules.all[0].field"),
                (#"{"any":[{"field":"email","operator":"moreThan","value":"x"}]}"#, "filterRules.any[0].operator"),
                (#"{"all":[{"field":"email","operator":"is","value":7}]}"#, "filterRules.all[0].value"),
                (
                    #"{"all":[{"none":[{"field":"createdAt","operator":"inLast","value":0}]}]}"#,
                    "filterRules.all[0].none[0].value"
                ),
                (#"{"all":[{"behaviour":"event"}]}"#, "filterRules.all[0].name"),
                (#"{"all":[{"behaviour":"opened","within":{"days":-1}}]}"#, "filterRules.all[0].within"),
                (
                    #"{"all":[{"field":"list","operator":"is","value":"0192a6f4-7c1e-7d55-8000-3f1d2c4b5a69"}]}"#,
                    "filterRules.all[0].value"
                ),
                (
                    #"{"all":[{"behaviour":"sent","campaign":"0192a6f4-7c1e-7d55-8000-3f1d2c4b5a69"}]}"#,
                    "filterRules.all[0].campaign"
                ),
                (#"[]"#, "filterRules"),
            ] {
                let answer = try await stage.ask(.post, "/v1/lists/preview-count", #"{"filterRules":\#(rules)}"#)
                #expect(answer.status == .unprocessableContent, "\(rules) \(answer.text)")
                guard case .array(let errors)? = try answer.json()["errors"] else {
                    Issue.record("no errors for \(rules)")
                    continue
                }
                #expect(errors.first?["pointer"]?.stringValue == "/\(pointer)")
            }
        }
    }

    @Test("The members of a segment cannot be changed by hand, nor its type")
    func byRuleOnly() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com")
            let list = try await stage.segment("All", #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#)
            for method in [HTTPRequest.Method.post, .delete] {
                let answer = try await stage.ask(method, "/v1/lists/\(list)/members", #"{"contactIds":["\#(bo)"]}"#)
                #expect(answer.status == .conflict)
                #expect(try answer.json()["code"] == .string("list_is_segment"))
            }
            let imported = try await stage.ask(
                .post, "/v1/contacts/import?listId=\(list)", #"{"contacts":[{"email":"dee@example.com"}]}"#)
            #expect(imported.status == .unprocessableContent)
            let answer = try await stage.ask(.patch, "/v1/lists/\(list)", #"{"type":"static"}"#)
            #expect(answer.status == .unprocessableContent)
        }
    }

    @Test("A preview counts, describes and shows people; an explanation says what was seen")
    func previews() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com", #","tags":["vip"]"#)
            _ = try await stage.contact("cy@example.com")
            let rules = #"{"all":[{"field":"tags","operator":"contains","value":"vip"}]}"#
            let preview = try await stage.ask(
                .post, "/v1/lists/preview-count", #"{"filterRules":\#(rules)}"#
            ).json()
            #expect(preview["count"] == .int(1))
            #expect(preview["description"] == .string("People whose tags contain “vip”."))
            let list = try await stage.segment("VIP", rules)
            let found = try await stage.ask(.get, "/v1/lists/\(list)/preview-count").json()
            #expect(found["count"] == .int(1))
            let why = try await stage.ask(.get, "/v1/lists/\(list)/contacts/\(bo)/explanation").json()
            #expect(why["matches"] == .bool(true))
            guard case .array(let parts)? = why["conditions"] else { throw TestFailure("no conditions") }
            #expect(parts.first?["seen"] == .string("vip"))
        }
    }

    @Test("Segments may ask for segments, in the order of changes, but not in a circle")
    func segmentsOfSegments() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com")
            let inner = try await stage.segment(
                "Inner", #"{"all":[{"field":"firstName","operator":"is","value":"bo"}]}"#)
            let outer = try await stage.segment(
                "Outer", #"{"all":[{"field":"list","operator":"is","value":"\#(inner)"}]}"#)
            try await stage.settle()
            _ = try await stage.ask(.patch, "/v1/contacts/\(bo)", #"{"firstName":"Bo"}"#)
            try await stage.settle()
            #expect(try await stage.members(outer) == [bo])
            let circle = try await stage.ask(
                .patch, "/v1/lists/\(inner)",
                #"{"filterRules":{"all":[{"field":"list","operator":"is","value":"\#(outer)"}]}}"#)
            #expect(circle.status == .unprocessableContent)
        }
    }

    @Test("The nightly check finds nobody on the wrong side, and repairs and counts whom it finds")
    func checks() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com")
            let list = try await stage.segment("All", #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#)
            try await stage.settle()
            let refresh = SegmentRefresh(
                services: stage.portal.services, ledger: LedgerBehaviour(), workspace: stage.workspace)
            #expect(try await refresh.run(list, because: .check) == 0)
            // A change that waits is no difference.
            let cy = try await stage.contact("cy@example.com")
            #expect(try await refresh.run(list, because: .check) == 0)
            #expect(try await stage.members(list) == [bo, cy])
            _ = try await stage.portal.services.database.write(stage.workspace) { tx in
                try await tx.run("test.break", "DELETE FROM marketing_list_members WHERE contact_id = \(bo)")
            }
            #expect(try await refresh.run(list, because: .check) == 1)
            #expect(try await stage.members(list) == [bo, cy])
            let stored = try await stage.portal.assembly.segments.actions.find(list, stage.ana.scope)
            #expect(stored?.differences == 1)
        }
    }

    @Test("A rule that counts days is due at the workspace's next midnight")
    func midnight() async throws {
        try await SegmentStage.with(clock: .fixed(PortalFixture.noon)) { stage in
            let list = try await stage.segment("New", #"{"all":[{"field":"createdAt","operator":"inLast","value":1}]}"#)
            _ = try await stage.contact("bo@example.com")
            try await stage.settle()
            #expect(try await stage.members(list).count == 1)
            let due: Date? = try await stage.portal.services.database.session { session in
                try await session.values(Date.self, "test.due", "SELECT due_at FROM marketing_segment_wakes").first
            }
            let zone = try await stage.portal.services.directory.workspace(stage.workspace)?.timeZone ?? "UTC"
            #expect(due == RuleClock(now: PortalFixture.noon, zone: zone).nextMidnight)
        }
    }

    @Test("Deleting a list that a segment asks for empties the segment")
    func listGone() async throws {
        try await SegmentStage.with { stage in
            let bo = try await stage.contact("bo@example.com")
            let list = try await stage.ask(.post, "/v1/lists", #"{"name":"Customers"}"#).json()["id"]?.stringValue ?? ""
            _ = try await stage.ask(.post, "/v1/lists/\(list)/members", #"{"contactIds":["\#(bo)"]}"#)
            let segment = try await stage.segment(
                "Of customers", #"{"all":[{"field":"list","operator":"is","value":"\#(list)"}]}"#)
            try await stage.settle()
            #expect(try await stage.members(segment) == [bo])
            #expect(try await stage.ask(.delete, "/v1/lists/\(list)").status == .noContent)
            try await stage.settle()
            try await stage.settle()
            #expect(try await stage.members(segment).isEmpty)
        }
    }

    @Test("Another workspace's segments and people answer as if they did not exist")
    func foreign() async throws {
        try await SegmentStage.with { stage in
            let eve = try await stage.portal.register("Eve")
            let bo = try await stage.contact("bo@example.com")
            let list = try await stage.segment("All", #"{"all":[{"field":"email","operator":"isNotEmpty"}]}"#)
            for path in ["preview-count", "contacts/\(bo)/explanation", "contacts"] {
                #expect(try await stage.ask(.get, "/v1/lists/\(list)/\(path)", as: eve).status == .notFound)
            }
            #expect(try await stage.ask(.post, "/v1/lists/\(list)/recalculate", as: eve).status == .notFound)
            let named = try await stage.ask(
                .post, "/v1/lists/preview-count",
                #"{"filterRules":{"all":[{"field":"list","operator":"is","value":"\#(list)"}]}}"#, as: eve)
            #expect(named.status == .unprocessableContent)
        }
    }
}
