import Accounts
import Core
import Messaging
import Web

/// Campaigns from templates, and templates from campaigns.
struct CampaignTemplateRoutes: Sendable {
    let services: AppServices
    let actions: CampaignActions
    let reader: CampaignReader

    private var library: TemplateLibrary { TemplateLibrary(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.post, "/templates/{id}/use", .editor, use)
        routes.page(.post, "/campaigns/{id}/template", .editor, keep)
        routes.api(
            .post, "/v1/campaign-templates/{id}/use", .editor,
            APIOperation(
                id: "useTemplate", tag: "Templates", summary: "Begin a campaign with a template", status: 201,
                response: .object([("campaignId", .id)], required: ["campaignId"]), problems: [409]), useJSON)
    }

    /// A new draft with what the newest version says.
    private func begin(_ request: WebRequest) async throws -> Campaign {
        let scope = try request.scope
        guard let template = try await library.find(try request.id(), scope) else { throw WebError.notFound }
        guard template.kind == .email else {
            throw WebError.conflict("Only e-mail templates can begin a campaign.", code: "not_an_email")
        }
        var content = CampaignContent()
        content.name = String(template.content.name.prefix(CampaignRules.nameLimit))
        content.subject = template.content.subject
        content.previewText = template.content.previewText
        content.bodyMode = BodyMode(rawValue: template.content.bodyMode) ?? .html
        content.html = template.content.body
        return try await actions.create(content, by: scope)
    }

    private func use(_ request: WebRequest) async throws -> WebResponse {
        let campaign: Campaign = try await begin(request)
        return .redirect(
            to: "/campaigns/\(campaign.id)/edit", notice: "This is a new campaign with the template in it.")
    }

    private struct Made: Encodable {
        let campaignId: CampaignID
    }

    private func useJSON(_ request: WebRequest) async throws -> WebResponse {
        try .json(Made(campaignId: try await begin(request).id), status: .created)
    }

    /// Saves what a campaign says as a new template; a name that is taken gets a number behind it.
    private func keep(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let campaign: Campaign = try await reader.campaign(try request.id(), scope)
        var content = TemplateContent(
            name: campaign.content.name, subject: campaign.content.subject, previewText: campaign.content.previewText,
            bodyMode: campaign.content.bodyMode.rawValue, body: campaign.content.html)
        for number in 2...50 {
            switch try await library.create(.email, content, note: "From a campaign", scope) {
            case .saved(let template):
                return .redirect(
                    to: "/templates/\(template.id)", notice: "“\(template.content.name)” is in the library now.")
            case .nameTaken:
                content.name = "\(campaign.content.name.prefix(190)) (\(number))"
            case .missing, .conflict: throw WebError.notFound
            }
        }
        throw WebError.conflict("Many templates have this name. Rename the campaign first.", code: "name_taken")
    }
}
