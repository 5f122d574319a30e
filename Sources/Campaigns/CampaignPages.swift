import Core
import FoundationEssentials
import Messaging
import Templates
import Web

/// A campaign in a list.
struct CampaignRowRecord: ViewRecord {
    let campaign: CampaignSummary
    let send: SendSummary?

    static let fields = Fields<CampaignRowRecord> { f in
        f.link("href") { "/campaigns/\($0.campaign.id)" }
        f.text("name") { $0.campaign.name }
        f.text("subject") { $0.campaign.subject.isEmpty ? "No subject yet" : $0.campaign.subject }
        f.text("status") { $0.campaign.status.label }
        f.text("tone") { $0.campaign.status.tone }
        f.optionalDate("scheduledAt") { $0.campaign.status == .scheduled ? $0.campaign.scheduledAt : nil }
        f.optionalDate("launchedAt") { $0.campaign.launchedAt }
        f.date("updatedAt") { $0.campaign.updatedAt }
        f.optionalNumber("sent") { $0.send?.sent }
        f.optionalDecimal("openRate") { $0.share(\.opened) }
        f.optionalDecimal("clickRate") { $0.share(\.clicked) }
    }

    /// The part of those who got it; nil before anybody did.
    private func share(_ count: (SendSummary) -> Int) -> Double? {
        guard let send, send.sent > 0 else { return nil }
        return Double(count(send)) / Double(send.sent)
    }
}

/// All campaigns.
struct CampaignsIndexPage: ViewPage {
    let rows: [CampaignRowRecord]
    let tabs: [Tab]
    let query: String
    let status: String?
    let pager: Pager
    let canEdit: Bool

    static let view = "campaigns/index"
    static let fields = Fields<CampaignsIndexPage> { f in
        f.list("rows", of: CampaignRowRecord.self) { $0.rows }
        f.list("tabs", of: Tab.self) { $0.tabs }
        f.text("query") { $0.query }
        f.optionalText("status") { $0.status }
        f.record("pager", of: Pager.self) { $0.pager }
        f.flag("canEdit") { $0.canEdit }
        f.flag("isFiltered") { !$0.query.isEmpty || $0.status != nil }
    }
    static var previews: [CampaignsIndexPage] {
        [
            CampaignsIndexPage(
                rows: [], tabs: [], query: "", status: nil, pager: Pager(summary: "0 campaigns"), canEdit: true)
        ]
    }
}

/// A list that a campaign may go to.
struct ListChoiceRecord: ViewRecord {
    let id: ContactListID
    let name: String
    let count: Int
    let isChosen: Bool

    static let fields = Fields<ListChoiceRecord> { f in
        f.text("id") { $0.id.description }
        f.text("name") { $0.name }
        f.number("count") { $0.count }
        f.flag("isChosen") { $0.isChosen }
    }
}

/// Writing a campaign.
struct CampaignEditPage: ViewPage {
    let id: CampaignID?
    let content: CampaignContent
    let version: Int
    let lists: [(id: ContactListID, name: String, count: Int)]
    let variables: [SelectOption]
    let contacts: [SelectOption]
    /// What was searched for to show the preview as; nil when nothing was.
    var contactQuery: String?
    let fromPlaceholder: String
    var errors = ValidationErrors()
    /// What somebody else saved meanwhile.
    var conflict: CampaignContent?

