import Core
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

@Suite("Notes, tasks, activities and the page of a person")
struct ContactDeedsTests {
    private func id(_ answer: TestResponse) throws -> String {
        try #require(try answer.json()["id"]?.stringValue, "\(answer.text)")
    }

    private func contact(_ member: TestMember, _ body: String = #"{"email":"bo@example.com"}"#) async throws -> String {
        try id(try await member.api(.post, "/v1/contacts", body))
    }

    @Test("An activity told twice with the same id is one, and another workspace's id is apart")
    func activities() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bo = try await portal.register("Bo")
            let path = "/v1/contacts/\(try await contact(ana))/activities"
            let body =
                #"{"type":"call","title":"Called","body":"About wine","occurredAt":"2026-01-02T09:00:00Z","sourceEventId":"c1"}"#
            let first = try await ana.api(.post, path, body)
            #expect(first.status == .created, "\(first.text)")
            let again = try await ana.api(.post, path, body)
            #expect(again.status == .ok)
            #expect(try again.json()["id"] == first.json()["id"])
            let other = try await bo.api(.post, "/v1/contacts/\(try await contact(bo))/activities", body)
            #expect(other.status == .created)
            #expect(try await bo.api(.post, path, body).status == .notFound)
            let listed = try await ana.api(.get, "\(path)?kind=activity").json()
            guard case .array(let rows)? = listed["data"] else { throw TestFailure("no data") }
            #expect(rows.count == 1 && rows[0]["title"] == .string("Called"))
            #expect(rows[0]["occurredAt"]?.stringValue?.hasPrefix("2026-01-02T09:00:00") == true)
            #expect(try await ana.api(.get, "\(path)?kind=change").text.contains("Called") == false)
            #expect(try await ana.api(.get, "\(path)?to=2026-01-01").json()["data"] == .array([]))
            #expect(try await ana.api(.get, "\(path)?to=2026-01-02").text.contains("Called"))
            #expect(try await ana.api(.get, "\(path)?from=2026-01-03").text.contains("Called") == false)
            #expect(try await ana.api(.get, "\(path)?from=yesterday").status == .unprocessableContent)
            let bad = try await ana.api(.post, path, #"{"type":"a b","title":""}"#)
            #expect(bad.status == .unprocessableContent && bad.text.contains("/type") && bad.text.contains("/title"))
        }
    }

    @Test("A private note is there for its author only")
    func privateNotes() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let scope = ana.scope
            let person: String = try await contact(ana)
            let contactID = try #require(ContactID(person))
            let path = "/v1/contacts/\(person)/notes"
            let made = try await ana.api(.post, path, #"{"body":"Secret","private":true}"#)
            #expect(made.status == .created, "\(made.text)")
            _ = try await ana.api(.post, path, #"{"body":"Open","pinned":true}"#)
            let own = try await ana.api(.get, path).text
            #expect(own.contains("Secret") && own.contains("Open"))
            // A colleague in the same workspace.
            let colleague = WorkspaceScope(workspace: scope.workspace, actor: portal.services.ids.next())
            let actions = ContactNoteActions(services: portal.services, scope: colleague)
            let seen = try await portal.services.database.read(scope.workspace) { transaction in
                try await transaction.last(ContactNoteActions.all(contactID, colleague))
            }
            #expect(seen.map(\.body) == ["Open"])
            let secret = try #require(ContactNoteID(try id(made)))
            #expect(try await actions.change(secret, of: contactID, ContactNoteInput(body: "x")) == nil)
            #expect(try await actions.delete(secret, of: contactID) == false)
            #expect(try await ana.api(.patch, "\(path)/\(try id(made))", #"{"private":false}"#).status == .ok)
            #expect(try await ana.api(.post, path, #"{"body":" "}"#).status == .unprocessableContent)
        }
    }

    @Test("Tasks are added, finished and deleted, open ones first by the day they are due")
    func tasks() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let person: String = try await contact(ana)
            let path = "/v1/contacts/\(person)/tasks"
            let late = try id(try await ana.api(.post, path, #"{"title":"Late","dueOn":"2026-03-01"}"#))
            _ = try await ana.api(
                .post, path, #"{"title":"Soon","dueOn":"2026-02-01","assigneeId":"\#(ana.principal.user)"}"#)
            let listed = try await ana.api(.get, path).json()
            guard case .array(let rows)? = listed["data"] else { throw TestFailure("no data") }
            #expect(rows.map { $0["title"] } == [.string("Soon"), .string("Late")])
            #expect(rows[0]["assignee"] == .string("Ana"))
            #expect(try await ana.api(.patch, "\(path)/\(late)", #"{"done":true}"#).json()["done"] == .bool(true))
            #expect(
                try await ana.api(.get, "/v1/contacts/\(person)/activities").text.contains("A task was done"))
            let stranger = portal.services.ids.next(UserID.self)
            #expect(
                try await ana.api(.post, path, #"{"title":"x","assigneeId":"\#(stranger)"}"#).status
                    == .unprocessableContent)
            #expect(try await ana.api(.post, path, #"{"title":"x","dueOn":"soon"}"#).status == .unprocessableContent)
            #expect(try await ana.api(.post, path, #"{"title":"x","dueOn":" "}"#).status == .created)
            #expect(try await ana.api(.post, path, #"{"title":"y","dueOn":"\u202e 2026-03-03"}"#).status == .created)
            #expect(try await ana.api(.delete, "\(path)/\(late)").status == .noContent)
            #expect(try await ana.api(.delete, "\(path)/\(late)").status == .notFound)
        }
    }

    @Test("Properties are edited in place; another's change stays unless both changed the same one")
    func editInPlace() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let person = try await contact(
                ana, #"{"email":"bo@example.com","properties":{"city":"Oslo","orders":3}}"#)
            let browser = try await ana.signIn()
            let page = try await browser.get("/contacts/\(person)").page()
            let revision = try #require(page.all("#properties input[name=revision]").first?["value"])
            let base = try #require(page.all("#properties input[name=base]").first?["value"])
            func save(_ city: String, _ orders: String) async throws -> TestResponse {
                try await browser.post(
                    "/contacts/\(person)/properties",
                    [
                        ("revision", revision), ("base", base), ("group", ""), ("property:city", city),
                        ("property:orders", orders),
                    ])
            }
            func stored() async throws -> JSONValue? {
                try await ana.api(.get, "/v1/contacts/\(person)").json()["properties"]
            }
            let wrong = try await save("Oslo", "many")
            #expect(wrong.status == .unprocessableContent && wrong.text.contains("This must be a number"))
            _ = try await ana.api(.patch, "/v1/contacts/\(person)", #"{"properties":{"city":"Rome"}}"#)
            // Only the orders were typed: the city of somebody else stays.
            #expect(try await save("Oslo", "4").status == .seeOther)
            #expect(try await stored() == .object(["city": .string("Rome"), "orders": .int(4)]))
            let both = try await save("Turin", "3")
            #expect(both.status == .conflict)
            #expect(both.text.contains("Rome") && both.text.contains("Turin"))
            #expect(try await stored()?["city"] == .string("Rome"))
        }
    }

    @Test("The edit form keeps what somebody else saved in fields that were not typed into")
    func concurrentForm() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let person = try await contact(ana, #"{"email":"bo@example.com","firstName":"Bo","lastName":"Ek"}"#)
            let browser = try await ana.signIn()
            let page = try await browser.get("/contacts/\(person)/edit").page()
            let revision = try #require(page.all("input[name=revision]").first?["value"])
            let base = try #require(page.all("input[name=base]").first?["value"])
            _ = try await ana.api(.patch, "/v1/contacts/\(person)", #"{"firstName":"Bob","lastName":"Oak"}"#)
            let answer = try await browser.post(
                "/contacts/\(person)",
                [
                    ("revision", revision), ("base", base), ("email", "bo@example.com"), ("firstName", "Bo"),
                    ("lastName", "Elm"), ("phone", ""), ("tags", ""), ("emailStatus", "active"), ("company", ""),
                    ("trackingShown", "1"), ("trackingAllowed", "on"),
                ])
            #expect(answer.status == .conflict)
            let form = try answer.page()
            #expect(form.all("input[name=firstName]").first?["value"] == "Bob")
            #expect(form.all("input[name=lastName]").first?["value"] == "Elm")
            #expect(answer.text.contains("Oak"))
            #expect(form.all("input[name=revision]").first?["value"] != revision)
            // A mistake in between does not make the form forget what it was opened with.
            let mistaken = try await browser.post(
                "/contacts/\(person)", [("revision", revision), ("base", base), ("email", "nonsense")])
            #expect(mistaken.status == .unprocessableContent || mistaken.status == .conflict)
            let searched = try await browser.post(
                "/contacts/\(person)/find-company", [("revision", revision), ("base", base), ("companyQuery", "x")]
            ).page()
            #expect(searched.all("input[name=revision]").first?["value"] == revision)
            #expect(searched.all("input[name=base]").first?["value"] == base)
        }
    }

    @Test("Notes and tasks are kept on the page without a script")
    func forms() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let person: String = try await contact(ana)
            let browser = try await ana.signIn()
            let note = try await browser.post("/contacts/\(person)/notes", [("body", "Likes red"), ("pinned", "on")])
            #expect(note.status == .seeOther)
            _ = try await browser.post("/contacts/\(person)/tasks", [("title", "Call back"), ("due", "2020-01-01")])
            let page = try await browser.get("/contacts/\(person)")
            #expect(page.text.contains("Likes red") && page.text.contains("Pinned"))
            #expect(page.text.contains("Call back") && page.text.contains("Overdue"))
            let list = try id(try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#))
            _ = try await browser.post("/contacts/\(person)/lists", [("list", list)])
            let listed = try await browser.get("/contacts/\(person)").page()
            #expect(listed.all(".link-list li").contains { $0.readableText.hasPrefix("News since") })
            let part = try await browser.get("/contacts/\(person)", headers: [.fragment: "notes"])
            #expect(part.text.contains("Likes red") && !part.text.contains("<html"))
        }
    }

    @Test("Another workspace's properties, notes and tasks do not exist")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let alice = try await portal.register("Alice")
            let charlie = try await portal.register("Charlie")
            let person: String = try await contact(alice)
            let note = try id(try await alice.api(.post, "/v1/contacts/\(person)/notes", #"{"body":"x"}"#))
            let task = try id(try await alice.api(.post, "/v1/contacts/\(person)/tasks", #"{"title":"x"}"#))
            let property = try id(try await alice.api(.post, "/v1/property-definitions", #"{"label":"Plan"}"#))
            let own: String = try await contact(charlie)
            for path in [
                "/v1/contacts/\(person)/notes", "/v1/contacts/\(person)/tasks", "/v1/contacts/\(person)/activities",
            ] {
                #expect(try await charlie.api(.get, path).status == .notFound, "\(path)")
            }
            for path in ["/v1/contacts/\(person)/notes/\(note)", "/v1/contacts/\(own)/notes/\(note)"] {
                #expect(try await charlie.api(.patch, path, #"{"body":"y"}"#).status == .notFound)
                #expect(try await charlie.api(.delete, path).status == .notFound)
            }
            #expect(
                try await charlie.api(.patch, "/v1/contacts/\(own)/tasks/\(task)", #"{"done":true}"#).status
                    == .notFound)
            let path = "/v1/property-definitions/\(property)"
            #expect(try await charlie.api(.put, path, #"{"label":"X"}"#).status == .notFound)
            #expect(try await charlie.api(.delete, path).status == .notFound)
            #expect(try await charlie.api(.get, "/v1/property-definitions").json()["data"] == .array([]))
            let browser = try await charlie.signIn()
            for page in ["/settings/properties/\(property)", "/settings/properties/\(property)/delete"] {
                #expect(try await browser.get(page).status == .notFound)
            }
        }
    }
}
