import Accounts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Finding people by what is known of them")
struct IdentityTests {
    private func resolve(_ ana: TestMember, _ json: String) async throws -> JSONValue {
        let answer = try await ana.api(.post, "/v1/contacts/resolve", json)
        #expect(answer.status == .ok, "\(answer.text)")
        return try answer.json()
    }

    @Test("An unknown person is made, and found again by each of their ids")
    func findsAgain() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await resolve(
                ana,
                #"{"userId":"u1","externalId":"7","externalSource":"crm","email":"Bo@Example.com","phone":"+14155552671","firstName":"Bo"}"#
            )
            #expect(made["created"] == .bool(true))
            #expect(made["matchedBy"] == .null)
            let id = try #require(made["contactId"]?.stringValue)
            let ways: [(String, String, Int)] = [
                ("userId=u1", "userId", 100), ("externalId=7&externalSource=crm", "externalId", 100),
                ("email=bo%40example.com", "email", 95), ("phone=%2B14155552671", "phone", 85),
            ]
            for (query, kind, confidence) in ways {
                let found = try await ana.api(.get, "/v1/contacts/resolve?\(query)").json()
                #expect(found["contactId"] == .string(id))
                #expect(found["matchedBy"] == .string(kind))
                #expect(found["confidence"] == .int(confidence))
            }
            #expect(try await ana.api(.get, "/v1/contacts/resolve?externalId=7").status == .notFound)
            #expect(try await ana.api(.get, "/v1/contacts/resolve").status == .unprocessableContent)
            let contact = try await ana.api(.get, "/v1/contacts/\(id)").json()
            #expect(contact["source"] == .string("api"))
        }
    }

    @Test("Blanks are filled, what is there stays")
    func fillsBlanks() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/contacts", #"{"email":"bo@example.com","firstName":"Bo","properties":{"plan":"pro"}}"#)
            let id = try #require(try made.json()["id"]?.stringValue)
            let match = try await resolve(
                ana,
                #"{"email":"bo@example.com","firstName":"Robert","lastName":"Ek","phone":"+14155552671","properties":{"plan":"free","city":"Oslo"}}"#
            )
            #expect(match["contactId"] == .string(id))
            #expect(match["matchedBy"] == .string("email"))
            let contact = try await ana.api(.get, "/v1/contacts/\(id)").json()
            #expect(contact["firstName"] == .string("Bo"))
            #expect(contact["lastName"] == .string("Ek"))
            #expect(contact["phone"] == .string("+14155552671"))
            #expect(contact["properties"] == .object(["plan": .string("pro"), "city": .string("Oslo")]))
        }
    }

    @Test("Ids of two different people: the strongest wins, nothing moves, and the two are suggested as duplicates")
    func conflict() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let first = try await resolve(ana, #"{"userId":"u1","email":"one@example.com"}"#)
            let second = try await resolve(ana, #"{"email":"two@example.com"}"#)
            let match = try await resolve(ana, #"{"userId":"u1","email":"two@example.com"}"#)
            #expect(match["contactId"] == first["contactId"])
            #expect(match["matchedBy"] == .string("userId"))
            let conflict: JSONValue = .object([
                "contactId": second["contactId"] ?? .null, "matchedBy": .string("email"), "confidence": .int(95),
            ])
            #expect(match["conflicts"] == .array([conflict]))
            let again = try await ana.api(.get, "/v1/contacts/resolve?email=two%40example.com").json()
            #expect(again["contactId"] == second["contactId"])
            let pairs: Int = try await portal.services.database.read(ana.principal.workspace) { transaction in
                try await transaction.value(
                    Int.self, "test.pairs",
                    "SELECT count(*) FROM marketing_contact_duplicates WHERE workspace_id = \(ana.principal.workspace)")
            }
            #expect(pairs == 1)
        }
    }

    @Test("Many calls at once make one person", .timeLimit(.minutes(30)))
    func oneOfMany() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let resolver = IdentityResolver(portal.services)
            let scope = ana.scope
            let email = try EmailAddress(parsing: "bo@example.com")
            let phone = try PhoneNumber(parsing: "+14155552671")
            let kinds: [PersonClues] = [
                PersonClues(userID: "u1", email: email), PersonClues(email: email, phone: phone),
                PersonClues(userID: "u1", externals: [ExternalIdentity(source: "crm", value: "7")], email: email),
            ]
            let found = try await withThrowingTaskGroup(of: ContactID?.self) { group in
                for index in 0..<30 {
                    group.addTask {
                        try await resolver.resolve(kinds[index % kinds.count], source: "test", scope)?.contact
                    }
                }
                return try await group.reduce(into: Set<ContactID?>()) { $0.insert($1) }
            }
            #expect(found.count == 1)
            let count: Int = try await portal.services.database.read(scope.workspace) { transaction in
                try await ContactTotals.count(scope, in: transaction)
            }
            #expect(count == 1)
        }
    }

    @Test("A form and a call that make the same person at once end with one person", .timeLimit(.minutes(30)))
    func againstForms() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let resolver = IdentityResolver(portal.services)
            let scope = ana.scope
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<12 {
                    let address = "p\(index / 2)@example.com"
                    let email = try EmailAddress(parsing: address)
                    group.addTask { _ = try await ana.api(.post, "/v1/contacts", #"{"email":"\#(address)"}"#) }
                    group.addTask { _ = try await resolver.resolve(PersonClues(email: email), source: "test", scope) }
                }
                try await group.waitForAll()
            }
            let count: Int = try await portal.services.database.read(scope.workspace) { transaction in
                try await transaction.value(
                    Int.self, "test.count",
                    "SELECT count(*) FROM marketing_contacts WHERE workspace_id = \(scope.workspace)")
            }
            #expect(count == 6)
        }
    }

    @Test("A thousand people, many of them twice, are settled in one go; the ids of a deleted person are free again")
    func batch() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let resolver = IdentityResolver(portal.services)
            let scope = ana.scope
            let clues: [PersonClues] = try (0..<1_000).map { index in
                PersonClues(
                    externals: [ExternalIdentity(source: "crm", value: "\(index % 700)")],
                    email: try EmailAddress(parsing: "p\(index % 700)@example.com"))
            }
            let matches = try await portal.services.database.write(scope.workspace) { transaction in
                try await resolver.resolve(clues, source: "test", scope, in: transaction)
            }
            #expect(Set(matches.map(\.contact)).count == 700)
            #expect(matches.filter(\.isNew).count == 700)
            let waiting = try await portal.services.database.read(scope.workspace) { transaction in
                try await ContactTotals.state(scope, in: transaction).unindexed
            }
            #expect(waiting == 700)
            // What the job does that the batch left behind.
            let left = try await portal.services.database.write(scope.workspace) { transaction in
                try await ContactReindexJob(contacts: Array(Set(matches.map(\.contact)))).apply(scope, in: transaction)
                return try await ContactTotals.state(scope, in: transaction).unindexed
            }
            #expect(left == 0)
            let hits = try await ana.api(.get, "/v1/contacts?q=p699").json()
            guard case .array(let rows)? = hits["data"] else { throw TestFailure("no data") }
            #expect(rows.count == 1)
            let gone = matches[0].contact
            #expect(try await ana.api(.delete, "/v1/contacts/\(gone)").status == .noContent)
            let again = try #require(try await resolver.resolve(clues[0], source: "test", scope))
            #expect(again.isNew)
            #expect(again.contact != gone)
            let found = try #require(try await resolver.resolve(clues[700], source: "test", scope))
            #expect(found.contact == again.contact)
        }
    }

    @Test("Properties of clues are brought into the form of their types, and what does not fit is named")
    func properties() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for json in [
                #"{"label":"Seats","name":"seats","type":"number"}"#,
                #"{"label":"Budget","name":"budget","type":"money"}"#,
                #"{"label":"Plan","name":"plan","type":"singleSelect","options":["pro","free"],"default":"free"}"#,
            ] {
                #expect(try await ana.api(.post, "/v1/property-definitions", json).status == .created)
            }
            let match = try await resolve(
                ana,
                #"{"email":"bo@example.com","properties":{"seats":" 12 ","budget":"12.50 EUR","since":"2026-01-02","city":""}}"#
            )
            let id = try #require(match["contactId"]?.stringValue)
            let stored = try await ana.api(.get, "/v1/contacts/\(id)").json()["properties"]
            #expect(
                stored
                    == .object([
                        "seats": .int(12), "budget": .object(["amount": .int(1250), "currency": .string("EUR")]),
                        "since": .string("2026-01-02"), "plan": .string("free"),
                    ]))
            let definitions = try await ana.api(.get, "/v1/property-definitions?object=contact").text
            #expect(definitions.contains(#""name":"since""#))
            let wrong = try await ana.api(
                .post, "/v1/contacts/resolve",
                #"{"email":"cy@example.com","properties":{"seats":"many","plan":"gold","fresh":"yes"}}"#)
            #expect(wrong.status == .unprocessableContent)
            #expect(wrong.text.contains("/properties/seats") && wrong.text.contains("/properties/plan"))
            #expect(try await ana.api(.get, "/v1/contacts/resolve?email=cy%40example.com").status == .notFound)
            let after = try await ana.api(.get, "/v1/property-definitions?object=contact").text
            #expect(!after.contains(#""name":"fresh""#))
        }
    }

    @Test("People of another workspace are not found")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bo = try await portal.register("Bo")
            _ = try await resolve(ana, #"{"userId":"u1","email":"x@example.com"}"#)
            #expect(try await bo.api(.get, "/v1/contacts/resolve?userId=u1").status == .notFound)
            #expect(try await resolve(bo, #"{"userId":"u1"}"#)["created"] == .bool(true))
        }
    }
}
