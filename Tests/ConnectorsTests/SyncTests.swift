import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import TestSupport
import Testing
import Web

@testable import Connectors

@Suite("Keeping in step with a host product", .timeLimit(.minutes(30)))
struct SyncTests {
    private func sync(
        _ portal: PortalFixture, _ rows: String, kind: String = "contacts", tenant: String = "t-1"
    ) async throws -> JSONValue {
        let answer = try await portal.service(
            .post, "/v1/service/\(kind)/sync", #"{"sourceType":"crm.\#(kind)","\#(kind)":[\#(rows)]}"#, tenant: tenant)
        #expect(answer.status == .ok, "\(answer.text.prefix(600))")
        return try answer.json()
    }

    private func statuses(_ json: JSONValue) -> [String] {
        guard case .array(let results)? = json["results"] else { return [] }
        return results.compactMap { $0["status"]?.stringValue }
    }

    private func ids(_ json: JSONValue) -> [String?] {
        guard case .array(let results)? = json["results"] else { return [] }
        return results.map { $0["id"]?.stringValue }
    }

    @Test("Records are made, changed, and the same again changes nothing")
    func repeats() async throws {
        try await PortalFixture.with { portal in
            let row =
                #"{"sourceId":1,"updatedAt":"2026-01-01T10:00:00Z","email":"Bo@example.com","firstName":"Bo","properties":{"plan":"pro","n":3},"tags":["vip"]}"#
            let first = try await sync(portal, row)
            #expect(statuses(first) == ["created"])
            #expect(try await statuses(sync(portal, row)) == ["unchanged"])
            let changed = try await sync(
                portal, #"{"sourceId":"1","updatedAt":"2026-01-02T10:00:00Z","lastName":"Ek","properties":{"n":null}}"#)
            #expect(statuses(changed) == ["updated"])
            let id = try #require(ids(first)[0])
            let contact = try await portal.service(.get, "/v1/service/contacts/\(id)").json()
            #expect(contact["firstName"] == .string("Bo"))
            #expect(contact["lastName"] == .string("Ek"))
            #expect(contact["properties"] == .object(["plan": .string("pro")]))
            #expect(contact["tags"] == .array([.string("vip")]))
        }
    }

    @Test("What comes late loses to what is newer, also after a deletion and within one batch")
    func outOfOrder() async throws {
        try await PortalFixture.with { portal in
            func row(_ day: Int, _ rest: String) -> String {
                #"{"sourceId":"1","updatedAt":"2026-01-0\#(day)T10:00:00Z",\#(rest)}"#
            }
            let batch = try await sync(
                portal,
                [
                    row(3, #""email":"bo@example.com","firstName":"New""#), row(2, #""firstName":"Old""#),
                    row(4, #""firstName":"Newest""#),
                ].joined(separator: ","))
            #expect(statuses(batch) == ["created", "stale", "updated"])
            let id = try #require(ids(batch)[0])
            #expect(
                try await portal.service(.get, "/v1/service/contacts/\(id)").json()["firstName"] == .string("Newest"))
            #expect(try await statuses(sync(portal, row(5, #""deleted":true"#))) == ["deleted"])
            #expect(try await portal.service(.get, "/v1/service/contacts/\(id)").status == .notFound)
            #expect(try await statuses(sync(portal, row(4, #""firstName":"Ghost""#))) == ["stale"])
            #expect(try await statuses(sync(portal, row(5, #""deleted":true"#))) == ["unchanged"])
            #expect(try await statuses(sync(portal, row(6, #""email":"bo@example.com""#))) == ["created"])
            let unborn = #"{"sourceId":"9","updatedAt":"2026-01-05T10:00:00Z","deleted":true}"#
            #expect(try await statuses(sync(portal, unborn)) == ["unchanged"])
            let late = #"{"sourceId":"9","updatedAt":"2026-01-04T10:00:00Z","email":"late@example.com"}"#
            #expect(try await statuses(sync(portal, late)) == ["stale"])
        }
    }

    @Test("Each row has its own result, and one that is wrong does not spoil the others")
    func results() async throws {
        try await PortalFixture.with { portal in
            let answer = try await sync(
                portal,
                #"""
                {"sourceId":"1","email":"a@example.com"},{"sourceId":"2","email":"nonsense"},{"email":"c@example.com"},7,
                {"sourceId":"3","email":"d@example.com","color":"red"},{"sourceId":"4","updatedAt":"yesterday"},
                {"sourceId":"5","email":"A@example.com"},{"sourceId":"6","phone":"+14155552671"}
                """#)
            #expect(
                statuses(answer) == [
                    "created", "failed", "failed", "failed", "failed", "failed", "updated", "created",
                ])
            #expect(ids(answer)[0] == ids(answer)[6])
            #expect(answer["failed"] == .int(5))
            let none = try await portal.service(.post, "/v1/service/contacts/sync", #"{"contacts":[]}"#)
            #expect(none.status == .unprocessableContent)
        }
    }

    @Test("An address that belongs to somebody else stays with them, and one that changes hands arrives")
    func addresses() async throws {
        try await PortalFixture.with { portal in
            let first = try await sync(
                portal, #"{"sourceId":"1","email":"a@example.com"},{"sourceId":"2","email":"b@example.com"}"#)
            let taken = try await sync(portal, #"{"sourceId":"1","email":"b@example.com"}"#)
            guard case .array(let rows)? = taken["results"] else { throw TestFailure("no results") }
            #expect(rows[0]["conflicts"] == .array([.string(ids(first)[1] ?? "")]))
            // 2 gives its address up, 1 takes it, in either order of their ids.
            let moved = try await sync(
                portal, #"{"sourceId":"2","email":"c@example.com"},{"sourceId":"1","email":"b@example.com"}"#)
            #expect(statuses(moved) == ["updated", "updated"])
            let back = try await sync(
                portal, #"{"sourceId":"1","email":"x@example.com"},{"sourceId":"2","email":"b@example.com"}"#)
            #expect(statuses(back) == ["updated", "updated"])
            let freed = try await sync(
                portal, #"{"sourceId":"2","deleted":true},{"sourceId":"3","email":"b@example.com"}"#)
            #expect(statuses(freed) == ["deleted", "created"])
        }
    }

    @Test("A person with two records is deleted with the last of them")
    func twoRecords() async throws {
        try await PortalFixture.with { portal in
            let both = try await sync(
                portal, #"{"sourceId":"1","email":"a@example.com"},{"sourceId":"2","email":"a@example.com"}"#)
            let id = try #require(ids(both)[0])
            #expect(ids(both)[1] == id)
            #expect(try await statuses(sync(portal, #"{"sourceId":"1","deleted":true}"#)) == ["deleted"])
            #expect(try await portal.service(.get, "/v1/service/contacts/\(id)").status == .ok)
            #expect(try await statuses(sync(portal, #"{"sourceId":"2","deleted":true}"#)) == ["deleted"])
            #expect(try await portal.service(.get, "/v1/service/contacts/\(id)").status == .notFound)
        }
    }

    @Test("A record counts for the person it belongs to, not for the one whom a stronger clue in it found")
    func countsForItsOwner() async throws {
        try await PortalFixture.with { portal in
            let two = try await sync(
                portal,
                #"{"sourceId":"1","userId":"u1","email":"a@example.com"},{"sourceId":"2","email":"b@example.com"}"#)
            let (first, second) = (try #require(ids(two)[0]), try #require(ids(two)[1]))
            // The account is the first person's, and stronger than the record's own key, which stays the second's.
            let answers = try await sync(
                portal, #"{"sourceId":"2","userId":"u1","firstName":"Ana"},{"sourceId":"1","deleted":true}"#)
            #expect(ids(answers) == [first, first])
            #expect(statuses(answers) == ["updated", "deleted"])
            #expect(try await portal.service(.get, "/v1/service/contacts/\(first)").status == .notFound)
            #expect(try await portal.service(.get, "/v1/service/contacts/\(second)").status == .ok)
            #expect(try await ids(sync(portal, #"{"sourceId":"2","deleted":true}"#)) == [second])
            #expect(try await portal.service(.get, "/v1/service/contacts/\(second)").status == .notFound)
        }
    }

    @Test("Companies come in step too, and people are linked to them")
    func companies() async throws {
        try await PortalFixture.with { portal in
            let made = try await sync(
                portal,
                #"{"sourceId":"1","name":"Acme","domain":"https://www.Acme.example/x","properties":{"size":12}},{"sourceId":"2"}"#,
                kind: "companies")
            #expect(statuses(made) == ["created", "failed"])
            let company = try #require(ids(made)[0])
            let twin = try await sync(
                portal, #"{"sourceId":"7","name":"ACME","domain":"acme.example"}"#, kind: "companies")
            #expect(ids(twin)[0] == company)
            let byDomain = try await sync(portal, #"{"sourceId":"8","email":"d@acme.example"}"#)
            #expect(statuses(byDomain) == ["created"])
            let person = try await sync(
                portal,
                #"{"sourceId":"5","email":"a@example.com","companySourceType":"crm.companies","companySourceId":"1"},{"sourceId":"6","email":"b@example.com","companySourceType":"crm.companies","companySourceId":"404"}"#
            )
            #expect(statuses(person) == ["created", "created"])
            let account = try await portal.service(.get, "/v1/service/account").json()
            let workspace = try #require(account["id"]?.stringValue.flatMap { WorkspaceID($0) })
            func members() async throws -> Int {
                try await portal.services.database.read(workspace) { transaction in
                    try await transaction.value(
                        Int.self, "test.members",
                        "SELECT count(*) FROM marketing_contacts WHERE workspace_id = \(workspace) AND company_id IS NOT NULL"
                    )
                }
            }
            #expect(try await members() == 2)
            let gone = #"{"sourceId":"1","deleted":true},{"sourceId":"7","deleted":true}"#
            #expect(try await statuses(sync(portal, gone, kind: "companies")) == ["deleted", "deleted"])
            #expect(try await members() == 0)
        }
    }

    @Test("Consent comes along, and only what is new is written")
    func consent() async throws {
        try await PortalFixture.with { portal in
            let row =
                #"{"sourceId":"1","email":"a@example.com","consent":[{"channel":"email","granted":true,"at":"2026-01-01T10:00:00Z","basis":"consent_express"}]}"#
            _ = try await sync(portal, row)
            _ = try await sync(portal, row)
            let account = try await portal.service(.get, "/v1/service/account").json()
            let workspace = try #require(account["id"]?.stringValue.flatMap { WorkspaceID($0) })
            func state() async throws -> [(Bool?, Int)] {
                try await portal.services.database.read(workspace) { transaction in
                    try await transaction.rows(
                        as: (Bool?, Int).self, "test.consent",
                        """
                        SELECT c.email_opt_in, (SELECT count(*) FROM marketing_consents k
                            WHERE k.workspace_id = \(workspace) AND k.contact_id = c.id)
                        FROM marketing_contacts c WHERE c.workspace_id = \(workspace)
                        """)
                }
            }
            let granted = try await state()
            #expect(granted.count == 1)
            #expect(granted[0].0 == true)
            #expect(granted[0].1 == 1)
            _ = try await sync(portal, #"{"sourceId":"1","consent":[{"channel":"email","granted":false}]}"#)
            let withdrawn = try await state()
            #expect(withdrawn[0].0 == false)
            #expect(withdrawn[0].1 == 2)
        }
    }

    @Test("Two batches at once with the same people make each of them once")
    func atOnce() async throws {
        try await PortalFixture.with { portal in
            let rows = (0..<200).map { #"{"sourceId":"\#($0)","email":"p\#($0)@example.com"}"# }.joined(separator: ",")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await sync(portal, rows) } }
                try await group.waitForAll()
            }
            let account = try await portal.service(.get, "/v1/service/account").json()
            #expect(account["contactCount"] == .int(200))
        }
    }

    @Test("The log tells what came and why rows failed, and failed rows are tried again")
    func log() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let made = try await browser.post("/settings/service-keys", [("name", "Shop")])
            let key = try #require(try made.page().one("#made-key")["value"])
            func send(_ rows: String, _ kind: String = "contacts") async throws -> JSONValue {
                try await portal.service(
                    .post, "/v1/service/\(kind)/sync", #"{"sourceType":"crm","\#(kind)":[\#(rows)]}"#, tenant: nil,
                    key: key
                ).json()
            }
            // Refused today, fine once the other system's clock is right.
            let future = ISO8601.format(Date(timeIntervalSinceNow: 7200))
            let answer = try await send(
                #"{"sourceId":"1","email":"a@example.com"},{"sourceId":"2","email":"b@example.com","updatedAt":"\#(future)"}"#
            )
            #expect(statuses(answer) == ["created", "failed"])
            let id = try #require(answer["syncId"]?.stringValue)
            let index = try await browser.get("/settings/sync")
            #expect(index.text.contains("/settings/sync/\(id)"))
            let show = try await browser.get("/settings/sync/\(id)")
            #expect(show.text.contains("Updated at: This lies in the future."))
            let replay = try await browser.post("/settings/sync/\(id)/replay")
            #expect(replay.status == .seeOther)
            #expect(replay.location != "/settings/sync/\(id)")
            let again = try await browser.post("/settings/sync/\(id)/replay")
            #expect(again.location == "/settings/sync/\(id)")
            let bo = try await portal.register("Bo").signIn()
            #expect(try await bo.get("/settings/sync/\(id)").status == .notFound)
            try await SyncLog(services: portal.services).sweep()
            #expect(try await browser.get("/settings/sync/\(id)").status == .ok)
        }
    }

    @Test("People whom another system brings get the defaults of properties that they bring no value for")
    func defaults() async throws {
        try await PortalFixture.with { portal in
            // The first call makes the workspace, and declares the properties on the way.
            _ = try await sync(portal, #"{"sourceId":"0","email":"z@example.com","properties":{"tier":"x","seats":2}}"#)
            try await TestDatabase.asOwner(of: portal.services.database) { session in
                _ = try await session.run(
                    "test.defaults",
                    """
                    UPDATE marketing_property_definitions
                    SET default_value = CASE name WHEN 'tier' THEN '"basic"'::jsonb ELSE '1'::jsonb END
                    """)
            }
            let made = try await sync(
                portal, #"{"sourceId":"1","email":"a@example.com","properties":{"seats":12}}"#)
            let id: String = try #require(ids(made)[0])
            func properties() async throws -> JSONValue? {
                try await portal.service(.get, "/v1/service/contacts/\(id)").json()["properties"]
            }
            #expect(try await properties() == .object(["tier": .string("basic"), "seats": .int(12)]))
            _ = try await sync(portal, #"{"sourceId":"1","email":"a@example.com","properties":{"tier":null}}"#)
            #expect(try await properties() == .object(["seats": .int(12)]))
        }
    }

    @Test(
        "Pages say why a row failed without the place in the JSON that was sent",
        arguments: [
            ("email: This has no @.", "E-mail: This has no @."),
            ("contact.firstName: Give a text.", "First name: Give a text."),
            ("properties.last_order: This is no day.", "Property “last_order”: This is no day."),
            ("[3]/identities/0/externalId: Give it.", "Id: Give it."), ("renewalDate: No.", "Renewal date: No."),
            ("It was not handled.", "It was not handled."), ("Say this: now.", "Say this: now."),
        ])
    func reasons(stored: String, shown: String) {
        #expect(SyncReason.words(stored) == shown)
    }

    @Test("Events of host products are taken in, and failed ones are in the log")
    func events() async throws {
        try await PortalFixture.with { portal in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await portal.assembly.tracking.activity.writer.run()
                    return false
                }
                group.addTask {
                    _ = try await sync(portal, #"{"sourceId":"1","email":"a@example.com"}"#)
                    let answer = try await portal.service(
                        .post, "/v1/service/events",
                        #"[{"name":"seen","contact":{"externalId":"1","externalSource":"crm.contacts"}},{"name":""}]"#)
                    let json = try answer.json()
                    #expect(json["stored"] == .int(1), "\(answer.text)")
                    #expect(json["failed"] == .int(1))
                    #expect(try await portal.service(.get, "/v1/service/account").json()["contactCount"] == .int(1))
                    return true
                }
                while let isDone = try await group.next() { if isDone { group.cancelAll() } }
            }
        }
    }
}
