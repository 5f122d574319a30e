import Contacts
import Core
import FoundationEssentials
import Postgres

/// What a contact's page tells of campaigns: the newest messages of one person and what became of each.
package enum ContactMessages {
    private struct Row: PostgresRow {
        let id: MessageID
        let campaign: String?
        let state: String
        let at: Date
        let opened: Bool
        let clicked: Bool
        let unsubscribed: Bool

        static let columns: SQL = """
            m.id, c.name, m.state, coalesce(m.sent_at, m.created_at), m.opened_at IS NOT NULL, m.clicked_at IS NOT NULL,
            m.unsubscribed_at IS NOT NULL
            """

        init(row: inout RowReader) throws {
            id = try row.next()
            campaign = try row.next()
            state = try row.next()
            at = try row.next()
            opened = try row.next()
            clicked = try row.next()
            unsubscribed = try row.next()
        }
    }

    /// The newest twenty, read through the index by contact.
    package static func newest(
        of contact: ContactID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ContactMessage] {
        let rows = try await transaction.all(
            Row.self, "analytics.contact.messages",
            """
            SELECT \(Row.columns) FROM marketing_messages m
            JOIN marketing_sends s ON s.workspace_id = m.workspace_id AND s.id = m.send_id
            LEFT JOIN marketing_campaigns c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
            WHERE m.workspace_id = \(scope.workspace) AND m.contact_id = \(contact) ORDER BY m.id DESC LIMIT 20
            """)
        return rows.map { row in
            ContactMessage(
                title: title(row.state, row.campaign ?? "a message"), at: row.at, detail: detail(row),
                href: "/messages/\(row.id)")
        }
    }

    private static func title(_ state: String, _ campaign: String) -> String {
        switch state {
        case "sent", "delivered": "Got “\(campaign)”"
        case "skipped": "Left out of “\(campaign)”"
        case "failed", "bounced": "“\(campaign)” could not be delivered"
        case "uncertain": "“\(campaign)” may have arrived"
        case "cancelled": "“\(campaign)” was cancelled before it was sent"
        default: "“\(campaign)” is on its way"
        }
    }

    private static func detail(_ row: Row) -> String? {
        var deeds: [String] = []
        if row.opened { deeds.append("opened") }
        if row.clicked { deeds.append("clicked a link") }
        if row.unsubscribed { deeds.append("unsubscribed") }
        guard let first = deeds.first else { return nil }
        deeds[0] = first.prefix(1).uppercased() + first.dropFirst()
        return deeds.joined(separator: ", ")
    }
}