    static let view = "campaigns/edit"
    static let fields = Fields<CampaignEditPage> { f in
        f.optionalText("id") { $0.id?.description }
        f.link("action") { page in page.id.map { "/campaigns/\($0)" } ?? "/campaigns" }
        f.text("heading") { $0.id == nil ? "New campaign" : $0.content.name }
        f.record("name", of: FormField.self) { FormField("name", $0.content.name, $0.errors) }
        f.record("subject", of: FormField.self) { FormField("subject", $0.content.subject, $0.errors) }
        f.record("previewText", of: FormField.self) { FormField("previewText", $0.content.previewText, $0.errors) }
        f.record("body", of: FormField.self) { FormField("body", $0.content.html, $0.errors) }
        f.record("fromName", of: FormField.self) { FormField("fromName", $0.content.fromName ?? "", $0.errors) }
        f.record("fromEmail", of: FormField.self) { FormField("fromEmail", $0.content.fromEmail ?? "", $0.errors) }
        f.record("replyTo", of: FormField.self) { FormField("replyTo", $0.content.replyTo ?? "", $0.errors) }
        f.text("contactQuery") { $0.contactQuery ?? "" }
        f.flag("hasSearch") { $0.contactQuery != nil }
        f.text("contactHint") { page in
            let isEmpty: Bool = page.contactQuery != nil && page.contacts.isEmpty
            return isEmpty ? "Nobody was found. The preview shows an example." : "Nothing is sent to them."
        }
        f.link("peopleAction") { page in page.id.map { "/campaigns/\($0)/people" } ?? "/campaigns/people" }
        f.text("fromPlaceholder") { $0.fromPlaceholder }
        f.list("modes", of: SelectOption.self) { page in
            [
                SelectOption(value: "rich", label: "Editor", selected: page.content.bodyMode == .rich),
                SelectOption(value: "html", label: "Whole HTML e-mail", selected: page.content.bodyMode == .html),
                SelectOption(value: "markdown", label: "Markdown", selected: page.content.bodyMode == .markdown),
            ]
        }
        // The first words of a new letter stand in the view.
        f.flag("isBlank") { $0.id == nil && $0.content.html.isEmpty && $0.errors.isEmpty }
        f.flag("isRich") { $0.content.bodyMode == .rich }
        f.list("included", of: ListChoiceRecord.self) { page in page.choices(page.content.audience.listIds) }
        f.list("excluded", of: ListChoiceRecord.self) { page in page.choices(page.content.audience.excludeListIds) }
        f.optionalText("listsError") { $0.errors["lists"] }
        f.number("version") { $0.version }
        f.list("variables", of: SelectOption.self) { $0.variables }
        f.list("contacts", of: SelectOption.self) { $0.contacts }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.flag("hasConflict") { $0.conflict != nil }
        f.text("theirSubject") { $0.conflict?.subject ?? "" }
        f.text("theirBody") { $0.conflict?.html ?? "" }
        f.text("theirName") { $0.conflict?.name ?? "" }
    }
    static var previews: [CampaignEditPage] {
        [
            CampaignEditPage(
                id: nil, content: CampaignContent(), version: 0, lists: [], variables: [], contacts: [],
                fromPlaceholder: "Acme <news@example.com>")
        ]
    }

    private func choices(_ chosen: [ContactListID]) -> [ListChoiceRecord] {
        lists.map { ListChoiceRecord(id: $0.id, name: $0.name, count: $0.count, isChosen: chosen.contains($0.id)) }
    }
}

/// The e-mail alone, for the frame beside the editor.
struct CampaignPreviewPage: ViewPage {
    let problem: String

    static let view = "campaigns/preview-problem"
    static let fields = Fields<CampaignPreviewPage> { f in f.text("problem") { $0.problem } }
    static var previews: [CampaignPreviewPage] { [CampaignPreviewPage(problem: "Line 3: a tag is not closed")] }
}

/// A campaign on its way, or done.
struct CampaignShowPage: ViewPage {
    let campaign: Campaign
    let progress: SendProgressRecord?
    let canEdit: Bool
    let isLive: Bool
    let listNames: [String]

