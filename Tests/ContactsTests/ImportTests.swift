import Core
import Foundation
import Postgres
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

/// What every test of imports needs: a member, a file, an import that has run.
struct ImportBench {
    let portal: PortalFixture
    let member: TestMember

    var scope: WorkspaceScope { member.scope }
    var actions: ImportActions { ImportActions(services: portal.services) }

    static func with(_ body: (ImportBench) async throws -> Void) async throws {
        try await PortalFixture.with { portal in
            try await body(ImportBench(portal: portal, member: try await portal.register("Ana")))
        }
    }

    func upload(_ text: String) throws -> SpooledUpload { try upload(Array(text.utf8)) }

    func upload(_ bytes: [UInt8]) throws -> SpooledUpload {
        let name = "\(UInt64.random(in: .min ... .max))"
        let intake = try UploadIntake(directory: portal.services.spoolDirectory, name: name, limit: 64 << 20)
        for start in stride(from: 0, to: bytes.count, by: 50_000) {
            try intake.take(Array(bytes[start..<min(bytes.count, start + 50_000)]))
        }
        return try intake.finish()
    }

    /// Imports a text and answers how it went.
    func run(
        _ text: String, onExisting: ExistingPeople = .update, list: ContactListID? = nil, tags: [String] = [],
        region: String? = nil, perform: Bool = true
    ) async throws -> ContactImport {
        let upload = try upload(text)
        let id = try await actions.register(upload, fileName: "people.csv", scope)
        let options = ImportOptions(
            columns: ColumnGuess.targets(header: upload.header, samples: upload.samples),
            hasHeader: upload.dialect.hasHeader, tags: tags, onExisting: onExisting, consentBasis: "consent",
            region: region, headings: upload.header ?? [])
        #expect(try await actions.start(id, options, list: list, fileName: "people.csv", scope))
        if perform { try await actions.perform(id, scope) }
        return try await find(id)
    }

    func find(_ id: ContactImportID) async throws -> ContactImport {
        let file = try await portal.services.database.read(scope.workspace) { transaction in
            try await ImportQueries(scope: scope).find(id, in: transaction)
        }
        return try #require(file)
    }

    func people() async throws -> [String: Contact] {
        let page: ContactPage<Contact> = try await portal.services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).page(
                Contact.self, ContactFilter(), sort: .newest, after: nil, limit: 200, in: transaction)
        }
        return Dictionary(uniqueKeysWithValues: page.rows.map { ($0.email ?? $0.phone ?? "", $0) })
    }

    func total() async throws -> Int {
        try await portal.services.database.read(scope.workspace) { try await ContactTotals.count(scope, in: $0) }
    }

    func list(_ name: String) async throws -> ContactList {
        let form = try ContactListForm(name: name, description: "")
        return try await ListActions(services: portal.services).create(form, scope)
    }

    func members(of list: ContactList) async throws -> Int {
        try await portal.services.database.read(scope.workspace) { transaction in
            let found = try await ListQueries(scope: scope).find(list.id, in: transaction)
            let counted: Int = try await transaction.value(
                Int.self, "tests.members", "SELECT count(*) FROM marketing_list_members WHERE list_id = \(list.id)")
            #expect(found?.memberCount == counted)
            return counted
        }
    }
}

