import Core
import FoundationEssentials
import Messaging

/// Reports, messages and dashboards for the previews of pages.
enum PreviewReports {
    static let day = Date(timeIntervalSince1970: 1_768_469_400)
    private static let uuid = UUID(uuid: (1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 4))
    static let campaign = CampaignID(uuid)
    static let send = SendID(uuid)

    static func totals(_ status: String) -> CampaignTotals {
        let isOut: Bool = status != "draft" && status != "scheduled"
        let isOver: Bool = status == "sent"
        return CampaignTotals(
            id: campaign, name: "Spring news", subject: "What is new", status: status,
            scheduledAt: status == "scheduled" ? day : nil, send: isOut ? send : nil,
            notice: status == "paused" ? "The mail server does not accept this sender." : nil,
            recipients: isOut ? 1000 : 0, skipped: isOut ? 12 : 0, sent: isOver ? 950 : isOut ? 500 : 0,
            failed: isOut ? 20 : 0, bounced: isOut ? 9 : 0, uncertain: isOut ? 3 : 0, retrying: isOver ? 0 : 5,
            cancelled: isOver ? 27 : 0, opened: isOut ? 400 : 0, clicked: isOut ? 90 : 0, unsubscribed: isOut ? 4 : 0,
            createdAt: isOut ? day : nil, firstSentAt: isOut ? day : nil,
            finishedAt: isOver ? day.addingTimeInterval(600) : nil)
    }

    static let breakdown = SendBreakdown([
        BreakdownRow(
            state: "sent", sentAt: day, openedAt: day, clickedAt: day, messages: 950, opens: 700, clicks: 120,
            anyOpened: 500, anyClicked: 100),
        BreakdownRow(state: "failed", reason: "hard_bounce", sentAt: day, messages: 9),
        BreakdownRow(state: "skipped", reason: "suppressed_unsubscribed", messages: 12),
    ])

    static func report(_ status: String) -> CampaignReport {
        let isOut: Bool = status != "draft"
        return CampaignReport(
            totals: totals(status), breakdown: isOut ? breakdown : .none,
            links: status == "sent"
                ? [LinkClicks(number: 0, url: "https://example.com/shop", total: 120, people: 90)] : [],
            complaints: isOut ? 1 : 0)
    }

    /// A message to Ana in the given state, with everything that may have happened to it.
    static func row(_ state: MessageState, reason: String? = nil, response: String? = nil) -> MessageRow {
        let isSent: Bool = state == .sent || state == .bounced
        let isNamed: Bool = state != .skipped
        return MessageRow(
            id: MessageID(uuid), contact: ContactID(uuid), occurrence: 0, email: isNamed ? "ana@example.com" : nil,
            firstName: isNamed ? "Ana" : nil, lastName: isNamed ? "Ruiz" : nil, stateName: state.rawValue,
            reason: reason, reasonLabel: reason.map { MessageReason(rawValue: $0)?.label ?? $0 }, response: response,
            attempts: 1, createdAt: day, nextAttemptAt: state == .retry ? day.addingTimeInterval(900) : nil,
            sentAt: isSent ? day : nil, bouncedAt: state == .bounced ? day.addingTimeInterval(60) : nil,
            openedAt: state == .sent ? day : nil, clickedAt: state == .sent ? day : nil,
            unsubscribedAt: state == .sent ? day : nil, openCount: state == .sent ? 2 : 0,
            clickCount: state == .sent ? 1 : 0)
    }

    static let rows: [MessageRow] = [
        row(.sent, response: "250 OK"), row(.bounced, reason: "hard_bounce", response: "550 5.1.1 No such user"),
        row(.skipped, reason: "suppressed_unsubscribed"), row(.retry, reason: "soft_bounce", response: "450 Later"),
        row(.uncertain, reason: "crash_uncertain"),
    ]

    static let events: [MessageEvent] = [("open", "proxy_prefetch"), ("click", "human"), ("complaint", "abuse")].map {
        MessageEvent(
            kind: $0.0, url: $0.0 == "click" ? "https://example.com/shop" : nil, occurredAt: day,
            engagementClass: $0.1, classReason: "preview", userAgent: "Firefox")
    }

    static func dashboard(isSetUp: Bool) -> Dashboard {
        let buckets = LocalBuckets(.day, zone: "Europe/Berlin")
        let days: [Date] = DashboardReader.days(until: day, buckets: buckets)
        let sends: [RecentSend] = isSetUp ? [recent] : []
        let facts = DashboardFacts(
            contactCount: isSetUp ? 12_408 : 0, sends: sends,
            campaigns: isSetUp ? ["sent", "scheduled", "sending"].map { totals($0) } : [], contactCounts: [],
            provider: isSetUp ? "smtp" : nil, failedImports: [], complaints: 0, spread: [:])
        let month = MonthTotals(sends)
        return Dashboard(
            facts: facts, zone: "Europe/Berlin", buckets: buckets, days: days, month: month,
            sentByDay: days.indices.map { isSetUp ? $0 * 10 : 0 },
            contactsByDay: days.indices.map { isSetUp ? 12_000 + $0 * 14 : 0 },
            attention: Attention.items(
                facts, postalAddress: isSetUp ? "1 High Street" : "", sendsForReal: isSetUp, month: month),
            hasPostalAddress: isSetUp, sendsForReal: isSetUp)
    }

    private static let recent = RecentSend(
        id: send, campaign: campaign, name: "Spring news", state: "paused",
        notice: "The mail server does not accept this sender.", sent: 950, failed: 80, bounced: 70, uncertain: 3,
        opened: 400, clicked: 90, firstSentAt: day, finishedAt: nil)
}

extension ReportPage {
    static var previews: [ReportPage] {
        ["draft", "sending", "paused", "sent"].map { status in
            let report: CampaignReport = PreviewReports.report(status)
            let unit: LocalBuckets.Unit = status == "sent" ? .day : .hour
            let buckets = LocalBuckets(unit, zone: "Europe/Berlin")
            let series = TimeSeries(
                report.breakdown, buckets: buckets, now: PreviewReports.day.addingTimeInterval(7200),
                limit: TimeSeries.limit(unit))
            return ReportPage(
                report: report, charts: ReportCharts(series, buckets: buckets, zone: "Europe/Berlin"), unit: unit,
                zone: "Europe/Berlin")
        }
    }
}

extension MessageLogPage {
    static var previews: [MessageLogPage] {
        let narrow = MessageFilter(state: .sent, reason: .hardBounce, action: .clicked, search: "ana")
        return [
            MessageLogPage(
                totals: PreviewReports.totals("sent"), rows: PreviewReports.rows, filter: MessageFilter(),
                isFirst: true,
                next: "cursor"),
            MessageLogPage(
                totals: PreviewReports.totals("sending"), rows: [], filter: narrow, isFirst: false, next: nil),
        ]
    }
}

extension MessagePage {
    static var previews: [MessagePage] {
        PreviewReports.rows.map { row in
            MessagePage(
                row: row, campaign: row.state == .retry ? nil : (id: PreviewReports.campaign, name: "Spring news"),
                send: PreviewReports.send, events: row.state == .sent ? PreviewReports.events : [])
        }
    }
}

extension DashboardPage {
    static var previews: [DashboardPage] {
        [true, false].map { DashboardPage(dashboard: PreviewReports.dashboard(isSetUp: $0)) }
    }
}