    static let view = "campaigns/show"
    static let fields = Fields<CampaignShowPage> { f in
        f.text("id") { $0.campaign.id.description }
        f.text("name") { $0.campaign.content.name }
        f.text("subject") { $0.campaign.content.subject.isEmpty ? "No subject yet" : $0.campaign.content.subject }
        f.text("status") { $0.campaign.status.label }
        f.text("tone") { $0.campaign.status.tone }
        f.texts("listNames") { $0.listNames }
        f.optionalDate("scheduledAt") { $0.campaign.status == .scheduled ? $0.campaign.scheduledAt : nil }
        f.optionalDate("launchedAt") { $0.campaign.launchedAt }
        f.optionalDate("finishedAt") { $0.campaign.finishedAt }
        f.optionalRecord("progress", of: SendProgressRecord.self) { $0.progress }
        f.flag("isDraft") { $0.campaign.status == .draft }
        f.flag("isScheduled") { $0.campaign.status == .scheduled }
        f.flag("isLive") { $0.isLive }
        f.flag("mayPause") { $0.canEdit && $0.campaign.status.allows(.pause) }
        f.flag("mayResume") { $0.canEdit && $0.campaign.status.allows(.resume) }
        f.flag("mayCancel") { $0.canEdit && $0.campaign.status.allows(.cancel) }
        f.flag("mayDelete") { $0.canEdit && $0.campaign.status.allows(.delete) }
        f.flag("canEdit") { $0.canEdit }
        f.list("tabs", of: Tab.self) {
            CampaignTabs.all($0.campaign.id, hasSend: $0.campaign.send != nil, current: .overview)
        }
    }
}

/// How far a send is.
struct SendProgressRecord: ViewRecord {
    let summary: SendSummary
    let now: Date

    static let fields = Fields<SendProgressRecord> { f in
        f.text("send") { $0.summary.id.description }
        f.number("recipients") { $0.summary.recipients }
        f.number("settled") { $0.summary.settled }
        f.number("sent") { $0.summary.sent }
        f.number("failed") { $0.summary.failed }
        f.number("uncertain") { $0.summary.uncertain }
        f.number("retrying") { $0.summary.retrying }
        f.number("skipped") { $0.summary.skipped }
        f.number("cancelled") { $0.summary.cancelled }
        f.number("remaining") { $0.summary.remaining }
        f.flag("isCounting") { !$0.summary.isSnapshotComplete && !$0.summary.state.isFinal }
        f.optionalText("notice") { $0.summary.notice }
        f.optionalText("rate") { $0.rateText }
        f.optionalText("timeLeft") { $0.timeLeft }
        f.link("uncertainHref") { "/sends/\($0.summary.id)/uncertain" }
    }

    /// Messages a second since the first one.
    var rate: Double? {
        guard let first = summary.firstSentAt, summary.state == .sending, summary.settled > 0 else { return nil }
        return Double(summary.settled) / max(1, now.timeIntervalSince(first))
    }

    private var rateText: String? {
        rate.map { rate in
            rate >= 10 ? "\(Int(rate)) a second" : "\(Int(rate * 60)) a minute"
        }
    }

    private var timeLeft: String? {
        guard let rate, rate > 0, summary.remaining > 0 else { return nil }
        let seconds = Int(Double(summary.remaining - summary.retrying) / rate)
        switch seconds {
        case ..<60: return "less than a minute left"
        case ..<3600: return "about \(seconds / 60 + 1) minutes left"
        default: return "about \(seconds / 3600 + 1) hours left"
        }
    }
}

/// Asks once before something that cannot be taken back.
struct CampaignConfirmPage: ViewPage {
    let heading: String
    let message: String
    let action: String
    let label: String
    let backHref: String

    static let view = "campaigns/confirm"
    static let fields = Fields<CampaignConfirmPage> { f in
        f.text("heading") { $0.heading }
        f.text("message") { $0.message }
        f.link("action") { $0.action }
        f.text("label") { $0.label }
        f.link("backHref") { $0.backHref }
    }
    static var previews: [CampaignConfirmPage] {
        [
            CampaignConfirmPage(
                heading: "Cancel?", message: "This stops it.", action: "/campaigns", label: "Cancel",
                backHref: "/campaigns")
        ]
    }
}