@Suite("Importing people")
struct ImportTests {
    @Test("New people come in with names, properties, tags and list, and bad rows are told with their number")
    func newPeople() async throws {
        try await ImportBench.with { bench in
            let list = try await bench.list("News")
            let file = try await bench.run(
                """
                Email,First name,Last name,Phone,Plan,Tags
                ana@example.com,Ana,Ruiz,+1 415 555 2671,pro,"vip, wine"
                not an address,Bo,,,,
                BO@Example.com,Bo,"O'Neil, Jr.",,'=free,
                ,,,,,

                zoë@bücher.example,Zoë,,(415) 555-2671,,
                ,Phone,Only,+44 20 7946 0958,,
                x@example.com,too,many,,a,b,c
                """, list: list.id, tags: ["2026"])
            #expect(file.status == .done)
            #expect(file.created == 4)
            #expect(file.failed == 3)
            #expect(file.total == 7)
            #expect(try await bench.total() == 4)
            #expect(try await bench.members(of: list) == 4)
            let people = try await bench.people()
            let ana = try #require(people["ana@example.com"])
            #expect(ana.fullName == "Ana Ruiz")
            #expect(ana.phone == "+14155552671")
            #expect(ana.properties == ["plan": .string("pro")])
            #expect(Set(ana.tags) == ["2026", "vip", "wine"])
            #expect(ana.consentBasis == "consent")
            #expect(people["BO@Example.com"]?.lastName == "O'Neil, Jr.")
            #expect(people["BO@Example.com"]?.properties["plan"] == .string("=free"))
            #expect(people["zoë@bücher.example"]?.properties["phone_as_written"] == .string("(415) 555-2671"))
            #expect(people["+442079460958"]?.lastName == "Only")
            let failures = try await bench.portal.services.database.read(bench.scope.workspace) {
                try await ImportQueries(scope: bench.scope).failures(file.id, limit: 10, in: $0)
            }
            #expect(failures.map(\.row) == [3, 5, 9])
            #expect(failures[0].reason == EmailAddress.Flaw.missingAt.message)
            #expect(failures[2].reason.contains("more cells"))
        }
    }

    static let before = "email,first name,plan\nana@example.com,Ana,free\nbo@example.com,,\n"
    static let after = "email,first name,plan\nANA@example.com,Anna,pro\nbo@example.com,Bo,\ncy@example.com,Cy,\n"

    @Test(
        "Existing people are updated, filled or left alone",
        arguments: [
            (ExistingPeople.update, "Anna", "pro", "Bo", 2, 0), (.fill, "Ana", "free", "Bo", 2, 0),
            (.skip, "Ana", "free", nil, 0, 2),
        ] as [(ExistingPeople, String, String, String?, Int, Int)])
    func existing(
        mode: ExistingPeople, ana: String, plan: String, bo: String?, updated: Int, skipped: Int
    ) async throws {
        try await ImportBench.with { bench in
            _ = try await bench.run(Self.before)
            let list = try await bench.list("News")
            let file = try await bench.run(Self.after, onExisting: mode, list: list.id)
            #expect(file.created == 1)
            #expect(file.updated == updated)
            #expect(file.skipped == skipped)
            let people = try await bench.people()
            #expect(people["ana@example.com"]?.firstName == ana)
            #expect(people["ana@example.com"]?.properties["plan"] == .string(plan))
            #expect(people["bo@example.com"]?.firstName == bo)
            #expect(try await bench.total() == 3)
            #expect(try await bench.members(of: list) == 3)
        }
    }

    @Test("Imported names and tags are kept without what nobody can see")
    func invisible() async throws {
        try await ImportBench.with { bench in
            _ = try await bench.run(
                "email,first name,last name,tags\na@example.com,A\u{202E}na\u{2066},\u{200B},v\u{FEFF}ip\nb@example.com,Zoë,李\u{2060}小,\n"
            )
            let people = try await bench.people()
            #expect(people["a@example.com"]?.firstName == "Ana")
            #expect(people["a@example.com"]?.lastName == nil)
            #expect(people["a@example.com"]?.tags == ["vip"])
            #expect(people["b@example.com"]?.firstName == "Zoë")
            #expect(people["b@example.com"]?.lastName == "李小")
        }
    }

    @Test("Rows about the same person count once, the last one wins")
    func repeats() async throws {
        try await ImportBench.with { bench in
            let file = try await bench.run(
                "email,first name,plan\na@example.com,One,x\nb@example.com,B,\nA@EXAMPLE.COM,Two,\na@example.com,,y\n")
            #expect(file.created == 2)
            #expect(file.updated == 2)
            let people = try await bench.people()
            #expect(people["a@example.com"]?.firstName == "Two")
            #expect(people["a@example.com"]?.properties["plan"] == .string("y"))
        }
    }

