import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// A link of a campaign with how often it was followed.
struct LinkClicks: PostgresRow, Sendable, Equatable {
    static let columns: SQL = "l.number::bigint, l.url, coalesce(c.total, 0), coalesce(c.people, 0)"
    let number: Int
    let url: String
    /// Every request, machines included.
    let total: Int
    /// Different people, machines left out.
    let people: Int

    init(row: inout RowReader) throws {
        number = try row.next()
        url = try row.next()
        total = try row.next()
        people = try row.next()
    }

    init(number: Int, url: String, total: Int, people: Int) {
        self.number = number
        self.url = url
        self.total = total
        self.people = people
    }
}

/// Everything a report says.
struct CampaignReport: Sendable, Equatable {
    let totals: CampaignTotals
    let breakdown: SendBreakdown
    let links: [LinkClicks]
    /// Messages that their recipients marked as spam, as far as providers report it.
    var complaints: Int = 0

    /// What the mail servers took and did not send back. SMTP tells no more: whether a message reached the inbox is not
    /// known to anybody but the recipient's provider.
    var delivered: Int { max(0, totals.sent - breakdown.lateBounces) }

    private func ofDelivered(_ count: Int) -> Rate { Rate(count: count, base: delivered, baseName: "delivered") }
    private var attempted: Int { totals.sent + totals.failed }

    var openRate: Rate { ofDelivered(totals.opened) }
    /// Machines' opens counted as well: what most other products call the open rate.
    var anyOpenRate: Rate { ofDelivered(max(breakdown.anyOpened, totals.opened)) }
    var clickRate: Rate { ofDelivered(totals.clicked) }
    var clickToOpenRate: Rate { Rate(count: totals.clicked, base: totals.opened, baseName: "opened") }
    var unsubscribeRate: Rate { ofDelivered(totals.unsubscribed) }
    var deliveryRate: Rate { Rate(count: delivered, base: totals.recipients, baseName: "recipients") }
    var bounceRate: Rate { Rate(count: totals.bounced, base: attempted, baseName: "handed over") }
    var complaintRate: Rate { ofDelivered(complaints) }
    var failureRate: Rate { Rate(count: totals.failed, base: attempted, baseName: "handed over") }
}

/// Reads reports. The counters come from the send's row; only what they do not say is read from the ledger.
struct ReportReader: Sendable {
    let services: AppServices
    let memory: BreakdownMemory

    static func totals(_ campaign: CampaignID, workspace: WorkspaceID) -> SQL {
        """
        SELECT \(CampaignTotals.columns)
        FROM marketing_campaigns c
        LEFT JOIN marketing_sends s ON s.workspace_id = c.workspace_id AND s.id = c.send_id
        WHERE c.workspace_id = \(workspace) AND c.id = \(campaign) AND c.deleted_at IS NULL
        """
    }

    /// - Throws: `WebError.notFound` for an absent, deleted or foreign campaign.
    func report(_ campaign: CampaignID, _ scope: WorkspaceScope) async throws -> CampaignReport {
        let workspace: WorkspaceID = scope.workspace
        let found: CampaignReport? = try await services.database.read(workspace, timeout: .seconds(15)) { tx in
            guard
                let totals = try await tx.first(
                    CampaignTotals.self, "analytics.totals", Self.totals(campaign, workspace: workspace))
            else { return nil }
            guard let send = totals.send else { return CampaignReport(totals: totals, breakdown: .none, links: []) }
            if let known = memory.report(at: totals) { return known }
            let since: Date = totals.createdAt ?? Date(timeIntervalSince1970: 0)
            let (rows, links, complaints) = try await tx.pipeline(
                Query(BreakdownRow.self, "analytics.breakdown", BreakdownRow.statement(send, workspace: workspace)),
                Query(LinkClicks.self, "analytics.links", Self.links(send, since: since, workspace: workspace)),
                Query.values(
                    Int.self, "analytics.complaints_of_send",
                    Self.complaints(send, since: since, workspace: workspace)))
            let report = CampaignReport(
                totals: totals, breakdown: SendBreakdown(rows), links: links, complaints: complaints.first ?? 0)
            memory.remember(report)
            return report
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    /// Messages of a send that were reported as spam. Found like the clicks.
    private static func complaints(_ send: SendID, since: Date, workspace: WorkspaceID) -> SQL {
        """
        WITH span AS MATERIALIZED (
            SELECT min(first_id::text)::uuid AS first, max(last_id::text)::uuid AS last
            FROM marketing_send_batches WHERE workspace_id = \(workspace) AND send_id = \(send)
        )
        SELECT count(DISTINCT e.message_id)
        FROM span, marketing_email_events e
        WHERE e.workspace_id = \(workspace) AND e.message_id BETWEEN span.first AND span.last
            AND e.occurred_at >= \(since) AND e.kind = 'complaint'
            AND EXISTS (SELECT 1 FROM marketing_messages m
                WHERE m.workspace_id = \(workspace) AND m.id = e.message_id AND m.send_id = \(send))
        """
    }

    /// Clicks carry no send. They are found by the span of the send's message ids, and checked against the ledger,
    /// because another send may have been written at the same moment.
    private static func links(_ send: SendID, since: Date, workspace: WorkspaceID) -> SQL {
        """
        WITH span AS MATERIALIZED (
            SELECT min(first_id::text)::uuid AS first, max(last_id::text)::uuid AS last
            FROM marketing_send_batches WHERE workspace_id = \(workspace) AND send_id = \(send)
        ),
        clicks AS (
            SELECT e.link_number, count(*) AS total,
                count(DISTINCT e.message_id) FILTER (WHERE e.class = 'human') AS people
            FROM span, marketing_email_events e
            WHERE e.workspace_id = \(workspace) AND e.message_id BETWEEN span.first AND span.last
                AND e.occurred_at >= \(since) AND e.kind = 'click'
                AND EXISTS (SELECT 1 FROM marketing_messages m
                    WHERE m.workspace_id = \(workspace) AND m.id = e.message_id AND m.send_id = \(send))
            GROUP BY e.link_number
        )
        SELECT \(LinkClicks.columns)
        FROM marketing_links l LEFT JOIN clicks c ON c.link_number = l.number
        WHERE l.workspace_id = \(workspace) AND l.send_id = \(send)
        ORDER BY coalesce(c.people, 0) DESC, coalesce(c.total, 0) DESC, l.number LIMIT 100
        """
    }
}
