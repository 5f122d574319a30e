import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The list of people who must not be sent to.
struct SuppressionsPage: ViewPage {
    let rows: [SuppressionRecord]
    let tabs: [Tab]
    let query: String
    let pager: Pager
    var email = FormField("email")
    let canEdit: Bool
    var errors = ValidationErrors()

    static let view = "messaging/suppressions"
    static let fields = Fields<SuppressionsPage> { f in
        f.list("rows", of: SuppressionRecord.self) { $0.rows }
        f.list("tabs", of: Tab.self) { $0.tabs }
        f.text("query") { $0.query }
        f.record("pager", of: Pager.self) { $0.pager }
        f.record("email", of: FormField.self) { $0.email }
        f.flag("canEdit") { $0.canEdit }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [SuppressionsPage] {
        [SuppressionsPage(rows: [], tabs: [], query: "", pager: Pager(summary: "0 people"), canEdit: true)]
    }
}

struct SuppressionRecord: ViewRecord {
    let suppression: Suppression

    static let fields = Fields<SuppressionRecord> { f in
        f.text("id") { "\($0.suppression.id)" }
        f.text("email") { $0.suppression.email }
        f.text("reason") { $0.suppression.reason.label }
        f.text("tone") { $0.suppression.reason == .complaint ? "danger" : "neutral" }
        f.optionalLink("contactHref") { $0.suppression.contact.map { "/contacts/\($0)" } }
        f.date("since") { $0.suppression.createdAt }
    }
}

/// Looking at suppressions, adding them by hand and lifting them.
struct SuppressionRoutes: Sendable {
    let services: AppServices

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/suppressions", .viewer, index)
        routes.page(.post, "/suppressions", .editor, create)
        routes.page(.post, "/suppressions/{id}/lift", .admin, lift)
        routes.schema("Suppression", Self.schema)
        routes.api(.get, "/v1/suppressions", .viewer, Self.listOperation, list)
        routes.api(.post, "/v1/suppressions", .editor, Self.addOperation, addJSON)
        routes.api(.delete, "/v1/suppressions/{id}", .admin, Self.liftOperation, liftJSON)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        .page(try await page(request))
    }

    private func page(_ request: WebRequest) async throws -> SuppressionsPage {
        let reason: SuppressionReason? = request.query.optional("reason").flatMap { SuppressionReason(rawValue: $0) }
        let query: String? = request.query.optional("q")
        let (found, next) = try await find(request, reason: reason, query: query)
        let tabs: [Tab] =
            [Tab(label: "All", href: "/suppressions", current: reason == nil)]
            + SuppressionReason.allCases.map {
                Tab(label: $0.label, href: "/suppressions?reason=\($0.rawValue)", current: $0 == reason)
            }
        let nextHref: String? = next.map {
            "/suppressions" + PercentEncoding.query([("reason", reason?.rawValue), ("q", query), ("cursor", $0)])
        }
        return SuppressionsPage(
            rows: found.map { SuppressionRecord(suppression: $0) }, tabs: tabs, query: query ?? "",
            pager: Pager(summary: found.isEmpty ? "Nobody" : "\(found.count) shown", nextHref: nextHref),
            canEdit: try request.member.role >= .editor)
    }

    private func find(
        _ request: WebRequest, reason: SuppressionReason?, query: String?
    ) async throws -> ([Suppression], String?) {
        let asked: PageRequest = try request.pageRequest()
        let after: (Date, SuppressionID)? = asked.after.flatMap { keys in
            guard keys.count == 2, let micros = Int64(keys[0]), let id = SuppressionID(keys[1]) else { return nil }
            return (Date(timeIntervalSince1970: Double(micros) / 1_000_000), id)
        }
        let scope = try request.scope
        var found: [Suppression] = try await services.database.read(scope.workspace) { tx in
            try await SuppressionQueries(workspace: scope.workspace, tx: tx)
                .page(reason: reason, search: query, after: after, limit: asked.limit + 1)
        }
        guard found.count > asked.limit else { return (found, nil) }
        found.removeLast()
        guard let last = found.last else { return (found, nil) }
        let micros = Int64((last.createdAt.timeIntervalSince1970 * 1_000_000).rounded())
        return (found, request.cursor(after: [String(micros), last.id.description]))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let typed: String = try await request.form().text("email")
        do {
            try await suppress(typed, source: "member", by: try request.scope)
        } catch let errors as ValidationErrors {
            var page = try await page(request)
            page.errors = errors
            page.email = FormField("email", typed, errors)
            return .page(page, status: .unprocessableContent)
        }
        return .redirect(to: "/suppressions", notice: "\(typed) will get no more campaigns.")
    }

