import Core
import FoundationEssentials
import Messaging
import Postgres
import TestSupport
import Testing

@testable import Campaigns

@Suite("Campaigns as pages and as JSON")
struct CampaignRoutesTests {
    /// A list with three people.
    private func list(_ member: TestMember, _ portal: PortalFixture) async throws -> ContactListID {
        let list: ContactListID = portal.services.ids.next()
        let workspace: WorkspaceID = member.principal.workspace
        let ids: [ContactID] = (0..<3).map { _ in portal.services.ids.next() }
        let emails: [String] = ["p0@example.com", "p1@example.com", "p2@example.com"]
        try await portal.services.database.write(workspace) { tx in
            try await tx.run(
                "test.list",
                """
                INSERT INTO marketing_lists (workspace_id, id, name, created_at, updated_at)
                VALUES (\(workspace), \(list), 'Everybody', now(), now())
                """)
            try await tx.run(
                "test.people",
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, created_at, updated_at)
                SELECT \(workspace), id, email, email, now(), now() FROM unnest(\(ids), \(emails)) AS p (id, email)
                """)
            try await tx.run(
                "test.members",
                """
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(workspace), \(list), id, now() FROM unnest(\(ids)) AS p (id)
                """)
        }
        return list
    }

    private func giveAddress(_ member: TestMember, _ portal: PortalFixture) async throws {
        let workspace: WorkspaceID = member.principal.workspace
        _ = try await portal.services.database.write(workspace) { tx in
            try await tx.run(
                "test.address",
                "UPDATE marketing_workspaces SET postal_address = '1 High Street, Oldtown' WHERE id = \(workspace)")
        }
        portal.services.directory.forget(workspace)
    }

    private func body(_ list: ContactListID, subject: String = "Hello") -> String {
        """
        {"name":"Spring","type":"one_time","audience":{"listIds":["\(list)"],"excludeListIds":[]},
        "steps":[{"type":"email","subject":"\(subject)","previewText":"News","html":"<p>Hi {{ contact.firstName }}</p>"}]}
        """
    }

    @Test("A campaign is made, changed, reviewed, sent, paused, resumed and cancelled through the API")
    func wholeLife() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana, portal)
            let made = try await ana.api(.post, "/v1/campaigns", body(list))
            #expect(made.status == .created)
            let id: String = try #require(try made.json()["id"]?.stringValue)
            #expect(try made.json()["status"]?.stringValue == "draft")
            let changed = try await ana.api(.patch, "/v1/campaigns/\(id)", #"{"name":"Summer"}"#)
            #expect(try changed.json()["name"]?.stringValue == "Summer")
            let review = try await ana.api(.get, "/v1/campaigns/\(id)/review")
            #expect(try review.json()["recipients"] == .int(3))
            #expect(try await ana.api(.get, "/v1/campaigns/\(id)").headers[.lastModified] != nil)
            #expect(review.text.contains("no_postal_address"))
            let address = #"{"postalAddress":"1 High Street, Oldtown"}"#
            #expect(try await ana.api(.patch, "/v1/account", address).status == .ok)
            let ready = try await ana.api(.get, "/v1/campaigns/\(id)/review")
            #expect(!ready.text.contains("no_postal_address"))
            let sent = try await ana.api(.post, "/v1/campaigns/\(id)/send")
            #expect(sent.status == .accepted, "\(sent.text)")
            #expect(try sent.json()["status"]?.stringValue == "sending")
            let again = try await ana.api(.post, "/v1/campaigns/\(id)/send")
            #expect(again.status == .conflict)
            #expect(try again.json()["code"]?.stringValue == "campaign_state")
            #expect(try await ana.api(.post, "/v1/campaigns/\(id)/pause").status == .accepted)
            #expect(try await ana.api(.post, "/v1/campaigns/\(id)/resume").status == .accepted)
            #expect(try await ana.api(.post, "/v1/campaigns/\(id)/cancel").status == .accepted)
            #expect(try await ana.api(.delete, "/v1/campaigns/\(id)").status == .noContent)
            #expect(try await ana.api(.get, "/v1/campaigns/\(id)").status == .notFound)
        }
    }

    @Test("A campaign that is not ready is not sent, and says what is missing")
    func notReady() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana, portal)
            let made = try await ana.api(.post, "/v1/campaigns", body(list, subject: ""))
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let refused = try await ana.api(.post, "/v1/campaigns/\(id)/send")
            #expect(refused.status == .unprocessableContent)
            #expect(refused.text.contains("no_subject"))
        }
    }

    @Test("Another workspace's campaigns do not exist for anybody else")
    func strangers() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana, portal)
            let made = try await ana.api(.post, "/v1/campaigns", body(list))
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let bob = try await portal.register("Bob")
            #expect(try await bob.api(.get, "/v1/campaigns/\(id)").status == .notFound)
            #expect(try await bob.api(.get, "/v1/campaigns/\(id)/review").status == .notFound)
            for verb in ["send", "pause", "resume", "cancel"] {
                #expect(try await bob.api(.post, "/v1/campaigns/\(id)/\(verb)").status == .notFound)
            }
            #expect(try await bob.api(.put, "/v1/campaigns/\(id)", body(list)).status == .notFound)
            #expect(try await bob.api(.delete, "/v1/campaigns/\(id)").status == .notFound)
            #expect(
                try await bob.api(.post, "/v1/campaigns/\(id)/test", #"{"to":"x@example.com"}"#).status == .notFound)
            #expect(try await bob.api(.post, "/v1/campaigns", body(list)).status == .unprocessableContent)
            let browser = try await bob.signIn()
            for page in ["", "/edit", "/review", "/preview", "/delete", "/cancel", "/live"] {
                #expect(try await browser.get("/campaigns/\(id)\(page)").status == .notFound)
            }
        }
    }

    @Test("The pages work without script: write, preview, review, send")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana, portal)
            let browser = try await ana.signIn()
            #expect(try await browser.get("/campaigns").status == .ok)
            let form = try await browser.get("/campaigns/new").page()
            #expect(form.has("textarea[name=body]"))
            let refused = try await browser.post("/campaigns", [("name", ""), ("body", "x")])
            #expect(refused.status == .unprocessableContent)
            let saved = try await browser.post(
                "/campaigns",
                [
                    ("name", "Spring"), ("lists", list.description), ("subject", "Hello"), ("previewText", "News"),
                    ("bodyMode", "rich"), ("body", "<p>Hello</p>"), ("then", "review"),
                ])
            #expect(saved.status == .seeOther)
            let location: String = try #require(saved.headers[.location])
            let id: String = try #require(location.split(separator: "/").dropFirst().first.map(String.init))
            let review = try await browser.get(location)
            #expect(review.status == .ok, "\(review.text.prefix(600))")
            #expect(review.text.contains("3 people"))
            #expect(try await browser.get("/campaigns/\(id)/preview").text.contains("Hello"))
            #expect(try await browser.get("/campaigns/\(id)/edit").status == .ok)
            let unfit = try await browser.post("/campaigns/\(id)/launch", [])
            #expect(unfit.status == .unprocessableContent)
            #expect(unfit.text.contains("There is no postal address"))
            try await giveAddress(ana, portal)
            let launched = try await browser.post("/campaigns/\(id)/launch", [])
            #expect(launched.status == .seeOther)
            let shown = try await browser.get("/campaigns/\(id)")
            #expect(shown.text.contains("Sending"))
        }
    }

    @Test("A second editor's save shows both versions instead of losing one")
    func conflicts() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana, portal)
            let made = try await ana.api(.post, "/v1/campaigns", body(list))
            let id: String = try #require(try made.json()["id"]?.stringValue)
            _ = try await ana.api(.patch, "/v1/campaigns/\(id)", #"{"name":"Theirs"}"#)
            let browser = try await ana.signIn()
            _ = try await browser.get("/campaigns/\(id)/edit")
            let answer = try await browser.post(
                "/campaigns/\(id)", [("name", "Mine"), ("version", "1"), ("body", "<p>Mine</p>"), ("bodyMode", "rich")])
            #expect(answer.status == .conflict)
            #expect(answer.text.contains("Theirs"))
            #expect(answer.text.contains("Mine"))
        }
    }

    @Test("Sender settings never give the password back, and keep it when it is not sent")
    func senderSettings() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let settings = """
                {"provider":"smtp","smtp":{"host":"smtp.example.com","port":587,"encryption":"starttls","username":"u",
                "password":"top secret","connections":2,"ratePerSecond":10},"fromName":"Acme","fromEmail":"news@acme.example"}
                """
            let saved = try await ana.api(.put, "/v1/settings/email", settings)
            #expect(saved.status == .ok, "\(saved.text)")
            #expect(!saved.text.contains("top secret"))
            #expect(try saved.json()["smtp"]?["hasPassword"] == .bool(true))
            let renamed = try await ana.api(.put, "/v1/settings/email", #"{"fromName":"Acme Ltd"}"#)
            #expect(try renamed.json()["smtp"]?["hasPassword"] == .bool(true))
            let wrong = try await ana.api(.put, "/v1/settings/email", #"{"smtp":{"port":70000}}"#)
            #expect(wrong.status == .unprocessableContent)
            let browser = try await ana.signIn()
            let page = try await browser.get("/settings/email")
            #expect(page.status == .ok)
            #expect(!page.text.contains("top secret"))
            for path in ["/outbox", "/suppressions"] { #expect(try await browser.get(path).status == .ok) }
            #expect(try await browser.get("/outbox/\(UUID())").status == .notFound)
            #expect(try await browser.get("/sends/\(UUID())/uncertain").status == .notFound)
        }
    }
}
