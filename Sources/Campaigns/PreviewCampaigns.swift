import Contacts
import Core
import FoundationEssentials
import Messaging

/// Campaigns for the previews of pages.
enum PreviewCampaigns {
    static let day = Date(timeIntervalSince1970: 1_768_469_400)
    private static let uuid = UUID(uuid: (1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 3))
    static let send = SendID(uuid)

    static func campaign(_ status: CampaignStatus) -> Campaign {
        var content = CampaignContent()
        content.name = "Spring news"
        content.subject = status == .draft ? "" : "What is new"
        content.html = "<p>Hello</p>"
        let isOut: Bool = ![.draft, .scheduled].contains(status)
        return Campaign(
            id: CampaignID(uuid), content: content, status: status, scheduledAt: status == .scheduled ? day : nil,
            launchedAt: isOut ? day : nil, finishedAt: status == .sent ? day.addingTimeInterval(600) : nil,
            send: isOut ? send : nil, version: 1, createdAt: day, updatedAt: day)
    }

    static let gaps: [AudienceGap] = [
        AudienceGap(list: ContactListID(uuid), name: "Regulars", members: 1_200, cause: .filling)
    ]

    static let links: LinkReport = LinkReport(
        [("https://example.com/a", "Shop"), ("https://example.com/b", "Gone")],
        answers: ["https://example.com/a": .status(200), "https://example.com/b": .status(404)])
}

extension CampaignShowPage {
    static var previews: [CampaignShowPage] {
        let states: [(CampaignStatus, SendState?)] = [
            (.draft, nil), (.scheduled, nil), (.sending, .sending), (.paused, .paused), (.sent, .sent),
        ]
        return states.flatMap { status, state in
            [true, false].map { canEdit in
                let summary: SendSummary? = state.map { state in
                    .preview(
                        PreviewCampaigns.send, state: state,
                        notice: state == .paused ? "The mail server does not accept this sender." : nil,
                        uncertain: state == .sending ? 0 : 3, at: PreviewCampaigns.day)
                }
                return CampaignShowPage(
                    campaign: PreviewCampaigns.campaign(status),
                    progress: summary.map {
                        SendProgressRecord(summary: $0, now: PreviewCampaigns.day.addingTimeInterval(60))
                    }, canEdit: canEdit, isLive: state == .sending, listNames: status == .draft ? [] : ["Newsletter"])
            }
        }
    }
}

extension CampaignReviewPage {
    static var previews: [CampaignReviewPage] {
        [false, true].flatMap { isReady in
            [CampaignStatus.draft, .scheduled].map { preview($0, isReady: isReady) }
        }
    }

    private static func preview(_ status: CampaignStatus, isReady: Bool) -> CampaignReviewPage {
        let remedy = CampaignCheck.Remedy(label: "Add the address", href: "/settings")
        var checks: [CampaignCheck] = [
            .passed("links", "All links lead somewhere"), .warning("size", "The e-mail is large", "Gmail cuts it."),
        ]
        if !isReady {
            checks.append(
                CampaignCheck(
                    code: "no_postal_address", level: .blocker, title: "There is no postal address",
                    detail: "The law asks for one.", remedy: remedy))
        }
        let finding = CampaignReview.Finding(
            checks: checks,
            forecast: AudienceForecast(
                people: isReady ? 12_500 : 3, recipients: isReady ? 12_408 : 3,
                refusals: isReady ? [.init(reason: .suppressedComplaint, count: 92)] : []),
            content: nil,
            sender: .preview(provider: isReady ? .smtp : .outbox),
            gaps: isReady ? [] : PreviewCampaigns.gaps)
        var page = CampaignReviewPage(
            campaign: PreviewCampaigns.campaign(status), finding: finding, listNames: isReady ? ["Newsletter"] : [],
            excludedNames: isReady ? ["Staff"] : [], timeZone: "Europe/Berlin",
            links: isReady ? PreviewCampaigns.links : LinkReport([], answers: [:]), testAddress: "ana@example.com")
        page.testSummary = isReady ? "The mail server took the message." : nil
        page.testAccepted = status == .scheduled
        if !isReady { page.errors.add("date", "Choose a time in the future.") }
        return page
    }
}
