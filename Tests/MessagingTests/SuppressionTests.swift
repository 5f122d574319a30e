import Contacts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Messaging

@Suite("Suppressions")
struct SuppressionTests {
    @Test(
        "What is typed is told to be an address, a domain or a number, in one spelling",
        arguments: [
            ("Ana@EXAMPLE.com", "Ana@example.com", "email"), ("example.com", "@example.com", "domain"),
            ("@Bücher.example", "@xn--bcher-kva.example", "domain"), ("+49 171 2345678", "+491712345678", "phone"),
            ("'@example.com", "@example.com", "domain"),
        ])
    func targets(typed: String, key: String, kind: String) throws {
        let target = try SuppressionTarget(parsing: typed)
        #expect(target.kind.rawValue == kind)
        #expect(target.key.lowercased() == key.lowercased())
    }

    @Test("A whole domain, an address with an end, and withdrawn consent are respected in snapshot and hand-over")
    func decisions() async throws {
        try await MessagingStage.with(people: 6) { stage in
            let soon = stage.services.clock.now.addingTimeInterval(3_600)
            try await stage.run(
                """
                UPDATE marketing_contacts SET email = 'p0@corp.example', email_key = 'p0@corp.example'
                WHERE email_key = 'p0@example.com'
                """)
            try await stage.run(
                "UPDATE marketing_contacts SET email_opt_in = false WHERE email_key = 'p1@example.com'")
            let targets: [(String, Date?)] = [("corp.example", nil), ("p2@example.com", soon)]
            for (text, end) in targets {
                let new = NewSuppression(try SuppressionTarget(parsing: text), source: "test", expiresAt: end)
                _ = try await SuppressionActions(services: stage.services).add(new, stage.member.scope)
            }
            // One that is over counts no more, even before anybody lifted it.
            _ = try await SuppressionActions(services: stage.services).add(
                NewSuppression(
                    try SuppressionTarget(parsing: "p3@example.com"), source: "test",
                    expiresAt: stage.services.clock.now.addingTimeInterval(-60)), stage.member.scope)
            let forecast = try await stage.services.database.read(stage.workspace) { tx in
                try await SnapshotQueries(workspace: stage.workspace, tx: tx)
                    .forecast(SendAudience(listIds: [stage.list]), at: stage.services.clock.now)
            }
            #expect(forecast.recipients == 3)
            let run = try await stage.launch()
            #expect(
                try await stage.tally(run) == [
                    "pending": 3, "skipped:suppressed_domain": 1, "skipped:suppressed_manual": 1,
                    "skipped:consent_withdrawn": 1,
                ])
            // Suppressed while the send waits: the rest of the domain gets nothing either.
            _ = try await SuppressionActions(services: stage.services).add(
                NewSuppression(try SuppressionTarget(parsing: "@example.com"), source: "test"), stage.member.scope)
            let carrier = FakeCarrier()
            try await stage.dispatcher(carrier).dispatch(run)
            #expect(try await stage.tally(run)["skipped:suppressed_domain"] == 4)
        }
    }

    @Test("A file adds what it can, counts what was known, and gives back the rows that failed")
    func files() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let rows: [String] = [
                "address,note,expires_at", "bo@example.com,asked,", "corp.example,,2999-01-01", "nonsense,,",
                "bo@example.com,,",
            ]
            let csv: String = rows.joined(separator: "\n") + "\n"
            let answer = try await browser.upload(
                "/suppressions/import", file: ("file", "blocked.csv", Array(csv.utf8)))
            let place: String = try #require(answer.location)
            let page = try await browser.get(place).page()
            #expect(page.all("dd").map(\.readableText).joined(separator: " ").contains("2"))
            let failed = try await browser.get(place + "/failures").text
            #expect(failed.contains("nonsense"))
            #expect(failed.split(separator: "\r\n").count == 2)
            let exported = try await browser.get("/suppressions/export").text
            #expect(exported.contains("bo@example.com,email,manual,import,asked"))
            #expect(exported.contains("corp.example,domain"))
            let listed = try await ana.api(.get, "/v1/suppressions?kind=domain&q=corp").json()
            #expect(Self.rows(listed).count == 1)
        }
    }

    private static func rows(_ page: JSONValue) -> [JSONValue] {
        guard case .array(let rows)? = page["data"] else { return [] }
        return rows
    }

    @Test("Lifting needs a reason, which stays with the row and in the audit log")
    func lifting() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let made = try await ana.api(
                .post, "/v1/suppressions",
                #"{"domain":"corp.example","note":"rivals","expiresAt":"2999-01-01T00:00:00Z"}"#)
            #expect(made.status == .created)
            let id: String = try #require(try made.json()["id"]?.stringValue)
            let browser = try await ana.signIn()
            #expect(try await browser.post("/suppressions/\(id)/lift", [("words", "")]).status == .unprocessableContent)
            #expect(
                try await browser.post("/suppressions/\(id)/lift", [("words", "We are friends now")]).status
                    == .seeOther)
            let lifted = try await ana.api(.get, "/v1/suppressions?state=lifted").json()
            #expect(Self.rows(lifted).first?["liftReason"]?.stringValue == "We are friends now")
            #expect(
                try await ana.api(.post, "/v1/suppressions", #"{"email":"a@b.co","domain":"b.co"}"#).status
                    == .unprocessableContent)
        }
    }
}
