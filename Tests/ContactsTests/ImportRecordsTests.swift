import Core
import Postgres
import TestSupport
import Testing
import Web

@testable import Accounts
@testable import Contacts

@Suite("Importing properties and companies")
struct ImportRecordsTests {
    @Test(
        "The type of a column is the narrowest that all cells fit",
        arguments: [
            (["1", "2.5"], .number), (["01234", "1"], .text), (["yes", "No"], .boolean), (["2026-01-31"], .date),
            (["2026-01-31T09:30:00Z"], .dateTime), (["12.50 EUR"], .money), (["https://a.example"], .url),
            (["1", "many"], .text), ([], .text), (["+4917112345"], .text), (["a\nb"], .longText),
        ] as [([String], PropertyType)])
    func guess(cells: [String], type: PropertyType) {
        #expect(PropertyGuess.type(ofColumn: cells) == type)
    }

    @Test("Cells become what their property holds, and one that does not fit fails its row with the reason")
    func typed() async throws {
        try await ImportBench.with { bench in
            for body in [
                #"{"name":"orders","label":"Orders","type":"number"}"#,
                #"{"name":"paid","label":"Paid","type":"money"}"#,
                #"{"name":"tier","label":"Tier","type":"singleSelect","options":["Gold"],"default":"Gold"}"#,
                #"{"name":"note","label":"Note","type":"text"}"#,
            ] {
                #expect(try await bench.member.api(.post, "/v1/property-definitions", body).status == .created)
            }
            let file = try await bench.run(
                """
                Email,Orders,Paid,Note
                a@example.com,007,12.5 eur,"one
                line"
                b@example.com,12,,
                c@example.com,many,,
                """)
            #expect(file.created == 2 && file.failed == 1)
            let people = try await bench.people()
            #expect(people["a@example.com"]?.properties["orders"] == .int(7))
            #expect(
                people["a@example.com"]?.properties["paid"]
                    == .object(["amount": .int(1250), "currency": .string("EUR")]))
            #expect(people["a@example.com"]?.properties["note"] == .string("one line"))
            #expect(people["b@example.com"]?.properties == ["orders": .int(12), "tier": .string("Gold")])
            let failures = try await bench.portal.services.database.read(bench.scope.workspace) { transaction in
                try await ImportQueries(scope: bench.scope).failures(file.id, limit: 5, in: transaction)
            }
            #expect(failures.first?.reason == "Orders: This must be a number, like 12 or 3.5.")
        }
    }

    @Test("Rows find or make their company, addresses join by domain, and undoing gives companies back")
    func companies() async throws {
        try await ImportBench.with { bench in
            let acme = try await bench.member.api(
                .post, "/v1/companies", #"{"name":"Acme","domain":"acme.example"}"#
            ).json()["id"]?.stringValue
            _ = try await bench.run("Email\nx@acme.example\ny@other.example\nz@gmail.com\n")
            var people = try await bench.people()
            #expect(people["x@acme.example"]?.companyID?.description == acme)
            #expect(people["y@other.example"]?.companyID == nil)
            let second = try await bench.run(
                """
                Email,Company,Company domain
                x@acme.example,Beta,https://www.beta.example/
                y@other.example,acme,
                z@gmail.com,Zed,gmail.com
                w@zed.example,zed,
                """)
            #expect(second.created == 1 && second.updated == 3)
            people = try await bench.people()
            let listed = try await bench.member.api(.get, "/v1/companies").json()
            guard case .array(let rows)? = listed["data"] else { throw TestFailure("no companies") }
            #expect(rows.map { $0["name"] } == [.string("Acme"), .string("Beta"), .string("Zed")])
            #expect(rows.map { $0["domain"] } == [.string("acme.example"), .string("beta.example"), .null])
            #expect(rows.map { $0["contactCount"] } == [.int(1), .int(1), .int(2)])
            #expect(people["y@other.example"]?.companyID?.description == acme)
            try await bench.portal.services.database.write(bench.scope.workspace) { transaction in
                _ = try await ImportQueries(scope: bench.scope).move(
                    second.id, from: [.done], to: .undoing, in: transaction)
            }
            try await ImportUndo(services: bench.portal.services, scope: bench.scope, importID: second.id).run()
            people = try await bench.people()
            #expect(people["x@acme.example"]?.companyID?.description == acme)
            #expect(people["y@other.example"]?.companyID == nil)
            let counts = try await bench.member.api(.get, "/v1/companies").text
            #expect(counts.contains(#""contactCount":1"#) && !counts.contains(#""contactCount":2"#))
        }
    }
}
