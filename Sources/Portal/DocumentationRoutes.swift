import Core
import Templates
import Web

/// The API's description for machines and for people, both made from the routes that are served.
struct DocumentationRoutes: Sendable {
    private let document: Deferred<[UInt8]>
    private let page: Deferred<DocumentationPage>

    init(described routes: RouteTable, publicURL: String) {
        document = Deferred {
            let document = OpenAPIDocument(routes: routes, version: PortalVersion.current, serverURL: publicURL)
            // A JSON value always has a JSON form; an empty document would fail the test that reads it.
            return (try? JSONBody.encode(document.json)) ?? []
        }
        page = Deferred { DocumentationPage(routes: routes, publicURL: publicURL) }
    }

    func add(to routes: inout RouteTable) {
        routes.open(.get, "/openapi.json") { [document] _ in
            .bytes(
                document.value, contentType: "application/json; charset=utf-8",
                headers: [.cacheControl: "public, max-age=300", .accessControlAllowOrigin: "*"])
        }
        routes.visitor(.get, "/docs") { [page] _ in .page(page.value) }
        routes.visitor(.get, "/docs/problems") { _ in .page(ProblemsPage()) }
    }
}

/// One operation as the documentation page shows it.
struct DocumentedOperation: ViewRecord {
    let id: String
    let method: String
    let path: String
    let summary: String
    let details: String
    let access: String
    let query: [DocumentedParameter]
    let body: String?
    let response: String?
    let status: Int

    static let fields = Fields<DocumentedOperation> { f in
        f.text("id") { $0.id }
        f.text("method") { $0.method }
        f.text("path") { $0.path }
        f.text("summary") { $0.summary }
        f.text("details") { $0.details }
        f.text("access") { $0.access }
        f.list("query", of: DocumentedParameter.self) { $0.query }
        f.optionalText("body") { $0.body }
        f.optionalText("response") { $0.response }
        f.number("status") { $0.status }
    }
}

struct DocumentedParameter: ViewRecord {
    let name: String
    let summary: String

    static let fields = Fields<DocumentedParameter> { f in
        f.text("name") { $0.name }
        f.text("summary") { $0.summary }
    }
}

struct DocumentedSection: ViewRecord {
    let title: String
    let anchor: String
    let operations: [DocumentedOperation]

    static let fields = Fields<DocumentedSection> { f in
        f.text("title") { $0.title }
        f.text("anchor") { $0.anchor }
        f.list("operations", of: DocumentedOperation.self) { $0.operations }
    }
}

/// The readable page about the API.
struct DocumentationPage: ViewPage {
    let sections: [DocumentedSection]
    let publicURL: String

    static let view = "documentation/index"
    static let fields = Fields<DocumentationPage> { f in
        f.list("sections", of: DocumentedSection.self) { $0.sections }
        f.text("publicURL") { $0.publicURL }
    }
    static var previews: [DocumentationPage] { [DocumentationPage(sections: [], publicURL: "http://localhost:4002")] }

    init(sections: [DocumentedSection], publicURL: String) {
        self.sections = sections
        self.publicURL = publicURL
    }

    init(routes: RouteTable, publicURL: String) {
        var order: [String] = []
        var byTag: [String: [DocumentedOperation]] = [:]
        for route in routes.routes {
            guard let operation = route.operation else { continue }
            if byTag[operation.tag] == nil { order.append(operation.tag) }
            byTag[operation.tag, default: []].append(Self.describe(operation, of: route))
        }
        sections = order.map { tag in
            DocumentedSection(
                title: tag, anchor: tag.lowercased().replacing(" ", with: "-"), operations: byTag[tag] ?? [])
        }
        self.publicURL = publicURL
    }

