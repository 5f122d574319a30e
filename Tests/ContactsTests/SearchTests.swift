import Core
import Postgres
import TestSupport
import Testing

@testable import Contacts

@Suite("Searching people")
struct SearchTests {
    /// Makes people named by their number; every third is an Anna, and number 7 has a name of its own.
    private func people(_ count: Int, in member: TestMember, _ portal: PortalFixture) async throws {
        let workspace: WorkspaceID = member.scope.workspace
        try await portal.services.database.write(workspace, timeout: .seconds(60)) { tx in
            try await tx.run(
                "test.people",
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, first_name, last_name, created_at, updated_at)
                SELECT \(workspace), ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                    'p.' || n || '@example.com', 'p.' || n || '@example.com',
                    CASE WHEN n = 7 THEN 'Xaver_O' WHEN n % 3 = 0 THEN 'Anna' ELSE 'Bo' END, 'Ek', now(), now()
                FROM generate_series(1, \(count)) AS n
                """)
            try await tx.run(
                "test.search",
                """
                INSERT INTO marketing_contact_search (workspace_id, contact_id, name_key, text)
                SELECT workspace_id, id, 'ek', lower(concat_ws(' ', first_name, last_name, email, phone))
                FROM marketing_contacts WHERE workspace_id = \(workspace)
                """)
            try await tx.run([ContactTotals.adding(count, member.scope)])
        }
    }

    private func find(
        _ words: String, _ member: TestMember, _ portal: PortalFixture, after: [String]? = nil,
        newest: NewestTextsMemory = NewestTextsMemory()
    ) async throws -> ContactListReader.Listing {
        try await ContactListReader(
            database: portal.services.database, counts: MatchCountMemory(), newest: newest, scope: member.scope
        ).listing(ContactFilter(query: words), sort: .newest, after: after, limit: 50)
    }

    private func numbers(_ listing: ContactListReader.Listing) -> [Int] {
        listing.page.rows.compactMap { row in
            row.email?.split(separator: "@").first?.split(separator: ".").last.flatMap { Int($0) }
        }
    }

    @Test("Common words fill pages from the newest people, rare ones come from the index, and both are counted")
    func commonAndRare() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            try await people(1_500, in: ana, portal)
            let first = try await find("anna", ana, portal)
            #expect(numbers(first) == (0..<50).map { 1_500 - $0 * 3 })
            #expect(first.count == .exactly(500))
            let second = try await find("anna", ana, portal, after: first.page.next)
            #expect(numbers(second) == (50..<100).map { 1_500 - $0 * 3 })
            #expect(second.count == .exactly(500))
            for words in ["xaver", "ave", "ver_o", "ver_o ek", "p.7@", "XAVER ek"] {
                let found = try await find(words, ana, portal)
                #expect(numbers(found).contains(7), "\(words)")
            }
            #expect(numbers(try await find("xav%r", ana, portal)) == [])
            #expect(numbers(try await find("xaver anna", ana, portal)) == [])
            #expect(numbers(try await find("“Ver_o ek”, Xaver <p.7@example.com>;", ana, portal)) == [7])
            #expect(numbers(try await find(";", ana, portal)) == [])
            #expect(try await find("xaver", ana, portal).count == .exactly(1))
        }
    }

    @Test("A word is found wherever it stands, with punctuation and letters of any alphabet")
    func anywhere() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let names = ["Björn Ødegård", "Łucja Żółć", "Jean-Luc O'Neil", "aab abba", "Иван Петров"]
            for (index, name) in names.enumerated() {
                _ = try await ana.api(
                    .post, "/v1/contacts", #"{"firstName":"\#(name)","email":"w.\#(index)@ex-ample.com"}"#)
            }
            let words = [
                "jör": 0, "degår": 0, "ódegård": -1, "ółć": 1, "o'neil": 2, "n-luc": 2, "aab": 3, "bba": 3, "abb": 3,
                "етр": 4, "w.4@ex": 4, "4@ex-a": 4, "w.3": 3, ".2@": 2, "n-l": 2, "wq2": -1,
                "иван": 4, "ива": 4, "ров": 4, "ødegård": 0, "øde": 0, "ård": 0, "łucja": 1, "żół": 1, "ucj": 1,
                "cja": 1,
                "o'n": 2, "-lu": 2,
            ]
            for (word, index) in words {
                let ids = try await portal.services.database.read(ana.scope.workspace) { tx in
                    try await tx.values(
                        String.self, "test.indexed",
                        """
                        SELECT c.email FROM marketing_search_contacts(\([word]), NULL, 10) AS f(id)
                        JOIN marketing_contacts c ON c.workspace_id = \(ana.scope.workspace) AND c.id = f.id
                        """)
                }
                let expected: [String] = index < 0 ? [] : ["w.\(index)@ex-ample.com"]
                #expect(ids == expected, "\(word)")
                let found: [String?] = try await find(word, ana, portal).page.rows.map(\.email)
                #expect(found == expected, "\(word)")
            }
        }
    }

    @Test("Names are found as a keyboard types them, in capitals too, however a file writes their accents")
    func accents() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for (index, name) in ["İpek Işık", "Jose\u{301} Nun\u{303}ez", "Émile ΟΔΥΣΣΕΥΣ"].enumerated() {
                _ = try await ana.api(
                    .post, "/v1/contacts", #"{"firstName":"\#(name)","email":"a.\#(index)@example.com"}"#)
            }
            let words = [
                "ipek": 0, "İPEK": 0, "ışık": 0, "josé": 1, "JOSÉ": 1, "nuñez": 1, "émile": 2, "Émi": 2, "οδυσσ": 2,
                "ΟΔΥΣ": 2,
            ]
            for (word, index) in words {
                let found: [String?] = try await find(word, ana, portal).page.rows.map(\.email)
                #expect(found == ["a.\(index)@example.com"], "\(word)")
            }
        }
    }

    @Test("From the texts in memory comes what the database would find, also after a change and behind a page")
    func fromMemory() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            try await people(1_500, in: ana, portal)
            let newest = NewestTextsMemory()
            for _ in 0..<16 { _ = try await find("anna", ana, portal, newest: newest) }
            for words in ["anna", "an", "ver_o ek", "p.7@", "XAVER ek", "xav%r", "xaver anna", "bo ek"] {
                let (here, there) = (
                    try await find(words, ana, portal, newest: newest), try await find(words, ana, portal)
                )
                #expect(numbers(here) == numbers(there), "\(words)")
                if case .about(let estimate) = there.count {
                    // Short words are not looked up, so the database has only a share to go by.
                    #expect(abs(here.count.atLeast - estimate) < 5, "\(words)")
                } else {
                    #expect(here.count == there.count, "\(words)")
                }
                #expect(here.page.next == there.page.next, "\(words)")
                guard let next = here.page.next else { continue }
                let behind = try await find(words, ana, portal, after: next, newest: newest)
                #expect(try await numbers(find(words, ana, portal, after: next)) == numbers(behind), "\(words)")
            }
            #expect(try await newest.texts(ana.scope.workspace, load: { nil })?.revision == 1)
            let renamed = try #require(try await find("xaver", ana, portal, newest: newest).page.rows.first)
            _ = try await ana.api(.patch, "/v1/contacts/\(renamed.id)", #"{"firstName":"Yorick"}"#)
            #expect(numbers(try await find("xaver", ana, portal, newest: newest)) == [])
            #expect(try await newest.texts(ana.scope.workspace, load: { nil }) == nil)
            #expect(numbers(try await find("yorick", ana, portal, newest: newest)) == [7])
        }
    }

    @Test("Where only some people are in memory, words that few have come from the index, and pages behind them too")
    func partlyInMemory() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            try await people(1_500, in: ana, portal)
            let (newest, workspace) = (NewestTextsMemory(), ana.scope.workspace)
            for _ in 0..<16 { _ = try await find("anna", ana, portal, newest: newest) }
            let all = try #require(
                try await portal.services.database.read(workspace) { try await NewestTexts.load(ana.scope, in: $0) })
            let lines: [String] = (1_201...1_500).reversed().map {
                "\($0 % 3 == 0 ? "anna" : "bo") ek p.\($0)@example.com"
            }
            let part = NewestTexts(
                revision: all.revision, people: Array(all.people.prefix(300)),
                texts: Array(lines.joined(separator: "\n").utf8),
                capacity: 300, blockSize: 100)
            #expect(try await newest.texts(workspace, load: { part })?.isEverybody == false)
            for words in ["anna", "xaver", "ver_o ek", "p.7@", "p.14 anna", "nobody"] {
                let (here, there) = (
                    try await find(words, ana, portal, newest: newest), try await find(words, ana, portal)
                )
                #expect(numbers(here) == numbers(there), "\(words)")
                #expect(here.count == there.count, "\(words)")
                #expect(here.page.next == there.page.next, "\(words)")
            }
            // The first page comes from memory, the second and the third lie behind it.
            var after: [String]?
            var found: [Int] = []
            repeat {
                let page = try await find("anna", ana, portal, after: after, newest: newest)
                found += numbers(page)
                after = page.page.next
            } while after != nil
            #expect(found == (1...500).reversed().map { $0 * 3 })
        }
    }

    @Test("Texts are read where many search and nobody changes, and those not used for the longest time go first")
    func memory() async throws {
        let memory = NewestTextsMemory(capacity: 3)
        let workspaces: [WorkspaceID] = (0..<5).map { _ in IdentifierSource().next() }
        func texts(_ workspace: WorkspaceID, _ revision: Int = 1) async throws -> NewestTexts? {
            try await memory.texts(workspace) {
                NewestTexts(revision: revision, people: [IdentifierSource().next()], texts: Array("ana".utf8))
            }
        }
        func met(_ revision: Int, _ workspace: WorkspaceID, times: Int, unindexed: Int = 0) {
            var totals = ContactTotals.State()
            (totals.revision, totals.unindexed) = (revision, unindexed)
            for _ in 0..<times { memory.met(totals, workspace) }
        }
        let first = workspaces[0]
        #expect(try await texts(first) == nil)
        for revision in 1...30 { met(revision, first, times: 15) }
        #expect(try await texts(first, 30) == nil)
        met(30, first, times: 1, unindexed: 5)
        met(30, first, times: 15)
        #expect(try await texts(first, 30) == nil)
        met(30, first, times: 1)
        #expect(try await texts(first, 30)?.revision == 30)
        #expect(try await memory.texts(first, load: { throw TestFailure("read again") })?.revision == 30)
        met(31, first, times: 1)
        #expect(try await texts(first, 31) == nil)
        for workspace in workspaces {
            met(1, workspace, times: 16)
            #expect(try await texts(workspace)?.revision == 1)
        }
        for (place, workspace) in workspaces.enumerated() {
            #expect(try await (memory.texts(workspace, load: { nil }) == nil) == (place < 2), "\(place)")
        }
        #expect(try await texts(first) == nil)
    }

    @Test("Texts that could not be read are read by the next search")
    func failedReading() async throws {
        let memory = NewestTextsMemory()
        let workspace: WorkspaceID = IdentifierSource().next()
        for _ in 0..<16 { memory.met(ContactTotals.State(), workspace) }
        await #expect(throws: TestFailure.self) {
            try await memory.texts(workspace, load: { throw TestFailure("the database is away") })
        }
        let texts = try await memory.texts(workspace, load: { NewestTexts(revision: 0, people: [], texts: []) })
        #expect(texts?.revision == 0)
    }

    @Test("Nobody of another workspace is found, not even by the functions that look behind the wall")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bo = try await portal.register("Bo")
            try await people(30, in: ana, portal)
            let newest = NewestTextsMemory()
            for _ in 0..<18 {
                #expect(try await find("anna", ana, portal, newest: newest).count == .exactly(10))
                #expect(try await find("xaver", bo, portal, newest: newest).page.rows.isEmpty)
                #expect(try await find("anna", bo, portal, newest: newest).page.rows.isEmpty)
            }
            #expect(try await find("anna", ana, portal).count == .exactly(10))
        }
    }

    @Test("Whom an import has just made is found before the index knows them")
    func unindexed() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            try await people(30, in: ana, portal)
            try await portal.services.database.write(ana.scope.workspace) { tx in
                try await tx.run("test.unindex", "DELETE FROM marketing_contact_search")
                try await tx.run("test.totals", "UPDATE marketing_contact_totals SET unindexed_count = 30")
            }
            #expect(numbers(try await find("xaver", ana, portal)) == [7])
        }
    }

    @Test("A transaction that committed with its last queries refuses more of them")
    func lastQueries() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            await #expect(throws: PostgresError.self) {
                try await portal.services.database.read(ana.scope.workspace) { tx in
                    let (ones) = try await tx.last(Query.values(Int.self, "test.one", "SELECT 1::bigint"))
                    #expect(ones == [1])
                    _ = try await tx.value(Int.self, "test.two", "SELECT 2::bigint")
                }
            }
        }
    }
}
