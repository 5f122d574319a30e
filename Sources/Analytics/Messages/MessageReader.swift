import Accounts
import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres
import Web

/// Reads the message log for the pages, the JSON face and the export.
struct MessageReader: Sendable {
    let services: AppServices

    struct Found: Sendable {
        let totals: CampaignTotals
        let rows: [MessageRow]
        /// Where the next page begins; nil at the end.
        let next: MessagePosition?
    }

    /// The filter of a request.
    /// - Throws: `WebError` 400 for a word that is none of those a filter knows.
    static func filter(_ query: FormValues) throws(WebError) -> MessageFilter {
        var filter = MessageFilter()
        filter.search = query.optional("q").map { String($0.prefix(254)) }
        if let word = query.optional("state") {
            guard let state = MessageState(rawValue: word) else { throw unknown("state") }
            filter.state = state
        }
        if let word = query.optional("reason") {
            guard let reason = MessageReason(rawValue: word) else { throw unknown("reason") }
            filter.reason = reason
        }
        if let word = query.optional("did") {
            guard let action = MessageFilter.Action(rawValue: word) else { throw unknown("did") }
            filter.action = action
        }
        return filter
    }

    private static func unknown(_ name: String) -> WebError {
        .badRequest("The value of \(name) is none that this filter knows.", code: "bad_filter")
    }

    /// - Throws: `WebError.notFound` for an absent, deleted or foreign campaign.
    func page(
        _ campaign: CampaignID, _ filter: MessageFilter, after: MessagePosition?, limit: Int, _ scope: WorkspaceScope
    ) async throws -> Found {
        let found: Found? = try await services.database.read(scope.workspace, timeout: .seconds(15)) { tx in
            guard
                let totals = try await tx.first(
                    CampaignTotals.self, "analytics.totals", ReportReader.totals(campaign, workspace: scope.workspace))
            else { return nil }
            guard let send = totals.send else { return Found(totals: totals, rows: [], next: nil) }
            var rows: [MessageRow] = try await MessageQueries(workspace: scope.workspace, tx: tx)
                .page(of: send, filter, after: after, limit: limit + 1)
            let hasMore: Bool = rows.count > limit
            if hasMore { rows.removeLast() }
            return Found(totals: totals, rows: rows, next: hasMore ? rows.last.map { MessagePosition($0) } : nil)
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    /// - Throws: `WebError.notFound` for an absent or foreign message.
    func message(_ id: MessageID, _ scope: WorkspaceScope) async throws -> MessagePage {
        let workspace: WorkspaceID = scope.workspace
        let found: MessagePage? = try await services.database.read(workspace) { tx in
            guard let row = try await MessageQueries(workspace: workspace, tx: tx).find(id) else { return nil }
            let (origins, events) = try await tx.pipeline(
                Query.rows(
                    as: (SendID, CampaignID?, String?).self, "analytics.message_origin",
                    """
                    SELECT m.send_id, c.id, c.name FROM marketing_messages m
                    LEFT JOIN marketing_sends s ON s.workspace_id = m.workspace_id AND s.id = m.send_id
                    LEFT JOIN marketing_campaigns c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
                    WHERE m.workspace_id = \(workspace) AND m.id = \(id)
                    """),
                Query(
                    MessageEvent.self, "analytics.message_events",
                    """
                    SELECT \(MessageEvent.columns) FROM marketing_email_events
                    WHERE workspace_id = \(workspace) AND message_id = \(id) AND kind IN ('open', 'click', 'complaint')
                    ORDER BY occurred_at DESC LIMIT 200
                    """))
            guard let origin = origins.first else { return nil }
            var campaign: (id: CampaignID, name: String)?
            if let id = origin.1, let name = origin.2 { campaign = (id, name) }
            return MessagePage(row: row, campaign: campaign, send: origin.0, events: events)
        }
        guard let found else { throw WebError.notFound }
        return found
    }
}

/// A campaign's messages as CSV, page by page: memory stays small, and a slow download holds no transaction.
struct MessageExport: Sendable {
    let reader: MessageReader
    let campaign: CampaignID
    let filter: MessageFilter
    let scope: WorkspaceScope

    private static let batch = 2_000
    private static let heading: [String] = [
        "message_id", "contact_id", "email", "first_name", "last_name", "state", "reason", "reason_in_words",
        "server_answer", "tries", "sent_at", "bounced_at", "opened_at", "clicked_at", "unsubscribed_at", "opens",
        "clicks",
    ]

    func write(to writer: BodyWriter) async throws {
        var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
        CSVWriter.append(Self.heading, to: &bytes)
        var position: MessagePosition?
        repeat {
            let found = try await reader.page(campaign, filter, after: position, limit: Self.batch, scope)
            for row in found.rows { CSVWriter.append(Self.cells(row), to: &bytes) }
            if !bytes.isEmpty { try await writer.write(bytes) }
            bytes.removeAll(keepingCapacity: true)
            position = found.next
        } while position != nil
    }

    static func cells(_ row: MessageRow) -> [String] {
        func time(_ date: Date?) -> String { date.map { ISO8601.format($0) } ?? "" }
        return [
            row.id.description, row.contact.description, row.email ?? "", row.firstName ?? "", row.lastName ?? "",
            row.stateName, row.reason ?? "", row.reasonLabel ?? "", row.response ?? "", String(row.attempts),
            time(row.sentAt), time(row.bouncedAt), time(row.openedAt), time(row.clickedAt), time(row.unsubscribedAt),
            String(row.openCount), String(row.clickCount),
        ]
    }
}
