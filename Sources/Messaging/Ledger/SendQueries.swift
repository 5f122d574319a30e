import Core
import FoundationEssentials
import Postgres

/// A send as its page and its dispatchers see it.
package struct SendSummary: PostgresRow, Sendable, Equatable {
    package static let columns: SQL = """
        id, campaign_id, state, notice, snapshot_complete, recipients, skipped, sent, failed, bounced, uncertain, retrying,
        cancelled, opened, clicked, unsubscribed, created_at, first_sent_at, finished_at
        """
    package let id: SendID
    package let campaign: CampaignID?
    package let state: SendState
    /// Why it is paused or waits.
    package let notice: String?
    package let isSnapshotComplete: Bool
    /// People in the ledger who are to get it.
    package let recipients: Int
    package let skipped: Int
    package let sent: Int
    package let failed: Int
    package let bounced: Int
    package let uncertain: Int
    package let retrying: Int
    package let cancelled: Int
    package let opened: Int
    package let clicked: Int
    package let unsubscribed: Int
    package let createdAt: Date
    package let firstSentAt: Date?
    package let finishedAt: Date?

    /// A send for the previews of pages: of 12,408 people one in eight is not reached yet.
    package static func preview(
        _ id: SendID, state: SendState, notice: String? = nil, uncertain: Int = 0, at date: Date
    ) -> SendSummary {
        let isOver: Bool = state.isFinal
        return SendSummary(
            id: id, campaign: nil, state: state, notice: notice, isSnapshotComplete: isOver, recipients: 12_408,
            skipped: 53, sent: isOver ? 12_380 : 10_800, failed: 20, bounced: 12, uncertain: uncertain,
            retrying: isOver ? 0 : 5, cancelled: 0, opened: 4_100, clicked: 812, unsubscribed: 9, createdAt: date,
            firstSentAt: date, finishedAt: isOver ? date.addingTimeInterval(600) : nil)
    }

    /// Messages whose fate is known.
    package var settled: Int { sent + failed + uncertain + cancelled }
    package var remaining: Int { max(0, recipients - settled) }
}

extension SendSummary {
    package init(row: inout RowReader) throws {
        id = try row.next()
        campaign = try row.next()
        state = try row.next()
        notice = try row.next()
        isSnapshotComplete = try row.next()
        recipients = try row.next()
        skipped = try row.next()
        sent = try row.next()
        failed = try row.next()
        bounced = try row.next()
        uncertain = try row.next()
        retrying = try row.next()
        cancelled = try row.next()
        opened = try row.next()
        clicked = try row.next()
        unsubscribed = try row.next()
        createdAt = try row.next()
        firstSentAt = try row.next()
        finishedAt = try row.next()
    }
}

/// What a dispatcher needs of a send before it begins.
struct SendWork: PostgresRow {
    static let columns: SQL = "state, content"
    let state: SendState
    let content: SendContent

    init(row: inout RowReader) throws {
        state = try row.next()
        content = try row.next(JSONB<SendContent>.self).value
    }
}

