import Contacts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Tracking

@Suite("Events of people", .timeLimit(.minutes(30)))
struct ActivityTests {
    private func with(
        clock: WallClock = .system, _ body: @Sendable @escaping (PortalFixture, TestMember) async throws -> Void
    ) async throws {
        try await PortalFixture.with(clock: clock) { portal in
            let ana = try await portal.register("Ana")
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await portal.assembly.tracking.activity.writer.run()
                    return false
                }
                group.addTask {
                    try await body(portal, ana)
                    return true
                }
                while let isDone = try await group.next() {
                    if isDone { group.cancelAll() }
                }
            }
        }
    }

    private func count(_ portal: PortalFixture, _ ana: TestMember, _ table: String) async throws -> Int {
        try await portal.services.database.read(ana.principal.workspace) { transaction in
            try await transaction.value(
                Int.self, "test.count",
                "SELECT count(*) FROM \(identifier: table) WHERE workspace_id = \(ana.principal.workspace)")
        }
    }

    @Test("An event makes an unknown person, stands on their timeline, and is noted for segments")
    func stores() async throws {
        try await with { portal, ana in
            let answer = try await ana.api(
                .post, "/v1/events",
                #"{"id":"o-1","name":"order placed","contact":{"email":"bo@example.com"},"properties":{"total":12}}"#)
            #expect(answer.status == .ok, "\(answer.text)")
            let json = try answer.json()
            #expect(json["stored"] == .int(1))
            guard case .array(let results)? = json["results"], let id = results.first?["contactId"]?.stringValue else {
                throw TestFailure(answer.text)
            }
            #expect(try await ana.api(.get, "/v1/contacts/\(id)").json()["email"] == .string("bo@example.com"))
            let browser = try await ana.signIn()
            let page = try await browser.get("/contacts/\(id)?show=event")
            #expect(page.text.contains("order placed"))
            #expect(page.text.contains("total: 12"))
            let fields: [[String]] = try await portal.services.database.read(ana.principal.workspace) { transaction in
                try await transaction.values(
                    [String].self, "test.fields",
                    """
                    SELECT fields FROM marketing_audience_changes
                    WHERE workspace_id = \(ana.principal.workspace) ORDER BY position
                    """)
            }
            #expect(fields.contains(["event.order placed"]))
        }
    }

    @Test("A repeated id is a no-op, also with another time or none, in one request and at once")
    func repeated() async throws {
        try await with { portal, ana in
            let times = ["\"2026-01-01T10:00:00Z\"", "\"2026-02-01T10:00:00Z\"", "null"]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<9 {
                    group.addTask {
                        let time = times[index % 3]
                        let one =
                            #"{"id":"x","name":"seen","contact":{"email":"bo@example.com"},"occurredAt":\#(time)}"#
                        let answer = try await ana.api(.post, "/v1/events", "[\(one),\(one)]")
                        #expect(answer.status == .ok, "\(answer.text)")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await count(portal, ana, "marketing_events") == 1)
            #expect(try await count(portal, ana, "marketing_contacts") == 1)
        }
    }

    @Test("The longest names and properties that are allowed are stored, and found by what they say")
    func longest() async throws {
        try await with { portal, ana in
            let name = String(repeating: "ü", count: ActivityLimits.name)
            // Many short members take the most room beside the key of an index.
            let many = (0..<50).map { "\"\(Character(Unicode.Scalar(0x41 + $0)!))\":\($0 % 10)" }
                .filter { !$0.hasPrefix("\"\\") }.joined(separator: ",")
            let long = "\"A\":0,\"note\":\"\(String(repeating: "x", count: ActivityLimits.bytes - 100))\""
            for (email, properties) in [("a@example.com", many), ("b@example.com", long), ("c@example.com", "\"A\":1")]
            {
                let event = #"{"name":"\#(name)","contact":{"email":"\#(email)"},"properties":{\#(properties)}}"#
                let answer = try await ana.api(.post, "/v1/events", event)
                #expect(answer.status == .ok, "\(answer.text)")
            }
            let rule = #"""
                {"all":[{"behaviour":"event","name":"\#(name)","where":[{"property":"A","operator":"is","value":0}]}]}
                """#
            let found = try await ana.api(.post, "/v1/lists/preview-count", #"{"filterRules":\#(rule)}"#).json()
            #expect(found["count"] == .int(2), "\(found)")
        }
    }

    @Test("Late events go to their month, however long the month is gone; too old and future ones are refused")
    func late() async throws {
        try await with { portal, ana in
            let old = ISO8601.format(Date(timeIntervalSinceNow: -700 * 86_400))
            let tooOld = ISO8601.format(Date(timeIntervalSinceNow: -740 * 86_400))
            let future = ISO8601.format(Date(timeIntervalSinceNow: 3600))
            func event(_ time: String) -> String {
                #"{"name":"seen","contact":{"email":"bo@example.com"},"occurredAt":"\#(time)"}"#
            }
            #expect(try await ana.api(.post, "/v1/events", event(old)).status == .ok)
            for time in [tooOld, future] {
                let answer = try await ana.api(.post, "/v1/events", event(time))
                #expect(answer.status == .unprocessableContent)
                #expect(answer.text.contains("/occurredAt"))
            }
            let mixed = try await ana.api(.post, "/v1/events", "{\"events\":[\(event(old)),\(event(future))]}").json()
            #expect(mixed["stored"] == .int(1))
            #expect(mixed["failed"] == .int(1))
            #expect(try await count(portal, ana, "marketing_events") == 2)
        }
    }

    @Test("Properties of an event's person are checked like those of a form; a wrong one fails its event alone")
    func properties() async throws {
        try await with { portal, ana in
            let definition = #"{"label":"Seats","name":"seats","type":"number"}"#
            #expect(try await ana.api(.post, "/v1/property-definitions", definition).status == .created)
            func event(_ id: String, _ seats: String) -> String {
                #"{"id":"\#(id)","name":"seen","contact":{"email":"\#(id)@example.com","properties":{"seats":\#(seats)}}}"#
            }
            let answer = try await ana.api(.post, "/v1/events", "[\(event("a", "\"3\"")),\(event("b", "\"x\""))]")
            let json = try answer.json()
            #expect(json["stored"] == .int(1) && json["failed"] == .int(1), "\(answer.text)")
            #expect(answer.text.contains(#""pointer":"/contact/properties/seats""#))
            let found = try await ana.api(.get, "/v1/contacts/resolve?email=a%40example.com").json()
            let id = try #require(found["contactId"]?.stringValue)
            let contact = try await ana.api(.get, "/v1/contacts/\(id)").json()
            #expect(contact["properties"] == .object(["seats": .int(3)]))
            #expect(try await count(portal, ana, "marketing_contacts") == 1)
            let alone = try await ana.api(.post, "/v1/events", event("b", "true"))
            #expect(alone.status == .unprocessableContent)
            #expect(alone.text.contains("/contact/properties/seats"))
            // The id of an event that failed is not taken: put right, it is stored. One that was stored is a no-op.
            #expect(try await ana.api(.post, "/v1/events", event("b", "4")).json()["stored"] == .int(1))
            #expect(try await ana.api(.post, "/v1/events", event("b", "\"x\"")).json()["duplicates"] == .int(1))
        }
    }

    @Test("Each event of a batch has its own result, and one that is wrong does not spoil the others")
    func results() async throws {
        try await with { portal, ana in
            let answer = try await ana.api(
                .post, "/v1/events",
                """
                {"events":[{"name":"a","contact":{"externalId":"7","externalSource":"crm"}},
                {"name":"","contact":{"email":"x@example.com"}},{"name":"a"},7,
                {"name":"a","contact":{"id":"01920000-0000-7000-8000-000000000000"}},
                {"name":"a","contact":{"email":"nonsense"}},
                {"name":"a","contact":{"email":"x@example.com"},"color":"red"},
                {"id":5,"name":"a","contact":{"userId":"u1"}},{"id":"5","name":"b","contact":{"userId":"u1"}}]}
                """)
            let json = try answer.json()
            guard case .array(let results)? = json["results"] else { throw TestFailure(answer.text) }
            let statuses: [String] = results.compactMap { $0["status"]?.stringValue }
            #expect(
                statuses == [
                    "stored", "failed", "failed", "failed", "failed", "failed", "failed", "stored", "duplicate",
                ])
            #expect(try await count(portal, ana, "marketing_contacts") == 2)
            let many = "[" + Array(repeating: #"{"name":"a"}"#, count: 501).joined(separator: ",") + "]"
            #expect(try await ana.api(.post, "/v1/events", many).status == .unprocessableContent)
        }
    }

    @Test("Names and properties have bounds")
    func bounds() async throws {
        try await with { _, ana in
            let name = String(repeating: "n", count: 101)
            let long = String(repeating: "x", count: 20_000)
            for event in [
                #"{"name":"\#(name)","contact":{"email":"a@example.com"}}"#,
                #"{"name":"a","contact":{"email":"a@example.com"},"properties":{"p":"\#(long)"}}"#,
                #"{"name":"a","contact":{"email":"a@example.com"},"properties":[1]}"#,
                #"{"name":"a\nb","contact":{"email":"a@example.com"}}"#,
            ] {
                let answer = try await ana.api(.post, "/v1/events", event)
                #expect(answer.status == .unprocessableContent)
            }
        }
    }

    @Test("Another workspace's person is nobody, and the same id of an event belongs to each workspace")
    func wall() async throws {
        try await with { portal, ana in
            let bo = try await portal.register("Bo")
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"x@example.com"}"#).json()
            let id = made["id"]?.stringValue ?? ""
            let event = #"{"id":"1","name":"a","contact":{"id":"\#(id)"}}"#
            #expect(try await bo.api(.post, "/v1/events", event).status == .unprocessableContent)
            #expect(try await ana.api(.post, "/v1/events", event).json()["stored"] == .int(1))
            let own = #"{"id":"1","name":"a","contact":{"email":"x@example.com"}}"#
            #expect(try await bo.api(.post, "/v1/events", own).json()["stored"] == .int(1))
        }
    }

    @Test("Ids are forgotten after sixty days")
    func forgets() async throws {
        let now = Moment(Date())
        try await with(clock: WallClock { now.value }) { portal, ana in
            let event = #"{"id":"1","name":"a","contact":{"email":"x@example.com"}}"#
            #expect(try await ana.api(.post, "/v1/events", event).json()["stored"] == .int(1))
            try await ActivityMemory.sweep(portal.services)
            #expect(try await count(portal, ana, "marketing_event_ids") == 1)
            now.value = now.value.addingTimeInterval(61 * 86_400)
            try await ActivityMemory.sweep(portal.services)
            #expect(try await count(portal, ana, "marketing_event_ids") == 0)
        }
    }

    @Test("Months are counted from days")
    func months() {
        let january = Date(timeIntervalSince1970: 1_767_225_600)
        #expect(ActivityPartitions.month(of: january) == 2026 * 12)
        #expect(ActivityPartitions.month(of: january.addingTimeInterval(-1)) == 2026 * 12 - 1)
    }
}