    @Test("A file of several chunks with repeats across them comes out as if imported row by row")
    func chunks() async throws {
        try await ImportBench.with { bench in
            let count = ImportChunk.usualRows * 2 + 500
            var text = "email,first name\n"
            for index in 0..<count { text += "user\(index)@example.com,F\(index)\n" }
            for index in 0..<300 { text += "user\(index * 30)@example.com,Again\n" }
            let file = try await bench.run(text)
            #expect(file.created == count)
            #expect(file.updated == 300)
            #expect(file.total == count + 300)
            #expect(try await bench.total() == count)
            let again: Int = try await bench.portal.services.database.read(bench.scope.workspace) {
                try await $0.value(
                    Int.self, "tests.again", "SELECT count(*) FROM marketing_contacts WHERE first_name = 'Again'")
            }
            #expect(again == 300)
        }
    }

    @Test("After a crash the import goes on, and no row is lost or counted twice")
    func resumes() async throws {
        try await ImportBench.with { bench in
            // Fewer than an import that begins now would have: the version before, say, cut them otherwise.
            let rows = 40
            let count: Int = rows * 3
            var text = "email\n"
            for index in 0..<count { text += "user\(index)@example.com\n" }
            let begun = try await bench.run(text, perform: false)
            _ = try await bench.portal.services.database.write(bench.scope.workspace) {
                try await ImportQueries(scope: bench.scope)
                    .move(begun.id, from: [.queued], to: .running, setting: ", rows_per_chunk = \(rows)", in: $0)
            }
            let file = try await bench.find(begun.id)
            // The second chunk was committed, the first and the third were not: the process died.
            var feed = try ImportFeed(file: file, path: try #require(file.spoolPath), done: [], seed: 1)
            _ = try feed.next(at: Date())
            let second = try #require(try feed.next(at: Date()))
            try await ImportWriter(services: bench.portal.services, file: file, scope: bench.scope).write(second)
            #expect(try await bench.find(file.id).created == rows)
            try await bench.actions.perform(file.id, bench.scope)
            let done = try await bench.find(file.id)
            #expect(done.status == .done)
            #expect(done.created == count)
            #expect(done.updated == 0)
            #expect(done.total == count)
            #expect(try await bench.total() == count)
        }
    }

    @Test(
        "Undo takes back the consent that the import claimed: the ledger says so, the flags follow, words of people stay"
    )
    func undoConsent() async throws {
        try await ImportBench.with { bench in
            let ana = bench.member
            for name in ["old", "said"] {
                _ = try await ana.api(.post, "/v1/contacts", #"{"email":"\#(name)@example.com"}"#)
            }
            let text = "Email,First name\nold@example.com,Old\nsaid@example.com,Said\nkept@example.com,Kept\n"
            let file = try await bench.run(text)
            var people = try await bench.people()
            let said = try #require(people["said@example.com"]).id
            let old = try #require(people["old@example.com"]).id
            let kept = try #require(people["kept@example.com"]).id
            func standing(_ id: ContactID) async throws -> JSONValue? {
                try await ana.api(.get, "/v1/contacts/\(id)/consents").json()["standing"]?["email"]
            }
            func flag(_ id: ContactID) async throws -> Bool? {
                try await bench.portal.services.database.read(bench.scope.workspace) { transaction in
                    try await transaction.value(
                        Bool?.self, "test.flag",
                        """
                        SELECT email_opt_in FROM marketing_contacts
                        WHERE workspace_id = \(bench.scope.workspace) AND id = \(id)
                        """)
                }
            }
            for id in [said, old, kept] { #expect(try await flag(id) == true) }
            let yes = #"{"action":"granted","channel":"email","basis":"consent_express"}"#
            #expect(try await ana.api(.post, "/v1/contacts/\(said)/consents", yes).status == .created)
            _ = try await ana.api(.patch, "/v1/contacts/\(kept)", #"{"lastName":"Person"}"#)
            _ = try await bench.portal.services.database.write(bench.scope.workspace) { transaction in
                try await ImportQueries(scope: bench.scope).move(file.id, from: [.done], to: .undoing, in: transaction)
            }
            try await ImportUndo(services: bench.portal.services, scope: bench.scope, importID: file.id).run()
            #expect(try await flag(said) == true)
            #expect(try await standing(said) == .bool(true))
            for id in [old, kept] {
                #expect(try await flag(id) == nil)
                #expect(try await standing(id) == .null)
                let history = try await ana.api(.get, "/v1/contacts/\(id)/consents").text
                #expect(history.contains(#""action":"retracted""#) && history.contains(#""action":"imported""#))
            }
            people = try await bench.people()
            #expect(people["old@example.com"]?.firstName == nil)
            // Undone, the same file may claim it anew.
            _ = try await bench.run(text)
            #expect(try await flag(old) == true)
            #expect(try await standing(old) == .bool(true))
        }
    }

    @Test("Undo deletes, restores and takes off the list, and leaves alone what was touched since")
    func undo() async throws {
        try await ImportBench.with { bench in
            let list = try await bench.list("News")
            _ = try await bench.run(Self.before)
            let file = try await bench.run(Self.after + "dan@example.com,Dan,\n", list: list.id, tags: ["new"])
            #expect(try await bench.total() == 4)
            let dan = try #require(try await bench.people()["dan@example.com"])
            var input = ContactInput()
            input.lastName = .set("Touched")
            _ = try await ContactActions(services: bench.portal.services).update(
                dan.id, input, revision: nil, bench.scope)
            #expect(try await bench.actions.undo(file.id, fileName: "x", bench.scope))
            try await ImportUndo(services: bench.portal.services, scope: bench.scope, importID: file.id).run()
            let done = try await bench.find(file.id)
            #expect(done.status == .undone)
            #expect(done.undoRemoved == 1)
            #expect(done.undoRestored == 2)
            #expect(done.undoKept == 1)
            let people = try await bench.people()
            #expect(Set(people.keys) == ["ana@example.com", "bo@example.com", "dan@example.com"])
            #expect(people["ana@example.com"]?.firstName == "Ana")
            #expect(people["ana@example.com"]?.properties["plan"] == .string("free"))
            #expect(people["ana@example.com"]?.tags == [])
            #expect(people["bo@example.com"]?.firstName == nil)
            #expect(try await bench.total() == 3)
            #expect(try await bench.members(of: list) == 0)
        }
    }

    @Test("A cancelled import stops and keeps what was done")
    func cancel() async throws {
        try await ImportBench.with { bench in
            let file = try await bench.run("email\na@example.com\n", perform: false)
            _ = try await bench.portal.services.database.write(bench.scope.workspace) {
                try await ImportQueries(scope: bench.scope).move(file.id, from: [.queued], to: .running, in: $0)
            }
            try await bench.actions.cancel(file.id, bench.scope)
            try await bench.actions.perform(file.id, bench.scope)
            #expect(try await bench.find(file.id).status == .cancelled)
        }
    }

    @Test("People of an import are found and sorted by name once the index job has run")
    func index() async throws {
        try await ImportBench.with { bench in
            let file = try await bench.run(
                "email,name\nz@example.com,Zoe Adams\na@example.com,Ana Zimmer\nm@example.com,Max Miller\n")
            try await bench.actions.index(file.id, bench.scope)
            let database = bench.portal.services.database
            let names: [String?] = try await database.read(bench.scope.workspace) { transaction in
                let page: ContactPage<ContactSummary> = try await ContactQueries(scope: bench.scope).page(
                    ContactSummary.self, ContactFilter(), sort: .name, after: nil, limit: 10, in: transaction)
                let state = try await ContactTotals.state(bench.scope, in: transaction)
                #expect(state.unindexed == 0)
                return page.rows.map(\.lastName)
            }
            #expect(names == ["Adams", "Miller", "Zimmer"])
        }
    }

    @Test("Hostile files get an answer, never a crash")
    func hostile() async throws {
        try await ImportBench.with { bench in
            #expect(throws: UploadIntake.Refusal.self) { try bench.upload([0x50, 0x4B, 3, 4, 0, 0, 0, 0, 0, 0]) }
            #expect(throws: UploadIntake.Refusal.self) { try bench.upload("a,b\n\u{0}x,y\n") }
            #expect(throws: UploadIntake.Refusal.self) { try bench.upload("") }
            var rows = "email,note\na@example.com,\""
            rows +=
                String(repeating: "x", count: 200_000)
                + "\"\nb@example.com,fine\nc@example.com,\"open\nd@example.com,ok\n"
            let file = try await bench.run(rows)
            #expect(file.created == 2)
            #expect(file.failed == 2)
        }
    }
}
