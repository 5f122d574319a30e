import Core
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Two people edit the same")
struct ConcurrentEditTests {
    private func id(_ answer: TestResponse) throws -> String {
        try #require(try answer.json()["id"]?.stringValue, "\(answer.text)")
    }

    @Test("A list: the second is shown both values, and saves over them only knowingly; programs are refused")
    func lists() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try id(try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#))
            let browser = try await ana.signIn()
            let form = try await browser.get("/lists/\(list)/edit").page()
            let version = try #require(form.all("input").first { $0["name"] == "version" }?["value"])
            let first = try await ana.api(.get, "/v1/lists/\(list)")
            let tag = try #require(first.headers[.eTag])
            let renamed = try await ana.api(
                .patch, "/v1/lists/\(list)", #"{"name":"Letters"}"#, headers: [.ifMatch: tag])
            #expect(renamed.status == .ok, "\(renamed.text)")
            #expect(renamed.headers[.eTag] != tag)
            let stale = try await ana.api(
                .put, "/v1/lists/\(list)", #"{"name":"Mail"}"#, headers: [.ifMatch: tag])
            #expect(stale.status == .preconditionFailed)
            #expect(stale.headers[.eTag] == renamed.headers[.eTag])
            let typed = [("name", "Bulletin"), ("description", "Monthly")]
            let refused = try await browser.post("/lists/\(list)", typed + [("version", version)])
            #expect(refused.status == .conflict)
            let page = try refused.page()
            let rows = page.all("tbody tr").map(\.readableText)
            #expect(rows.contains { $0.contains("Letters") && $0.contains("Bulletin") }, "\(rows)")
            #expect(page.all("input").first { $0["name"] == "name" }?["value"] == "Bulletin")
            let now = try #require(page.all("input").first { $0["name"] == "version" }?["value"])
            #expect(try await browser.post("/lists/\(list)", typed + [("version", now)]).status == .seeOther)
            #expect(try await ana.api(.get, "/v1/lists/\(list)").json()["name"] == .string("Bulletin"))
        }
    }

    @Test("A segment's rule is part of its state: whoever knew the old one is refused, and changes nothing")
    func segments() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            func rules(_ name: String) -> String {
                #"{"all":[{"field":"firstName","operator":"is","value":"\#(name)"}]}"#
            }
            let made = try await ana.api(
                .post, "/v1/lists", #"{"name":"Anas","type":"segment","filterRules":\#(rules("Ana"))}"#)
            let list = try id(made)
            let tag = try #require(try await ana.api(.get, "/v1/lists/\(list)").headers[.eTag])
            let answers = try await withThrowingTaskGroup(of: TestResponse.self) { group in
                for name in ["Bo", "Cy"] {
                    group.addTask {
                        try await ana.api(
                            .patch, "/v1/lists/\(list)", #"{"name":"\#(name)","filterRules":\#(rules(name))}"#,
                            headers: [.ifMatch: tag])
                    }
                }
                return try await group.reduce(into: [TestResponse]()) { $0.append($1) }
            }
            #expect(answers.map(\.status).sorted { $0.code < $1.code } == [.ok, .preconditionFailed])
            let after = try await ana.api(.get, "/v1/lists/\(list)").json()
            let name = try #require(after["name"]?.stringValue)
            #expect("\(after["filterRules"] ?? .null)".contains(name))
        }
    }

    @Test("A property's form shows both values of what differs")
    func properties() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let property = try id(
                try await ana.api(
                    .post, "/v1/property-definitions",
                    #"{"label":"Plan","name":"plan","type":"text","group":"Billing"}"#))
            let path = "/settings/properties/\(property)"
            let browser = try await ana.signIn()
            let form = try await browser.get(path).page()
            let revision = try #require(form.all("input").first { $0["name"] == "revision" }?["value"])
            let changed = try await ana.api(
                .put, "/v1/property-definitions/\(property)", #"{"label":"Tariff","type":"text","group":"Billing"}"#)
            #expect(changed.status == .ok, "\(changed.text)")
            let typed = [("label", "Package"), ("type", "text"), ("group", "Billing"), ("object", "contact")]
            let refused = try await browser.post(path, typed + [("revision", revision)])
            #expect(refused.status == .conflict)
            let rows = try refused.page().all("tbody tr").map(\.readableText)
            #expect(rows.count == 1)
            #expect(rows.first?.contains("Tariff") == true && rows.first?.contains("Package") == true)
        }
    }
}
