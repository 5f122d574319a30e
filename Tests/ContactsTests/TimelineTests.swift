import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Contacts

@Suite("A person's timeline")
struct TimelineTests {
    @Test("Imports stand in the timeline of whom they added and changed, with the file, and nobody else's")
    func imports() async throws {
        try await ImportBench.with { bench in
            let first = try await bench.run("Email,First name\nana@example.com,Ana\nbo@example.com,Bo\n")
            let second = try await bench.run("Email,First name\nana@example.com,Anna\nbo@example.com,Bo\n")
            let people = try await bench.people()
            func moments(_ email: String) async throws -> [ContactMoment] {
                let person: Contact = try #require(people[email])
                return try await bench.portal.services.database.read(bench.scope.workspace) { transaction in
                    let (origin, changes) = try await transaction.pipeline(
                        ImportMoments.origin(of: person.id, bench.scope),
                        ImportMoments.changes(of: person.id, bench.scope))
                    return origin + changes
                }
            }
            let ana = try await moments("ana@example.com")
            #expect(
                ana.map(\.title) == ["Added by importing “people.csv”", "Updated by importing “people.csv”"])
            #expect(
                ana.map(\.href) == ["/contacts/imports/\(first.id)", "/contacts/imports/\(second.id)"])
            #expect(try await moments("bo@example.com").count == 1)
        }
    }

    @Test("Pages of a timeline follow each other without gap or repetition, also within one instant")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com"}"#).json()
            let id: ContactID = try #require(made["id"]?.stringValue.flatMap { ContactID($0) })
            let moment = PortalFixture.noon
            let ids: [Identifier<ContactEventTag>] = (0..<120).map { _ in portal.services.ids.next() }
            _ = try await portal.services.database.write(ana.scope.workspace) { transaction in
                // Three at each instant.
                try await transaction.run(
                    "test.events",
                    """
                    INSERT INTO marketing_contact_events (workspace_id, id, contact_id, kind, occurred_at, data)
                    SELECT \(ana.scope.workspace), e.id, \(id), 'test.kind',
                        \(moment)::timestamptz + (e.place / 3) * interval '1 minute',
                        jsonb_build_object('title', 'Event ' || e.place)
                    FROM unnest(\(ids)) WITH ORDINALITY AS e (id, place)
                    """)
            }
            let browser = try await ana.signIn()
            var seen: [String] = []
            var path: String? = "/contacts/\(id)?show=change"
            while let next = path {
                let page = try await browser.get(next).page()
                seen += page.all(".timeline-title").map(\.readableText)
                path = page.all("p.row a").first { $0.readableText == "Show older" }?["href"]
                    .map { String($0.prefix { $0 != "#" }) }
                guard seen.count < 1_000 else { break }
            }
            #expect(seen.count == 121)
            #expect(Set(seen).count == 121)
            #expect(seen.first == "Added through the API")
        }
    }

    @Test("A timeline shows one kind when asked, and an unknown kind is everything")
    func kinds() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com"}"#).json()
            let id: String = try #require(made["id"]?.stringValue)
            let browser = try await ana.signIn()
            func titles(_ query: String) async throws -> [String] {
                try await browser.get("/contacts/\(id)\(query)").page().all(".timeline-title").map(\.readableText)
            }
            #expect(try await titles("") == ["Added through the API"])
            #expect(try await titles("?show=change").count == 1)
            #expect(try await titles("?show=message").isEmpty)
            #expect(try await titles("?show=import").isEmpty)
            #expect(try await titles("?show=nonsense").count == 1)
            #expect(try await browser.get("/contacts/\(id)?cursor=nonsense").status == .badRequest)
        }
    }

    @Test("Positions compare as pages do: newer first, then changes, messages, imports, then by key")
    func positions() {
        let at = PortalFixture.noon
        let order = [
            MomentPosition(at: at.addingTimeInterval(1), kind: .importing, key: "a"),
            MomentPosition(at: at, kind: .change, key: "b"), MomentPosition(at: at, kind: .change, key: "a"),
            MomentPosition(at: at, kind: .message, key: "z"), MomentPosition(at: at, kind: .importing, key: "z"),
        ]
        #expect(order.shuffled().sorted() == order)
        #expect(order.allSatisfy { MomentPosition($0.keys) == $0 })
        #expect(MomentPosition(["1", "other", "a"]) == nil)
    }

    @Test("Changes on a timeline are said with labels of properties and options, and days in words")
    func changeWords() {
        let changes: [String: JSONValue] = [
            "firstName": .array([.string("Anna"), .string("Ana")]),
            "emailStatus": .array([.string("active"), .string("unconfirmed")]),
            "properties.plan": .array([.null, .string("pro")]), "owner": .array([.string("\(Self.somebody)"), .null]),
        ]
        let known = Dictionary(PreviewProperties.all.map { ($0.name, $0) }) { first, _ in first }
        let words = ChangeWords(definitions: known, zone: "UTC", names: [Self.somebody: "Bo"]).words(changes)
        #expect(words?.contains("First name: Anna → Ana") == true)
        #expect(words?.contains("E-mail status: Active → Not confirmed") == true)
        #expect(words?.contains("Owner: Bo → nothing") == true)
        #expect(words?.contains("properties.") == false)
        #expect(ChangeWords().words([:]) == nil)
    }

    private static let somebody = "01920000-0000-7000-8000-000000000000"
}
