import Core
import FoundationEssentials
import Postgres

/// A send of the last weeks, as the dashboard needs it.
struct RecentSend: PostgresRow, Sendable, Equatable {
    static let columns: SQL = """
        s.id, s.campaign_id, c.name, s.state, s.notice, s.sent, s.failed, s.bounced, s.uncertain, s.opened, s.clicked,
        s.first_sent_at, s.finished_at
        """
    let id: SendID
    let campaign: CampaignID?
    let name: String?
    let state: String
    let notice: String?
    let sent: Int
    let failed: Int
    let bounced: Int
    let uncertain: Int
    let opened: Int
    let clicked: Int
    let firstSentAt: Date?
    let finishedAt: Date?
}

extension RecentSend {
    init(row: inout RowReader) throws {
        id = try row.next()
        campaign = try row.next()
        name = try row.next()
        state = try row.next()
        notice = try row.next()
        sent = try row.next()
        failed = try row.next()
        bounced = try row.next()
        uncertain = try row.next()
        opened = try row.next()
        clicked = try row.next()
        firstSentAt = try row.next()
        finishedAt = try row.next()
    }
}

/// An import that stopped with an error.
struct FailedImport: PostgresRow, Sendable, Equatable {
    static let columns: SQL = "id, file_name, error"
    let id: ContactImportID
    let fileName: String
    let error: String?

    init(row: inout RowReader) throws {
        id = try row.next()
        fileName = try row.next()
        error = try row.next()
    }
}

/// Everything the dashboard reads, in one trip to the database.
struct DashboardFacts: Sendable {
    let contactCount: Int
    let sends: [RecentSend]
    let campaigns: [CampaignTotals]
    let contactCounts: [(day: String, count: Int)]
    let provider: String?
    let failedImports: [FailedImport]
    /// Complaints of the last 30 days, counted up to a thousand.
    let complaints: Int
    /// How the sends that ran over several days are spread: messages by quarter of an hour.
    let spread: [SendID: [Date: Int]]
}

/// The dashboard's reads. None of them counts people or messages: counters, a few hundred sends, a month of days.
struct DashboardQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    /// - Parameters:
    ///   - days: the shown days, `2026-11-21`, in order.
    ///   - from: the beginning of the first of them.
    ///   - buckets: what a day is.
    func facts(days: [String], from: Date, buckets: LocalBuckets, now: Date) async throws -> DashboardFacts {
        // A send may have begun before the month and go on in it.
        let oldest: SendID = .floor(at: from.addingTimeInterval(-30 * 86_400))
        let recently: ContactImportID = .floor(at: now.addingTimeInterval(-14 * 86_400))
        let firstDay: String = days.first ?? "1970-01-01"
        let (contacts, sends, campaigns, counts, before, provider, imports, complaints) = try await tx.pipeline(
            Query.values(
                Int.self, "analytics.contact_count",
                "SELECT contact_count FROM marketing_contact_totals WHERE workspace_id = \(workspace)"),
            Query(RecentSend.self, "analytics.recent_sends", recentSends(oldest)),
            Query(CampaignTotals.self, "analytics.last_campaigns", lastCampaigns),
            Query.rows(
                as: (String, Int).self, "analytics.contact_counts",
                """
                SELECT day::text, contact_count FROM marketing_contact_counts
                WHERE workspace_id = \(workspace) AND day >= \(firstDay)::date ORDER BY day
                """),
            Query.rows(
                as: (String, Int).self, "analytics.contact_counts_before",
                """
                SELECT day::text, contact_count FROM marketing_contact_counts
                WHERE workspace_id = \(workspace) AND day < \(firstDay)::date ORDER BY day DESC LIMIT 1
                """),
            Query.values(
                String.self, "analytics.provider",
                "SELECT provider FROM marketing_email_settings WHERE workspace_id = \(workspace)"),
            Query(FailedImport.self, "analytics.failed_imports", failedImports(recently)),
            Query.values(Int.self, "analytics.complaints", complaints(from)))
        let spread: [SendID: [Date: Int]] = try await spread(
            of: sends.filter { SendDays.needsSpread($0, buckets: buckets, now: now) }.map(\.id))
        return DashboardFacts(
            contactCount: contacts.first ?? 0, sends: sends, campaigns: campaigns,
            contactCounts: (before + counts).map { (day: $0.0, count: $0.1) }, provider: provider.first,
            failedImports: imports, complaints: complaints.first ?? 0, spread: spread)
    }

    private func recentSends(_ oldest: SendID) -> SQL {
        """
        SELECT \(RecentSend.columns) FROM marketing_sends s
        LEFT JOIN marketing_campaigns c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
        WHERE s.workspace_id = \(workspace) AND s.id >= \(oldest) ORDER BY s.id DESC LIMIT 5000
        """
    }

    private var lastCampaigns: SQL {
        """
        SELECT \(CampaignTotals.columns) FROM marketing_campaigns c
        LEFT JOIN marketing_sends s ON s.workspace_id = c.workspace_id AND s.id = c.send_id
        WHERE c.workspace_id = \(workspace) AND c.deleted_at IS NULL
        ORDER BY c.updated_at DESC, c.id DESC LIMIT 6
        """
    }

    private func failedImports(_ recently: ContactImportID) -> SQL {
        """
        SELECT \(FailedImport.columns) FROM marketing_contact_imports
        WHERE workspace_id = \(workspace) AND id >= \(recently) AND status = 'failed' ORDER BY id DESC LIMIT 5
        """
    }

    private func complaints(_ from: Date) -> SQL {
        """
        SELECT count(*) FROM (
            SELECT 1 FROM marketing_suppressions
            WHERE workspace_id = \(workspace) AND created_at >= \(from) AND reason = 'complaint' LIMIT 1000
        ) found
        """
    }

    private func spread(of sends: [SendID]) async throws -> [SendID: [Date: Int]] {
        guard !sends.isEmpty else { return [:] }
        let rows = try await tx.rows(
            as: (SendID, Date, Int).self, "analytics.send_spread",
            """
            SELECT send_id, date_bin('15 minutes', settled_at, 'epoch'), sum(size)::bigint FROM marketing_send_batches
            WHERE workspace_id = \(workspace) AND send_id = ANY (\(sends)) AND settled_at IS NOT NULL GROUP BY 1, 2
            """)
        var spread: [SendID: [Date: Int]] = [:]
        for (send, at, count) in rows { spread[send, default: [:]][at, default: 0] += count }
        return spread
    }
}

extension Identifier {
    /// The smallest id that could have been made at a moment: ids of version 7 begin with their milliseconds.
    static func floor(at date: Date) -> Identifier {
        let milliseconds = UInt64(max(0, date.timeIntervalSince1970 * 1000))
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: milliseconds >> shift) }
        return Identifier(
            UUID(uuid: (byte(40), byte(32), byte(24), byte(16), byte(8), byte(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    }
}
