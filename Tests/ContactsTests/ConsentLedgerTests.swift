import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing

@testable import Contacts

@Suite("The consent ledger")
struct ConsentLedgerTests {
    struct Flags: PostgresRow, Equatable {
        static let columns: SQL = "email_opt_in, sms_opt_in, tracking_allowed"
        let email: Bool?
        let sms: Bool?
        let tracking: Bool

        init(email: Bool?, sms: Bool?, tracking: Bool) {
            self.email = email
            self.sms = sms
            self.tracking = tracking
        }

        init(row: inout RowReader) throws {
            email = try row.next()
            sms = try row.next()
            tracking = try row.next()
        }
    }

    /// A portal with people in it, and what tests ask of it.
    struct Bench {
        let portal: PortalFixture
        let ana: TestMember
        let people: [ContactID]

        var ledger: ConsentLedger { ConsentLedger(portal.services) }
        var workspace: WorkspaceID { ana.scope.workspace }

        static func with(_ count: Int, _ body: (Bench) async throws -> Void) async throws {
            try await PortalFixture.with { portal in
                let ana = try await portal.register("Ana")
                var people: [ContactID] = []
                for number in 0..<count {
                    let made = try await ana.api(.post, "/v1/contacts", #"{"email":"p\#(number)@example.com"}"#).json()
                    people.append(try #require(made["id"]?.stringValue.flatMap { ContactID($0) }))
                }
                try await body(Bench(portal: portal, ana: ana, people: people))
            }
        }

        func record(
            _ decisions: [(contact: ContactID, decision: ConsentDecision)], onlyIfNew: Bool = false
        ) async throws {
            try await portal.services.database.write(workspace) { transaction in
                try await ledger.record(decisions, onlyIfNew: onlyIfNew, ana.scope, in: transaction)
            }
        }

        func flags(_ person: ContactID) async throws -> Flags {
            try await portal.services.database.read(workspace) { transaction in
                try await transaction.one(
                    Flags.self, "test.flags",
                    "SELECT \(Flags.columns) FROM marketing_contacts WHERE workspace_id = \(workspace) AND id = \(person)"
                )
            }
        }

        func history(_ person: ContactID) async throws -> [ConsentRecord] {
            try await portal.services.database.read(workspace) { transaction in
                try await ConsentQueries.history(of: person, ana.scope, in: transaction)
            }
        }
    }

    private static func decision(_ random: inout SystemRandomNumberGenerator) -> ConsentDecision {
        let channel: ConsentChannel = .allCases.randomElement(using: &random) ?? .email
        // Taking back names the row that it takes back: nobody decides it.
        let actions: [ConsentAction] = ConsentAction.allCases.filter { $0 != .retracted }
        let action: ConsentAction = actions.randomElement(using: &random) ?? .granted
        let purpose: String = ["marketing", "marketing", "news"].randomElement(using: &random) ?? "news"
        // Few moments, so that many fall together and others come late.
        let moment: Double = Double(Int.random(in: 0..<6, using: &random))
        return ConsentDecision(
            action, channel, purpose: purpose, source: "test", by: .contact,
            occurredAt: PortalFixture.noon.addingTimeInterval(moment))
    }

    @Test("Replaying all decisions gives the flags that are kept, whatever was decided in which order")
    func replay() async throws {
        try await Bench.with(12) { bench in
            var random = SystemRandomNumberGenerator()
            for _ in 0..<25 {
                let count: Int = Int.random(in: 1...9, using: &random)
                let decisions = (0..<count).map { _ in
                    (
                        contact: bench.people.randomElement(using: &random) ?? bench.people[0],
                        decision: Self.decision(&random)
                    )
                }
                try await bench.record(decisions, onlyIfNew: Bool.random(using: &random))
                for person in Set(decisions.map(\.contact)) {
                    let history = try await bench.history(person)
                    let expected = Flags(
                        email: ConsentStanding(history, .email).isGranted,
                        sms: ConsentStanding(history, .sms).isGranted,
                        tracking: ConsentStanding(history, .tracking).isGranted ?? true)
                    #expect(try await bench.flags(person) == expected, "\(history.map(\.decision))")
                }
            }
        }
    }

    @Test("The latest word wins, a no for everything ends older topics, and an import undoes no no")
    func rules() {
        func standing(_ steps: [(ConsentAction, String)], _ purpose: String = "marketing") -> Bool? {
            let records = steps.enumerated().map { place, step in
                ConsentRecord(
                    id: ConsentID(UUID()), ConsentDecision(step.0, purpose: step.1, source: "test", by: .contact),
                    at: PortalFixture.noon.addingTimeInterval(Double(place)))
            }
            return ConsentStanding(records.shuffled(), .email, purpose: purpose).isGranted
        }
        #expect(standing([]) == nil)
        #expect(standing([(.granted, "marketing"), (.withdrawn, "marketing")]) == false)
        #expect(standing([(.withdrawn, "marketing"), (.confirmed, "marketing")]) == true)
        #expect(standing([(.withdrawn, "marketing"), (.imported, "marketing")]) == false)
        #expect(standing([(.granted, "marketing"), (.expired, "marketing"), (.imported, "marketing")]) == true)
        #expect(standing([(.granted, "news"), (.withdrawn, "marketing")], "news") == false)
        #expect(standing([(.withdrawn, "marketing"), (.granted, "news")], "news") == true)
        #expect(standing([(.withdrawn, "marketing"), (.granted, "news")]) == false)
    }

    @Test("The app can neither change nor remove a decision, nor an entry of the audit log")
    func appendOnly() async throws {
        try await Bench.with(1) { bench in
            try await bench.record([(bench.people[0], ConsentDecision(.granted, source: "test", by: .contact))])
            for sql: SQL in [
                "UPDATE marketing_consents SET action = 'withdrawn'", "DELETE FROM marketing_consents",
                "UPDATE marketing_audit_log SET action = 'did nothing'", "DELETE FROM marketing_audit_log",
            ] {
                let refusal = await #expect(throws: PostgresError.self) {
                    try await bench.portal.services.database.write(bench.workspace) { transaction in
                        try await transaction.run("test.tamper", sql)
                    }
                }
                guard case .server(let answer)? = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
                #expect(answer.sqlState == "42501")
            }
        }
    }

