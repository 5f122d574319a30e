import Accounts
import Core
import Cryptography
import FoundationEssentials
import Portal
import Postgres
import TestSupport
import Testing
import Web

@testable import Contacts
@testable import Messaging

@Suite("People's rights")
struct PrivacyTests {
    // MARK: What must be described

    @Test("Every table with a contact’s id is described for export and erasure")
    func schema() async throws {
        try await PortalFixture.with { portal in
            let tables: [String] = try await portal.services.database.session { session in
                try await session.values(
                    String.self, "test.tables",
                    """
                    SELECT DISTINCT c.relname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    WHERE a.attname = 'contact_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
                        AND NOT c.relispartition AND starts_with(c.relname, 'marketing_')
                    """)
            }
            let described: Set<String> = Set(PortalAssembly.personalTables.map(\.name))
            #expect(tables.count > 8)
            for table in tables {
                #expect(described.contains(table), "\(table) is in no slice’s personalTables")
            }
        }
    }

    /// The tables that say nothing about single people of a workspace, and why. A new table belongs here or into its
    /// slice's `personalTables`.
    private static let impersonal: [String: String] = [
        "marketing_migrations": "the schema", "marketing_workspaces": "customers of the portal",
        "marketing_users": "people at work", "marketing_memberships": "people at work",
        "marketing_sessions": "people at work", "marketing_invitations": "people at work",
        "marketing_password_resets": "people at work", "marketing_login_failures": "hashes, for a day",
        "marketing_job_queue": "ids, until the work is done", "marketing_job_schedules": "the clock",
        "marketing_outbox": "ids, until they are handled", "marketing_contacts": "the person: the erasure itself",
        "marketing_contact_totals": "counts", "marketing_contact_counts": "counts",
        "marketing_contact_tags": "names of tags", "marketing_lists": "names, and rules that people write",
        "marketing_contact_imports": "a file's name and the choices made; the file goes at its end",
        "marketing_contact_merge_moves": "ids and former addresses; goes with the merges",
        "marketing_email_settings": "senders", "marketing_sends": "what was sent to everybody",
        "marketing_send_snapshots": "places in an audience", "marketing_active_sends": "sends under way",
        "marketing_send_batches": "ids of messages", "marketing_links": "links of a letter",
        "marketing_campaigns": "what is written to everybody", "marketing_property_definitions": "names of properties",
        "marketing_companies": "companies", "marketing_company_identities": "companies",
        "marketing_segment_wakes": "the clock of segments",
        "marketing_audience_changes": "ids, until segments have looked", "marketing_segments": "state of rules",
        "marketing_stale_facts": "ids, until the copies have followed",
        "marketing_contact_facts_state": "state of the copies",
        "marketing_fact_columns": "names of properties",
        "marketing_email_event_backlog": "on its way into the opens and clicks, which are looked through again",
        "marketing_event_ids": "hashes", "marketing_suppression_imports": "a file's name and counts",
        "marketing_connections": "tenants of host products", "marketing_service_keys": "hashes of keys",
        "marketing_sync_runs": "counts", "marketing_privacy_settings": "settings", "marketing_purge_runs": "counts",
        "marketing_audit_waiting": "ids, for a minute", "marketing_audit_chain": "digests, salted until the erasure",
        "marketing_audit_heads": "digests", "marketing_audit_checks": "counts",
        "marketing_templates": "what is written to everybody", "marketing_template_versions": "the same, earlier",
    ]

    @Test("Every table is described for export and erasure, or known to say nothing about single people")
    func classified() async throws {
        try await PortalFixture.with { portal in
            let tables: Set<String> = Set(
                try await portal.services.database.session { session in
                    try await session.values(
                        String.self, "test.allTables",
                        """
                        SELECT relname::text FROM pg_class
                        WHERE relkind IN ('r', 'p') AND NOT relispartition AND starts_with(relname, 'marketing_')
                        """)
                })
            let described: Set<String> = Set(PortalAssembly.personalTables.map(\.name))
            let known: Set<String> = described.union(Self.impersonal.keys)
            #expect(tables.subtracting(known).sorted() == [], "say what becomes of these when somebody is erased")
            #expect(known.subtracting(tables).sorted() == [], "there are no such tables any more")
            #expect(described.intersection(Self.impersonal.keys).sorted() == [], "either or")
        }
    }

