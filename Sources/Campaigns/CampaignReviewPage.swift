import Core
import FoundationEssentials
import Messaging
import Templates
import Web

/// What a check found.
struct CheckRecord: ViewRecord {
    let check: CampaignCheck

    static let fields = Fields<CheckRecord> { f in
        f.text("title") { $0.check.title }
        f.optionalText("detail") { $0.check.detail.isEmpty ? nil : $0.check.detail }
        f.flag("isBlocker") { $0.check.level == .blocker && $0.check.code != CampaignChecks.filling }
        f.flag("isWarning") { $0.check.level == .warning }
        f.flag("isPassed") { $0.check.level == .passed }
        f.text("state") { record in
            switch record.check.level {
            case .blocker: "danger"
            case .warning: "warn"
            case .passed: "ok"
            }
        }
        f.optionalLink("href") { $0.check.remedy?.href }
        f.text("linkLabel") { $0.check.remedy?.label ?? "" }
    }
}

/// Why some people will not get a campaign.
struct RefusalRecord: ViewRecord {
    let refusal: AudienceForecast.Refusal

    static let fields = Fields<RefusalRecord> { f in
        f.text("reason") { $0.refusal.reason.label }
        f.number("count") { $0.refusal.count }
    }
}

/// A segment that is being filled.
struct FillingSegmentRecord: ViewRecord {
    let gap: AudienceGap

    static let fields = Fields<FillingSegmentRecord> { f in
        f.text("name") { $0.gap.name }
        f.number("members") { $0.gap.members }
    }

    static func records(_ gaps: [AudienceGap]) -> [FillingSegmentRecord] {
        gaps.filter { $0.cause == .filling }.map { FillingSegmentRecord(gap: $0) }
    }
}

/// How far the segments of a campaign's audience are. The review shows the same and is told when they are done.
struct CampaignFillingPage: ViewPage {
    let id: CampaignID
    let name: String
    let gaps: [AudienceGap]

    static let view = "campaigns/filling"
    static let fields = Fields<CampaignFillingPage> { f in
        f.text("name") { $0.name }
        f.link("reviewHref") { "/campaigns/\($0.id)/review" }
        f.list("filling", of: FillingSegmentRecord.self) { FillingSegmentRecord.records($0.gaps) }
    }
    var isFilling: Bool { gaps.contains { $0.cause == .filling } }

    static var previews: [CampaignFillingPage] {
        let campaign: Campaign = PreviewCampaigns.campaign(.draft)
        return [[], PreviewCampaigns.gaps].map {
            CampaignFillingPage(id: campaign.id, name: campaign.content.name, gaps: $0)
        }
    }
}

/// The last look before sending.
struct CampaignReviewPage: ViewPage {
    let campaign: Campaign
    let finding: CampaignReview.Finding
    let listNames: [String]
    let excludedNames: [String]
    let timeZone: String
    let links: LinkReport
    var date = FormField("date")
    var time = FormField("time")
    var confirmation = FormField("confirmation")
    var errors = ValidationErrors()
    let testAddress: String
    var testSummary: String?
    var testAccepted = false

    /// From so many people on, sending asks for a typed word.
    static let confirmationThreshold = 10_000

    static let view = "campaigns/review"
    static let fields = Fields<CampaignReviewPage> { f in
        f.text("id") { $0.campaign.id.description }
        f.link("campaignHref") { "/campaigns/\($0.campaign.id)" }
        f.text("name") { $0.campaign.content.name }
        f.text("subject") { $0.campaign.content.subject.isEmpty ? "No subject" : $0.campaign.content.subject }
        f.text("sender") { page in
            let name: String = page.campaign.content.fromName ?? page.finding.sender.fromName
            let address: String? = page.campaign.content.fromEmail ?? page.finding.sender.fromEmail
            return address.map { "\(name) <\($0)>" } ?? name
        }
        f.flag("isOutbox") { $0.finding.sender.provider == .outbox }
        f.texts("listNames") { $0.listNames }
        f.texts("excludedNames") { $0.excludedNames }
        f.list("checks", of: CheckRecord.self) { page in
            let order: [CampaignCheck.Level] = [.blocker, .warning, .passed]
            return order.flatMap { level in page.finding.checks.filter { $0.level == level } }
                .map { CheckRecord(check: $0) }
        }
        f.number("people") { $0.finding.forecast.people }
        f.number("recipients") { $0.finding.forecast.recipients }
        f.list("refusals", of: RefusalRecord.self) { $0.finding.forecast.refusals.map { RefusalRecord(refusal: $0) } }
        f.flag("isFilling") { !FillingSegmentRecord.records($0.finding.gaps).isEmpty }
        f.list("filling", of: FillingSegmentRecord.self) { FillingSegmentRecord.records($0.finding.gaps) }
        f.link("reviewHref") { "/campaigns/\($0.campaign.id)/review" }
        f.link("liveHref") { "/campaigns/\($0.campaign.id)/review/live" }
        f.record("links", of: LinkReportRecord.self) { LinkReportRecord(report: $0.links) }
        f.flag("isReady") { $0.finding.blockers.isEmpty }
        f.number("blockers") { page in
            page.finding.blockers.filter { $0.code != CampaignChecks.filling }.count
        }
        f.flag("isScheduled") { $0.campaign.status == .scheduled }
        f.optionalDate("scheduledAt") { $0.campaign.scheduledAt }
        f.text("timeZone") { $0.timeZone }
        f.record("date", of: FormField.self) { $0.date }
        f.record("time", of: FormField.self) { $0.time }
        f.record("confirmation", of: FormField.self) { $0.confirmation }
        f.flag("needsConfirmation") { $0.finding.forecast.recipients >= confirmationThreshold }
        f.record("to", of: FormField.self) { FormField("to", $0.testAddress, $0.errors) }
        f.optionalText("testSummary") { $0.testSummary }
        f.flag("testAccepted") { $0.testAccepted }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
}