    @Test("A hundred decisions of one person at once leave the flags that their replay gives")
    func race() async throws {
        try await Bench.with(1) { bench in
            let person = bench.people[0]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let action: ConsentAction = number % 2 == 0 ? .granted : .withdrawn
                        try await bench.record([(person, ConsentDecision(action, source: "test", by: .contact))])
                    }
                }
                try await group.waitForAll()
            }
            let history = try await bench.history(person)
            #expect(history.count == 100)
            #expect(try await bench.flags(person).email == ConsentStanding(history, .email).isGranted)
        }
    }

    @Test("A sync that repeats itself adds nothing, and people of nobody are passed over")
    func repeated() async throws {
        try await Bench.with(1) { bench in
            let person = bench.people[0]
            let yes = ConsentDecision(.granted, source: "sync", by: .system)
            for _ in 0..<3 { try await bench.record([(person, yes)], onlyIfNew: true) }
            #expect(try await bench.history(person).count == 1)
            try await bench.record(
                [(person, ConsentDecision(.withdrawn, source: "sync", by: .system))], onlyIfNew: true)
            #expect(try await bench.history(person).count == 2)
            let nobody: ContactID = bench.portal.services.ids.next()
            try await bench.record([(nobody, yes)])
            #expect(try await bench.history(nobody).isEmpty)
        }
    }

    @Test("Each record tells segments who changed in consent")
    func changes() async throws {
        try await Bench.with(2) { bench in
            try await bench.record(bench.people.map { ($0, ConsentDecision(.granted, source: "test", by: .contact)) })
            let noted: Int = try await bench.portal.services.database.transaction { transaction in
                try await transaction.value(
                    Int.self, "test.changes",
                    """
                    SELECT count(*) FROM marketing_audience_changes
                    WHERE workspace_id = \(bench.workspace) AND fields = '{consent}' AND cardinality(contact_ids) = 2
                    """)
            }
            #expect(noted == 1)
        }
    }

    @Test("Edits, the API and the proof tell the same story, and a no keeps campaigns away")
    func faces() async throws {
        try await Bench.with(1) { bench in
            let person = bench.people[0]
            let path = "/v1/contacts/\(person)"
            _ = try await bench.ana.api(.patch, path, #"{"emailStatus":"unsubscribed"}"#)
            #expect(try await bench.flags(person).email == false)
            let given = try await bench.ana.api(
                .post, path + "/consents",
                #"{"action":"granted","actor":"contact","wording":"Yes please","source":"fair"}"#)
            #expect(given.status == .created)
            #expect(try await bench.ana.api(.get, path).json()["emailStatus"]?.stringValue == "active")
            #expect(
                try await bench.ana.api(.post, path + "/consents", #"{"action":"imported"}"#).status
                    == .unprocessableContent)
            let browser = try await bench.ana.signIn()
            let history = try await browser.get("/contacts/\(person)/consents").page()
            #expect(history.all(".timeline-item").count == 2)
            let proof = try await browser.get("/contacts/\(person)/consents/evidence").text
            #expect(proof.contains("Yes please"))
            let pack = try await browser.get("/contacts/\(person)/consents/evidence.json").json()
            #expect(pack["format"]?.stringValue == "consent-evidence/1")
            #expect(pack["standing"]?["email"] == .bool(true))
        }
    }

    @Test("An import with a basis puts people on record once, and never undoes a no")
    func imports() async throws {
        try await ImportBench.with { bench in
            let file = "Email,First name\nana@example.com,Ana\nbo@example.com,Bo\n"
            _ = try await bench.run(file)
            let people = try await bench.people()
            let ana = try #require(people["ana@example.com"])
            let services = bench.portal.services
            func history(_ id: ContactID) async throws -> [ConsentAction] {
                try await services.database.read(bench.scope.workspace) { transaction in
                    try await ConsentQueries.history(of: id, bench.scope, in: transaction).map(\.decision.action)
                }
            }
            #expect(try await history(ana.id) == [.imported])
            try await services.database.write(bench.scope.workspace) { transaction in
                try await ConsentLedger(services).record(
                    ConsentDecision(.withdrawn, source: "test", by: .contact), of: ana.id, bench.scope, in: transaction)
            }
            _ = try await bench.run(file + "cy@example.com,Cy\n")
            #expect(try await history(ana.id) == [.withdrawn, .imported])
            let later = try await bench.people()
            #expect(try await history(try #require(later["bo@example.com"]).id) == [.imported])
            #expect(try await history(try #require(later["cy@example.com"]).id) == [.imported])
        }
    }
}
