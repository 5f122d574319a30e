import Core
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

@Suite("Companies")
struct CompanyTests {
    private func id(_ answer: TestResponse) throws -> String {
        try #require(try answer.json()["id"]?.stringValue, "\(answer.text)")
    }

    @Test(
        "Domains are read from what people write",
        arguments: [
            ("Acme.com", "acme.com"), ("https://www.acme.com/about?x=1", "acme.com"), ("www.acme.co.uk.", "acme.co.uk"),
            ("bücher.example", "xn--bcher-kva.example"), ("acme", nil), ("a b.com", nil), ("ana@acme.com", nil),
            ("", nil),
        ] as [(String, String?)])
    func domains(given: String, domain: String?) {
        #expect(CompanyDomain(given)?.text == domain)
    }

    @Test(
        "Domains where anybody can have an address are nobody's",
        arguments: ["gmail.com", "yahoo.co.uk", "web.de", "hotmail.fr", "qq.com", "mailinator.com"])
    func freeMail(domain: String) throws {
        #expect(FreeMailDomains.contains(domain))
        #expect(CompanyDomain(ofAddress: try EmailAddress(parsing: "x@\(domain)")) == nil)
    }

    @Test(
        "Domains that only look like those are somebody's",
        arguments: ["live.agency", "mail.acme.com", "outlook.acme.de"])
    func ownDomain(domain: String) {
        #expect(!FreeMailDomains.contains(domain))
    }