    private func lift(_ request: WebRequest) async throws -> WebResponse {
        let email: String = try await lifted(request)
        return .redirect(to: "/suppressions", notice: "\(email) can be sent to again.")
    }

    // MARK: JSON

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let reason: SuppressionReason? = request.query.optional("reason").flatMap { SuppressionReason(rawValue: $0) }
        let (found, next) = try await find(request, reason: reason, query: request.query.optional("q"))
        return try .json(CursorPage(data: found.map { SuppressionOutput($0) }, nextCursor: next))
    }

    private struct AddInput: Decodable {
        let email: String
    }

    private func addJSON(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(AddInput.self)
        let key: String = try await suppress(input.email, source: "api", by: try request.scope)
        let scope = try request.scope
        let stored = try await services.database.read(scope.workspace) { tx in
            try await SuppressionQueries(workspace: scope.workspace, tx: tx).active(key)
        }
        guard let stored else { throw WebError.notFound }
        return try .json(SuppressionOutput(stored), status: .created)
    }

    private func liftJSON(_ request: WebRequest) async throws -> WebResponse {
        _ = try await lifted(request)
        return .empty()
    }

    // MARK: Both

    @discardableResult
    private func suppress(_ typed: String, source: String, by scope: WorkspaceScope) async throws -> String {
        let address: EmailAddress
        do {
            address = try EmailAddress(parsing: typed.trimmed)
        } catch {
            throw ValidationErrors("email", error.message)
        }
        try await services.database.write(scope.workspace) { tx in
            try await SuppressionQueries(workspace: scope.workspace, tx: tx)
                .add(address.key, reason: .manual, source: source, id: services.ids.next(), now: services.clock.now)
            try await services.audit.record(
                "stopped sending to", subject: address.key, href: "/suppressions", by: scope, in: tx)
        }
        return address.key
    }

    private func lifted(_ request: WebRequest) async throws -> String {
        let id: SuppressionID = try request.id()
        let scope = try request.scope
        let email: String? = try await services.database.write(scope.workspace) { tx in
            let queries = SuppressionQueries(workspace: scope.workspace, tx: tx)
            guard let found = try await queries.find(id) else { return nil }
            try await queries.lift(found.email, now: services.clock.now)
            try await allow(found.email, scope, in: tx)
            try await services.audit.record(
                "allowed sending again to", subject: found.email, href: "/suppressions", by: scope, in: tx)
            return found.email
        }
        guard let email else { throw WebError.notFound }
        return email
    }

    /// A contact that is marked as bounced would get nothing all the same. Who unsubscribed or complained stays so: only
    /// they can change it.
    private func allow(_ email: String, _ scope: WorkspaceScope, in tx: PostgresTransaction) async throws {
        guard let address = try? EmailAddress(parsing: email),
            let contact = try await ContactLookup.contact(email: address, scope, in: tx),
            contact.emailStatus == .bounced
        else { return }
        try await ContactEmailStatus.set(.active, of: [contact.id], scope, services: services, in: tx)
    }

    private static let schema = APISchema.object(
        [
            ("id", .id), ("email", .email), ("reason", .string(oneOf: SuppressionReason.allCases.map(\.rawValue))),
            ("source", .string), ("contactId", .nullable(.id)), ("messageId", .nullable(.id)), ("createdAt", .dateTime),
        ],
        required: ["id", "email", "reason", "source", "createdAt"])
    private static let listOperation = APIOperation(
        id: "listSuppressions", tag: "Suppressions", summary: "Addresses that get no campaigns",
        query: [.init("reason", .string, "Only for this reason."), .init("q", .string, "The address begins so.")]
            + APIOperation.paging, response: .page(of: .ref("Suppression")))
    private static let addOperation = APIOperation(
        id: "addSuppression", tag: "Suppressions", summary: "Stop sending to an address",
        body: .object([("email", .email)], required: ["email"]), status: 201, response: .ref("Suppression"))
    private static let liftOperation = APIOperation(
        id: "liftSuppression", tag: "Suppressions", summary: "Allow sending to an address again", status: 204)
}

struct SuppressionOutput: Encodable {
    let id: SuppressionID
    let email: String
    let reason: SuppressionReason
    let source: String
    let contactId: ContactID?
    let messageId: MessageID?
    let createdAt: Date

    init(_ suppression: Suppression) {
        id = suppression.id
        email = suppression.email
        reason = suppression.reason
        source = suppression.source
        contactId = suppression.contact
        messageId = suppression.message
        createdAt = suppression.createdAt
    }
}
