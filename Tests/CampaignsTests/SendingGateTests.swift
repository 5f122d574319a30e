import Core
import FoundationEssentials
import HTTPTransport
import Messaging
import TestSupport
import Testing

@testable import Campaigns

@Suite("What is looked at before sending")
struct SendingGateTests {
    private func content(_ html: String) throws -> SendContent {
        let email = try EmailPreparation.prepare(
            EmailDraft(subject: "Hi", format: .rich, body: html),
            frame: EmailFrame(workspaceName: "Acme", postalAddress: ""),
            footers: EmailFooters { try PortalFixture.library() })
        return SendContent(
            email: email, identity: SendIdentity(fromName: "A", fromEmail: "a@acme.example", listID: "l.acme.example"))
    }

    @Test("Without a postal address people cannot send, programs are warned, and a personal field counts as one")
    func postalAddress() throws {
        func level(_ html: String, _ asker: CampaignAsker) throws -> CampaignCheck.Level {
            try PostalAddressCheck.check(
                "", in: try content(html), properties: ["shop_address", "plan"], asker: asker, returnPath: "/"
            ).level
        }
        #expect(try level("<p>Hi</p>", .person) == .blocker)
        #expect(try level("<p>Hi</p>", .program) == .warning)
        #expect(try level("<p>{{ contact.shop_address }}</p>", .person) == .passed)
        #expect(try level("<p>{{ contact.properties.shop_address | upcase }}</p>", .person) == .passed)
        #expect(try level("<p>{{ contact.unknown_address }}</p>", .person) == .blocker)
        #expect(try level("<p>{{ contact.email }}</p>", .person) == .blocker)
    }

    @Test("Fields about other addresses are no postal address")
    func postalNames() {
        #expect(PostalAddressCheck.isPostal("contact.properties[\"Postal address\"]"))
        #expect(!PostalAddressCheck.isPostal("contact.emailAddress"))
        #expect(!PostalAddressCheck.isPostal("contact.ip_address"))
        #expect(!PostalAddressCheck.isPostal("address"))
    }

    @Test("The check of the address leads to the settings and back to the campaign, and tests go out meanwhile")
    func addressStory() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/campaigns",
                #"{"name":"Spring","type":"one_time","steps":[{"type":"email","subject":"Hi"}]}"#)
            let id: String = try #require(try made.json()["id"]?.stringValue)
            _ = try await ana.api(
                .patch, "/v1/campaigns/\(id)", #"{"steps":[{"type":"email","subject":"Hi","html":"<p>Hi</p>"}]}"#)
            let browser = try await ana.signIn()
            let review = try await browser.get("/campaigns/\(id)/review").page()
            let link = try #require(try review.one(".checklist a[href^='/settings']")["href"])
            let settings = try await browser.get(link).page()
            var fields = try settings.fields(of: "form[action='/settings']")
            #expect(fields["return"] == "/campaigns/\(id)/review")
            let tested = try await browser.post("/campaigns/\(id)/test", [("to", "ana@example.com")])
            #expect(tested.text.contains("Kept in the Outbox"))
            fields["postalAddress"] = "1 High Street, Oldtown"
            fields["_csrf"] = nil
            let saved = try await browser.post("/settings", fields.map { ($0.key, $0.value) })
            #expect(saved.headers[.location] == "/campaigns/\(id)/review")
            #expect(try await browser.get("/campaigns/\(id)/review").text.contains("Your postal address is at the end"))
            let elsewhere = try await browser.get("/settings?return=https://evil.example/").page()
            #expect(!elsewhere.has("input[name=return]"))
        }
    }

    @Test("Answers of links are told apart: dead, working, and such that turn programs away")
    func linkVerdicts() {
        func finding(_ answer: LinkProbe.Answer?) -> LinkFinding {
            LinkFinding(url: "https://example.com", label: "x", answer: answer)
        }
        #expect(finding(.status(404)).verdict == .dead)
        #expect(finding(.status(404)).words == "This link answered 404 Not found")
        #expect(finding(.status(204)).verdict == .works)
        #expect(finding(.status(403)).verdict == .unclear)
        #expect(finding(.failed(.timedOut)).verdict == .dead)
        #expect(finding(.failed(.blockedAddress)).words.contains("private network"))
        #expect(finding(nil).verdict == .unclear)
    }

    @Test("Only plain links on the web are asked, each once")
    func askedLinks() {
        var content = CampaignContent()
        content.html = """
            <a href="https://example.com/a">A</a> <a href="https://example.com/a">again</a> <a href="mailto:a@b.example">m</a>
            <a href="https://example.com/{{ contact.id }}">mine</a> <a href="#top">top</a> <a href="http://example.com/b">B</a>
            """
        #expect(LinkReport.links(of: content).map(\.url) == ["https://example.com/a", "http://example.com/b"])
    }

    @Test("The review waits for no link; a page of its own asks them, and the review then warns")
    func linkPages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/campaigns",
                #"{"name":"Spring","type":"one_time","steps":[{"type":"email","subject":"Hi","html":"<p><a href=\"http://127.0.0.1/x\">Go</a></p>"}]}"#
            )
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let browser = try await ana.signIn()
            let before = try await browser.get("/campaigns/\(id)/review").page()
            #expect(before.has("[data-load-src='links'] a[href='/campaigns/\(id)/links']"))
            let asked = try await browser.get("/campaigns/\(id)/links")
            #expect(asked.status == .ok)
            #expect(asked.text.contains("leads into a private network"))
            let part = try await browser.get("/campaigns/\(id)/links", headers: [.init("X-Fragment")!: "links"])
            #expect(!part.text.contains("<html"))
            let after = try await browser.get("/campaigns/\(id)/review").page()
            #expect(!after.has("[data-load-src]"))
            #expect(after.text.contains("leads into a private network"))
            let bob = try await portal.register("Bob").signIn()
            #expect(try await bob.get("/campaigns/\(id)/links").status == .notFound)
        }
    }

    @Test("A new letter begins with a greeting, which stands in the view")
    func starter() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let form = try await browser.get("/campaigns/new").page()
            let body = try form.one("textarea[name=body]").text
            #expect(body.hasPrefix("<p>Hello {{ contact.firstName | default: \"there\" }},</p>"))
        }
    }
}