    @Test("Hashes of erased addresses are those of the standard, in Swift and in SQL")
    func vectors() async throws {
        let hashes = ErasedAddresses(key: (0..<32).map { UInt8($0) })
        #expect(
            Hexadecimal.encode(hashes.hash("email", "user@example.com"))
                == "12b48d5487fd7373a6c95fc1a9085264501bbe8afca4581dfa000fde59213707")
        #expect(
            Hexadecimal.encode(hashes.hash("sms", "+14155552671"))
                == "a584db48eec1da5a230cca4ffe8701c2703587380bc2836349ae482e6f0b602a")
        try await PortalFixture.with { portal in
            let inSQL: [UInt8] = try await portal.services.database.session { session in
                try await session.value(
                    [UInt8].self, "test.hash", "SELECT \(hashes.hash(of: "'user@example.com'"))")
            }
            #expect(inSQL == hashes.hash("email", "user@example.com"))
        }
    }

    // MARK: Erasing

    /// A workspace with a person of whom every table knows something.
    struct Stage {
        let portal: PortalFixture
        let ana: TestMember
        let contact: ContactID
        let list: String

        var services: AppServices { portal.services }
        var scope: WorkspaceScope { ana.scope }
        var workspace: WorkspaceID { ana.scope.workspace }
        var erasure: Erasure { Erasure(services: services, tables: PortalAssembly.personalTables) }
        var exports: PersonExports { PersonExports(services: services, tables: PortalAssembly.personalTables) }

        static let email = "zoraya.quell@example.com"
        static let name = "Zoraya Quellington"
        static let phone = "+491712345678"

        static func with(clock: WallClock = .system, _ body: (Stage) async throws -> Void) async throws {
            try await PortalFixture.with(clock: clock) { portal in
                let ana = try await portal.register("Ana")
                let list = try await ana.api(.post, "/v1/lists", #"{"name":"News"}"#).json()["id"]?.stringValue ?? ""
                let made = try await ana.api(
                    .post, "/v1/contacts",
                    """
                    {"email":"\(email)","firstName":"Zoraya","lastName":"Quellington","phone":"\(phone)",
                    "properties":{"note":"likes \(name)"},"consentBasis":"consent"}
                    """
                ).json()
                let id: ContactID = try #require(made["id"]?.stringValue.flatMap { ContactID($0) })
                _ = try await ana.api(.post, "/v1/lists/\(list)/members", #"{"contactIds":["\#(id)"]}"#)
                try await body(Stage(portal: portal, ana: ana, contact: id, list: list))
            }
        }

        func run(_ sql: SQL) async throws {
            try await services.database.write(workspace) { _ = try await $0.run("test.seed", sql) }
        }

        /// Rows with the person's address and name in tables that this test fills by hand.
        func seed() async throws -> SendID {
            let send: SendID = services.ids.next()
            let message: MessageID = MessageID(UUID())
            try await run(
                """
                INSERT INTO marketing_sends (workspace_id, id, state, content, audience, sent, opened)
                VALUES (\(workspace), \(send), 'sent', '{}', '{}', 1, 1)
                """)
            try await run(
                """
                INSERT INTO marketing_messages
                    (workspace_id, id, send_id, contact_id, created_at, sent_at, opened_at, open_count, state, email,
                    provider_response)
                VALUES (\(workspace), \(message), \(send), \(contact), now(), now(), now(), 1, 'sent', \(Self.email),
                    \("250 took it for \(Self.email)"))
                """)
            try await run("INSERT INTO marketing_engaged_contacts VALUES (\(workspace), 'opened', \(contact))")
            try await run(
                """
                INSERT INTO marketing_contact_facts (workspace_id, id, created_at, tracking_allowed, email_status, email_key)
                VALUES (\(workspace), \(contact), now(), true, 'active', \(Self.email))
                """)
            try await run("INSERT INTO marketing_long_facts VALUES (\(workspace), \(contact), 'long1', \(Self.name))")
            try await run("INSERT INTO marketing_sent_times VALUES (\(workspace), \(contact), now(), \(message))")
            try await run(
                """
                INSERT INTO marketing_outbox_messages (workspace_id, id, send_id, recipient, subject, raw)
                VALUES (\(workspace), \(message), \(send), \(Self.email), \("Dear \(Self.name)"),
                    \(Array("To: \(Self.email)".utf8)))
                """)
            try await run(
                """
                INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, url, occurred_at,
                    class, class_reason, user_agent, network)
                VALUES (\(workspace), gen_random_uuid(), \(message), \(contact), 'click',
                    \("https://x.example/?e=\(Self.email)"), now(), 'human', 'test', 'Firefox', '192.0.2.0/24')
                """)
            try await run(
                """
                INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
                VALUES (\(workspace), gen_random_uuid(), \(contact), 'order', \(JSONValue.object(["to": .string(Self.name)])),
                    'api', now(), now())
                """)
            try await run(
                """
                INSERT INTO marketing_suppressions (workspace_id, id, email_key, reason, source, contact_id, created_at)
                VALUES (\(workspace), gen_random_uuid(), \(Self.email), 'manual', 'member', \(contact), now())
                """)
            try await run(
                """
                INSERT INTO marketing_contact_identities (workspace_id, kind, value, contact_id, created_at)
                VALUES (\(workspace), 'email', \(Self.email), \(contact), now())
                """)
            try await run(
                """
                INSERT INTO marketing_contact_import_failures (workspace_id, import_id, row_number, reason, line)
                VALUES (\(workspace), gen_random_uuid(), 1, 'twice', \("\(Self.email),\(Self.name)"))
                """)
            try await run(
                """
                INSERT INTO marketing_contact_import_chunks (workspace_id, import_id, number, end_offset, end_row, row_count,
                    repeated, failed, created, existing, expected, changed, listed, before_ids, before_versions,
                    before_phones, before_first_names, before_last_names, before_properties, before_tags, before_consents)
                VALUES (\(workspace), gen_random_uuid(), 0, 1, 1, 2, 0, 0, 0, 2, 2, 2, 0,
                    ARRAY[gen_random_uuid(), \(contact)], '{1,1}', ARRAY[NULL, \(Self.phone)], '{Bo,Zoraya}',
                    '{Ruiz,Quellington}', ARRAY['{}'::jsonb, \(JSONValue.object(["n": .string(Self.name)]))],
                    \(["", Self.email]), '{consent,consent}')
                """)
            try await run(
                """
                INSERT INTO marketing_contact_notes (workspace_id, id, contact_id, author_name, body, created_at, updated_at)
                VALUES (\(workspace), gen_random_uuid(), \(contact), 'Ana', \("Call \(Self.name)"), now(), now())
                """)
            try await seedRecords()
            return send
        }

        /// What merges, host products, files and requests leave of a person.
        private func seedRecords() async throws {
            let fields = JSONValue.object(["email": .string(Self.email), "lastName": .string("Quellington")])
            let merge = UUID()
            try await run(
                """
                INSERT INTO marketing_contact_merges (workspace_id, id, winner_id, loser_id, winner_before, winner_after,
                    merged_at)
                VALUES (\(workspace), \(merge), \(contact), gen_random_uuid(), \(fields), \(fields), now())
                """)
            try await run(
                """
                INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, ids, extra)
                VALUES (\(workspace), \(merge), 'former', ARRAY[\(contact)]::uuid[], \(JSONValue.array([fields])))
                """)
            // Neither row has the address or the whole name in one piece.
            let row = JSONValue.object(["firstName": .string("Zoraya"), "lastName": .string("Quellington")])
            try await run(
                """
                INSERT INTO marketing_sync_failures (workspace_id, run_id, row_number, source_type, source_id, reason,
                    payload)
                VALUES (\(workspace), gen_random_uuid(), 0, 'crm', '7', 'email: no @', \(row)),
                    (\(workspace), gen_random_uuid(), 1, 'crm', \(Self.email), 'too large', NULL)
                """)
            try await run(
                """
                INSERT INTO marketing_contact_import_failures (workspace_id, import_id, row_number, reason, line)
                VALUES (\(workspace), gen_random_uuid(), 2, 'no @', 'nobody,Zoraya,Quellington')
                """)
            try await run(
                """
                INSERT INTO marketing_suppression_import_failures (workspace_id, import_id, row_number, line, reason)
                VALUES (\(workspace), gen_random_uuid(), 1, \(Self.email), 'twice')
                """)
            try await run(
                """
                INSERT INTO marketing_company_events (workspace_id, id, company_id, kind, occurred_at, data)
                VALUES (\(workspace), gen_random_uuid(), gen_random_uuid(), 'updated', now(),
                    \(JSONValue.object(["contact": .string(Self.name)])))
                """)
        }

        /// The tables in which some row still names the person.
        func traces() async throws -> [String] {
            let tables: [String] = try await services.database.session { session in
                try await session.values(
                    String.self, "test.all",
                    """
                    SELECT relname::text FROM pg_class
                    WHERE relkind IN ('r', 'p') AND NOT relispartition AND starts_with(relname, 'marketing_')
                        AND relname <> 'marketing_migrations'
                    """)
            }
            let words: [String] = [Self.email, Self.phone, "quellington"]
            let needles: [String] = words + words.map { Hexadecimal.encode(Array($0.utf8)) }
            var found: [String] = []
            for table in tables {
                let count: Int = try await services.database.read(workspace) { transaction in
                    try await transaction.value(
                        Int.self, "test.scan",
                        """
                        SELECT count(*) FROM \(identifier: table) t WHERE EXISTS (
                            SELECT FROM unnest(\(needles)) AS w WHERE strpos(lower(t::text), w) > 0)
                        """)
                }
                if count > 0 { found.append(table) }
            }
            return found.sorted()
        }

        func erase(reason: String = "asked by letter") async throws -> ErasureRecord {
            let answer = try await ana.api(.post, "/v1/contacts/\(contact)/erase", #"{"reason":"\#(reason)"}"#)
            let id: ErasureID = try #require(try answer.json()["id"]?.stringValue.flatMap { ErasureID($0) })
            try await erasure.run(id, scope)
            return try #require(try await erasure.find(id, scope))
        }
    }

    @Test("After an erasure no table names the person, reports count the same, and a hash stays")
    func erase() async throws {
        try await Stage.with { stage in
            let send = try await stage.seed()
            #expect(try await stage.traces().count > 8)
            let record = try await stage.erase()
            #expect(record.status == "done")
            #expect(record.outcome["marketing_contacts"] == .int(1))
            #expect(try await stage.traces() == [])
            let counts: (Int, Int, Int) = try await stage.services.database.read(stage.workspace) { transaction in
                try await transaction.rows(
                    as: (Int, Int, Int).self, "test.counts",
                    """
                    SELECT (SELECT count(*) FROM marketing_messages WHERE send_id = \(send) AND state = 'sent'),
                        (SELECT count(*) FROM marketing_email_events),
                        (SELECT count(*) FROM marketing_suppressions WHERE kind = 'erased' AND lifted_at IS NULL)
                    """)[0]
            }
            #expect(counts == (1, 1, 2))
            let listed = try await stage.ana.api(.get, "/v1/lists/\(stage.list)").json()
            #expect(listed["memberCount"] == .int(0))
            // What was decided stays as proof, without the person.
            let proofs: Int = try await stage.services.database.read(stage.workspace) { transaction in
                try await transaction.value(
                    Int.self, "test.proofs",
                    "SELECT count(*) FROM marketing_consents WHERE contact_id IS NULL AND address_hash IS NOT NULL")
            }
            #expect(proofs == 1)
            #expect(try await stage.ana.api(.get, "/v1/contacts/\(stage.contact)").status == .notFound)
            try await stage.erasure.check(record.id, stage.scope)
            #expect(try await stage.erasure.find(record.id, stage.scope)?.replacement == nil)
        }
    }

    @Test("An erasure leaves the chain over the audit log whole")
    func chain() async throws {
        try await Stage.with { stage in
            let chain = stage.portal.assembly.accounts.auditChain
            try await chain.chain(stage.workspace)
            _ = try await stage.seed()
            _ = try await stage.erase()
            try await chain.chain(stage.workspace)
            let check = try await chain.verify(stage.workspace)
            #expect(!check.isBroken && check.entries > 2)
        }
    }

    @Test(
        "A certificate leads to the segments, campaigns and templates that still name the person, without naming them")
    func mentions() async throws {
        try await Stage.with { stage in
            let workspace = stage.workspace
            let (campaign, template) = (UUID(), UUID())
            try await stage.run(
                """
                INSERT INTO marketing_campaigns (workspace_id, id, name, subject)
                VALUES (\(workspace), \(campaign), \("For \(Stage.email)"), \("Dear \(Stage.email.uppercased())")),
                    (\(workspace), gen_random_uuid(), 'Spring', 'Hello')
                """)
            try await stage.run(
                """
                INSERT INTO marketing_templates (workspace_id, id, kind, name, created_at, updated_at)
                VALUES (\(workspace), \(template), 'sms', 'Call us', now(), now())
                """)
            try await stage.run(
                """
                INSERT INTO marketing_template_versions (workspace_id, template_id, number, body, created_at)
                VALUES (\(workspace), \(template), 1, 'or +49 171 234-5678', now())
                """)
            let rules = #"{"all":[{"field":"email","operator":"isNot","value":"\#(Stage.email)"}]}"#
            let segment = try await stage.ana.api(
                .post, "/v1/lists", #"{"name":"Others","type":"segment","filterRules":\#(rules)}"#)
            #expect(segment.status == .created, "\(segment.text)")
            let asked = try await stage.ana.api(
                .post, "/v1/contacts/\(stage.contact)/erase", #"{"reason":"asked"}"#
            ).json()
            let id: ErasureID = try #require(asked["id"]?.stringValue.flatMap { ErasureID($0) })
            let erasure = Erasure(
                services: stage.services, tables: PortalAssembly.personalTables, mentions: PortalAssembly.mentions)
            try await erasure.run(id, stage.scope)
            let record = try #require(try await erasure.find(id, stage.scope))
            let found = try #require(record.mentions)
            #expect(found.map(\.kind).sorted() == ["Campaign", "Segment", "Template"])
            #expect(!"\(record.outcome)".lowercased().contains("quell") && !"\(record.outcome)".contains("2345678"))
            let browser = try await stage.ana.signIn()
            let page = try await browser.get("/privacy/erasures/\(id)")
            let listID: String = try segment.json()["id"]?.stringValue ?? ""
            for href in [
                "/segments/\(listID)", "/campaigns/\(campaign.uuidString.lowercased())",
                "/templates/\(template.uuidString.lowercased())",
            ] {
                #expect(try page.page().has("a[href='\(href)']"), "\(href)")
            }
            let resource = try await stage.ana.api(.get, "/v1/privacy/erasures/\(id)").json()
            #expect("\(resource["mentions"] ?? .null)".contains("/segments/"))
            #expect(resource["outcome"]?["mentions"] == nil)
            // Nothing of it was changed.
            #expect(try await stage.traces().contains("marketing_campaigns"))
        }
    }

    @Test("When texts cannot be searched, the erasure is done all the same, and says so")
    func unsearched() async throws {
        try await Stage.with { stage in
            let asked = try await stage.ana.api(
                .post, "/v1/contacts/\(stage.contact)/erase", #"{"reason":"asked"}"#
            ).json()
            let id: ErasureID = try #require(asked["id"]?.stringValue.flatMap { ErasureID($0) })
            struct Refusal: Error {}
            let erasure = Erasure(
                services: stage.services, tables: PortalAssembly.personalTables,
                mentions: { _, _, _ in throw Refusal() })
            try await erasure.run(id, stage.scope)
            let record = try #require(try await erasure.find(id, stage.scope))
            #expect(record.status == "done" && record.mentions == nil)
            #expect(try await stage.traces() == [])
            #expect(try await stage.portal.assembly.contacts.replayErasures() == 0)
            let page = try await stage.ana.signIn().get("/privacy/erasures/\(id)").text
            #expect(page.contains("could not be searched"))
        }
    }

    /// The database as a backup from before the erasure would bring it back: the person is there, the certificate is not,
    /// nor the secret of the hashes.
    private func restore(_ stage: Stage) async throws {
        let (workspace, contact) = (stage.workspace, stage.contact)
        for sql: SQL in [
            "DELETE FROM marketing_erasures WHERE workspace_id = \(workspace)",
            "DELETE FROM marketing_privacy_settings WHERE workspace_id = \(workspace)",
            "DELETE FROM marketing_suppressions WHERE workspace_id = \(workspace)",
            """
            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, first_name, last_name, created_at, updated_at)
            VALUES (\(workspace), \(contact), \(Stage.email), \(Stage.email), 'Zoraya', 'Quellington', now(), now())
            """,
        ] {
            try await stage.run(sql)
        }
    }

    @Test("Erasures that a restored backup does not know are done again at the next start, hashes included")
    func replay() async throws {
        try await Stage.with { stage in
            let done = try await stage.erase()
            let contacts = stage.portal.assembly.contacts
            #expect(try await contacts.replayErasures() == 0)
            let journal = try String(
                contentsOf: URL(filePath: "\(stage.portal.varDirectory)/erasures.journal"), encoding: .utf8)
            #expect(!journal.lowercased().contains("quell") && journal.contains("\(stage.contact)"))
            try await restore(stage)
            #expect(try await stage.traces() == ["marketing_contacts"])
            #expect(try await contacts.erasuresMissing() == 1)
            #expect(try await contacts.replayErasures() == 1)
            try await stage.erasure.run(done.id, stage.scope)
            #expect(try await stage.traces() == [])
            #expect(try await contacts.erasuresMissing() == 0)
            let again = try await stage.ana.api(
                .post, "/v1/contacts", #"{"email":"\#(Stage.email)"}"#
            ).json()
            let id: String = try #require(again["id"]?.stringValue)
            _ = try await stage.ana.api(.post, "/v1/lists/\(stage.list)/members", #"{"contactIds":["\#(id)"]}"#)
            let list: ContactListID = try #require(ContactListID(stage.list))
            let forecast = try await stage.services.database.read(stage.workspace) { tx in
                try await MessagingInterface(services: stage.services, views: { try PortalFixture.library() })
                    .forecast(SendAudience(listIds: [list]), workspace: stage.workspace, in: tx)
            }
            #expect(forecast.refusals.map(\.reason) == [.suppressedErased])
        }
    }

    @Test("Erasing twice gives the same certificate, and running the work again changes nothing")
    func twice() async throws {
        try await Stage.with { stage in
            let first = try await stage.erase()
            try await stage.erasure.run(first.id, stage.scope)
            let again = try await stage.ana.api(.post, "/v1/contacts/\(stage.contact)/erase", #"{"reason":"again"}"#)
            #expect(again.status == .accepted)
            #expect(try again.json()["id"]?.stringValue == first.id.description)
            #expect(try await stage.erasure.find(first.id, stage.scope)?.finishedAt == first.finishedAt)
        }
    }

    @Test("An erased address that comes back by an import or by hand is not mailed")
    func remailing() async throws {
        try await Stage.with { stage in
            _ = try await stage.erase()
            let again = try await stage.ana.api(.post, "/v1/contacts", #"{"email":"\#(Stage.email.uppercased())"}"#)
                .json()
            let id: String = try #require(again["id"]?.stringValue)
            _ = try await stage.ana.api(.post, "/v1/lists/\(stage.list)/members", #"{"contactIds":["\#(id)"]}"#)
            let list: ContactListID = try #require(ContactListID(stage.list))
            let forecast = try await stage.services.database.read(stage.workspace) { tx in
                try await MessagingInterface(services: stage.services, views: { try PortalFixture.library() })
                    .forecast(SendAudience(listIds: [list]), workspace: stage.workspace, in: tx)
            }
            #expect(forecast.recipients == 0)
            #expect(forecast.refusals.map(\.reason) == [.suppressedErased])
        }
    }

    @Test("Somebody who is erased while a campaign waits gets nothing, and the send still adds up")
    func midCampaign() async throws {
        try await Stage.with { stage in
            let list: ContactListID = try #require(ContactListID(stage.list))
            let workspace = try #require(try await stage.services.directory.workspace(stage.workspace))
            let frame = EmailFrame(workspaceName: "Acme", postalAddress: "1 Main Street")
            let email = try EmailPreparation.prepare(
                EmailDraft(subject: "News", format: .rich, body: "<p>Hello</p>"), frame: frame,
                footers: EmailFooters { try PortalFixture.library() })
            let content = SendContent(
                email: email,
                identity: SendIdentity(fromName: "Acme", fromEmail: "a@acme.example", listID: "l.acme.example"))
            let send = try await stage.services.database.write(stage.workspace) { tx in
                try await SendActions(services: stage.services).launch(
                    campaign: nil, content: content, audience: SendAudience(listIds: [list]),
                    workspace: stage.workspace, in: tx)
            }
            let run = JournalRecord.Run(workspace: stage.workspace, send: send)
            try await SendSnapshot(services: stage.services).write(run)
            _ = try await stage.erase()
            let (claims, _) = try await stage.services.database.write(stage.workspace) { tx in
                let queries = BatchQueries(workspace: stage.workspace, send: send, tx: tx)
                let claims = try await queries.claim(5, by: "test", now: Date())
                return (claims, workspace.routingKey)
            }
            let claim = try #require(claims.first)
            let messages = try await stage.services.database.read(stage.workspace) { tx in
                try await BatchQueries(workspace: stage.workspace, send: send, tx: tx)
                    .messages(of: claim, withProperties: false, at: Date())
            }
            #expect(messages.count == 1)
            #expect(messages.first?.refusal == .deleted)
            #expect(try await stage.traces() == [])
        }
    }

    // MARK: The person's file

    /// The form for people: labels, local dates, and neither names of columns nor ids.
    private func readable(_ stage: Stage) async throws {
        let property = try await stage.ana.api(
            .post, "/v1/property-definitions",
            #"{"object":"contact","name":"since","label":"Customer since","type":"date"}"#)
        #expect(property.status == .created, "\(property.text)")
        _ = try await stage.ana.api(.patch, "/v1/contacts/\(stage.contact)", #"{"properties":{"since":"2026-03-31"}}"#)
        _ = try await stage.ana.api(.post, "/v1/contacts/\(stage.contact)/notes", #"{"body":"Likes <tea>"}"#)
        let data = try #require(
            try await PersonalData.read(
                stage.contact, tables: PortalAssembly.personalTables, services: stage.services, stage.scope))
        let bytes: [UInt8] = try PortalFixture.library().render(
            PersonalDataPage(data.document, data.words), chrome: Chrome.empty)
        let html = String(decoding: bytes, as: UTF8.self)
        for words in [
            "<dt>First name</dt><dd>Zoraya</dd>", "<dt>Source</dt><dd>The API</dd>",
            "<dt>Customer since</dt><dd>31 Mar 2026</dd>", "<h2>Notes</h2>",
            "Likes &lt;tea&gt;", "<dt>On it since</dt><dd>15 Jan 2026", "News", "15 Jan 2026, 09:30", "You agreed",
        ] {
            #expect(html.contains(words), "\(words)")
        }
        let ids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
        #expect(html.firstMatch(of: ids) == nil)
        #expect(!html.contains("first_name") && !html.contains("created_at") && !html.contains("2026-01-15T09:30:00+"))
    }

    @Test("The file has every table, a manifest that fits, a link for a week; then it is gone")
    func export() async throws {
        let moment = Moment(PortalFixture.noon)
        try await Stage.with(clock: WallClock { moment.value }) { stage in
            let asked = try await stage.ana.api(.post, "/v1/contacts/\(stage.contact)/export")
            #expect(asked.status == .accepted)
            let id: PersonExportID = try #require(try asked.json()["id"]?.stringValue.flatMap { PersonExportID($0) })
            try await stage.exports.make(id, stage.scope, views: { try PortalFixture.library() })
            let made = try await stage.ana.api(.get, "/v1/privacy/exports/\(id)").json()
            let link: String = try #require(made["link"]?.stringValue)
            let path = String(link.dropFirst("http://mail.test".count))
            let file = try await stage.portal.send(.get, path)
            #expect(file.status == .ok)
            #expect(Hexadecimal.encode(SHA256.hash(file.bytes)) == made["sha256"]?.stringValue)
            #expect(file.bytes.prefix(4) == [0x50, 0x4b, 3, 4])
            let text = String(decoding: file.bytes, as: UTF8.self)
            #expect(text.contains(Stage.email) && text.contains("person-export/1") && text.contains("<!doctype html>"))
            #expect(!text.contains("short_properties"), "what only repeats is told once")
            for table in PortalAssembly.personalTables { #expect(text.contains(table.name), "\(table.name)") }
            try await readable(stage)
            #expect(try await stage.portal.send(.get, path + "x").status == .notFound)
            let log = try await stage.ana.signIn().get("/settings/audit?area=contacts").text
            #expect(log.contains("downloaded the personal data of"))

            moment.value += 7 * 86_400 + 1
            #expect(try await stage.portal.send(.get, path).status == .notFound)
            try await stage.exports.sweep(stage.workspace)
            let left = try FileManager.default.contentsOfDirectory(
                atPath: "\(stage.portal.varDirectory)/person-exports")
            #expect(left.isEmpty)
        }
    }

    // MARK: Keeping times

    @Test("The nightly purge removes what its page showed, once, and nothing while a hold is set")
    func retention() async throws {
        try await Stage.with(clock: .fixed(PortalFixture.noon)) { stage in
            for days in [364, 366, 400] {
                let moment = PortalFixture.noon.addingTimeInterval(-Double(days) * 86_400)
                try await stage.run(
                    """
                    INSERT INTO marketing_outbox_messages (workspace_id, id, recipient, subject, raw, created_at)
                    VALUES (\(stage.workspace), gen_random_uuid(), 'a@b.co', 's', '', \(moment))
                    """)
            }
            let actions = RetentionActions(services: stage.services, rules: PortalAssembly.retentionRules)
            let (_, lines) = try await actions.preview(stage.scope)
            #expect(lines.first { $0.rule.key == "copies" }?.due == 2)
            let browser = try await stage.ana.signIn()
            let hold = [("version", "0"), ("hold", "on"), ("holdReason", "A lawsuit")]
            #expect(try await browser.post("/settings/privacy", hold).status == .seeOther)
            #expect(try await actions.purge(stage.workspace) == [:])
            let longer = [("version", "1"), ("days-copies", "9999")]
            #expect(try await browser.post("/settings/privacy", longer).status == .unprocessableContent)
            #expect(try await browser.post("/settings/privacy", [("version", "1")]).status == .seeOther)
            #expect(try await browser.post("/settings/privacy", [("version", "1")]).status == .conflict)
            #expect(try await actions.purge(stage.workspace)["copies"] == 2)
            #expect(try await actions.purge(stage.workspace) == [:])
            let log = try await browser.get("/settings/audit?area=privacy").text
            #expect(log.contains("A lawsuit"))
        }
    }

    @Test("Contacts of whom nothing is heard are flagged by the purge, and no more once they do something")
    func inactive() async throws {
        let moment = Moment(PortalFixture.noon)
        try await Stage.with(clock: WallClock { moment.value }) { stage in
            let actions = RetentionActions(services: stage.services, rules: PortalAssembly.retentionRules)
            func flagged() async throws -> [String] {
                try await stage.services.database.read(stage.workspace) { transaction in
                    try await transaction.values(
                        String.self, "test.flagged",
                        "SELECT email FROM marketing_contacts WHERE inactive_since IS NOT NULL")
                }
            }
            let unknown = try await stage.ana.api(.get, "/v1/contacts?inactive=perhaps")
            #expect(unknown.status == .unprocessableContent)
            #expect(try await stage.ana.api(.get, "/v1/contacts?inactive=true").json()["data"] == .array([]))
            moment.value += 731 * 86_400
            try await stage.run(
                """
                INSERT INTO marketing_contacts (workspace_id, id, email, email_key, created_at, updated_at)
                VALUES (\(stage.workspace), gen_random_uuid(), 'new@example.com', 'new@example.com', \(moment.value), now())
                """)
            #expect(try await actions.preview(stage.scope).1.first { $0.rule.key == "inactive" }?.due == 1)
            #expect(try await flagged() == [])
            #expect(try await actions.purge(stage.workspace)["inactive"] == 1)
            #expect(try await flagged() == [Stage.email])
            let browser = try await stage.ana.signIn()
            #expect(try await browser.get("/contacts/\(stage.contact)").text.contains("Inactive"))
            let page = try await browser.get("/contacts?inactive=true").text
            #expect(page.contains(Stage.email) && !page.contains("new@example.com"))
            #expect(page.contains(#"name="inactive" value="true""#))
            try await stage.run(
                """
                INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at, received_at)
                VALUES (\(stage.workspace), gen_random_uuid(), \(stage.contact), 'visit', '{}', 'api', now(), now())
                """)
            #expect(try await actions.purge(stage.workspace)["inactive"] == 1)
            #expect(try await flagged() == [])
        }
    }

    @Test("Consent for a time ends by itself, once")
    func expiry() async throws {
        let moment = Moment(PortalFixture.noon)
        try await Stage.with(clock: WallClock { moment.value }) { stage in
            let end = ISO8601.format(PortalFixture.noon.addingTimeInterval(3_600))
            let given = try await stage.ana.api(
                .post, "/v1/contacts/\(stage.contact)/consents",
                #"{"action":"granted","channel":"sms","basis":"consent_implied","expiresAt":"\#(end)"}"#)
            #expect(given.status == .created)
            func standing() async throws -> JSONValue? {
                try await stage.ana.api(.get, "/v1/contacts/\(stage.contact)/consents").json()["standing"]?["sms"]
            }
            #expect(try await standing() == .bool(true))
            moment.value += 3_601
            for _ in 0..<2 { try await ConsentExpiry(services: stage.services).expire(stage.workspace) }
            #expect(try await standing() == .bool(false))
        }
    }
}
