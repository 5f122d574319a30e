import Core
import TestSupport
import Testing
import Web

@testable import Messaging

@Suite("The library of templates")
struct TemplateLibraryTests {
    @Test("Every save is a version; old ones can be looked at, compared and brought back")
    func versions() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/campaign-templates",
                #"{"name":"News","subject":"One","bodyMode":"html","body":"<p>first</p>"}"#)
            #expect(made.status == .created)
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let browser = try await ana.signIn()
            let form = [("name", "News"), ("subject", "Two"), ("bodyMode", "html"), ("body", "<p>second</p>")]
            #expect(try await browser.post("/templates/\(id)", form + [("version", "1")]).status == .seeOther)
            // Somebody who still has the first version open is told, and sees both.
            let late = try await browser.post("/templates/\(id)", form + [("version", "1"), ("note", "late")])
            #expect(late.status == .seeOther || late.status == .conflict)
            let other = [("name", "News"), ("body", "<p>mine</p>"), ("bodyMode", "html"), ("version", "1")]
            let conflict = try await browser.post("/templates/\(id)", other)
            #expect(conflict.status == .conflict)
            #expect(conflict.text.contains("&lt;p&gt;second&lt;/p&gt;"))
            let compared = try await browser.get("/templates/\(id)/compare?from=1&to=2").page()
            #expect(compared.all("del").map(\.readableText).contains { $0.contains("first") })
            #expect(compared.all("ins").map(\.readableText).contains { $0.contains("second") })
            #expect(try await browser.get("/templates/\(id)/preview?version=1").text.contains("first"))
            let restored = try await ana.api(.post, "/v1/campaign-templates/\(id)/restore", #"{"version":1}"#).json()
            #expect(restored["version"] == .int(3))
            #expect(restored["subject"]?.stringValue == "One")
            let stale = try await ana.api(
                .put, "/v1/campaign-templates/\(id)", #"{"name":"News","body":"x"}"#, headers: [.ifMatch: "\"1\""])
            #expect(stale.status == .preconditionFailed)
            let taken = try await ana.api(.post, "/v1/campaign-templates", #"{"name":"news"}"#)
            #expect(taken.status == .conflict)
        }
    }

    @Test("A template begins a campaign, and a campaign becomes a template")
    func campaigns() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/campaign-templates",
                #"{"name":"News","subject":"Hello","bodyMode":"html","body":"<p>hi</p>"}"#)
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let used = try await ana.api(.post, "/v1/campaign-templates/\(id)/use")
            #expect(used.status == .created)
            let campaign: String = try #require(try used.json()["campaignId"]?.stringValue)
            let browser = try await ana.signIn()
            let kept = try await browser.post("/campaigns/\(campaign)/template")
            let page = try await browser.get(try #require(kept.location)).text
            #expect(page.contains("News (2)") && page.contains("&lt;p&gt;hi&lt;/p&gt;"))
            let sms = try await ana.api(
                .post, "/v1/campaign-templates", #"{"kind":"sms","name":"Short","body":"Hi {{ contact.firstName }}"}"#)
            let short: String = try #require(try sms.json()["id"]?.stringValue)
            #expect(try await ana.api(.post, "/v1/campaign-templates/\(short)/use").status == .conflict)
            let bo = try await portal.register("Bo")
            #expect(try await bo.api(.get, "/v1/campaign-templates/\(id)").status == .notFound)
        }
    }

    @Test("Differences keep every line of both texts, in order")
    func differences() {
        let lines = LineDifference("a\nb\nc\nd", "a\nx\nc\nd\ne").lines
        #expect(lines.filter { $0.kind != .added }.map(\.text) == ["a", "b", "c", "d"])
        #expect(lines.filter { $0.kind != .removed }.map(\.text) == ["a", "x", "c", "d", "e"])
    }
}