/// Sends, one by one.
package struct SendQueries {
    package let workspace: WorkspaceID
    package let tx: PostgresTransaction

    package init(workspace: WorkspaceID, tx: PostgresTransaction) {
        self.workspace = workspace
        self.tx = tx
    }

    package func summary(_ id: SendID) async throws -> SendSummary? {
        try await tx.first(
            SendSummary.self, "messaging.send",
            "SELECT \(SendSummary.columns) FROM marketing_sends WHERE workspace_id = \(workspace) AND id = \(id)")
    }

    /// The same for many, for a list of campaigns.
    package func summaries(_ ids: [SendID]) async throws -> [SendSummary] {
        guard !ids.isEmpty else { return [] }
        return try await tx.all(
            SendSummary.self, "messaging.sends",
            "SELECT \(SendSummary.columns) FROM marketing_sends WHERE workspace_id = \(workspace) AND id = ANY (\(ids))"
        )
    }

    func lockedState(_ id: SendID) async throws -> SendState? {
        try await tx.value(
            SendState?.self, "messaging.send_state_locked",
            "SELECT state FROM marketing_sends WHERE workspace_id = \(workspace) AND id = \(id) FOR UPDATE")
    }

    func state(_ id: SendID) async throws -> SendState? {
        try await tx.value(
            SendState?.self, "messaging.send_state",
            "SELECT state FROM marketing_sends WHERE workspace_id = \(workspace) AND id = \(id)")
    }

    func work(_ id: SendID) async throws -> SendWork? {
        try await tx.first(
            SendWork.self, "messaging.send_work",
            "SELECT \(SendWork.columns) FROM marketing_sends WHERE workspace_id = \(workspace) AND id = \(id)")
    }

    func audience(_ id: SendID) async throws -> SendAudience? {
        try await tx.value(
            JSONB<SendAudience>?.self, "messaging.send_audience",
            "SELECT audience FROM marketing_sends WHERE workspace_id = \(workspace) AND id = \(id)")?.value
    }

    /// How many processes work on a send now: they share its rate.
    func dispatchers(_ id: SendID) async throws -> Int {
        try await tx.value(
            Int.self, "messaging.dispatchers",
            """
            SELECT count(DISTINCT claimed_by) FROM marketing_send_batches
            WHERE workspace_id = \(workspace) AND send_id = \(id) AND state = 'claimed'
            """)
    }

    func insert(
        _ id: SendID, campaign: CampaignID?, content: SendContent, audience: SendAudience, now: Date
    ) async throws {
        try await tx.run(
            "messaging.insert_send",
            """
            INSERT INTO marketing_sends (workspace_id, id, campaign_id, state, content, audience, created_at)
            VALUES (\(workspace), \(id), \(campaign), 'sending', \(JSONB(content)), \(JSONB(audience)), \(now))
            """)
        try await tx.run(
            "messaging.insert_snapshot",
            "INSERT INTO marketing_send_snapshots (workspace_id, send_id) VALUES (\(workspace), \(id))")
        let numbers: [Int] = Array(content.email.links.indices)
        let urls: [String] = content.email.links.map(\.url)
        try await tx.run(
            "messaging.insert_links",
            """
            INSERT INTO marketing_links (workspace_id, send_id, number, url)
            SELECT \(workspace), \(id), number, url FROM unnest(\(numbers), \(urls)) AS l (number, url)
            """)
        try await wake(id, at: now)
    }

    /// Puts a send on the list of those that a worker looks at.
    func wake(_ id: SendID, at date: Date) async throws {
        try await tx.run(
            "messaging.wake",
            """
            INSERT INTO marketing_active_sends (workspace_id, send_id, wake_at) VALUES (\(workspace), \(id), \(date))
            ON CONFLICT (workspace_id, send_id) DO UPDATE SET wake_at = \(date)
            """)
    }

    func rest(_ id: SendID) async throws {
        try await tx.run(
            "messaging.rest",
            "DELETE FROM marketing_active_sends WHERE workspace_id = \(workspace) AND send_id = \(id)")
    }

    /// Notes how reaching the mail server went; answers how often in a row it failed.
    func noteSetback(_ id: SendID, isSetback: Bool) async throws -> Int {
        try await tx.value(
            Int?.self, "messaging.setback",
            """
            UPDATE marketing_active_sends SET setbacks = CASE WHEN \(isSetback) THEN setbacks + 1 ELSE 0 END
            WHERE workspace_id = \(workspace) AND send_id = \(id) RETURNING setbacks
            """) ?? 1
    }

    func setState(_ id: SendID, _ state: SendState, notice: String?, now: Date) async throws {
        let finished: Date? = state.isFinal ? now : nil
        try await tx.run(
            "messaging.set_state",
            """
            UPDATE marketing_sends SET state = \(state), notice = \(notice), finished_at = \(finished)
            WHERE workspace_id = \(workspace) AND id = \(id)
            """)
    }

    func setNotice(_ id: SendID, _ notice: String?) async throws {
        try await tx.run(
            "messaging.set_notice",
            """
            UPDATE marketing_sends SET notice = \(notice)
            WHERE workspace_id = \(workspace) AND id = \(id) AND notice IS DISTINCT FROM \(notice)
            """)
    }
}
