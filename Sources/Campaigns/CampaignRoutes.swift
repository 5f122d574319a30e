import Accounts
import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres
import Templates
import Web

/// The pages of campaigns.
struct CampaignRoutes: Sendable {
    let services: AppServices
    let actions: CampaignActions
    let reader: CampaignReader
    let messaging: MessagingInterface

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/campaigns", .viewer, index)
        routes.page(.get, "/campaigns/new", .editor, new)
        routes.page(.post, "/campaigns", .editor, body: .bytes(3 << 20), create)
        routes.page(.get, "/campaigns/{id}", .viewer, show)
        routes.page(.get, "/campaigns/{id}/live", .viewer, live)
        routes.page(.get, "/campaigns/{id}/edit", .editor, edit)
        routes.page(.post, "/campaigns/{id}", .editor, body: .bytes(3 << 20), save)
        routes.page(.post, "/campaigns/preview", .editor, body: .bytes(3 << 20), previewNew)
        routes.page(.post, "/campaigns/{id}/preview", .editor, body: .bytes(3 << 20), preview)
        routes.page(.post, "/campaigns/people", .editor, body: .bytes(3 << 20), findPeople)
        routes.page(.post, "/campaigns/{id}/people", .editor, body: .bytes(3 << 20), findPeople)
        routes.page(.get, "/campaigns/{id}/preview", .viewer, previewSaved)
        routes.page(.post, "/campaigns/{id}/duplicate", .editor, duplicate)
        routes.page(.get, "/campaigns/{id}/delete", .editor, confirmDelete)
        routes.page(.post, "/campaigns/{id}/delete", .editor, delete)
        routes.page(.post, "/campaigns/{id}/undelete", .editor, undelete)
    }

    // MARK: Looking

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let status: CampaignStatus? = request.query.optional("status").flatMap { CampaignStatus(rawValue: $0) }
        let query: String? = request.query.optional("q")
        let found: CampaignReader.Page = try await reader.page(request, status: status, query: query)
        let all: Int = found.counts.values.reduce(0, +)
        let tabs: [Tab] =
            [Tab(label: "All", href: "/campaigns", current: status == nil, count: all)]
            + CampaignStatus.allCases.filter { found.counts[$0] ?? 0 > 0 || $0 == status }.map {
                Tab(
                    label: $0.label, href: "/campaigns?status=\($0.rawValue)", current: $0 == status,
                    count: found.counts[$0] ?? 0)
            }
        let nextHref: String? = found.next.map {
            "/campaigns" + PercentEncoding.query([("status", status?.rawValue), ("q", query), ("cursor", $0)])
        }
        let words: String = found.rows.count == 1 ? "1 campaign" : "\(found.rows.count) campaigns"
        return .page(
            CampaignsIndexPage(
                rows: found.rows, tabs: tabs, query: query ?? "", status: status?.rawValue,
                pager: Pager(summary: words, nextHref: nextHref), canEdit: try request.member.role >= .editor))
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        .page(try await reader.show(try request.id(), request))
    }

    /// Sends the progress anew while it changes, as a fragment of the page.
    private func live(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        _ = try await reader.show(id, request)
        return .live(fragment: "progress") {
            let page: CampaignShowPage = try await reader.show(id, request)
            return LivePart(page, isLast: !page.isLive)
        }
    }

    // MARK: Writing

    private func new(_ request: WebRequest) async throws -> WebResponse {
        var content = CampaignContent()
        if let list = request.query.optional("list").flatMap({ ContactListID($0) }) {
            content.audience.listIds = [list]
        }
        return .page(try await reader.editPage(id: nil, content, version: 0, request))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        do {
            let content: CampaignContent = try CampaignContent.checked(form: form)
            let campaign: Campaign = try await actions.create(content, by: try request.scope)
            return .redirect(to: Self.next(form, campaign.id), notice: "The campaign is saved.")
        } catch let errors as ValidationErrors {
            var page = try await reader.editPage(id: nil, CampaignContent(form: form), version: 0, request)
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        }
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let campaign: Campaign = try await reader.campaign(id, try request.scope)
        guard campaign.status.allows(.edit) else {
            return .redirect(to: "/campaigns/\(id)", alert: campaign.status.refusal(of: .edit))
        }
        return .page(try await reader.editPage(id: id, campaign.content, version: campaign.version, request))
    }

    private func save(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let form = try await request.form()
        do {
            let content: CampaignContent = try CampaignContent.checked(form: form)
            let outcome: CampaignOutcome = try await actions.save(
                id, content, version: form.integer("version"), by: try request.scope)
            switch outcome {
            case .done: return .redirect(to: Self.next(form, id), notice: "The campaign is saved.")
            case .conflict(let theirs):
                var page = try await reader.editPage(id: id, content, version: theirs.version, request)
                page.conflict = theirs.content
                page.errors.add(
                    "name", "Somebody else saved this campaign while you wrote. Their version is shown below.")
                return .page(page, status: .conflict)
            default: return try Self.answer(outcome, id: id, notice: "")
            }
        } catch let errors as ValidationErrors {
            _ = try await reader.campaign(id, try request.scope)
            var page = try await reader.editPage(
                id: id, CampaignContent(form: form), version: form.integer("version") ?? 0, request)
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        }
    }

    /// Where the pressed button leads.
    private static func next(_ form: FormValues, _ id: CampaignID) -> String {
        form.text("then") == "review" ? "/campaigns/\(id)/review" : "/campaigns/\(id)/edit"
    }

    // MARK: Previews

    private func previewNew(_ request: WebRequest) async throws -> WebResponse {
        try await preview(CampaignContent(form: try await request.form()), id: services.ids.next(), request, nil)
    }

    private func preview(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        _ = try await reader.campaign(id, try request.scope)
        let form = try await request.form()
        let contact: ContactID? = form.optional("previewContact").flatMap { ContactID($0) }
        return try await preview(
            CampaignContent(form: form), id: id, request, contact, asText: form.text("as") == "text")
    }

    /// Without script: the form as it is, with the people who fit the words beside the preview. Nothing is saved.
    private func findPeople(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let id: CampaignID? = request.parameter("id") == nil ? nil : try request.id()
        if let id { _ = try await reader.campaign(id, try request.scope) }
        return .page(
            try await reader.editPage(
                id: id, CampaignContent(form: form), version: form.integer("version") ?? 0, request,
                people: form.text("previewContactQuery")))
    }

    private func previewSaved(_ request: WebRequest) async throws -> WebResponse {
        let campaign: Campaign = try await reader.campaign(try request.id(), try request.scope)
        let contact: ContactID? = request.query.optional("contact").flatMap { ContactID($0) }
        return try await preview(
            campaign.content, id: campaign.id, request, contact, asText: request.query.text("as") == "text")
    }

    private func preview(
        _ content: CampaignContent, id: CampaignID, _ request: WebRequest, _ contact: ContactID?, asText: Bool = false
    ) async throws -> WebResponse {
        switch try await reader.preview(content, id: id, contact: contact, try request.scope) {
        case .email(let preview):
            return asText ? .text(preview.text) : .sandboxed(html: Array(preview.html.utf8))
        case .problem(let problem):
            // Shown in the frame of the editor too, while a tag is half written.
            return WebResponse.page(CampaignPreviewPage(problem: problem))
                .header(
                    .contentSecurityPolicy,
                    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
                        + "frame-ancestors 'self'"
                )
                .header(.frameOptions, "SAMEORIGIN")
        }
    }

    // MARK: Copies and deletion

    private func duplicate(_ request: WebRequest) async throws -> WebResponse {
        let outcome: CampaignOutcome = try await actions.duplicate(try request.id(), by: try request.scope)
        guard case .done(let copy) = outcome else { throw WebError.notFound }
        return .redirect(to: "/campaigns/\(copy.id)/edit", notice: "This is the copy.")
    }

    private func confirmDelete(_ request: WebRequest) async throws -> WebResponse {
        let campaign: Campaign = try await reader.campaign(try request.id(), try request.scope)
        return .page(
            CampaignConfirmPage(
                heading: "Delete “\(campaign.content.name)”?",
                message: "It disappears from the list of campaigns. Links in e-mails that were sent keep working.",
                action: "/campaigns/\(campaign.id)/delete", label: "Delete", backHref: "/campaigns/\(campaign.id)"))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let outcome: CampaignOutcome = try await actions.delete(id, by: try request.scope)
        guard case .done(let campaign) = outcome else { return try Self.answer(outcome, id: id, notice: "") }
        return .page(CampaignDeletedPage(id: id.description, name: campaign.content.name))
    }

    private func undelete(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let outcome: CampaignOutcome = try await actions.undelete(id, by: try request.scope)
        return try Self.answer(outcome, id: id, notice: "The campaign is back.")
    }

    /// The answer to a verb on a campaign's page.
    static func answer(_ outcome: CampaignOutcome, id: CampaignID, notice: String) throws -> WebResponse {
        switch outcome {
        case .done: return .redirect(to: "/campaigns/\(id)", notice: notice)
        case .missing: throw WebError.notFound
        case .refused(let reason): return .redirect(to: "/campaigns/\(id)", alert: reason)
        case .conflict:
            return .redirect(to: "/campaigns/\(id)", alert: "Somebody else changed this campaign meanwhile.")
        case .notReady(let checks):
            let words: String = checks.first?.title ?? "The campaign is not ready."
            return .redirect(to: "/campaigns/\(id)/review", alert: words)
        }
    }
}
