import Campaigns
import Core
import FoundationEssentials
import Messaging
import Postgres
import Templates
import Web

/// An open, a click or a complaint about one message, as it came in.
struct MessageEvent: PostgresRow, Sendable {
    static let columns: SQL = "kind, url, occurred_at, class, class_reason, user_agent"
    let kind: String
    let url: String?
    let occurredAt: Date
    let engagementClass: String
    let classReason: String
    let userAgent: String
}

extension MessageEvent {
    init(row: inout RowReader) throws {
        kind = try row.next()
        url = try row.next()
        occurredAt = try row.next()
        engagementClass = try row.next()
        classReason = try row.next()
        userAgent = try row.next()
    }
}

/// A line of a message's history.
struct MessageMoment: ViewRecord {
    let title: String
    let at: Date
    let icon: String
    let detail: String?

    static let fields = Fields<MessageMoment> { f in
        f.text("title") { $0.title }
        f.date("at") { $0.at }
        f.text("icon") { $0.icon }
        f.optionalText("detail") { $0.detail }
    }

    init(title: String, at: Date, icon: String, detail: String? = nil) {
        self.title = title
        self.at = at
        self.icon = icon
        self.detail = detail
    }

    init(_ event: MessageEvent) {
        let machine: String? = Self.machine(event)
        switch event.kind {
        case "click":
            title = machine == nil ? "Clicked a link" : "A link was followed by a machine"
            icon = "click"
            detail = [event.url, machine].compactMap { $0 }.joined(separator: " · ")
        case "complaint":
            title = "Marked as spam"
            icon = "warning"
            detail = event.userAgent.isEmpty ? nil : "Reported by \(event.userAgent)"
        default:
            title = machine == nil ? "Opened" : "Opened by a machine"
            icon = "eye"
            detail = machine ?? (event.userAgent.isEmpty ? nil : event.userAgent)
        }
        at = event.occurredAt
    }

    private static func machine(_ event: MessageEvent) -> String? {
        switch event.engagementClass {
        case "human": nil
        case "proxy_prefetch": "A mail program fetched the pictures by itself"
        case "scanner": "A security scanner"
        default: "It cannot be told whether this was a person"
        }
    }
}

/// One message: why somebody got it or did not.
struct MessagePage: ViewPage {
    let row: MessageRow
    let campaign: (id: CampaignID, name: String)?
    let send: SendID
    let events: [MessageEvent]

    static let view = "analytics/message"

    static let fields = Fields<MessagePage> { f in
        f.text("id") { $0.row.id.description }
        f.text("title") { "Message to \($0.row.title)" }
        f.text("state") { $0.row.state.label }
        f.text("tone") { MessageTone.of($0.row.state) }
        f.text("answer") { MessageAnswer($0.row).sentence }
        f.optionalText("advice") { MessageAnswer($0.row).advice }
        f.text("person") { $0.row.title }
        f.link("contactHref") { "/contacts/\($0.row.contact)" }
        f.text("email") { $0.row.email ?? "No e-mail address" }
        f.optionalText("campaign") { $0.campaign?.name }
        f.link("reportHref") { $0.campaign.map { "/campaigns/\($0.id)/report" } ?? "/campaigns" }
        f.link("logHref") { $0.campaign.map { "/campaigns/\($0.id)/messages" } ?? "/campaigns" }
        f.optionalText("reason") { $0.row.reasonLabel }
        f.optionalText("response") { $0.row.response }
        f.number("attempts") { $0.row.attempts }
        f.optionalDate("nextAttemptAt") { $0.row.state == .retry ? $0.row.nextAttemptAt : nil }
        f.optionalLink("uncertainHref") { $0.row.state == .uncertain ? "/sends/\($0.send)/uncertain" : nil }
        f.number("opens") { $0.row.openCount }
        f.number("clicks") { $0.row.clickCount }
        f.list("tabs", of: Tab.self) { page in
            page.campaign.map { CampaignTabs.all($0.id, hasSend: true, current: .message) } ?? []
        }
        f.list("moments", of: MessageMoment.self) { $0.moments }
    }

    /// What happened, the newest first.
    private var moments: [MessageMoment] {
        var moments: [MessageMoment] = events.map { MessageMoment($0) }
        let decided: String = row.state == .skipped ? "Left out when the campaign began" : "Chosen for the campaign"
        let reason: String? = row.state == .skipped ? row.reasonLabel : nil
        let chosen = MessageMoment(title: decided, at: row.createdAt, icon: "list", detail: reason)
        if let at = row.sentAt {
            // Of a message that came back, the ledger keeps the bounce's words.
            let answer: String? = row.state == .bounced ? nil : row.response
            let taken: String = row.isKeptInOutbox ? "Kept in the Outbox" : "Taken by the mail server"
            moments.append(
                MessageMoment(title: taken, at: at, icon: "send", detail: row.isKeptInOutbox ? nil : answer))
        }
        if let at = row.bouncedAt {
            moments.append(MessageMoment(title: "Bounced", at: at, icon: "bounce", detail: row.response))
        }
        if let at = row.unsubscribedAt {
            moments.append(MessageMoment(title: "Unsubscribed", at: at, icon: "unsubscribe"))
        }
        // Being chosen comes first, also when everything happened within the same moment.
        return moments.sorted { $0.at > $1.at } + [chosen]
    }
}