    private static func describe(_ operation: APIOperation, of route: Route) -> DocumentedOperation {
        let access =
            switch route.access {
            case .anyone: "No sign-in needed"
            case .role where route.face == .service: "Needs a service key"
            case .role(let role): "Needs the role \(role.rawValue)"
            }
        return DocumentedOperation(
            id: operation.id, method: route.method.rawValue, path: route.path, summary: operation.summary,
            details: operation.details, access: access,
            query: operation.query.map { DocumentedParameter(name: $0.name, summary: $0.summary) },
            body: operation.body.map(\.outline), response: operation.response.map(\.outline), status: operation.status)
    }
}

/// What each problem code of the API means.
struct ProblemsPage: ViewPage {
    struct Code: ViewRecord {
        let code: String
        let meaning: String

        static let fields = Fields<Code> { f in
            f.text("code") { $0.code }
            f.text("meaning") { $0.meaning }
        }
    }

    static let view = "documentation/problems"
    static let fields = Fields<ProblemsPage> { f in f.list("codes", of: Code.self) { _ in codes } }
    static var previews: [ProblemsPage] { [ProblemsPage()] }

    static let codes: [Code] = [
        Code(code: "validation", meaning: "Some values are not valid. “errors” names each place and what to change."),
        Code(code: "malformed_json", meaning: "The body is not JSON."),
        Code(code: "empty_body", meaning: "A JSON object was expected and nothing came."),
        Code(code: "too_deep", meaning: "The JSON is nested too deeply."),
        Code(code: "nul_character", meaning: "Text must not contain the character U+0000."),
        Code(code: "bad_cursor", meaning: "The cursor was not made by this server. Start again without one."),
        Code(code: "bad_limit", meaning: "limit is a number from 1 to 200."),
        Code(code: "unknown_parameter", meaning: "The list knows no such filter; “detail” names those it knows."),
        Code(code: "broken_request", meaning: "The body broke off before its end."),
        Code(code: "bad_request", meaning: "Something about the request is wrong; “detail” says what."),
        Code(code: "unauthorized", meaning: "There is no token, or it is not valid any more. Sign in again."),
        Code(code: "wrong_credentials", meaning: "The e-mail address or the password is wrong."),
        Code(code: "forbidden", meaning: "Your role does not allow this."),
        Code(code: "form_expired", meaning: "A page’s form was sent without its token."),
        Code(code: "not_found", meaning: "There is no such thing, or it belongs to another workspace."),
        Code(code: "method_not_allowed", meaning: "The address exists, but not for this method. See the Allow header."),
        Code(code: "conflict", meaning: "The state of the thing does not allow this now."),
        Code(
            code: "list_in_use", meaning: "A campaign that is scheduled or being sent uses the list; “detail” names it."
        ),
        Code(
            code: "idempotency_running",
            meaning:
                "The first request with this Idempotency-Key has no answer yet. Ask again after Retry-After seconds."),
        Code(
            code: "idempotency_outcome_unknown",
            meaning: "The first request with this Idempotency-Key was cut off. See what it did, then use a new key."),
        Code(code: "idempotency_key_reused", meaning: "This Idempotency-Key came with another request before."),
        Code(code: "bad_idempotency_key", meaning: "Idempotency-Key has 1 to 255 visible ASCII characters."),
        Code(code: "duplicate_member", meaning: "A member of a JSON object was given twice."),
        Code(code: "not_acceptable", meaning: "The Accept header leaves out what this address answers."),
        Code(code: "email_taken", meaning: "Another record already has this e-mail address."),
        Code(code: "precondition_failed", meaning: "The thing has changed since you read it. Read it again."),
        Code(code: "too_large", meaning: "The request is larger than this address takes."),
        Code(code: "unsupported_media_type", meaning: "The content type is not one that this address takes."),
        Code(
            code: "too_many_requests", meaning: "Wait as many seconds as Retry-After says. RateLimit names the limit."),
        Code(code: "unavailable", meaning: "The portal is busy or restarting. Try again after Retry-After seconds."),
        Code(code: "internal", meaning: "Our mistake. It has been noted under the request’s id."),
    ]
}
