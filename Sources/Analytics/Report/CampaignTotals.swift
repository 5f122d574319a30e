import Core
import FoundationEssentials
import Messaging
import Postgres

/// A campaign with the counters of its send: one row, kept by the statements that settle messages.
struct CampaignTotals: PostgresRow, Sendable, Equatable {
    static let columns: SQL = """
        c.id, c.name, c.subject, c.status, c.scheduled_at, s.id, s.notice, coalesce(s.recipients, 0),
        coalesce(s.skipped, 0), coalesce(s.sent, 0), coalesce(s.failed, 0), coalesce(s.bounced, 0),
        coalesce(s.uncertain, 0),
        coalesce(s.retrying, 0), coalesce(s.cancelled, 0), coalesce(s.opened, 0), coalesce(s.clicked, 0),
        coalesce(s.unsubscribed, 0), s.created_at, s.first_sent_at, s.finished_at
        """
    let id: CampaignID
    let name: String
    let subject: String
    let status: String
    let scheduledAt: Date?
    let send: SendID?
    /// Why the send is paused or waits.
    let notice: String?
    /// People the send is for, those left out not counted.
    let recipients: Int
    let skipped: Int
    /// Accepted by the mail server.
    let sent: Int
    /// Refused for good, bounces included.
    let failed: Int
    let bounced: Int
    let uncertain: Int
    let retrying: Int
    let cancelled: Int
    /// People, each once; machines left out.
    let opened: Int
    let clicked: Int
    let unsubscribed: Int
    let createdAt: Date?
    let firstSentAt: Date?
    let finishedAt: Date?

    var isLive: Bool { status == "sending" }
    /// Messages whose fate is not known yet.
    var remaining: Int { max(0, recipients - sent - failed - uncertain - cancelled) }

    var statusLabel: String { CampaignStatusWords.label(status) }
    var statusTone: String { CampaignStatusWords.tone(status) }
}

extension CampaignTotals {
    init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        subject = try row.next()
        status = try row.next()
        scheduledAt = try row.next()
        send = try row.next()
        notice = try row.next()
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

/// How a campaign's status is shown.
enum CampaignStatusWords {
    static func label(_ status: String) -> String {
        switch status {
        case "draft": "Draft"
        case "scheduled": "Scheduled"
        case "sending": "Sending"
        case "paused": "Paused"
        case "sent": "Sent"
        case "cancelled": "Cancelled"
        default: "Failed"
        }
    }

    static func tone(_ status: String) -> String {
        switch status {
        case "scheduled", "sending": "info"
        case "paused": "warn"
        case "sent": "ok"
        case "failed": "danger"
        default: "neutral"
        }
    }
}
