import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@Suite("Reports")
struct ReportRoutesTests {
    @Test("A report's numbers come from the ledger, each rate with its base")
    func numbers() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon.addingTimeInterval(90_000))) { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            let json = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/analytics").json()
            // 100 people: 10 left out, 1 bounced, 89 sent.
            #expect(json["recipients"]?.intValue == 90)
            #expect(json["sent"]?.intValue == 89)
            #expect(json["delivered"]?.intValue == 89)
            #expect(json["failed"]?.intValue == 1)
            #expect(json["bounced"]?.intValue == 1)
            #expect(json["skipped"]?.intValue == 10)
            #expect(json["opened"]?.intValue == 40)
            #expect(json["uniqueOpens"]?.intValue == 59)
            #expect(json["totalOpens"]?.intValue == 118)
            #expect(json["clicked"]?.intValue == 10)
            #expect(json["totalClicks"]?.intValue == 30)
            let browser = try await ana.signIn()
            let page = try await browser.get("/campaigns/\(seeded.campaign)/report").page()
            #expect(try page.text("main").contains("44.9"))
            #expect(try page.text("main").contains("of 89 delivered"))
            #expect(try page.text("main").contains("The address does not exist"))
            #expect(try page.text("main").contains("https://example.com/shop"))
            #expect(page.all("svg rect.bar").count >= 5)
            let first = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?limit=1").json()
            let message: String = try #require(first["data"]?.arrayValue?.first?["id"]?.stringValue)
            let places = [
                "/campaigns/\(seeded.campaign)", "/campaigns/\(seeded.campaign)/messages", "/messages/\(message)",
            ]
            for path in places {
                let tabs = try await browser.get(path).page().all("nav.tabs[aria-label=Campaign] a").map(\.readableText)
                #expect(tabs == ["Overview", "Report", "Messages"], "\(path)")
            }
        }
    }

    @Test("Complaints are counted once for each message, and the log shows whose they are")
    func complaints() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon.addingTimeInterval(90_000))) { portal in
            let ana = try await portal.register("Ana")
            let workspace: WorkspaceID = ana.scope.workspace
            let seeded = try await SeededCampaign.make(workspace: workspace, portal: portal)
            let other = try await SeededCampaign.make(
                of: 20, named: "Other", workspace: workspace, portal: portal,
                at: PortalFixture.noon.addingTimeInterval(3600))
            try await portal.services.database.write(workspace) { tx in
                for statement: SQL in ["m.email IN ('p1@example.com', 'p2@example.com')", "m.email = 'p1@example.com'"]
                {
                    try await tx.run(
                        "test.complaints",
                        """
                        INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, occurred_at,
                            class, class_reason, user_agent, network)
                        SELECT m.workspace_id, gen_random_uuid(), m.id, m.contact_id, 'complaint', m.sent_at, 'abuse',
                            'report', '', ''
                        FROM marketing_messages m
                        WHERE m.workspace_id = \(workspace) AND m.send_id = \(seeded.send) AND \(statement)
                        """)
                }
                try await tx.run(
                    "test.suppressions",
                    """
                    INSERT INTO marketing_suppressions (workspace_id, id, email_key, reason, source, message_id)
                    SELECT m.workspace_id, gen_random_uuid(), m.email, 'complaint', 'report', m.id
                    FROM marketing_messages m WHERE m.workspace_id = \(workspace) AND m.send_id = \(seeded.send)
                        AND m.email IN ('p1@example.com', 'p2@example.com')
                    """)
            }
            let json = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/analytics").json()
            #expect(json["complained"]?.intValue == 2)
            #expect(json["complaintRate"] == .double(2.0 / 89))
            let quiet = try await ana.api(.get, "/v1/campaigns/\(other.campaign)/analytics").json()
            #expect(quiet["complained"]?.intValue == 0)
            let page = try await ana.signIn().get("/campaigns/\(seeded.campaign)/report").page()
            #expect(page.has(".stat a[href$='did=complained']"))
            #expect(page.all(".stat").map(\.readableText).contains { $0.contains("spam") && $0.contains("2") })
            let log = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?did=complained").json()
            #expect(log["data"]?.arrayValue?.count == 2)
        }
    }

    @Test("Hours and days of the series add up to the totals")
    func series() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon.addingTimeInterval(90_000))) { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            for interval in ["hour", "day"] {
                let path = "/v1/campaigns/\(seeded.campaign)/time-series?interval=\(interval)"
                let data = try await ana.api(.get, path).json()["data"]?.arrayValue ?? []
                #expect(data.reduce(0) { $0 + ($1["sent"]?.intValue ?? 0) } == 89)
                #expect(data.reduce(0) { $0 + ($1["opened"]?.intValue ?? 0) } == 40)
                #expect(data.reduce(0) { $0 + ($1["clicked"]?.intValue ?? 0) } == 10)
            }
            #expect(
                try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/time-series?interval=year").status
                    == .badRequest)
        }
    }

    @Test("A contact's timeline tells of messages: sent, opened and clicked, each with its link, in order")
    func timeline() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            let rows = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?did=clicked&limit=1").json()
            let row = try #require(rows["data"]?.arrayValue?.first)
            let contact: String = try #require(row["contactId"]?.stringValue)
            let browser = try await ana.signIn()
            let page = try await browser.get("/contacts/\(contact)?show=message").page()
            let titles = page.all(".timeline-title").map(\.readableText)
            #expect(titles == ["Clicked a link in “Autumn news”", "Opened “Autumn news”", "Got “Autumn news”"])
            #expect(page.all(".timeline-title a").first?["href"] == "/messages/\(row["id"]?.stringValue ?? "")")
            let bounced = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?state=failed").json()
            let other: String = try #require(bounced["data"]?.arrayValue?.first?["contactId"]?.stringValue)
            let story = try await browser.get("/contacts/\(other)?show=message").page()
            #expect(story.all(".timeline-title").map(\.readableText).first == "“Autumn news” bounced")
        }
    }

    @Test("The message log goes through everybody once, page by page, and filters by state, reason and action")
    func log() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            let base = "/v1/campaigns/\(seeded.campaign)/messages"
            var seen: Set<String> = []
            var cursor: String?
            repeat {
                let path = base + "?limit=30" + (cursor.map { "&cursor=\($0)" } ?? "")
                let json = try await ana.api(.get, path).json()
                for row in json["data"]?.arrayValue ?? [] { seen.insert(row["id"]?.stringValue ?? "") }
                cursor = json["nextCursor"]?.stringValue
            } while cursor != nil
            #expect(seen.count == 100)
            func count(_ query: String) async throws -> Int {
                try await ana.api(.get, "\(base)?limit=200&\(query)").json()["data"]?.arrayValue?.count ?? -1
            }
            #expect(try await count("state=skipped") == 10)
            #expect(try await count("reason=hard_bounce") == 1)
            #expect(try await count("did=clicked") == 10)
            #expect(try await count("did=not_opened") == 49)
            #expect(try await count("q=P77%40") == 1)
            #expect(try await ana.api(.get, "\(base)?state=lost").status == .badRequest)
        }
    }

    @Test("The log's page says why somebody was left out, and the page of one message explains it")
    func explains() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            let browser = try await ana.signIn()
            let log = try await browser.get("/campaigns/\(seeded.campaign)/messages?reason=suppressed_unsubscribed")
            #expect(try log.page().all("tbody tr").count == 10)
            #expect(log.text.contains("Person No 10"))
            let row = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?q=p10%40").json()["data"]?[0]
            let id = row?["id"]?.stringValue ?? ""
            let page = try await browser.get("/messages/\(id)")
            #expect(page.status == .ok)
            #expect(page.text.contains("Person No 10 was left out: they have unsubscribed."))
        }
    }

    @Test("The export holds everybody of the filter and no formula")
    func export() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            _ = try await portal.services.database.write(ana.scope.workspace) { tx in
                try await tx.run(
                    "test.formula",
                    """
                    UPDATE marketing_contacts SET first_name = '=HYPERLINK("x")'
                    WHERE workspace_id = \(ana.scope.workspace)
                    """)
            }
            let browser = try await ana.signIn()
            let csv = try await browser.get("/campaigns/\(seeded.campaign)/messages.csv?state=skipped")
            #expect(csv.headers[.contentType]?.hasPrefix("text/csv") == true)
            let lines = csv.text.split(separator: "\r\n")
            #expect(lines.count == 11)
            #expect(!csv.text.contains(",=HYPERLINK"))
            #expect(csv.text.contains("'=HYPERLINK"))
        }
    }

    @Test("Another workspace's campaign and messages are not there")
    func walls() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bob = try await portal.register("Bob")
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            let row = try await ana.api(.get, "/v1/campaigns/\(seeded.campaign)/messages?limit=1").json()["data"]?[0]
            let message = row?["id"]?.stringValue ?? ""
            for path in ["analytics", "messages", "time-series"] {
                #expect(try await bob.api(.get, "/v1/campaigns/\(seeded.campaign)/\(path)").status == .notFound)
            }
            let browser = try await bob.signIn()
            for path in [
                "/campaigns/\(seeded.campaign)/report", "/campaigns/\(seeded.campaign)/report/live",
                "/campaigns/\(seeded.campaign)/messages", "/campaigns/\(seeded.campaign)/messages.csv",
                "/messages/\(message)",
            ] {
                #expect(try await browser.get(path).status == .notFound)
            }
        }
    }

    @Test("An empty workspace shows the first steps; later the numbers, the charts and what needs attention")
    func dashboard() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon)) { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let empty = try await browser.get("/")
            #expect(empty.status == .ok)
            #expect(empty.text.contains("0 of 4 done"))
            #expect(!empty.text.contains("<svg viewBox=\"0 0 720"))
            let moment = PortalFixture.noon.addingTimeInterval(-3600)
            let seeded = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal, at: moment)
            _ = try await portal.services.database.write(ana.scope.workspace) { tx in
                try await tx.run(
                    "test.uncertain",
                    """
                    UPDATE marketing_sends SET uncertain = 3
                    WHERE workspace_id = \(ana.scope.workspace) AND id = \(seeded.send)
                    """)
            }
            let full = try await browser.get("/")
            #expect(full.text.contains("2 of 4 done"))
            #expect(full.text.contains("3 messages of “Autumn news” may have arrived"))
            #expect(try full.page().all("svg rect.bar").count == 1)
            let json = try await ana.api(.get, "/v1/dashboard").json()
            #expect(json["contacts"]?.intValue == 100)
            #expect(json["sentInThirtyDays"]?.intValue == 89)
            #expect(json["days"]?.arrayValue?.count == 30)
            #expect(json["lastCampaigns"]?[0]?["opened"]?.intValue == 40)
        }
    }

    @Test("Growth is written down once a day and needs no counting")
    func growth() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon)) { portal in
            let ana = try await portal.register("Ana")
            _ = try await SeededCampaign.make(workspace: ana.scope.workspace, portal: portal)
            for _ in 0..<2 { try await RecordedGrowth.record(portal) }
            let rows = try await portal.services.database.read(ana.scope.workspace) { tx in
                try await tx.rows(
                    as: (String, Int).self, "test.counts",
                    "SELECT day::text, contact_count FROM marketing_contact_counts")
            }
            #expect(rows.count == 1)
            #expect(rows.first?.0 == "2026-01-15")
            #expect(rows.first?.1 == 100)
        }
    }
}
