import Core
import TestSupport
import Testing
import Web

@testable import Accounts

@Suite("The audit log")
struct AuditTests {
    @Test("A change is shown field by field with the values before and after, the request and its network")
    func changes() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com","firstName":"Bo"}"#).json()
            let id: String = try #require(made["id"]?.stringValue)
            _ = try await ana.api(.patch, "/v1/contacts/\(id)", #"{"firstName":"Bobby"}"#)
            let page = try await browser.get("/settings/audit?area=contacts").page()
            let row: String = try #require(
                page.all("tbody tr").map(\.readableText).first { $0.contains("changed the contact") })
            #expect(row.contains("First name") && row.contains("Bobby") && row.contains("192.0.2.0/24"))
            #expect(page.all("del").map(\.readableText).contains("Bo"))
        }
    }

    @Test("Values are said with labels of properties and options, names, local dates and grouped numbers")
    func words() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for property in [
                #"{"object":"contact","name":"tier","label":"Tier","type":"singleSelect","options":[{"value":"g1","label":"Gold plus"}]}"#,
                #"{"object":"contact","name":"since","label":"Customer since","type":"date"}"#,
                #"{"object":"contact","name":"seats","label":"Seats","type":"number"}"#,
            ] {
                let made = try await ana.api(.post, "/v1/property-definitions", property)
                #expect(made.status == .created, "\(made.text)")
            }
            let company = try await ana.api(.post, "/v1/companies", #"{"name":"Acme Works"}"#).json()
            let companyID: String = try #require(company["id"]?.stringValue)
            let made = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@example.com"}"#).json()
            let id: String = try #require(made["id"]?.stringValue)
            let change = try await ana.api(
                .patch, "/v1/contacts/\(id)",
                """
                {"properties":{"tier":"g1","since":"2026-03-31","seats":12408},"companyId":"\(companyID)",
                "emailStatus":"unconfirmed"}
                """)
            #expect(change.status == .ok, "\(change.text)")
            let browser = try await ana.signIn()
            let rows = try await browser.get("/settings/audit?area=contacts").page().all("tbody tr").map(\.readableText)
            let row: String = try #require(rows.first { $0.contains("changed the contact") })
            for words in [
                "Tier", "Gold plus", "Customer since", "31 Mar 2026", "Seats", "12,408", "Acme Works", "Not confirmed",
                "E-mail status",
            ] {
                #expect(row.contains(words), "\(words) in \(row)")
            }
            #expect(!row.contains("properties.") && !row.contains("2026-03-31") && !row.contains(companyID))
            _ = try await ana.api(.delete, "/v1/contacts/\(id)")
            let gone = try await browser.get("/settings/audit?q=deleted").page().all("tbody tr").map(\.readableText)
            #expect(gone.first?.contains("deleted the contact bo@example.com") == true, "\(gone)")
        }
    }

    @Test("Filters narrow by who, part, words and period, and one that cannot be understood is an error")
    func filters() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            _ = try await ana.api(.post, "/v1/lists", #"{"name":"Alpha"}"#)
            _ = try await ana.api(.post, "/v1/lists", #"{"name":"=Beta"}"#)
            func rows(_ query: String) async throws -> Int {
                try await browser.get("/settings/audit?\(query)").page().all("tbody tr").count
            }
            #expect(try await rows("area=lists") == 2)
            #expect(try await rows("q=alpha") == 1)
            #expect(try await rows("area=lists&actor=\(ana.principal.user)") == 2)
            #expect(try await rows("until=2020-01-01") == 0)
            #expect(try await rows("area=account") >= 1)
            #expect(try await browser.get("/settings/audit?since=soon").status == .unprocessableContent)
            let file = try await browser.get("/settings/audit/export?area=lists").text
            #expect(file.contains("created the list,'=Beta,lists"))
            let bo = try await portal.register("Bo").signIn()
            #expect(try await bo.get("/settings/audit?q=alpha").page().all("tbody tr").isEmpty)
        }
    }

    @Test("Failed tries to sign in are in the log, ten minutes in one entry; a try for nobody looks the same")
    func failedSignIns() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon)) { portal in
            let ana = try await portal.register("Ana")
            for email in [ana.email, "nobody@example.com", ana.email, ana.email.uppercased()] {
                let body = #"{"email":"\#(email)","password":"a wrong one indeed"}"#
                let answer = try await portal.send(
                    .post, "/v1/auth/login", headers: [.contentType: "application/json"], body: Array(body.utf8))
                #expect(answer.status == .unauthorized, "\(answer.text)")
            }
            let jobs: [JSONValue] = try await portal.services.database.session { session in
                try await session.values(
                    JSONValue.self, "test.jobs",
                    "SELECT payload FROM marketing_job_queue WHERE kind = \(FailedSignInJob.kind)")
            }
            #expect(jobs.count == 2)
            #expect(!"\(jobs)".contains("example.com"))
            for job in jobs {
                try await FailedSignIns(services: portal.services).write(
                    FailedSignInJob(
                        account: try #require(job["account"]?.stringValue), network: job["network"]?.stringValue,
                        requestID: job["requestID"]?.stringValue))
            }
            let rows = try await ana.signIn().get("/settings/audit?area=members").page().all("tbody tr")
                .map(\.readableText).filter { $0.contains("refused tries to sign in as") }
            #expect(rows.count == 1)
            let row: String = try #require(rows.first)
            #expect(row.contains("Ana") && row.contains("3") && row.contains("192.0.2.0/24"))
        }
    }

    @Test(
        "Addresses are cut to their networks",
        arguments: [
            ("192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::1", "0:0:0::/48"),
            ("::ffff:192.0.2.7", "192.0.2.0/24"), ("nonsense", ""), ("", ""), ("fe80::1%eth0", "fe80:0:0::/48"),
        ])
    func networks(address: String, network: String) {
        #expect(RequestTrace.network(of: address) == network)
    }
}