    @Test("A company is added, read, changed and deleted as JSON, and people come and go with its count")
    func lifecycle() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/companies",
                #"{"name":"Acme","domain":"https://www.ACME.example/","properties":{"tier":"gold"}}"#)
            #expect(made.status == .created, "\(made.text)")
            #expect(try made.json()["domain"] == .string("acme.example"))
            let company = try id(made)
            let path = "/v1/companies/\(company)"
            func count() async throws -> JSONValue? { try await ana.api(.get, path).json()["contactCount"] }
            // By domain, by hand, away, deleted, back.
            let first = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@acme.example"}"#)
            #expect(try first.json()["companyId"] == .string(company))
            let second = try await ana.api(
                .post, "/v1/contacts", #"{"email":"c@other.example","companyId":"\#(company)"}"#)
            #expect(try await count() == .int(2))
            _ = try await ana.api(.patch, "/v1/contacts/\(try id(second))", #"{"companyId":null}"#)
            #expect(try await count() == .int(1))
            _ = try await ana.api(.delete, "/v1/contacts/\(try id(first))")
            #expect(try await count() == .int(0))
            let browser = try await ana.signIn()
            _ = try await browser.post("/contacts/\(try id(first))/restore")
            #expect(try await count() == .int(1))
            let stale = try await ana.api(.patch, path, #"{"name":"X"}"#, headers: [.ifMatch: "\"99\""])
            #expect(stale.status == .preconditionFailed)
            let renamed = try await ana.api(.patch, path, #"{"name":"Acme Ltd"}"#)
            #expect(try renamed.json()["properties"]?["tier"] == .string("gold"))
            let taken = try await ana.api(.post, "/v1/companies", #"{"name":"B","domain":"acme.example"}"#)
            #expect(taken.status == .conflict && taken.text.contains(company))
            let free = try await ana.api(.post, "/v1/companies", #"{"name":"B","domain":"gmail.com"}"#)
            #expect(free.status == .unprocessableContent && free.text.contains("/domain"))
            let question = try await browser.get("/companies/\(company)/delete")
            #expect(question.text.contains("1 contact belongs to it"))
            #expect(try await ana.api(.delete, path).status == .noContent)
            #expect(try await ana.api(.get, path).status == .notFound)
            #expect(try await ana.api(.get, "/v1/contacts/\(try id(first))").json()["companyId"] == .null)
        }
    }

    @Test("A company's timeline tells of its people too, page by page, each line once and with its person")
    func timeline() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let acme = try id(try await ana.api(.post, "/v1/companies", #"{"name":"Acme","domain":"acme.example"}"#))
            let bo = try id(
                try await ana.api(
                    .post, "/v1/contacts", #"{"email":"bo@acme.example","firstName":"Bo","lastName":"Ek"}"#))
            let other = try id(try await ana.api(.post, "/v1/contacts", #"{"email":"di@other.example"}"#))
            for (person, title) in [(bo, "Called about the vineyard"), (other, "Called about nothing")] {
                let told = try await ana.api(
                    .post, "/v1/contacts/\(person)/activities", #"{"type":"call","title":"\#(title)"}"#)
                #expect(told.status == .created, "\(told.text)")
            }
            let contact: ContactID? = ContactID(bo)
            _ = try await portal.services.database.write(ana.scope.workspace) { transaction in
                try await transaction.run(
                    "test.events",
                    """
                    INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at,
                        received_at)
                    SELECT \(ana.scope.workspace), gen_random_uuid(), \(contact), 'visit ' || n, '{}', 'api',
                        now() - make_interval(mins => 1 + n / 2), now()
                    FROM generate_series(1, 40) AS n
                    """)
            }
            let browser = try await ana.signIn()
            var seen: [String] = []
            var path: String? = "/companies/\(acme)"
            for _ in 0..<4 {
                guard let here = path else { break }
                let page = try await browser.get(here).page()
                seen += page.all(".timeline a").filter { $0["href"] == "/contacts/\(bo)" }.map(\.readableText)
                path = page.all("a").first { $0.readableText == "Show older" }?["href"]
            }
            #expect(seen.contains("Bo Ek: Called about the vineyard"))
            let visits: [String] = seen.filter { $0.contains("visit") }
            #expect(visits.count == 40 && Set(visits).count == 40)
            #expect(!seen.contains { $0.contains("nothing") })
            let own = try await browser.get("/companies/\(acme)?show=company").text
            #expect(own.contains("Added through the API") && !own.contains("visit 1"))
            let people = try await browser.get("/companies/\(acme)?show=people").text
            #expect(!people.contains("Added through the API") && people.contains("visit 1"))
        }
    }

    @Test("Another workspace's company does not exist")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let alice = try await portal.register("Alice")
            let charlie = try await portal.register("Charlie")
            let company = try id(
                try await alice.api(.post, "/v1/companies", #"{"name":"Acme","domain":"acme.example"}"#))
            #expect(try await charlie.api(.get, "/v1/companies/\(company)").status == .notFound)
            #expect(try await charlie.api(.patch, "/v1/companies/\(company)", #"{"name":"X"}"#).status == .notFound)
            let refused = try await charlie.api(
                .post, "/v1/contacts", #"{"email":"a@example.com","companyId":"\#(company)"}"#)
            #expect(refused.status == .unprocessableContent)
            let apart = try await charlie.api(.post, "/v1/contacts", #"{"email":"b@acme.example"}"#)
            #expect(try apart.json()["companyId"] == .null)
            let owner = try await charlie.api(
                .post, "/v1/companies", #"{"name":"Mine","ownerId":"\#(alice.principal.user)"}"#)
            #expect(owner.status == .unprocessableContent)
        }
    }

    @Test("The list is searched, sorted and paged; the form works without a script")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            for name in ["Beta", "alpha", "Gamma"] {
                let answer = try await browser.post("/companies", [("name", name), ("domain", "\(name).example")])
                #expect(answer.status == .seeOther, "\(answer.text)")
            }
            let first = try await ana.api(.get, "/v1/companies?limit=2").json()
            guard case .array(let rows)? = first["data"], let cursor = first["nextCursor"]?.stringValue else {
                throw TestFailure("no page")
            }
            #expect(rows.map { $0["name"] } == [.string("alpha"), .string("Beta")])
            let next = try await ana.api(.get, "/v1/companies?limit=2&cursor=\(cursor)")
            #expect(next.text.contains("Gamma") && !next.text.contains("Beta"))
            let found = try await browser.get("/companies?q=amm")
            #expect(found.text.contains("Gamma") && !found.text.contains("alpha"))
            let picked = try await browser.post(
                "/contacts/find-company", [("email", "x@example.com"), ("companyQuery", "alp")])
            #expect(picked.text.contains("alpha") && picked.text.contains("x@example.com"))
        }
    }
}
