import Core
import Jobs
import Logging
import Portal
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@Suite("The demo workspace", .timeLimit(.minutes(30)))
struct DemoTests {
    /// Runs the portal's jobs until something is so.
    private func working(_ portal: PortalFixture, until isDone: () async throws -> Bool) async throws {
        let worker = JobWorker(
            name: "demo", database: portal.services.database, registry: portal.assembly.jobs,
            settings: .init(poll: .milliseconds(20)))
        var logger = Logger(label: "demo")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [worker], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            while try await !isDone() { await Task.yield() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("Somebody new is offered an example: people, lists, segments, and a campaign with opens and clicks")
    func livedIn() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            #expect(try await browser.get("/").page().has("a[href='/demo']"))
            #expect(try await browser.get("/demo").page().has("form[action='/demo']"))
            #expect(try await browser.post("/demo").location == "/workspaces")
            #expect(try await portal.assembly.demo.make(for: ana.principal.user) != .made(ana.principal.workspace))
            let choice = try await browser.get("/workspaces").page()
            let others = choice.all("form[action='/workspaces'] [name=workspace]").compactMap { $0["value"] }
            let id = try #require(others.first { $0 != "\(ana.principal.workspace)" })
            #expect(try await browser.post("/workspaces", [("workspace", id)]).status == .seeOther)
            let workspace = try #require(WorkspaceID(id))
            try await working(portal) {
                try await portal.services.database.read(workspace) { tx in
                    try await tx.value(
                        Int.self, "test.opened",
                        "SELECT sum(opened)::bigint FROM marketing_sends WHERE workspace_id = \(workspace)")
                } > 0
            }
            let totals = try await portal.services.database.read(workspace) { tx in
                try await tx.rows(
                    as: (Int, Int, Int).self, "test.totals",
                    "SELECT sent, opened, clicked FROM marketing_sends WHERE workspace_id = \(workspace)")
            }
            #expect(totals.map(\.0) == [165])
            #expect(totals.map(\.1) == [66])
            #expect((totals.first?.2 ?? 0) > 10)
            #expect(try await browser.get("/contacts").text.contains("180"))
            #expect(!(try await browser.get("/").page().has("a[href='/demo']")))
            let (weeks, latest) = try await portal.services.database.read(workspace) { tx in
                try await tx.rows(
                    as: (Int, Double).self, "test.cohorts",
                    """
                    SELECT count(DISTINCT c.created_at), extract(epoch FROM
                        (SELECT min(first_sent_at) FROM marketing_sends WHERE workspace_id = \(workspace)) - max(c.created_at))::float8
                    FROM marketing_contacts c WHERE c.workspace_id = \(workspace)
                    """)[0]
            }
            #expect(weeks == 9 && latest > 86_400, "People came in cohorts, all before the campaign went out")
            let backdated = try await portal.services.database.read(workspace) { tx in
                try await tx.value(
                    Int.self, "test.backdated",
                    """
                    SELECT count(*) FROM marketing_audit_log
                    WHERE workspace_id = \(workspace)
                        AND occurred_at < (SELECT created_at FROM marketing_workspaces WHERE id = \(workspace))
                    """)
            }
            #expect(backdated == 0, "The audit log says when something was really done")
            let growth = try await portal.services.database.read(workspace) { tx in
                try await tx.values(
                    Int.self, "test.growth",
                    """
                    SELECT contact_count FROM marketing_contact_counts
                    WHERE workspace_id = \(workspace) ORDER BY day LIMIT 9
                    """)
            }
            #expect(growth == [20, 40, 60, 80, 100, 120, 140, 160, 180])
            for (path, words) in [
                ("/lists", ["Newsletter", "Wholesale"]), ("/segments", ["Opened, never clicked", "Lisbon and Porto"]),
                ("/companies", ["Harbour Bakery"]), ("/outbox", ["the autumn roast is here"]),
                ("/campaigns", ["Autumn roast", "Winter gifts"]),
            ] {
                let page = try await browser.get(path).text
                for word in words { #expect(page.contains(word), "\(path): \(word)") }
            }
        }
    }
}
