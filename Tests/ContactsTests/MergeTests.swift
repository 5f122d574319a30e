import Accounts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Making two people one", .timeLimit(.minutes(30)))
struct MergeTests {
    private func add(_ ana: TestMember, _ json: String) async throws -> String {
        let made = try await ana.api(.post, "/v1/contacts", json)
        #expect(made.status == .created, "\(made.text)")
        return try #require(try made.json()["id"]?.stringValue)
    }

    private func merge(_ ana: TestMember, _ winner: String, _ loser: String, _ more: String = "") async throws -> String
    {
        let answer = try await ana.api(.post, "/v1/contacts/\(winner)/merge", #"{"loserId":"\#(loser)"\#(more)}"#)
        #expect(answer.status == .ok, "\(answer.text)")
        return try #require(try answer.json()["mergeId"]?.stringValue)
    }

    private func run(_ portal: PortalFixture, _ ana: TestMember, _ name: StaticString, _ sql: SQL) async throws {
        _ = try await portal.services.database.write(ana.principal.workspace) { try await $0.run(name, sql) }
    }

    /// Everything that names a person, as text, so that two states can be compared.
    private func state(_ portal: PortalFixture, _ ana: TestMember) async throws -> [String] {
        let workspace = ana.principal.workspace
        return try await portal.services.database.read(workspace) { transaction in
            try await transaction.values(
                String.self, "test.state",
                """
                SELECT t FROM (
                    SELECT concat_ws('|', 'contact', id, email_key, phone, first_name, last_name, tags, properties,
                        email_status, tracking_allowed, email_opt_in, sms_opt_in, deleted_at IS NULL) AS t
                    FROM marketing_contacts WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'message', id, contact_id, occurrence) FROM marketing_messages
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'hit', id, contact_id) FROM marketing_email_events
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'event', id, contact_id) FROM marketing_events
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'moment', id, contact_id) FROM marketing_contact_events
                    WHERE workspace_id = \(workspace) AND kind NOT LIKE 'contact.%merged'
                    UNION ALL SELECT concat_ws('|', 'list', list_id, contact_id) FROM marketing_list_members
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'members', id, member_count) FROM marketing_lists
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'identity', kind, source, value, contact_id)
                    FROM marketing_contact_identities WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'consent', id, contact_id) FROM marketing_consents
                    WHERE workspace_id = \(workspace) AND source <> 'merge'
                    UNION ALL SELECT concat_ws('|', 'alias', loser_id) FROM marketing_contact_aliases
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'search', contact_id, text) FROM marketing_contact_search
                    WHERE workspace_id = \(workspace)
                    UNION ALL SELECT concat_ws('|', 'total', contact_count) FROM marketing_contact_totals
                    WHERE workspace_id = \(workspace)
                ) s ORDER BY t COLLATE "C"
                """)
        }
    }

    /// A person with something in every table.
    private func furnish(_ portal: PortalFixture, _ ana: TestMember, _ id: String, send: UUID, list: String)
        async throws
    {
        let workspace = ana.principal.workspace
        let contact = try #require(ContactID(id))
        try await run(
            portal, ana, "test.messages",
            """
            INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, state, created_at)
            SELECT \(workspace), gen_random_uuid(), s, \(contact), 'sent', now()
            FROM unnest(\([send, UUID()])) AS s
            """)
        try await run(
            portal, ana, "test.hits",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, occurred_at, class,
                class_reason, user_agent, network)
            VALUES (\(workspace), gen_random_uuid(), gen_random_uuid(), \(contact), 'open', now(), 'human', '', '', '')
            """)
        try await run(
            portal, ana, "test.events",
            """
            INSERT INTO marketing_events (workspace_id, id, contact_id, name, source, occurred_at, received_at)
            SELECT \(workspace), gen_random_uuid(), \(contact), 'seen', 'api', now() - make_interval(days => d), now()
            FROM generate_series(0, 60, 20) AS d
            """)
        let added = try await ana.api(.post, "/v1/lists/\(list)/members", #"{"contactIds":["\#(id)"]}"#)
        #expect(added.status.code < 300, "\(added.text)")
        try await run(
            portal, ana, "test.identity",
            """
            INSERT INTO marketing_contact_identities (workspace_id, kind, source, value, contact_id, created_at)
            VALUES (\(workspace), 'external', 'crm', \(id), \(contact), now())
            """)
    }

    private func list(_ ana: TestMember, _ name: String) async throws -> String {
        try #require(
            try await ana.api(.post, "/v1/lists", #"{"name":"\#(name)"}"#).json()["id"]?.stringValue)
    }

    @Test("Everything moves to the winner, and taking it back restores everything exactly")
    func thereAndBack() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let winner = try await add(
                ana, #"{"email":"ana@example.com","firstName":"Ana","tags":["a","b"],"properties":{"plan":"pro"}}"#)
            let loser = try await add(
                ana,
                #"{"email":"ana@exmaple.com","phone":"+14155552671","firstName":"Anna","lastName":"Ruiz","tags":["b","c"],"properties":{"plan":"free","city":"Oslo"}}"#
            )
            let send = UUID()
            let (both, own) = (try await list(ana, "Both"), try await list(ana, "Own"))
            try await furnish(portal, ana, winner, send: send, list: both)
            try await furnish(portal, ana, loser, send: send, list: both)
            _ = try await ana.api(.post, "/v1/lists/\(own)/members", #"{"contactIds":["\#(loser)"]}"#)
            let before = try await state(portal, ana)
            let id = try await merge(ana, winner, loser, #","fromLoser":["firstName"]"#)
            let merged = try await ana.api(.get, "/v1/contacts/\(winner)").json()
            #expect(merged["email"] == .string("ana@example.com"))
            #expect(merged["firstName"] == .string("Anna"))
            #expect(merged["lastName"] == .string("Ruiz"))
            #expect(merged["phone"] == .string("+14155552671"))
            #expect(merged["tags"] == .array([.string("a"), .string("b"), .string("c")]))
            #expect(merged["properties"] == .object(["plan": .string("pro"), "city": .string("Oslo")]))
            let after = try await state(portal, ana)
            let left = after.filter { line in
                line.contains(loser) && !["contact", "alias"].contains(line.prefix { $0 != "|" })
                    && !line.hasPrefix("identity|external|crm|\(loser)|\(winner)")
            }
            #expect(left.isEmpty, "\(left)")
            #expect(after.contains("members|\(both)|1"))
            #expect(after.contains("members|\(own)|1"))
            let undone = try await ana.api(.post, "/v1/merges/\(id)/undo")
            #expect(undone.status == .ok, "\(undone.text)")
            #expect(try undone.json()["notes"] == .array([]))
            let restored = try await state(portal, ana)
            #expect(Set(restored).symmetricDifference(before).isEmpty)
            #expect(try await ana.api(.post, "/v1/merges/\(id)/undo").status == .conflict)
        }
    }

    @Test("The old id and the old address go on leading to the one person")
    func oldIDs() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let winner = try await add(ana, #"{"email":"ana@example.com"}"#)
            let loser = try await add(ana, #"{"email":"old@example.com"}"#)
            let third = try await add(ana, #"{"email":"third@example.com"}"#)
            _ = try await merge(ana, winner, loser)
            #expect(try await ana.api(.get, "/v1/contacts/\(loser)").json()["id"] == .string(winner))
            let patched = try await ana.api(.patch, "/v1/contacts/\(loser)", #"{"firstName":"Ana"}"#)
            #expect(try patched.json()["id"] == .string(winner))
            #expect(try await ana.api(.delete, "/v1/contacts/\(loser)").status == .notFound)
            let found = try await ana.api(.get, "/v1/contacts/resolve?email=old%40example.com").json()
            #expect(found["contactId"] == .string(winner))
            let browser = try await ana.signIn()
            for page in ["/contacts/\(loser)", "/contacts/\(loser)/edit"] {
                let answer = try await browser.get(page)
                #expect(answer.status == .seeOther)
                #expect(answer.location == page.replacing(loser, with: winner))
            }
            #expect(try await browser.post("/contacts/\(loser)/restore").status == .notFound)
            _ = try await merge(ana, third, winner)
            #expect(try await ana.api(.get, "/v1/contacts/\(loser)").json()["id"] == .string(third))
        }
    }

    @Test("Of two decisions the stricter one counts, and it is in the ledger")
    func stricterWins() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let ledger = ConsentLedger(portal.services)
            let (one, other) = (
                try await add(ana, #"{"email":"a@example.com"}"#),
                try await add(ana, #"{"email":"b@example.com","emailStatus":"unsubscribed"}"#)
            )
            let ids = try [one, other].map { try #require(ContactID($0)) }
            try await portal.services.database.write(ana.principal.workspace) { transaction in
                let past = Date(timeIntervalSinceNow: -86_400)
                try await ledger.record(
                    ConsentDecision(.withdrawn, source: "api", by: .contact, occurredAt: past), of: ids[1], ana.scope,
                    in: transaction)
                try await ledger.record(
                    ConsentDecision(.granted, source: "api", by: .contact), of: ids[0], ana.scope, in: transaction)
            }
            let id = try await merge(ana, one, other)
            func flag(_ contact: ContactID) async throws -> Bool? {
                try await portal.services.database.read(ana.principal.workspace) { transaction in
                    try await transaction.value(
                        Bool?.self, "test.flag",
                        """
                        SELECT email_opt_in FROM marketing_contacts
                        WHERE workspace_id = \(ana.principal.workspace) AND id = \(contact)
                        """)
                }
            }
            #expect(try await flag(ids[0]) == false)
            #expect(try await ana.api(.get, "/v1/contacts/\(one)").json()["emailStatus"] == .string("unsubscribed"))
            let standing = try await portal.services.database.read(ana.principal.workspace) { transaction in
                ConsentStanding(
                    try await ConsentQueries.history(of: ids[0], ana.scope, in: transaction), .email)
            }
            #expect(standing.isGranted == false)
            #expect(try await ana.api(.post, "/v1/merges/\(id)/undo").status == .ok)
            #expect(try await flag(ids[0]) == true)
            #expect(try await flag(ids[1]) == false)
            let again = try await portal.services.database.read(ana.principal.workspace) { transaction in
                ConsentStanding(
                    try await ConsentQueries.history(of: ids[0], ana.scope, in: transaction), .email)
            }
            #expect(again.isGranted == true)
        }
    }

    @Test("Taking back says what cannot be restored, and what stands in the way")
    func notes() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let winner = try await add(ana, #"{"email":"ana@example.com"}"#)
            let loser = try await add(ana, #"{"email":"old@example.com","phone":"+14155552671","lastName":"Ruiz"}"#)
            let id = try await merge(ana, winner, loser)
            _ = try await ana.api(.patch, "/v1/contacts/\(winner)", #"{"phone":"+14155552672"}"#)
            // Forms and imports refuse the old address; somebody who was deleted with it may come back.
            try await run(
                portal, ana, "test.back",
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, created_at, updated_at)
                VALUES (\(ana.principal.workspace), gen_random_uuid(), 'old@example.com', 'old@example.com', now(), now())
                """)
            let browser = try await ana.signIn()
            let page = try await browser.get("/contacts/merges/\(id)")
            #expect(page.text.contains("“Phone” was changed since the merge"))
            let third = try await add(ana, #"{"email":"third@example.com"}"#)
            let later = try await merge(ana, third, winner)
            #expect(try await ana.api(.post, "/v1/merges/\(id)/undo").status == .conflict)
            #expect(try await ana.api(.post, "/v1/merges/\(later)/undo").status == .ok)
            let undone = try await ana.api(.post, "/v1/merges/\(id)/undo").json()
            guard case .array(let notes)? = undone["notes"] else { throw TestFailure("no notes") }
            #expect(notes.count == 2)
            let back = try await ana.api(.get, "/v1/contacts/\(loser)").json()
            #expect(back["email"] == .null)
            #expect(back["phone"] == .string("+14155552671"))
            let kept = try await ana.api(.get, "/v1/contacts/\(winner)").json()
            #expect(kept["phone"] == .string("+14155552672"))
            #expect(kept["lastName"] == .null)
        }
    }

