import Core
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

@Suite("Contacts over HTTP")
struct ContactRoutesTests {
    private func id(_ answer: TestResponse) throws -> String {
        try #require(try answer.json()["id"]?.stringValue)
    }

    @Test("A contact is added, read, changed, replaced and deleted as JSON")
    func lifecycle() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/contacts",
                #"{"email":"Bo@Bücher.example","firstName":"Bo","phone":"+1 (415) 555-2671","properties":{"plan":"pro","n":3}}"#
            )
            #expect(made.status == .created)
            let id = try id(made)
            #expect(made.headers[.location] == "/v1/contacts/\(id)")
            let shown = try await ana.api(.get, "/v1/contacts/\(id)")
            let json = try shown.json()
            #expect(json["email"] == .string("Bo@Bücher.example"))
            #expect(json["phone"] == .string("+14155552671"))
            #expect(json["lastName"] == .null)
            #expect(json["emailStatus"] == .string("active"))
            let tag = try #require(shown.headers[.eTag])
            let patched = try await ana.api(
                .patch, "/v1/contacts/\(id)", #"{"lastName":"Ek","properties":{"n":null,"city":"Oslo"}}"#,
                headers: [.ifMatch: tag])
            #expect(patched.status == .ok)
            #expect(try patched.json()["properties"] == .object(["plan": .string("pro"), "city": .string("Oslo")]))
            let stale = try await ana.api(.patch, "/v1/contacts/\(id)", #"{"lastName":"X"}"#, headers: [.ifMatch: tag])
            #expect(stale.status == .preconditionFailed)
            let replaced = try await ana.api(.put, "/v1/contacts/\(id)", #"{"email":"bo@example.com"}"#)
            #expect(try replaced.json()["firstName"] == .null)
            #expect(try replaced.json()["properties"] == .object([:]))
            #expect(try await ana.api(.delete, "/v1/contacts/\(id)").status == .noContent)
            #expect(try await ana.api(.get, "/v1/contacts/\(id)").status == .notFound)
            #expect(try await ana.api(.delete, "/v1/contacts/\(id)").status == .notFound)
        }
    }

    @Test("An address belongs to one contact, whatever its spelling")
    func taken() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let first = try id(try await ana.api(.post, "/v1/contacts", #"{"email":"zoe@bücher.example"}"#))
            let second = try await ana.api(.post, "/v1/contacts", #"{"email":"ZOE@xn--bcher-kva.example"}"#)
            #expect(second.status == .conflict)
            #expect(try second.json()["code"] == .string("email_taken"))
            #expect(second.text.contains(first))
        }
    }

    @Test(
        "Bad input is named by its place",
        arguments: [
            (#"{"email":"nonsense"}"#, "email"), (#"{"firstName":"Ana"}"#, "email"), (#"{"email":5}"#, "email"),
            (#"{"email":"a@b.co","color":"red"}"#, "color"), (#"{"email":"a@b.co","phone":"123"}"#, "phone"),
            (#"{"email":"a@b.co","workspaceId":"x"}"#, "workspaceId"), (#"{"email":"a@b.co","tags":[1]}"#, "tags"),
            (#"{"email":"a@b.co","emailStatus":"dead"}"#, "emailStatus"),
        ])
    func badInput(body: String, place: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let answer = try await ana.api(.post, "/v1/contacts", body)
            #expect(answer.status == .unprocessableContent)
            #expect(answer.text.contains("/\(place)"))
        }
    }

    @Test("The page of lists goes on by name, and shows each list once")
    func manyLists() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let names: [String] = (0..<120).map { ($0 % 2 == 0 ? "list " : "List ") + String($0 + 1000) }
            for name in names.shuffled() {
                #expect(try await ana.api(.post, "/v1/lists", #"{"name":"\#(name)"}"#).status == .created)
            }
            let browser = try await ana.signIn()
            var path: String? = "/lists"
            var seen: [String] = []
            while let next = path, seen.count <= names.count {
                let page = try await browser.get(next).page()
                seen += page.all("tbody th a").map(\.readableText)
                path = page.all("a[rel=next]").first?["href"]
            }
            #expect(seen == names.sorted { $0.lowercased() < $1.lowercased() })
            #expect(try await browser.get("/lists?cursor=made-up").status == .badRequest)
        }
    }

    @Test("Names are kept without what nobody can see, typed or imported")
    func invisible() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let body =
                #"{"email":"bo@example.com","firstName":"B\u202eo\u2066","lastName":"\u200b","tags":["v\ufeffip","vip"]}"#
            let made = try await ana.api(.post, "/v1/contacts", body).json()
            #expect(made["firstName"] == .string("Bo"))
            #expect(made["lastName"] == .null)
            #expect(made["tags"] == .array([.string("vip")]))
            let list = try await ana.api(.post, "/v1/lists", #"{"name":"Ne\u202ews"}"#).json()
            #expect(list["name"] == .string("News"))
            #expect(try await ana.api(.post, "/v1/lists", #"{"name":"\u202e\u2060"}"#).status == .unprocessableContent)
            #expect(
                try await ana.api(.post, "/v1/contacts", #"{"email":"c@example.com","firstName":"a\u2028b"}"#).status
                    == .unprocessableContent)
        }
    }

    @Test("Alice's contacts, lists and imports do not exist for Charlie")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let alice = try await portal.register("Alice")
            let charlie = try await portal.register("Charlie")
            let contact = try id(try await alice.api(.post, "/v1/contacts", #"{"email":"a@example.com"}"#))
            let list = try id(try await alice.api(.post, "/v1/lists", #"{"name":"News"}"#))
            let file = try id(
                try await alice.api(
                    .post, "/v1/contacts/import", "email\nx@example.com\n", headers: [.contentType: "text/csv"]))
            let own = try id(try await charlie.api(.post, "/v1/contacts", #"{"email":"a@example.com"}"#))
            for path in [
                "/v1/contacts/\(contact)", "/v1/lists/\(list)", "/v1/lists/\(list)/contacts",
                "/v1/contacts/imports/\(file)",
            ] {
                #expect(try await charlie.api(.get, path).status == .notFound, "\(path)")
            }
            #expect(try await charlie.api(.patch, "/v1/contacts/\(contact)", #"{"firstName":"X"}"#).status == .notFound)
            #expect(
                try await charlie.api(.put, "/v1/contacts/\(contact)", #"{"email":"q@example.com"}"#).status
                    == .notFound)
            #expect(try await charlie.api(.delete, "/v1/contacts/\(contact)").status == .notFound)
            #expect(try await charlie.api(.put, "/v1/lists/\(list)", #"{"name":"X"}"#).status == .notFound)
            #expect(try await charlie.api(.delete, "/v1/lists/\(list)").status == .notFound)
            #expect(
                try await charlie.api(.post, "/v1/lists/\(list)/members", #"{"contactIds":["\#(own)"]}"#).status
                    == .notFound)
            let mine = try id(try await charlie.api(.post, "/v1/lists", #"{"name":"News"}"#))
            let added = try await charlie.api(.post, "/v1/lists/\(mine)/members", #"{"contactIds":["\#(contact)"]}"#)
            #expect(try added.json()["added"] == .int(0))
            #expect(
                try await charlie.api(
                    .post, "/v1/contacts/import?listId=\(list)", "email\nx@example.com\n",
                    headers: [.contentType: "text/csv"]
                ).status == .unprocessableContent)
            let search = try await charlie.api(.get, "/v1/contacts?listId=\(list)")
            #expect(try search.json()["data"] == .array([]))
            let browser = try await charlie.signIn()
            for path in [
                "/contacts/\(contact)", "/contacts/\(contact)/edit", "/contacts/\(contact)/delete", "/lists/\(list)",
                "/lists/\(list)/edit", "/lists/\(list)/delete", "/contacts/imports/\(file)",
                "/contacts/imports/\(file)/failures", "/contacts/imports/\(file)/undo",
            ] {
                #expect(try await browser.get(path).status == .notFound, "\(path)")
            }
            #expect(try await alice.api(.get, "/v1/contacts/\(contact)").status == .ok)
        }
    }

    @Test("Lists page through all people in every order, once each")
    func paging() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for index in 0..<7 {
                let body =
                    #"{"email":"p\#(index)@example.com","firstName":"F\#(index % 3)","lastName":"L\#(index % 2)"}"#
                _ = try await ana.api(.post, "/v1/contacts", body)
            }
            _ = try await ana.api(.post, "/v1/contacts", #"{"phone":"+442079460958"}"#)
            for query in [
                "sort=newest", "sort=name", "sort=email", "q=example", "q=p", "q=example&sort=name", "status=active",
            ] {
                var seen: [String] = []
                var path: String? = "/v1/contacts?limit=3&\(query)"
                while let next = path {
                    let json = try (try await ana.api(.get, next)).json()
                    guard case .array(let rows)? = json["data"] else { break }
                    seen += rows.compactMap { $0["id"]?.stringValue }
                    path = json["nextCursor"]?.stringValue.map { "/v1/contacts?limit=3&\(query)&cursor=\($0)" }
                }
                let expected = query.contains("q=") ? 7 : 8
                #expect(seen.count == expected, "\(query)")
                #expect(Set(seen).count == expected, "\(query)")
            }
            #expect(try await ana.api(.get, "/v1/contacts?cursor=forged").status == .badRequest)
            #expect(try await ana.api(.get, "/v1/contacts?status=dead").status == .unprocessableContent)
        }
    }

    @Test("The pages work without JavaScript: add, find, edit, conflict, bulk, delete, undo")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            #expect(try await browser.get("/contacts").text.contains("No contacts yet"))
            _ = try await browser.get("/contacts/new")
            let bad = try await browser.post("/contacts", [("email", "nonsense"), ("firstName", "Bo")])
            #expect(bad.status == .unprocessableContent)
            #expect(try bad.page().one("input[name=firstName]")["value"] == "Bo")
            let made = try await browser.post(
                "/contacts",
                [("email", "bo@example.com"), ("firstName", "Bo<script>"), ("lastName", "Ek"), ("tags", "vip, wine")])
            #expect(made.status == .seeOther)
            let path = try #require(made.location)
            let shown = try await browser.get(path)
            #expect(shown.status == .ok)
            #expect(!shown.text.contains("Bo<script>"))
            let index = try await browser.get("/contacts?q=ek")
            #expect(index.text.contains("1 contact"))
            let revision = try #require(
                try (try await browser.get("\(path)/edit")).page().fields(of: "form.form")["revision"])
            let saved = try await browser.post(
                path, [("email", "bo@example.com"), ("firstName", "Bob"), ("revision", revision)])
            #expect(saved.status == .seeOther)
            let conflict = try await browser.post(
                path, [("email", "bo@example.com"), ("firstName", "Bert"), ("revision", revision)])
            #expect(conflict.status == .conflict)
            #expect(conflict.text.contains("Bert") && conflict.text.contains("Bob"))
            let contact = path.split(separator: "/").last.map(String.init) ?? ""
            let bulk = try await browser.post(
                "/contacts/bulk", [("deed", "addTag"), ("tagName", "gold"), ("ids", contact), ("back", "/contacts")])
            #expect(bulk.location == "/contacts")
            #expect(try await browser.get("/contacts?tag=gold").text.contains("bo@example.com"))
            let question = try await browser.post("/contacts/bulk", [("deed", "delete"), ("all", "1")])
            #expect(question.text.contains("Delete 1 contact"))
            let gone = try await browser.post("\(path)/delete")
            #expect(gone.status == .seeOther)
            #expect(try await browser.get(path).status == .notFound)
            _ = try await browser.get("\(path)/restore")
            #expect(try await browser.post("\(path)/restore").location == path)
            #expect(try await browser.get(path).status == .ok)
            let csv = try await browser.get("/contacts/export")
            #expect(csv.text.contains("bo@example.com"))
        }
    }

    @Test("A viewer sees people and changes nothing")
    func viewer() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = portal.browser()
            #expect(try await browser.get("/contacts").status == .seeOther)
            #expect(try await portal.send(.get, "/v1/contacts").status == .unauthorized)
            #expect(try await ana.api(.get, "/v1/contacts").status == .ok)
        }
    }

    @Test("A file goes from upload over preview to its result, by hand")
    func importByHand() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            _ = try await browser.get("/contacts/import")
            let zip = try await browser.upload(
                "/contacts/import", file: ("file", "x.zip", [0x50, 0x4B, 3, 4, 0, 0, 0, 0, 0, 0]))
            #expect(zip.status == .unprocessableContent)
            #expect(zip.text.contains("zip archive"))
            let file = Array("E-Mail;Vorname;Plan\nbo@example.com;Bo;pro\nnonsense;X;\n".utf8)
            let uploaded = try await browser.upload("/contacts/import", file: ("file", "people.csv", file))
            let path = try #require(uploaded.location)
            let preview = try await browser.get(path)
            #expect(preview.text.contains("semicolons"))
            #expect(try preview.page().all("[name=newList]").first?["value"] == "People")
            let refused = try await browser.post(
                "\(path)/start",
                [
                    ("column0", "email"), ("column1", "ignore"), ("column2", "newProperty"), ("property2", "Plan"),
                    ("type2", "singleSelect"), ("newList", "News"), ("consentBasis", "consent"),
                ])
            #expect(refused.status == .unprocessableContent)
            let lists = try (try await ana.api(.get, "/v1/lists")).json()
            #expect(lists["data"] == .array([]))
            let incomplete = try await browser.post(
                "\(path)/start", [("column0", "email"), ("column1", "ignore"), ("column2", "ignore")])
            #expect(incomplete.status == .unprocessableContent)
            let started = try await browser.post(
                "\(path)/start",
                [
                    ("column0", "email"), ("column1", "firstName"), ("column2", "newProperty"), ("property2", "Plan"),
                    ("hasHeader", "on"), ("newList", "News"), ("tags", "2026"), ("onExisting", "update"),
                    ("consentBasis", "consent"),
                ])
            #expect(started.location == path)
            let id = try #require(ContactImportID(path.split(separator: "/").last ?? ""))
            try await ImportActions(services: portal.services).perform(id, ana.scope)
            let result = try await browser.get(path)
            #expect(result.text.contains("Rows that could not be imported"))
            let failures = try await browser.get("\(path)/failures")
            #expect(failures.text.contains("3,") && failures.text.contains("nonsense"))
            let state = try (try await ana.api(.get, "/v1/contacts/imports/\(id)")).json()
            #expect(state["status"] == .string("done"))
            #expect(state["created"] == .int(1))
            #expect(state["failed"] == .int(1))
        }
    }

    @Test("JSON imports travel the same road")
    func importJSON() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let body = #"""
                {"contacts":[{"email":"a@example.com","firstName":"=Ana","properties":{"plan":"pro"}},{"email":"bad"}],"onExisting":"fill"}
                """#
            let answer = try await ana.api(.post, "/v1/contacts/import", body)
            #expect(answer.status == .accepted)
            let id = try #require(ContactImportID(try id(answer)))
            try await ImportActions(services: portal.services).perform(id, ana.scope)
            let state = try (try await ana.api(.get, "/v1/contacts/imports/\(id)")).json()
            #expect(state["created"] == .int(1))
            #expect(state["failed"] == .int(1))
            let people = try (try await ana.api(.get, "/v1/contacts")).json()
            guard case .array(let rows)? = people["data"] else { throw TestFailure("no data") }
            #expect(rows[0]["firstName"] == .string("=Ana"))
            #expect(
                try await ana.api(.post, "/v1/contacts/import", #"{"contacts":[{"mail":"x"}]}"#).status
                    == .unprocessableContent)
            #expect(
                try await ana.api(.post, "/v1/contacts/import", "x", headers: [.contentType: "application/xml"]).status
                    == .unsupportedMediaType)
        }
    }

    @Test("Lists are made, renamed, filled, emptied and deleted")
    func lists() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let list = try id(try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#))
            #expect(try await ana.api(.post, "/v1/lists", #"{"name":"NEWS"}"#).status == .unprocessableContent)
            let person = try id(try await ana.api(.post, "/v1/contacts", #"{"email":"a@example.com"}"#))
            let body = #"{"contactIds":["\#(person)"]}"#
            #expect(try (try await ana.api(.post, "/v1/lists/\(list)/members", body)).json()["added"] == .int(1))
            #expect(try (try await ana.api(.post, "/v1/lists/\(list)/members", body)).json()["added"] == .int(0))
            #expect(try (try await ana.api(.get, "/v1/lists/\(list)")).json()["memberCount"] == .int(1))
            let browser = try await ana.signIn()
            let page = try await browser.get("/lists/\(list)?add=example")
            #expect(page.status == .ok)
            #expect(page.text.contains("a@example.com"))
            #expect(try (try await ana.api(.delete, "/v1/lists/\(list)/members", body)).json()["removed"] == .int(1))
            #expect(
                try (try await ana.api(.patch, "/v1/lists/\(list)", #"{"description":"All"}"#)).json()["name"]
                    == .string("News"))
            #expect(try await ana.api(.delete, "/v1/lists/\(list)").status == .noContent)
            #expect(try await ana.api(.get, "/v1/lists/\(list)").status == .notFound)
        }
    }
}
