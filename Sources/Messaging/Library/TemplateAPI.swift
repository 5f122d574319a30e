import Accounts
import Core
import FoundationEssentials
import Web

/// The library as JSON.
struct TemplateAPI: Sendable {
    let services: AppServices

    private var library: TemplateLibrary { TemplateLibrary(services: services) }

    func add(to routes: inout RouteTable) {
        routes.schema("CampaignTemplate", Self.schema)
        routes.schema("CampaignTemplateInput", .object(Self.members, required: ["name"]))
        let path = "/v1/campaign-templates"
        routes.api(
            .get, path, .viewer,
            APIOperation(
                id: "listTemplates", tag: "Templates", summary: "List templates, the last changed first",
                query: [
                    .init("kind", .string(oneOf: Self.kinds), "Only of this kind."),
                    .init("q", .string, "Part of the name or the description."),
                ] + APIOperation.paging, response: .page(of: .ref("CampaignTemplate"))), list)
        routes.api(
            .post, path, .editor, body: .bytes(3 << 20),
            APIOperation(
                id: "createTemplate", tag: "Templates", summary: "Add a template", body: .ref("CampaignTemplateInput"),
                status: 201, response: .ref("CampaignTemplate"), problems: [409]), create)
        routes.api(
            .get, path + "/{id}", .viewer,
            APIOperation(
                id: "getTemplate", tag: "Templates", summary: "Get a template",
                query: [.init("version", .integer(minimum: 1), "As it was then.")], response: .ref("CampaignTemplate")),
            show)
        routes.api(
            .put, path + "/{id}", .editor, body: .bytes(3 << 20),
            APIOperation(
                id: "replaceTemplate", tag: "Templates", summary: "Save a template as a new version",
                details: "With If-Match only if nobody saved since.", body: .ref("CampaignTemplateInput"),
                response: .ref("CampaignTemplate"), problems: [409, 412]), replace)
        routes.api(
            .delete, path + "/{id}", .editor,
            APIOperation(id: "deleteTemplate", tag: "Templates", summary: "Delete a template", status: 204), delete)
        routes.api(
            .get, path + "/{id}/versions", .viewer,
            APIOperation(
                id: "listTemplateVersions", tag: "Templates", summary: "The versions of a template, newest first",
                response: .object([("data", .array(of: .ref("CampaignTemplateVersion")))], required: ["data"])),
            versions)
        routes.schema(
            "CampaignTemplateVersion",
            .object(
                [
                    ("number", .integer(minimum: 1)), ("note", .string), ("author", .nullable(.string)),
                    ("createdAt", .dateTime),
                ], required: ["number", "createdAt"]))
        routes.api(
            .post, path + "/{id}/restore", .editor,
            APIOperation(
                id: "restoreTemplate", tag: "Templates", summary: "Make an old version the newest again",
                body: .object([("version", .integer(minimum: 1))], required: ["version"]),
                response: .ref("CampaignTemplate")), restore)
    }

    private struct Input: StrictInput {
        static let memberNames: Set<String> = [
            "kind", "name", "description", "subject", "previewText", "bodyMode", "body", "note",
        ]
        let kind: String?
        let name: String?
        let description: String?
        let subject: String?
        let previewText: String?
        let bodyMode: String?
        let body: String?
        let note: String?