    @Test("Merging knows every table that names a person")
    func knowsEveryTable() async throws {
        try await PortalFixture.with { portal in
            let tables: [String] = try await portal.services.database.session { session in
                try await session.values(
                    String.self, "test.tables",
                    """
                    SELECT DISTINCT c.table_name::text FROM information_schema.columns c
                    JOIN pg_class k ON k.oid = to_regclass(format('%I.%I', c.table_schema, c.table_name))
                    WHERE c.column_name = 'contact_id' AND c.table_schema = current_schema() AND NOT k.relispartition
                        AND k.relkind IN ('r', 'p')
                    """)
            }
            #expect(tables.contains("marketing_messages"))
            let slice = portal.assembly.slices.compactMap { $0 as? ContactsSlice }.first
            let known = Set(try #require(slice).merging.references.map(\.table))
            let forgotten = tables.filter { !known.contains($0) }.sorted()
            #expect(
                forgotten.isEmpty,
                "A merge leaves these behind; add a ContactReference to the slice that owns them: \(forgotten)")
        }
    }

    @Test("Another workspace's people and merges are not there")
    func wall() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bo = try await portal.register("Bo")
            let one = try await add(ana, #"{"email":"a@example.com"}"#)
            let other = try await add(ana, #"{"email":"b@example.com"}"#)
            let own = try await add(bo, #"{"email":"c@example.com"}"#)
            #expect(try await bo.api(.post, "/v1/contacts/\(own)/merge", #"{"loserId":"\#(one)"}"#).status == .notFound)
            #expect(try await bo.api(.post, "/v1/contacts/\(one)/merge", #"{"loserId":"\#(own)"}"#).status == .notFound)
            let id = try await merge(ana, one, other)
            #expect(try await bo.api(.post, "/v1/merges/\(id)/undo").status == .notFound)
            #expect(try await bo.api(.get, "/v1/contacts/\(other)").status == .notFound)
            let same = try await ana.api(.post, "/v1/contacts/\(one)/merge", #"{"loserId":"\#(one)"}"#)
            #expect(same.status == .unprocessableContent)
        }
    }

    @Test("Duplicates are found, shown side by side, and merged by a form")
    func pages() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let one = try await add(
                ana, #"{"email":"ana.ruiz@gmail.com","firstName":"Ana","phone":"+14155552671"}"#)
            let other = try await add(ana, #"{"email":"ana.ruiz@gmial.com","firstName":"Anna","lastName":"Ruiz"}"#)
            _ = try await add(ana, #"{"email":"bo@example.com","phone":"+14155552671"}"#)
            try await DuplicateFinder(services: portal.services).run(ana.scope)
            let browser = try await ana.signIn()
            let list = try await browser.get("/contacts/duplicates")
            #expect(list.text.contains("Nearly the same address"))
            #expect(list.text.contains("Same phone number"))
            let picking = try await browser.get("/contacts/\(one)/merge?otherQuery=gmial")
            #expect(try picking.page().has("option[value='\(other)']"))
            #expect(try await browser.get("/contacts/\(one)/merge?other=\(other)&go=1").status == .seeOther)
            let href = "/contacts/\(one)/merge/\(other)"
            #expect(list.text.contains(href))
            let compare = try await browser.get(href)
            #expect(try compare.page().has("input[name='field:firstName'][value=second]"))
            let merged = try await browser.post(
                href, [("keep", "second"), ("field:firstName", "first"), ("field:email", "second")])
            #expect(merged.status == .seeOther)
            let contact = try await ana.api(.get, "/v1/contacts/\(other)").json()
            #expect(contact["firstName"] == .string("Ana"))
            #expect(contact["email"] == .string("ana.ruiz@gmial.com"))
            #expect(contact["phone"] == .string("+14155552671"))
            let location = try #require(merged.location)
            #expect(try await browser.post("\(location)/undo").location == "/contacts/\(one)")
            try await DuplicateFinder(services: portal.services).run(ana.scope)
            let pair = try await browser.get("/contacts/duplicates").page()
            let fields = pair.all("form[action='/contacts/duplicates/dismiss'] input[name=first]")
            #expect(!fields.isEmpty)
        }
    }

    @Test(
        "Slips of a finger are told from different people",
        arguments: [
            ("ana.ruiz@gmail.com", "ana.ruiz@gmial.com", true), ("ana@example.com", "ana@example.con", true),
            ("anaruiz@example.com", "anaruizz@example.com", true),
            ("ana.ruiz@example.com", "anaruiz@example.com", true),
            ("bo@example.com", "jo@example.com", false), ("ana@example.com", "ana@example.org", false),
            ("user1@example.com", "user2@example.com", false), ("ana@acme.com", "ana@zeta.com", false),
            ("ana@example.com", "ana@example.com", false),
        ])
    func typos(one: String, other: String, isTypo: Bool) {
        #expect(DuplicateFinder.isTypo(one, other) == isTypo)
        #expect(DuplicateFinder.isTypo(other, one) == isTypo)
    }
}
