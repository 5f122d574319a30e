import Accounts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Contacts

@Suite("Addresses that people had before a merge", .timeLimit(.minutes(30)))
struct FormerAddressTests {
    private func add(_ ana: TestMember, _ json: String) async throws -> String {
        let made = try await ana.api(.post, "/v1/contacts", json)
        #expect(made.status == .created, "\(made.text)")
        return try #require(try made.json()["id"]?.stringValue)
    }

    /// Bo, who was bo@old.example and +14155552671 too before two contacts were merged.
    private func merged(_ ana: TestMember) async throws -> String {
        let winner = try await add(
            ana, #"{"email":"bo@example.com","firstName":"Bo","lastName":"Ek","phone":"+14155550100"}"#)
        let loser = try await add(ana, #"{"email":"bo@old.example","phone":"+14155552671"}"#)
        let answer = try await ana.api(.post, "/v1/contacts/\(winner)/merge", #"{"loserId":"\#(loser)"}"#)
        #expect(answer.status == .ok, "\(answer.text)")
        return winner
    }

    @Test("A form and the API lead to the person whom an old address means, and make no second one")
    func forms() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bo = try await merged(ana)
            let cy = try await add(ana, #"{"email":"cy@example.com"}"#)
            for (method, path) in [(HTTPRequest.Method.post, "/v1/contacts"), (.patch, "/v1/contacts/\(cy)")] {
                let refused = try await ana.api(method, path, #"{"email":"BO@old.example"}"#)
                #expect(refused.status == .conflict, "\(refused.text)")
                #expect(refused.text.contains("email_taken") && refused.text.contains(bo))
            }
            let browser = try await ana.signIn()
            for path in ["/contacts", "/contacts/\(cy)"] {
                let page = try await browser.post(path, [("email", "bo@old.example"), ("tags", "vip")])
                #expect(page.status == .unprocessableContent)
                #expect(page.text.contains("Bo Ek had this address before two contacts were merged"))
                #expect(page.text.contains("href=\"/contacts/\(bo)\""))
                #expect(page.text.contains("value=\"vip\""))
            }
            #expect(try await ana.api(.get, "/v1/contacts/\(cy)").json()["email"] == .string("cy@example.com"))
            // Their own old address they may have back.
            let own = try await ana.api(.patch, "/v1/contacts/\(bo)", #"{"email":"bo@old.example"}"#)
            #expect(own.status == .ok, "\(own.text)")
        }
    }

    @Test("An import finds people by the addresses and numbers that they had, also twice in one file")
    func imports() async throws {
        try await ImportBench.with { bench in
            _ = try await merged(bench.member)
            let file = try await bench.run(
                """
                Email,Phone,City
                bo@old.example,,Oslo
                bo@example.com,,Bergen
                new@example.com,,Rome
                ,+14155552671,
                """)
            #expect(file.created == 1 && file.updated == 3 && file.failed == 0)
            let people = try await bench.people()
            #expect(people.count == 2)
            let bo = try #require(people["bo@example.com"])
            #expect(
                ["Oslo", "Bergen"].contains(bo.properties["City"]?.stringValue ?? bo.properties["city"]?.stringValue))
            // The fast way in, of which everybody is expected to be new.
            let again = try await bench.run("Email\nbo@old.example\nother@example.com\n", onExisting: .skip)
            #expect(again.created == 1 && again.skipped == 1)
            #expect(try await bench.total() == 3)
        }
    }

    @Test("A merge at the same moment is waited for, and its old address makes nobody", arguments: ["form", "import"])
    func race(way: String) async throws {
        try await ImportBench.with { bench in
            let ana = bench.member
            let winner = try await add(ana, #"{"email":"bo@example.com"}"#)
            let loser = try await add(ana, #"{"email":"bo@old.example"}"#)
            let database = bench.portal.services.database
            let workspace = bench.scope.workspace
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await database.write(workspace) { transaction in
                    try await transaction.run([
                        Statement(
                            "test.delete",
                            """
                            UPDATE marketing_contacts SET deleted_at = now()
                            WHERE workspace_id = \(workspace) AND id = \(try #require(ContactID(loser)))
                            """),
                        Statement(
                            "test.former",
                            """
                            INSERT INTO marketing_contact_identities (workspace_id, kind, value, contact_id, created_at)
                            VALUES (\(workspace), 'email', 'bo@old.example', \(try #require(ContactID(winner))), now())
                            """),
                    ])
                    group.addTask {
                        if way == "form" {
                            let answer = try await ana.api(.post, "/v1/contacts", #"{"email":"bo@old.example"}"#)
                            #expect(answer.status == .conflict, "\(answer.text)")
                        } else {
                            let file = try await bench.run("Email\nbo@old.example\n")
                            #expect(file.created == 0 && file.updated == 1)
                        }
                    }
                    while try await !isWaitedFor(transaction) { await Task.yield() }
                }
                try await group.waitForAll()
            }
            let people = try await bench.people()
            #expect(Array(people.keys) == ["bo@example.com"])
        }
    }

    /// Whether somebody waits for the end of this transaction.
    private func isWaitedFor(_ transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.value(
            Bool.self, "test.waiting",
            """
            SELECT EXISTS (SELECT FROM pg_locks w JOIN pg_locks h ON h.transactionid = w.transactionid AND h.granted
                WHERE NOT w.granted AND h.pid = pg_backend_pid())
            """)
    }
}
