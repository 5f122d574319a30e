import Campaigns
import FoundationEssentials
import Messaging
import Templates
import Web

/// Why messages were left out or not accepted: one line of the report's table.
struct ReasonRecord: ViewRecord {
    let label: String
    let state: String
    let tone: String
    let count: Int
    let share: Double
    let href: String

    init(_ reason: SendBreakdown.Reason, of total: Int, campaign: String) {
        label = reason.label
        state = reason.state.label
        tone = MessageTone.of(reason.state)
        count = reason.count
        share = total > 0 ? Double(reason.count) / Double(total) : 0
        href =
            "/campaigns/\(campaign)/messages"
            + PercentEncoding.query([("state", reason.state.rawValue), ("reason", reason.reason)])
    }

    static let fields = Fields<ReasonRecord> { f in
        f.text("label") { $0.label }
        f.text("state") { $0.state }
        f.text("tone") { $0.tone }
        f.number("count") { $0.count }
        f.decimal("share") { $0.share }
        f.link("href") { $0.href }
    }
}

struct LinkRecord: ViewRecord {
    let link: LinkClicks
    let delivered: Int

    static let fields = Fields<LinkRecord> { f in
        f.text("url") { $0.link.url }
        f.number("people") { $0.link.people }
        f.number("total") { $0.link.total }
        f.optionalDecimal("share") { $0.delivered > 0 ? Double($0.link.people) / Double($0.delivered) : nil }
    }
}

/// How a message's state is coloured.
enum MessageTone {
    static func of(_ state: MessageState) -> String {
        switch state {
        case .sent, .delivered: "ok"
        case .failed, .bounced: "danger"
        case .uncertain: "warn"
        case .sending, .retry: "info"
        case .pending, .skipped, .cancelled: "neutral"
        }
    }
}

/// What a campaign achieved.
struct ReportPage: ViewPage {
    let report: CampaignReport
    let charts: ReportCharts?
    let unit: LocalBuckets.Unit
    let zone: String

    static let view = "analytics/report"

    static let fields = Fields<ReportPage> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.report.totals.name }
        f.text("subject") { $0.report.totals.subject }
        f.text("status") { $0.report.totals.statusLabel }
        f.text("tone") { $0.report.totals.statusTone }
        f.optionalText("notice") {
            $0.report.totals.isLive || $0.report.totals.status == "paused" ? $0.report.totals.notice : nil
        }
        f.flag("isLive") { $0.report.totals.isLive }
        f.flag("hasSend") { $0.report.totals.send != nil }
        f.text("zone") { $0.zone }
        f.optionalDate("startedAt") { $0.report.totals.firstSentAt }
        f.optionalDate("finishedAt") { $0.report.totals.finishedAt }
        f.list("tabs", of: Tab.self) {
            CampaignTabs.all($0.report.totals.id, hasSend: $0.report.totals.send != nil, current: .report)
        }
        f.list("tiles", of: StatTile.self) { $0.tiles }
        f.list("delivery", of: StatTile.self) { $0.delivery }
        f.text("progress") { $0.progress }
        f.number("settled") { $0.settled }
        f.number("recipients") { max(1, $0.report.totals.recipients) }
        f.optionalRecord("engagement", of: Chart.self) { $0.charts?.engagement }
        f.optionalRecord("sends", of: Chart.self) { $0.charts?.sends }
        f.list("intervals", of: Tab.self) { $0.intervals }
        f.list("links", of: LinkRecord.self) { page in
            page.report.links.map { LinkRecord(link: $0, delivered: page.report.delivered) }
        }
        f.list("reasons", of: ReasonRecord.self) { page in
            let totals = page.report.totals
            return page.report.breakdown.reasons.map {
                ReasonRecord($0, of: totals.recipients + totals.skipped, campaign: page.id)
            }
        }
    }

    private var id: String { report.totals.id.description }
    private var settled: Int { max(0, report.totals.recipients - report.totals.remaining) }

    private var progress: String {
        let totals = report.totals
        return "\(NumberWords.grouped(settled)) of \(NumberWords.grouped(totals.recipients)) handled"
    }

    private func messages(_ query: [(String, String?)]) -> String {
        "/campaigns/\(id)/messages" + PercentEncoding.query(query)
    }

    private func tile(_ label: String, _ count: Int, _ rate: Rate, _ query: [(String, String?)]) -> StatTile {
        StatTile(label: label, value: NumberWords.grouped(count), detail: rate.words, href: messages(query))
    }

    /// What people did.
    private var tiles: [StatTile] {
        let totals = report.totals
        return [
            tile("Delivered", report.delivered, report.deliveryRate, [("state", "sent")]),
            tile("Opened", totals.opened, report.openRate, [("did", "opened")]),
            tile("Clicked", totals.clicked, report.clickRate, [("did", "clicked")]),
            tile("Unsubscribed", totals.unsubscribed, report.unsubscribeRate, [("did", "unsubscribed")]),
        ]
    }

    /// What became of the messages, and what machines add.
    private var delivery: [StatTile] {
        let totals = report.totals
        let breakdown = report.breakdown
        let people: Int = totals.recipients + totals.skipped
        let skipped = Rate(count: totals.skipped, base: people, baseName: "on the lists")
        let uncertain = Rate(count: totals.uncertain, base: totals.recipients, baseName: "recipients")
        var tiles: [StatTile] = [
            StatTile(
                label: "Opens with machines", value: NumberWords.grouped(report.anyOpenRate.count),
                detail:
                    "\(report.anyOpenRate.words); \(NumberWords.grouped(breakdown.totalOpens)) opens in all"),
            StatTile(
                label: "Clicks with machines", value: NumberWords.grouped(breakdown.totalClicks),
                detail: "on \(NumberWords.counted(breakdown.anyClicked, "message", "messages"))"),
            StatTile(
                label: "Clicked of those who opened", value: report.clickToOpenRate.percent,
                detail: report.clickToOpenRate.share == nil ? "None opened yet" : report.clickToOpenRate.of),
            tile("Failed", totals.failed, report.failureRate, [("state", "failed")]),
            tile("Bounced", totals.bounced, report.bounceRate, [("reason", "hard_bounce")]),
            tile("Marked as spam", report.complaints, report.complaintRate, [("did", "complained")]),
            tile("Left out", totals.skipped, skipped, [("state", "skipped")]),
        ]
        if totals.uncertain > 0 {
            tiles.append(tile("Uncertain", totals.uncertain, uncertain, [("state", "uncertain")]))
        }
        if totals.retrying > 0 {
            tiles.append(
                StatTile(
                    label: "Waiting for another try", value: NumberWords.grouped(totals.retrying), detail: nil,
                    href: messages([("state", "retry")])))
        }
        if totals.cancelled > 0 {
            tiles.append(
                StatTile(
                    label: "Cancelled", value: NumberWords.grouped(totals.cancelled), detail: nil,
                    href: messages([("state", "cancelled")])))
        }
        return tiles
    }

    private var intervals: [Tab] {
        [
            Tab(label: "By hour", href: "/campaigns/\(id)/report", current: unit == .hour),
            Tab(label: "By day", href: "/campaigns/\(id)/report?interval=day", current: unit == .day),
        ]
    }
}
