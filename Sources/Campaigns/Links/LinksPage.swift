import Templates
import Web

struct LinkFindingRecord: ViewRecord {
    let finding: LinkFinding

    static let fields = Fields<LinkFindingRecord> { f in
        f.text("url") { $0.finding.url }
        f.text("label") { $0.finding.label }
        f.text("words") { $0.finding.words }
        f.flag("isDead") { $0.finding.verdict == .dead }
        f.flag("works") { $0.finding.verdict == .works }
    }
}

/// What is known of a letter's links.
struct LinkReportRecord: ViewRecord {
    let report: LinkReport

    static let fields = Fields<LinkReportRecord> { f in
        f.number("count") { $0.report.findings.count }
        f.flag("isAsked") { $0.report.isAsked }
        f.flag("isOpen") { !$0.report.isAsked }
        f.number("working") { $0.report.findings.filter { $0.verdict == .works }.count }
        f.list("dead", of: LinkFindingRecord.self) { $0.report.dead.map { LinkFindingRecord(finding: $0) } }
        f.list("all", of: LinkFindingRecord.self) { $0.report.findings.map { LinkFindingRecord(finding: $0) } }
    }
}

/// The links of a campaign, each with what its server said. The review shows a part of it.
struct CampaignLinksPage: ViewPage {
    let id: String
    let name: String
    let report: LinkReport

    static let view = "campaigns/links"
    static let fields = Fields<CampaignLinksPage> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.name }
        f.link("reviewHref") { "/campaigns/\($0.id)/review" }
        f.record("report", of: LinkReportRecord.self) { LinkReportRecord(report: $0.report) }
    }
    static var previews: [CampaignLinksPage] {
        let links = [("https://example.com/a", "Read more"), ("https://example.com/b", "Buy")]
        return [
            CampaignLinksPage(id: "1", name: "Spring", report: LinkReport([], answers: [:])),
            CampaignLinksPage(id: "1", name: "Spring", report: LinkReport(links, answers: [:])),
            CampaignLinksPage(
                id: "1", name: "Spring",
                report: LinkReport(
                    links, answers: ["https://example.com/a": .status(200), "https://example.com/b": .status(404)])),
        ]
    }
}
