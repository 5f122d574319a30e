import Core
import TestSupport
import Testing

@Suite("Lists and people that campaigns ask for")
struct ListUseTests {
    private func list(_ member: TestMember) async throws -> String {
        let list = try await member.api(.post, "/v1/lists", #"{"name":"Everybody"}"#).json()
        let contact = try await member.api(.post, "/v1/contacts", #"{"email":"bo@example.com","firstName":"Bo"}"#)
            .json()
        let id: String = try #require(list["id"]?.stringValue)
        let person: String = try #require(contact["id"]?.stringValue)
        _ = try await member.api(.post, "/v1/lists/\(id)/members", #"{"contactIds":["\#(person)"]}"#)
        return id
    }

    private func campaign(_ member: TestMember, audience: String) async throws -> String {
        let body = """
            {"name":"Spring","type":"one_time","audience":{\(audience)},
            "steps":[{"type":"email","subject":"Hello","html":"<p>Hi</p>"}]}
            """
        return try #require(try await member.api(.post, "/v1/campaigns", body).json()["id"]?.stringValue)
    }

    @Test("Lists and contacts of another workspace, or of none, are refused")
    func foreign() async throws {
        try await PortalFixture.with { portal in
            let (ana, eve) = (try await portal.register("Ana"), try await portal.register("Eve"))
            let (own, foreign) = (try await list(ana), try await list(eve))
            let people = try await eve.api(.get, "/v1/contacts").json()
            guard case .array(let rows)? = people["data"] else { throw TestFailure("no data") }
            let stranger: String = try #require(rows.first?["id"]?.stringValue)
            func body(_ audience: String) -> String {
                #"{"name":"S","type":"one_time","audience":{\#(audience)},"steps":[{"type":"email","subject":"s","html":"h"}]}"#
            }
            for audience in [
                #""listIds":["\#(foreign)"]"#, #""listIds":["\#(own)"],"excludeListIds":["\#(foreign)"]"#,
            ] {
                let answer = try await ana.api(.post, "/v1/campaigns", body(audience))
                #expect(answer.status == .unprocessableContent && answer.text.contains("does not exist"))
            }
            let id = try await campaign(ana, audience: #""listIds":["\#(own)"]"#)
            let change = try await ana.api(
                .patch, "/v1/campaigns/\(id)", #"{"audience":{"listIds":["\#(own)","\#(foreign)"]}}"#)
            #expect(change.status == .unprocessableContent)
            let test = try await ana.api(
                .post, "/v1/campaigns/\(id)/test", #"{"to":"ana@example.com","contactId":"\#(stranger)"}"#)
            #expect(test.status == .unprocessableContent && test.text.contains("no such contact"))
        }
    }

    @Test("The question before a list is deleted names the campaigns that use it, also those that leave it out")
    func drafts() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana)
            let goes = try await campaign(ana, audience: #""listIds":["\#(list)"]"#)
            let spares = try await campaign(ana, audience: #""listIds":[],"excludeListIds":["\#(list)"]"#)
            _ = try await campaign(ana, audience: #""listIds":[]"#)
            let browser = try await ana.signIn()
            let question = try await browser.get("/lists/\(list)/delete").page()
            let links = question.all(".confirm .link-list a").compactMap { $0["href"] }
            #expect(Set(links) == ["/campaigns/\(goes)", "/campaigns/\(spares)"])
            #expect(try await browser.post("/lists/\(list)/delete").status == .seeOther)
        }
    }

    @Test("A list that a scheduled campaign goes to is not deleted, and the answer names the campaign")
    func scheduled() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try await list(ana)
            let campaign = try await campaign(ana, audience: #""listIds":["\#(list)"]"#)
            _ = try await ana.api(.patch, "/v1/account", #"{"postalAddress":"1 High Street, Oldtown"}"#)
            let set = try await ana.api(
                .post, "/v1/campaigns/\(campaign)/schedule", #"{"sendAt":"2099-01-01T09:00:00Z"}"#)
            #expect(set.status == .ok, "\(set.text)")
            let refused = try await ana.api(.delete, "/v1/lists/\(list)")
            #expect(refused.status == .conflict)
            #expect(try refused.json()["code"]?.stringValue == "list_in_use")
            #expect(try refused.json()["detail"]?.stringValue?.contains("“Spring”") == true)
            let browser = try await ana.signIn()
            let question = try await browser.get("/lists/\(list)/delete").page()
            #expect(!question.has("form[action='/lists/\(list)/delete']"))
            #expect(try await browser.post("/lists/\(list)/delete").status == .conflict)
            _ = try await ana.api(.post, "/v1/campaigns/\(campaign)/cancel")
            #expect(try await ana.api(.delete, "/v1/lists/\(list)").status == .noContent)
        }
    }

    @Test("The preview's person is found by name or address, with script and without, and nothing typed is lost")
    func people() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            _ = try await list(ana)
            _ = try await ana.api(
                .post, "/v1/contacts", #"{"email":"zoe@example.com","firstName":"Zoë","lastName":"Adams"}"#)
            let browser = try await ana.signIn()
            let found = try await browser.get("/contacts/suggestions?q=zoe", headers: [.init("X-Fragment")!: "options"])
            #expect(found.text.contains("Zoë Adams"))
            #expect(!found.text.contains("bo@example.com"))
            #expect(!found.text.contains("<html"))
            #expect(try await browser.get("/contacts/suggestions").text.contains("bo@example.com"))
            #expect(try await browser.get("/contacts/suggestions?q=nobody").text.contains("Nothing found"))
            let form = [
                ("name", "Half done"), ("body", "<p>Not saved</p>"), ("bodyMode", "rich"),
                ("previewContactQuery", "zoe"),
            ]
            let campaign = try await campaign(ana, audience: #""listIds":[]"#)
            for path in ["/campaigns/people", "/campaigns/\(campaign)/people"] {
                let page = try await browser.post(path, form).page()
                #expect(
                    page.all("select[name=previewContact] option").map(\.readableText) == ["Zoë Adams, zoe@example.com"]
                )
                let body = try page.one("textarea[name=body]").text
                #expect(body.contains("<p>Not saved</p>"), "\(body)")
            }
            let nobody = try await browser.post("/campaigns/people", [("body", "x"), ("previewContactQuery", "qqq")])
            #expect(nobody.text.contains("Nobody was found"))
            let bob = try await portal.register("Bob").signIn()
            #expect(try await bob.get("/contacts/suggestions?q=zoe").text.contains("Nothing found"))
            #expect(try await bob.post("/campaigns/\(campaign)/people", form).status == .notFound)
        }
    }
}