        func content(_ kind: TemplateKind) -> TemplateContent {
            TemplateContent(
                name: (name ?? "").trimmed, description: description ?? "", subject: subject ?? "",
                previewText: previewText ?? "", bodyMode: bodyMode ?? (kind == .sms ? "text" : "html"), body: body ?? ""
            )
        }
    }

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let paging = try request.pageRequest()
        var kind: TemplateKind?
        if let text = request.query.optional("kind") {
            kind = TemplateKind(rawValue: text)
            if kind == nil { throw ValidationErrors("kind", "Choose one of \(Self.kinds.joined(separator: ", ")).") }
        }
        let found = try await library.page(
            kind: kind, search: request.query.optional("q").map { $0.filter { $0 != "\0" } },
            after: TemplateRoutes.place(paging.after), limit: paging.limit + 1, try request.scope)
        let shown: [LibraryTemplate] = Array(found.prefix(paging.limit))
        let next: String? =
            found.count > paging.limit ? shown.last.map { request.cursor(after: TemplateRoutes.keys($0)) } : nil
        return try .json(CursorPage(data: shown.map(TemplateResource.init), nextCursor: next))
    }

    private func answer(_ outcome: TemplateOutcome, status: HTTPResponse.Status = .ok) throws -> WebResponse {
        switch outcome {
        case .saved(let template):
            return try .json(
                TemplateResource(template), status: status, headers: [.eTag: "\"\(template.version)\""])
        case .missing: throw WebError.notFound
        case .nameTaken: throw WebError.conflict("Another template has this name.", code: "name_taken")
        case .conflict:
            throw WebError.preconditionFailed("The template has changed since. Read it again and repeat the change.")
        }
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        guard let kind = TemplateKind(rawValue: input.kind ?? "email") else {
            throw ValidationErrors("kind", "Choose one of \(Self.kinds.joined(separator: ", ")).")
        }
        let made = try await library.create(kind, input.content(kind), note: input.note ?? "", try request.scope)
        return try answer(made, status: .created)
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let id: LibraryTemplateID = try request.id()
        let scope = try request.scope
        let number: Int? = request.query.optional("version").flatMap { Int($0) }
        let found: LibraryTemplate? =
            if let number {
                try await library.find(id, version: number, scope)
            } else {
                try await library.find(id, scope)
            }
        guard let found else { throw WebError.notFound }
        return try answer(.saved(found))
    }

    private func replace(_ request: WebRequest) async throws -> WebResponse {
        let id: LibraryTemplateID = try request.id()
        let scope = try request.scope
        guard let current = try await library.find(id, scope) else { throw WebError.notFound }
        let input = try await request.json(Input.self)
        let wanted: String? = request.headers[.ifMatch].flatMap { $0 == "*" ? nil : $0 }
        let version: Int? = wanted.map { Int($0.filter { $0 != "\"" }) ?? -1 }
        return try answer(
            try await library.save(
                id, input.content(current.kind), version: version, note: input.note ?? "", scope))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        guard try await library.delete(try request.id(), try request.scope) != nil else { throw WebError.notFound }
        return .empty()
    }

    private struct Versions: Encodable {
        let data: [TemplateVersionResource]
    }

    private func versions(_ request: WebRequest) async throws -> WebResponse {
        let id: LibraryTemplateID = try request.id()
        let scope = try request.scope
        guard try await library.find(id, scope) != nil else { throw WebError.notFound }
        return try .json(Versions(data: try await library.versions(of: id, scope).map(TemplateVersionResource.init)))
    }

    private struct Restoring: StrictInput {
        static let memberNames: Set<String> = ["version"]
        let version: Int?
    }

    private func restore(_ request: WebRequest) async throws -> WebResponse {
        guard let number = try await request.json(Restoring.self).version else {
            throw ValidationErrors("version", "Say which version.")
        }
        return try answer(try await library.restore(number, of: try request.id(), try request.scope))
    }

    private static let kinds: [String] = TemplateKind.allCases.map(\.rawValue)
    private static let members: [(String, APISchema)] = [
        ("kind", .string(oneOf: kinds)), ("name", .string(maxLength: 200)), ("description", .string(maxLength: 1_000)),
        ("subject", .string(maxLength: 938)), ("previewText", .string(maxLength: 400)),
        ("bodyMode", .string(oneOf: ["rich", "html", "markdown", "text"])), ("body", .string),
        ("note", .string(maxLength: 200)),
    ]
    private static let schema: APISchema = .object(
        [("id", .id), ("version", .integer(minimum: 1))] + Array(members.dropLast()) + [
            ("createdAt", .dateTime), ("updatedAt", .dateTime),
        ], required: ["id", "version", "kind", "name", "bodyMode", "body", "createdAt", "updatedAt"])
}

struct TemplateResource: Encodable {
    let id: LibraryTemplateID
    let kind: String
    let version: Int
    let name: String
    let description: String
    let subject: String
    let previewText: String
    let bodyMode: String
    let body: String
    let createdAt: Date
    let updatedAt: Date

    init(_ template: LibraryTemplate) {
        id = template.id
        kind = template.kind.rawValue
        version = template.version
        name = template.content.name
        description = template.content.description
        subject = template.content.subject
        previewText = template.content.previewText
        bodyMode = template.content.bodyMode
        body = template.content.body
        createdAt = template.createdAt
        updatedAt = template.updatedAt
    }
}

struct TemplateVersionResource: Encodable {
    let number: Int
    let note: String
    let author: String?
    let createdAt: Date

    init(_ version: TemplateVersion) {
        number = version.number
        note = version.note
        author = version.author
        createdAt = version.createdAt
    }
}
