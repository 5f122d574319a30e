import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres

/// What a contact's timeline tells of campaigns: each message of a person when it was sent or not sent, and what they did
/// with it first.
package enum ContactMessages {
    /// A moment of one message.
    private enum Deed: String {
        case sent = "1"
        case bounced = "2"
        case opened = "3"
        case clicked = "4"
        case unsubscribed = "5"
    }

    private struct Row: PostgresRow {
        let id: MessageID
        let campaign: String?
        let state: String
        let reason: String?
        let deed: String
        let at: Date

        static let columns: SQL = "m.id, c.name, m.state, m.reason, d.deed, d.at"

        init(row: inout RowReader) throws {
            id = try row.next()
            campaign = try row.next()
            state = try row.next()
            reason = try row.next()
            deed = try row.next()
            at = try row.next()
        }

        var moment: ContactMoment {
            let (title, icon): (String, String) = words
            let detail: String? =
                deed == Deed.sent.rawValue || deed == Deed.bounced.rawValue
                ? reason.map { MessageReason(rawValue: $0)?.label ?? $0 } : nil
            return ContactMoment(
                .message, title: title, at: at, icon: icon, detail: detail, href: "/messages/\(id)", key: "\(id)\(deed)"
            )
        }

        private var words: (String, String) {
            let name: String = campaign.map { "“\($0)”" } ?? "a message"
            switch Deed(rawValue: deed) {
            case .bounced: return ("\(name) bounced", "bounce")
            case .opened: return ("Opened \(name)", "eye")
            case .clicked: return ("Clicked a link in \(name)", "click")
            case .unsubscribed: return ("Unsubscribed through \(name)", "unsubscribe")
            case .sent, nil: break
            }
            switch state {
            case "sent", "delivered", "bounced": return ("Got \(name)", "send")
            case "skipped": return ("Left out of \(name)", "minus")
            case "failed": return ("\(name) could not be delivered", "warning")
            case "uncertain": return ("\(name) may have arrived", "help")
            case "cancelled": return ("\(name) was cancelled before it was sent", "stop")
            default: return ("\(name) is on its way", "clock")
            }
        }
    }

    /// The newest moments, read through the index by contact, of the newest thousand messages.
    package static func moments(
        of contact: ContactID, after: MomentPosition?, limit: Int, _ scope: WorkspaceScope
    ) -> Query<ContactMoment> {
        let key: SQL = "(m.id::text || d.deed) COLLATE \"C\""
        let position: SQL = after.map { $0.condition(for: .message, time: "d.at", key: key) } ?? ""
        return Query(
            Row.self, "analytics.contact.messages",
            """
            SELECT \(Row.columns)
            FROM (
                SELECT * FROM marketing_messages
                WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact) ORDER BY id DESC LIMIT 1000
            ) m
            JOIN marketing_sends s ON s.workspace_id = m.workspace_id AND s.id = m.send_id
            LEFT JOIN marketing_campaigns c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id
            CROSS JOIN LATERAL (VALUES
                ('1', CASE WHEN m.sent_at IS NOT NULL OR m.bounced_at IS NULL
                    THEN coalesce(m.sent_at, m.created_at) END),
                ('2', m.bounced_at), ('3', m.opened_at), ('4', m.clicked_at), ('5', m.unsubscribed_at)) AS d (deed, at)
            WHERE d.at IS NOT NULL\(position)
            ORDER BY d.at DESC, \(key) DESC LIMIT \(limit)
            """
        ).map(\.moment)
    }
}
