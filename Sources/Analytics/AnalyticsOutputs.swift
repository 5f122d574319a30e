import Core
import FoundationEssentials

/// A campaign's numbers as JSON.
struct AnalyticsOutput: Encodable {
    struct Reason: Encodable {
        let state: String
        let reason: String?
        let label: String
        let count: Int
    }

    struct Link: Encodable {
        let number: Int
        let url: String
        let uniqueClicks: Int
        let totalClicks: Int
    }

    let campaignId: CampaignID
    let status: String
    let recipients: Int
    let sent: Int
    let delivered: Int
    let failed: Int
    let uncertain: Int
    let skipped: Int
    let cancelled: Int
    let retrying: Int
    let pending: Int
    let bounced: Int
    let opened: Int
    let clicked: Int
    let unsubscribed: Int
    let complained: Int
    let uniqueOpens: Int
    let uniqueClicks: Int
    let totalOpens: Int
    let totalClicks: Int
    let humanOpens: Int
    let humanClicks: Int
    let deliveryRate: Double?
    let openRate: Double?
    let openRateWithMachines: Double?
    let clickRate: Double?
    let clickToOpenRate: Double?
    let unsubscribeRate: Double?
    let bounceRate: Double?
    let complaintRate: Double?
    let failureRate: Double?
    let startedAt: Date?
    let finishedAt: Date?
    let reasons: [Reason]
    let links: [Link]

    init(_ report: CampaignReport) {
        let totals = report.totals
        campaignId = totals.id
        status = totals.status
        recipients = totals.recipients
        sent = totals.sent
        delivered = report.delivered
        failed = totals.failed
        uncertain = totals.uncertain
        skipped = totals.skipped
        cancelled = totals.cancelled
        retrying = totals.retrying
        pending = max(0, totals.remaining - totals.retrying)
        bounced = totals.bounced
        opened = totals.opened
        clicked = totals.clicked
        unsubscribed = totals.unsubscribed
        complained = report.complaints
        uniqueOpens = report.anyOpenRate.count
        uniqueClicks = max(report.breakdown.anyClicked, totals.clicked)
        totalOpens = report.breakdown.totalOpens
        totalClicks = report.breakdown.totalClicks
        humanOpens = totals.opened
        humanClicks = totals.clicked
        deliveryRate = report.deliveryRate.share
        openRate = report.openRate.share
        openRateWithMachines = report.anyOpenRate.share
        clickRate = report.clickRate.share
        clickToOpenRate = report.clickToOpenRate.share
        unsubscribeRate = report.unsubscribeRate.share
        bounceRate = report.bounceRate.share
        complaintRate = report.complaintRate.share
        failureRate = report.failureRate.share
        startedAt = totals.firstSentAt
        finishedAt = totals.finishedAt
        reasons = report.breakdown.reasons.map {
            Reason(state: $0.state.rawValue, reason: $0.reason, label: $0.label, count: $0.count)
        }
        links = report.links.map {
            Link(number: $0.number, url: $0.url, uniqueClicks: $0.people, totalClicks: $0.total)
        }
    }
}

struct SeriesOutput: Encodable {
    struct Point: Encodable {
        let start: Date
        let sent: Int
        let opened: Int
        let clicked: Int
    }

    let interval: String
    let timeZone: String
    let data: [Point]

    init(interval: String, timeZone: String, points: [TimeSeries.Point]) {
        self.interval = interval
        self.timeZone = timeZone
        data = points.map { Point(start: $0.start, sent: $0.sent, opened: $0.opened, clicked: $0.clicked) }
    }
}

/// The overview of a workspace as JSON.
struct DashboardOutput: Encodable {
    struct Day: Encodable {
        let date: String
        let sent: Int
        let contacts: Int
    }

    struct Campaign: Encodable {
        let id: CampaignID
        let name: String
        let status: String
        let sent: Int
        let opened: Int
        let clicked: Int
        let unsubscribed: Int
        let startedAt: Date?
    }

    struct Notice: Encodable {
        let code: String
        let level: String
        let title: String
        let detail: String
        let href: String
    }

    let contacts: Int
    let sentInThirtyDays: Int
    let openRate: Double?
    let clickRate: Double?
    let bounceRate: Double?
    let timeZone: String
    let days: [Day]
    let lastCampaigns: [Campaign]
    let attention: [Notice]

    init(_ dashboard: Dashboard) {
        contacts = dashboard.facts.contactCount
        sentInThirtyDays = dashboard.sentInMonth
        openRate = dashboard.month.openRate.share
        clickRate = dashboard.month.clickRate.share
        bounceRate = dashboard.month.bounceRate.share
        timeZone = dashboard.zone
        days = dashboard.days.enumerated().map { index, start in
            Day(
                date: dashboard.buckets.isoDay(start), sent: dashboard.sentByDay[index],
                contacts: dashboard.contactsByDay[index])
        }
        lastCampaigns = dashboard.facts.campaigns.map {
            Campaign(
                id: $0.id, name: $0.name, status: $0.status, sent: $0.sent, opened: $0.opened, clicked: $0.clicked,
                unsubscribed: $0.unsubscribed, startedAt: $0.firstSentAt)
        }
        attention = dashboard.attention.map {
            Notice(code: $0.code, level: $0.level.rawValue, title: $0.title, detail: $0.detail, href: $0.href)
        }
    }
}
