import Accounts
import Core
import FoundationEssentials
import Messaging
import Web

/// The last look, and what starts, holds and ends sending. A launch is a resource: creating one is what "send" means.
struct CampaignLaunchRoutes: Sendable {
    let services: AppServices
    let actions: CampaignActions
    let reader: CampaignReader
    let messaging: MessagingInterface
    let inspector: LinkInspector

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/campaigns/{id}/review", .viewer, review)
        routes.page(.get, "/campaigns/{id}/review/live", .viewer, filling)
        routes.page(.get, "/campaigns/{id}/links", .viewer, links)
        routes.page(.post, "/campaigns/{id}/launch", .editor, launch)
        routes.page(.post, "/campaigns/{id}/schedule", .editor, schedule)
        routes.page(.post, "/campaigns/{id}/unschedule", .editor, unschedule)
        routes.page(.post, "/campaigns/{id}/test", .editor, test)
        routes.page(.post, "/campaigns/{id}/pause", .editor, pause)
        routes.page(.post, "/campaigns/{id}/resume", .editor, resume)
        routes.page(.get, "/campaigns/{id}/cancel", .editor, confirmCancel)
        routes.page(.post, "/campaigns/{id}/cancel", .editor, cancel)
    }

    private func review(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let page: CampaignReviewPage = try await reader.reviewPage(id, request)
        guard page.campaign.status == .draft || page.campaign.status == .scheduled else {
            return .redirect(to: "/campaigns/\(id)")
        }
        return .page(page)
    }

    /// How far the segments of the audience are, until they are filled.
    private func filling(_ request: WebRequest) async throws -> WebResponse {
        let (id, scope): (CampaignID, WorkspaceScope) = (try request.id(), try request.scope)
        _ = try await reader.filling(id, scope)
        return .live(fragment: "filling") {
            let page: CampaignFillingPage = try await reader.filling(id, scope)
            return LivePart(page, isLast: !page.isFilling)
        }
    }

    /// Asks the links, which takes up to six seconds. The review brings it in afterwards, so that it waits for nothing.
    private func links(_ request: WebRequest) async throws -> WebResponse {
        let campaign: Campaign = try await reader.campaign(try request.id(), try request.scope)
        let links = LinkReport.links(of: campaign.content)
        let answers = await inspector.ask(links.map(\.url))
        return .page(
            CampaignLinksPage(
                id: campaign.id.description, name: campaign.content.name, report: LinkReport(links, answers: answers)))
    }

    private func launch(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let typed: String = try await request.form().text("confirmation")
        var page: CampaignReviewPage = try await reader.reviewPage(id, request)
        let isLarge: Bool = page.finding.forecast.recipients >= CampaignReviewPage.confirmationThreshold
        if isLarge, typed.lowercased() != "send", page.campaign.status.allows(.launch) {
            page.errors = ValidationErrors("confirmation", "Type the word send to confirm.")
            page.confirmation = FormField("confirmation", typed, page.errors)
            return .page(page, status: .unprocessableContent)
        }
        return try await answer(
            actions.launch(id, for: .person, by: try request.scope), request, id: id, notice: "Sending has begun.")
    }

    private func schedule(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let form = try await request.form()
        let scope = try request.scope
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let date: Date? = LocalTime.date(form.text("date"), form.text("time"), in: workspace.timeZone)
        var problem: String?
        if date == nil { problem = "Enter a date and a time." }
        if let date, date <= services.clock.now { problem = "Choose a time in the future." }
        guard let date, problem == nil else {
            var page: CampaignReviewPage = try await reader.reviewPage(id, request)
            page.errors = ValidationErrors("date", problem ?? "Enter a date and a time.")
            page.date = FormField("date", form.text("date"), page.errors)
            page.time = FormField("time", form.text("time"))
            return .page(page, status: .unprocessableContent)
        }
        return try await answer(
            actions.schedule(id, at: date, for: .person, by: scope), request, id: id,
            notice: "The campaign is scheduled.")
    }

    private func unschedule(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        return try CampaignRoutes.answer(
            await actions.unschedule(id, by: try request.scope), id: id, notice: "The campaign is a draft again.")
    }

    private func test(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let form = try await request.form()
        var page: CampaignReviewPage = try await reader.reviewPage(id, request, testAddress: form.text("to"))
        do {
            let report: TestReport = try await reader.sendTest(id, to: form.text("to"), contact: nil, try request.scope)
            page.testSummary = report.summary
            page.testAccepted = report.isAccepted
            return .page(page)
        } catch let errors as ValidationErrors {
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        } catch let problem as CampaignReader.Problem {
            page.errors = ValidationErrors("to", problem.message)
            return .page(page, status: .unprocessableContent)
        }
    }

    private func pause(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        return try CampaignRoutes.answer(
            await actions.pause(id, by: try request.scope), id: id, notice: "The campaign is paused.")
    }

    private func resume(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        return try CampaignRoutes.answer(
            await actions.resume(id, by: try request.scope), id: id, notice: "Sending goes on.")
    }

    private func confirmCancel(_ request: WebRequest) async throws -> WebResponse {
        let campaign: Campaign = try await reader.campaign(try request.id(), try request.scope)
        return .page(
            CampaignConfirmPage(
                heading: "Cancel “\(campaign.content.name)”?",
                message: "What was sent stays sent. Nobody else gets it. A cancelled campaign cannot be resumed.",
                action: "/campaigns/\(campaign.id)/cancel", label: "Cancel the campaign",
                backHref: "/campaigns/\(campaign.id)"))
    }

    private func cancel(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        return try CampaignRoutes.answer(
            await actions.cancel(id, by: try request.scope), id: id, notice: "The campaign is cancelled.")
    }

    /// A campaign that is not ready shows its checks.
    private func answer(
        _ outcome: CampaignOutcome, _ request: WebRequest, id: CampaignID, notice: String
    ) async throws -> WebResponse {
        guard case .notReady = outcome else { return try CampaignRoutes.answer(outcome, id: id, notice: notice) }
        return .page(try await reader.reviewPage(id, request), status: .unprocessableContent)
    }
}
