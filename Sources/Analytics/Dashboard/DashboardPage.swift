import FoundationEssentials
import Templates
import Web

/// One step of the first-run list.
struct ChecklistStep: ViewRecord {
    let title: String
    let detail: String
    let isDone: Bool
    let action: String
    let href: String

    static let fields = Fields<ChecklistStep> { f in
        f.text("title") { $0.title }
        f.text("detail") { $0.detail }
        f.flag("isDone") { $0.isDone }
        f.text("state") { $0.isDone ? "ok" : "open" }
        f.text("action") { $0.action }
        f.link("href") { $0.href }
    }
}

/// A campaign as the dashboard lists it.
struct CampaignLine: ViewRecord {
    let totals: CampaignTotals

    private var hasSend: Bool { totals.send != nil }
    private func rate(_ count: Int) -> Rate { Rate(count: count, base: totals.sent, baseName: "sent") }

    static let fields = Fields<CampaignLine> { f in
        f.text("name") { $0.totals.name }
        f.text("subject") { $0.totals.subject }
        f.link("href") { $0.hasSend ? "/campaigns/\($0.totals.id)/report" : "/campaigns/\($0.totals.id)" }
        f.text("status") { $0.totals.statusLabel }
        f.text("tone") { $0.totals.statusTone }
        f.optionalNumber("sent") { $0.hasSend ? $0.totals.sent : nil }
        f.optionalNumber("opened") { $0.hasSend ? $0.totals.opened : nil }
        f.optionalNumber("clicked") { $0.hasSend ? $0.totals.clicked : nil }
        f.optionalNumber("unsubscribed") { $0.hasSend ? $0.totals.unsubscribed : nil }
        f.text("openRate") { $0.rate($0.totals.opened).percent }
        f.text("clickRate") { $0.rate($0.totals.clicked).percent }
        f.text("unsubscribeRate") { $0.rate($0.totals.unsubscribed).percent }
        f.optionalDate("sentAt") { $0.totals.firstSentAt }
        f.optionalDate("scheduledAt") { $0.totals.status == "scheduled" ? $0.totals.scheduledAt : nil }
    }
}

/// The first page after signing in.
struct DashboardPage: ViewPage {
    let dashboard: Dashboard

    static let view = "dashboard/index"

    static let fields = Fields<DashboardPage> { f in
        f.text("zone") { $0.dashboard.zone }
        f.list("tiles", of: StatTile.self) { $0.tiles }
        f.flag("showsNumbers") { $0.dashboard.hasContacts || $0.dashboard.hasSent }
        f.flag("isSetUp") { $0.dashboard.isSetUp }
        f.list("steps", of: ChecklistStep.self) { $0.steps }
        f.flag("isEmpty") { !$0.dashboard.hasContacts }
        f.number("stepsDone") { page in page.steps.filter(\.isDone).count }
        f.number("stepCount") { page in page.steps.count }
        f.record("sends", of: Chart.self) { $0.sendsChart }
        f.record("growth", of: Chart.self) { $0.growthChart }
        f.list("campaigns", of: CampaignLine.self) { page in
            page.dashboard.facts.campaigns.map { CampaignLine(totals: $0) }
        }
        f.list("attention", of: AttentionItem.self) { $0.attention }
    }

    /// What the first-run list already asks for is not said twice.
    private var attention: [AttentionItem] {
        guard !dashboard.isSetUp else { return dashboard.attention }
        return dashboard.attention.filter { $0.code != "no_sender" && $0.code != "no_postal_address" }
    }

    private var tiles: [StatTile] {
        let month = dashboard.month
        return [
            StatTile(
                label: "Contacts", value: NumberWords.grouped(dashboard.facts.contactCount), detail: growthWords,
                href: "/contacts"),
            StatTile(
                label: "Sent in 30 days", value: NumberWords.grouped(dashboard.sentInMonth),
                detail: month.failed == 0 ? nil : "\(NumberWords.grouped(month.failed)) failed", href: "/campaigns"),
            StatTile(label: "Opened", value: month.openRate.percent, detail: words(month.openRate)),
            StatTile(label: "Clicked", value: month.clickRate.percent, detail: words(month.clickRate)),
        ]
    }

    private func words(_ rate: Rate) -> String {
        rate.share == nil ? "Nothing sent in 30 days" : "\(rate.of), machines left out"
    }

    private var growthWords: String? {
        guard let first = dashboard.contactsByDay.first, dashboard.facts.contactCount > 0 else { return nil }
        let change: Int = dashboard.facts.contactCount - first
        return change == 0
            ? "No change in 30 days"
            : "\(change > 0 ? "+" : "−")\(NumberWords.grouped(abs(change))) in 30 days"
    }

    private var named: [ChartData.Bucket] { dashboard.buckets.chartBuckets(dashboard.days, ticks: 5) }

    private var sendsChart: Chart {
        ChartDrawing.bars(
            ChartData(
                id: "sends", title: "Sent, per day",
                summary: "\(NumberWords.counted(dashboard.sentInMonth, "message", "messages")) in the last 30 days. "
                    + "Days in \(dashboard.zone).",
                unitName: "Day", buckets: named,
                series: [
                    ChartData.Series(
                        name: "Sent", one: "message sent", many: "messages sent", color: 1, values: dashboard.sentByDay)
                ]), size: .narrow)
    }

    private var growthChart: Chart {
        ChartDrawing.lines(
            ChartData(
                id: "contacts", title: "Contacts, at the end of each day",
                summary: "\(NumberWords.counted(dashboard.facts.contactCount, "contact", "contacts")) now. "
                    + "Days in \(dashboard.zone).",
                unitName: "Day", buckets: named,
                series: [
                    ChartData.Series(
                        name: "Contacts", one: "contact", many: "contacts", color: 3, values: dashboard.contactsByDay)
                ]), size: .narrow)
    }

    private var steps: [ChecklistStep] {
        let people: String = NumberWords.counted(dashboard.facts.contactCount, "person is", "people are")
        return [
            ChecklistStep(
                title: "Add your postal address",
                detail: dashboard.hasPostalAddress
                    ? "It stands at the foot of every e-mail."
                    : "It stands at the foot of every e-mail; many countries ask for it.",
                isDone: dashboard.hasPostalAddress, action: "Add it", href: "/settings"),
            ChecklistStep(
                title: "Set up sending",
                detail: dashboard.sendsForReal
                    ? "E-mails go out through your mail server."
                    : "Until then e-mails stay in the Outbox of the portal, where you can read them.",
                isDone: dashboard.sendsForReal, action: "Set up", href: "/settings/email"),
            ChecklistStep(
                title: "Bring your people in",
                detail: dashboard.hasContacts
                    ? "\(people) here." : "From a CSV file, or one by one.",
                isDone: dashboard.hasContacts, action: "Import", href: "/contacts/import"),
            ChecklistStep(
                title: "Write and send a campaign",
                detail: dashboard.hasSent
                    ? "Its report says who opened and clicked."
                    : "Choose a list, write an e-mail, check it and send it.",
                isDone: dashboard.hasSent, action: "Write", href: "/campaigns/new"),
        ]
    }
}
