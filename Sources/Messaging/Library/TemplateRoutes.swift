import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The pages of the library.
struct TemplateRoutes: Sendable {
    let services: AppServices
    let messaging: MessagingInterface

    private var library: TemplateLibrary { TemplateLibrary(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/templates", .viewer, index)
        routes.page(.get, "/templates/new", .editor, new)
        routes.page(.post, "/templates", .editor, body: .bytes(3 << 20), create)
        routes.page(.get, "/templates/{id}", .viewer, edit)
        routes.page(.post, "/templates/{id}", .editor, body: .bytes(3 << 20), save)
        routes.page(.get, "/templates/{id}/preview", .viewer, preview)
        routes.page(.get, "/templates/{id}/compare", .viewer, compare)
        routes.page(.post, "/templates/{id}/restore", .editor, restore)
        routes.page(.get, "/templates/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/templates/{id}/delete", .editor, delete)
        TemplateAPI(services: services).add(to: &routes)
    }

    // MARK: Looking

    static func place(_ keys: [String]?) -> (Date, LibraryTemplateID)? {
        guard let keys, keys.count == 2, let micros = Int64(keys[0]), let id = LibraryTemplateID(keys[1]) else {
            return nil
        }
        return (Date(timeIntervalSince1970: Double(micros) / 1_000_000), id)
    }

    static func keys(_ template: LibraryTemplate) -> [String] {
        [
            String(Int64((template.updatedAt.timeIntervalSince1970 * 1_000_000).rounded())),
            template.id.description,
        ]
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let kind: TemplateKind? = request.query.optional("kind").flatMap { TemplateKind(rawValue: $0) }
        let query: String? = request.query.optional("q").map { $0.filter { $0 != "\0" } }
        let paging = try request.pageRequest()
        let found = try await library.page(
            kind: kind, search: query, after: Self.place(paging.after), limit: paging.limit + 1, try request.scope)
        let shown: [LibraryTemplate] = Array(found.prefix(paging.limit))
        var next: String?
        if found.count > paging.limit, let last = shown.last {
            let cursor: String = request.cursor(after: Self.keys(last))
            next = "/templates" + PercentEncoding.query([("kind", kind?.rawValue), ("q", query), ("cursor", cursor)])
        }
        let words: String = shown.count == 1 ? "1 template" : "\(shown.count) templates"
        return .page(
            TemplatesPage(
                rows: shown.map { TemplateRow(template: $0) }, kind: kind, query: query ?? "",
                pager: Pager(summary: words, nextHref: next)))
    }

    private func template(_ request: WebRequest) async throws -> LibraryTemplate {
        guard let found = try await library.find(try request.id(), try request.scope) else { throw WebError.notFound }
        return found
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        let template = try await template(request)
        return .page(
            TemplateEditPage(
                id: template.id, kind: template.kind, content: template.content, version: template.version,
                versions: try await library.versions(of: template.id, try request.scope)))
    }

    /// The e-mail as somebody with an example's name would see it; a text message as it is.
    private func preview(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        var shown: LibraryTemplate = try await template(request)
        if let number = request.query.optional("version").flatMap({ Int($0) }) {
            guard let old = try await library.find(shown.id, version: number, scope) else { throw WebError.notFound }
            shown = old
        }
        guard shown.kind == .email, let workspace = try await services.directory.workspace(scope.workspace) else {
            return .text(shown.content.body)
        }
        do {
            let draft = EmailDraft(
                subject: shown.content.subject, previewText: shown.content.previewText,
                format: EmailDraft.Format(rawValue: shown.content.bodyMode) ?? .rich, body: shown.content.body)
            let email: PreparedEmail = try messaging.prepare(draft, workspace: workspace)
            let content = SendContent(
                email: email,
                identity: SendIdentity(
                    fromName: workspace.publicName, fromEmail: "newsletter@example.com", listID: "templates.example.com"
                ))
            let made = try await services.database.read(scope.workspace) { tx in
                try await messaging.preview(content, contact: nil, workspace: workspace, in: tx)
            }
            return .sandboxed(html: Array(made.html.utf8))
        } catch let flaw as EmailPreparation.Flaw {
            return .text("This cannot be shown: \(flaw.message)")
        } catch let error as TemplateError {
            return .text("This cannot be shown: \(error)")
        }
    }

    private func compare(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let template = try await template(request)
        guard let from = request.query.optional("from").flatMap({ Int($0) }),
            let to = request.query.optional("to").flatMap({ Int($0) }),
            let old = try await library.find(template.id, version: from, scope),
            let new = try await library.find(template.id, version: to, scope)
        else { throw WebError.notFound }
        return .page(
            TemplateComparePage(
                template: template, from: from, to: to,
                subject: LineDifference(old.content.subject, new.content.subject),
                body: LineDifference(old.content.body, new.content.body)))
    }

    // MARK: Changing

    private static func content(_ form: FormValues, _ kind: TemplateKind) -> TemplateContent {
        TemplateContent(
            name: form.text("name").trimmed, description: form.text("description").trimmed,
            subject: form.text("subject"), previewText: form.text("previewText"),
            bodyMode: kind == .sms ? "text" : form.optional("bodyMode") ?? "rich",
            body: (form.raw("body") ?? "").replacing("\r\n", with: "\n"))
    }

    private func new(_ request: WebRequest) async throws -> WebResponse {
        let kind = TemplateKind(rawValue: request.query.text("kind")) ?? .email
        return .page(
            TemplateEditPage(kind: kind, content: TemplateContent(bodyMode: kind == .sms ? "text" : "rich")))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let kind = TemplateKind(rawValue: form.text("kind")) ?? .email
        let content = Self.content(form, kind)
        let page = TemplateEditPage(kind: kind, content: content)
        return try await answer(page) {
            try await library.create(kind, content, note: form.text("note"), try request.scope)
        }
    }

    private func save(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let current = try await template(request)
        let content = Self.content(form, current.kind)
        let page = TemplateEditPage(
            id: current.id, kind: current.kind, content: content, version: current.version,
            versions: try await library.versions(of: current.id, try request.scope))
        return try await answer(page) {
            try await library.save(
                current.id, content, version: form.integer("version"), note: form.text("note"), try request.scope)
        }
    }

    private func answer(
        _ page: TemplateEditPage, _ deed: () async throws -> TemplateOutcome
    ) async throws -> WebResponse {
        var page = page
        do {
            switch try await deed() {
            case .saved(let template):
                return .redirect(to: "/templates/\(template.id)", notice: "Saved as version \(template.version).")
            case .missing: throw WebError.notFound
            case .nameTaken:
                page.errors = ValidationErrors("name", "Another template has this name.")
                return .page(page, status: .unprocessableContent)
            case .conflict(let theirs):
                page.theirs = theirs.content
                page.errors = ValidationErrors(
                    "body", "Somebody else saved version \(theirs.version) meanwhile. Saving again adds yours on top.")
                return .page(page, status: .conflict)
            }
        } catch let errors as ValidationErrors {
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        }
    }

    private func restore(_ request: WebRequest) async throws -> WebResponse {
        let id: LibraryTemplateID = try request.id()
        guard let number = try await request.form().integer("version"),
            case .saved(let template) = try await library.restore(number, of: id, try request.scope)
        else { throw WebError.notFound }
        return .redirect(to: "/templates/\(id)", notice: "Version \(number) is back, as version \(template.version).")
    }

    private func confirmDeletion(_ request: WebRequest) async throws -> WebResponse {
        let template = try await template(request)
        return .page(TemplateDeletePage(id: template.id.description, name: template.content.name))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        guard let name = try await library.delete(try request.id(), try request.scope) else { throw WebError.notFound }
        return .redirect(to: "/templates", notice: "“\(name)” was deleted.")
    }
}
