import Core
import FoundationEssentials
import Messaging
import TestSupport
import Testing

@testable import Campaigns

@Suite("A campaign's life")
struct CampaignTests {
    @Test(
        "Events lead from status to status, or are refused",
        arguments: [
            (CampaignStatus.draft, CampaignEvent.launch, CampaignStatus?.some(.sending)),
            (.draft, .schedule, .scheduled), (.scheduled, .unschedule, .draft), (.scheduled, .launch, .sending),
            (.sending, .pause, .paused), (.paused, .resume, .sending), (.sending, .cancel, .cancelled),
            (.paused, .cancel, .cancelled), (.sending, .finish, .sent), (.sent, .launch, nil),
            (.cancelled, .resume, nil),
            (.sending, .edit, nil), (.sending, .delete, nil), (.sent, .edit, nil), (.draft, .pause, nil),
        ])
    func transitions(from status: CampaignStatus, event: CampaignEvent, to next: CampaignStatus?) {
        #expect(status.after(event) == next)
    }

    @Test("What keeps a campaign from being sent is told apart from what is only worth a look")
    func checks() {
        var content = CampaignContent()
        let nobody = AudienceForecast(people: 0, recipients: 0, refusals: [])
        let codes: [String] = CampaignChecks.basics(content, forecast: nobody).filter { $0.level == .blocker }.map(
            \.code)
        #expect(codes == ["no_audience", "no_subject", "no_body"])
        content.subject = String(repeating: "a", count: 90)
        content.html = "<p>Hello</p>"
        content.audience.listIds = [ContactListID(UUID())]
        let some = AudienceForecast(people: 2, recipients: 1, refusals: [])
        let found = CampaignChecks.basics(content, forecast: some)
        #expect(found.allSatisfy { $0.level != .blocker })
        #expect(found.contains { $0.code == "long_subject" && $0.level == .warning })
    }

    @Test(
        "Sizes that mail programs cut off are reported",
        arguments: [(10_000, "size"), (90_000, "large"), (110_000, "too_large")])
    func sizes(bytes: Int, code: String) {
        #expect(CampaignChecks.size(bytes).code == code)
    }

    @Test("Dead links, missing alternative texts and unknown fields are found in the text")
    func messageChecks() throws {
        var content = CampaignContent()
        content.html = """
            <p>Hi {{ contact.firstname }} {{ contact.plan }}</p><a href="#">empty</a><a href="/sale">relative</a>
            <a href="https://example.com">good</a><img src="https://example.com/a.png">
            """
        let email = try EmailPreparation.prepare(
            EmailDraft(subject: "Hi", format: .rich, body: content.html),
            frame: EmailFrame(workspaceName: "Acme", postalAddress: ""),
            footers: EmailFooters { try PortalFixture.library() })
        let made = SendContent(
            email: email, identity: SendIdentity(fromName: "A", fromEmail: "a@acme.example", listID: "l.acme.example"))
        let address = try PostalAddressCheck.check(
            "", in: made, properties: ["plan"], asker: .program, returnPath: "/campaigns/1/review")
        let found = try CampaignChecks.message(made, source: content, address: address, properties: ["plan"])
        let warnings: [String] = found.filter { $0.level == .warning }.map(\.code)
        #expect(warnings == ["no_postal_address", "dead_links", "missing_alt", "unknown_variables"])
        #expect(address.remedy?.href == "/settings?return=%2Fcampaigns%2F1%2Freview#postalAddress")
        #expect(found.first { $0.code == "unknown_variables" }?.detail == "contact.firstname")
    }

    @Test("A local time is understood in the workspace's time zone")
    func localTimes() throws {
        let date = try #require(LocalTime.date("2026-07-01", "09:00", in: "Europe/Berlin"))
        #expect(date == Date(timeIntervalSince1970: 1_782_889_200))
        #expect(LocalTime.fields(of: date, in: "Europe/Berlin") == ("2026-07-01", "09:00"))
        #expect(LocalTime.date("2026-02-30", "09:00", in: "UTC") == nil)
        #expect(LocalTime.date("", "", in: "UTC") == nil)
    }
}
