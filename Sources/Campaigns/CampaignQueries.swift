import Core
import FoundationEssentials
import Messaging
import Postgres

extension CampaignStatus: PostgresCodable, PostgresArrayElement {}
extension BodyMode: PostgresCodable {}

extension Campaign: PostgresRow {
    package static let columns: SQL = """
        id, name, audience, subject, preview_text, body_mode, html, from_name, from_email, reply_to, status, scheduled_at,
        launched_at, finished_at, send_id, version, created_at, updated_at
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        var content = CampaignContent()
        content.name = try row.next()
        content.audience = try row.next(JSONB<SendAudience>.self).value
        content.subject = try row.next()
        content.previewText = try row.next()
        content.bodyMode = try row.next()
        content.html = try row.next()
        content.fromName = try row.next()
        content.fromEmail = try row.next()
        content.replyTo = try row.next()
        self.content = content
        status = try row.next()
        scheduledAt = try row.next()
        launchedAt = try row.next()
        finishedAt = try row.next()
        send = try row.next()
        version = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
    }
}

/// A campaign as a list shows it, without its text.
package struct CampaignSummary: PostgresRow, Sendable {
    package static let columns: SQL = """
        id, name, subject, status, scheduled_at, launched_at, finished_at, send_id, version, created_at, updated_at
        """
    package let id: CampaignID
    package let name: String
    package let subject: String
    package let status: CampaignStatus
    package let scheduledAt: Date?
    package let launchedAt: Date?
    package let finishedAt: Date?
    package let send: SendID?
    package let version: Int
    package let createdAt: Date
    package let updatedAt: Date

    package init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        subject = try row.next()
        status = try row.next()
        scheduledAt = try row.next()
        launchedAt = try row.next()
        finishedAt = try row.next()
        send = try row.next()
        version = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
    }
}

/// All SQL of campaigns.
package struct CampaignQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    package init(_ scope: WorkspaceScope, _ tx: PostgresTransaction) {
        workspace = scope.workspace
        self.tx = tx
    }

    package func find(_ id: CampaignID) async throws -> Campaign? {
        try await tx.first(
            Campaign.self, "campaigns.find",
            """
            SELECT \(Campaign.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND id = \(id) AND deleted_at IS NULL
            """)
    }

    /// The campaigns that will go to a list or leave its people out, the newest first; at most fifty.
    func using(_ list: ContactListID) async throws -> [CampaignSummary] {
        let open: [CampaignStatus] = [.draft, .scheduled, .sending, .paused]
        return try await tx.all(
            CampaignSummary.self, "campaigns.using_list",
            """
            SELECT \(CampaignSummary.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND status = ANY (\(open)) AND deleted_at IS NULL
                AND (audience->'listIds' @> to_jsonb(\(list)::text)
                    OR audience->'excludeListIds' @> to_jsonb(\(list)::text))
            ORDER BY updated_at DESC LIMIT 50
            """)
    }

    /// Unfinished campaigns whose subject or text says one of these words, the last changed first.
    func saying(_ words: [String]) async throws -> [CampaignSummary] {
        let open: [CampaignStatus] = [.draft, .scheduled, .sending, .paused]
        return try await tx.all(
            CampaignSummary.self, "campaigns.saying",
            """
            SELECT \(CampaignSummary.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND status = ANY (\(open)) AND deleted_at IS NULL
                AND EXISTS (
                    SELECT FROM unnest(\(words)) AS w(word)
                    WHERE strpos(concat_ws(' ', subject, preview_text, html), w.word) > 0)
            ORDER BY updated_at DESC LIMIT 50
            """)
    }

    /// Several at once, in no particular order.
    func all(_ ids: [CampaignID]) async throws -> [Campaign] {
        guard !ids.isEmpty else { return [] }
        return try await tx.all(
            Campaign.self, "campaigns.all",
            """
            SELECT \(Campaign.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND id = ANY (\(ids)) AND deleted_at IS NULL
            """)
    }

    /// For a change: nobody else changes it until the transaction ends.
    func locked(_ id: CampaignID) async throws -> Campaign? {
        try await tx.first(
            Campaign.self, "campaigns.locked",
            """
            SELECT \(Campaign.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND id = \(id) AND deleted_at IS NULL FOR UPDATE
            """)
    }

    /// The campaign that a send belongs to.
    func lockedBySend(_ send: SendID) async throws -> Campaign? {
        guard let summary = try await SendQueries(workspace: workspace, tx: tx).summary(send), let id = summary.campaign
        else { return nil }
        return try await locked(id)
    }

    /// The last changed first.
    package func page(
        status: CampaignStatus?, search: String?, after: (Date, CampaignID)?, limit: Int
    ) async throws -> [CampaignSummary] {
        let matching: SQL = status.map { "AND status = \($0)" } ?? ""
        let found: SQL =
            search.map { text in
                "AND (strpos(lower(name), \(text.lowercased())) > 0 OR strpos(lower(subject), \(text.lowercased())) > 0)"
            } ?? ""
        let rest: SQL = after.map { "AND (updated_at, id) < (\($0.0), \($0.1))" } ?? ""
        return try await tx.all(
            CampaignSummary.self, "campaigns.page",
            """
            SELECT \(CampaignSummary.columns) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND deleted_at IS NULL \(matching) \(found) \(rest)
            ORDER BY updated_at DESC, id DESC LIMIT \(limit)
            """)
    }

    package func countsByStatus() async throws -> [CampaignStatus: Int] {
        let rows = try await tx.rows(
            as: (CampaignStatus, Int).self, "campaigns.counts",
            """
            SELECT status, count(*) FROM marketing_campaigns
            WHERE workspace_id = \(workspace) AND deleted_at IS NULL GROUP BY status
            """)
        return Dictionary(rows.map { ($0.0, $0.1) }) { first, _ in first }
    }

    func insert(_ id: CampaignID, _ content: CampaignContent, by actor: UserID?, now: Date) async throws {
        try await tx.run(
            "campaigns.insert",
            """
            INSERT INTO marketing_campaigns
                (workspace_id, id, name, audience, subject, preview_text, body_mode, html, from_name, from_email, reply_to,
                 created_by, created_at, updated_at)
            VALUES (\(workspace), \(id), \(content.name), \(JSONB(content.audience)), \(content.subject),
                \(content.previewText), \(content.bodyMode), \(content.html), \(content.fromName), \(content.fromEmail),
                \(content.replyTo), \(actor), \(now), \(now))
            """)
    }

    func update(_ id: CampaignID, _ content: CampaignContent, now: Date) async throws {
        try await tx.run(
            "campaigns.update",
            """
            UPDATE marketing_campaigns
            SET name = \(content.name), audience = \(JSONB(content.audience)), subject = \(content.subject),
                preview_text = \(content.previewText), body_mode = \(content.bodyMode), html = \(content.html),
                from_name = \(content.fromName), from_email = \(content.fromEmail), reply_to = \(content.replyTo),
                version = version + 1, updated_at = \(now)
            WHERE workspace_id = \(workspace) AND id = \(id)
            """)
    }

    func setStatus(_ id: CampaignID, _ status: CampaignStatus, now: Date) async throws {
        let finished: Date? = [.sent, .cancelled, .failed].contains(status) ? now : nil
        try await tx.run(
            "campaigns.set_status",
            """
            UPDATE marketing_campaigns
            SET status = \(status), finished_at = \(finished), version = version + 1, updated_at = \(now)
            WHERE workspace_id = \(workspace) AND id = \(id)
            """)
    }

    func setSchedule(_ id: CampaignID, _ date: Date?) async throws {
        try await tx.run(
            "campaigns.set_schedule",
            "UPDATE marketing_campaigns SET scheduled_at = \(date) WHERE workspace_id = \(workspace) AND id = \(id)")
    }

    func setLaunch(_ id: CampaignID, send: SendID, now: Date) async throws {
        try await tx.run(
            "campaigns.set_launch",
            """
            UPDATE marketing_campaigns SET send_id = \(send), launched_at = \(now)
            WHERE workspace_id = \(workspace) AND id = \(id)
            """)
    }

    func setDeleted(_ id: CampaignID, at date: Date?) async throws -> Bool {
        let before: SQL = date == nil ? "IS NOT NULL" : "IS NULL"
        return try await tx.run(
            "campaigns.set_deleted",
            """
            UPDATE marketing_campaigns SET deleted_at = \(date), version = version + 1
            WHERE workspace_id = \(workspace) AND id = \(id) AND deleted_at \(before)
            """) > 0
    }
}
