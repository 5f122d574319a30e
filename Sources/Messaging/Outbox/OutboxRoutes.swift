import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The messages that were kept instead of sent.
struct OutboxPage: ViewPage {
    let rows: [OutboxRecord]
    let query: String
    let pager: Pager
    let limits: OutboxLimits

    static let view = "messaging/outbox"
    static let fields = Fields<OutboxPage> { f in
        f.list("rows", of: OutboxRecord.self) { $0.rows }
        f.text("query") { $0.query }
        f.record("pager", of: Pager.self) { $0.pager }
        f.number("days") { $0.limits.days }
        f.number("limit") { $0.limits.messages }
    }
    static var previews: [OutboxPage] {
        [OutboxPage(rows: [], query: "", pager: Pager(summary: "0 shown"), limits: OutboxLimits())]
    }
}

struct OutboxRecord: ViewRecord {
    let row: OutboxRow

    static let fields = Fields<OutboxRecord> { f in
        f.link("href") { "/outbox/\($0.row.id)" }
        f.text("recipient") { $0.row.recipient }
        f.text("subject") { $0.row.subject.isEmpty ? "(no subject)" : $0.row.subject }
        f.number("size") { $0.row.size }
        f.date("at") { $0.row.createdAt }
    }
}

/// One message of the Outbox, with all its parts.
struct OutboxMessagePage: ViewPage {
    let id: String
    let recipient: String
    let subject: String
    let at: Date
    let size: Int
    let text: String
    let headers: String

    static let view = "messaging/outbox-message"
    static let fields = Fields<OutboxMessagePage> { f in
        f.link("htmlHref") { "/outbox/\($0.id)/html" }
        f.link("rawHref") { "/outbox/\($0.id)/raw" }
        f.text("recipient") { $0.recipient }
        f.text("subject") { $0.subject.isEmpty ? "(no subject)" : $0.subject }
        f.date("at") { $0.at }
        f.number("size") { $0.size }
        f.text("text") { $0.text }
        f.text("headers") { $0.headers }
    }
    static var previews: [OutboxMessagePage] {
        [
            OutboxMessagePage(
                id: "1", recipient: "ana@example.com", subject: "Hello", at: Date(timeIntervalSince1970: 0), size: 2048,
                text: "Hello", headers: "Subject: Hello")
        ]
    }
}

struct OutboxRoutes: Sendable {
    let services: AppServices
    let limits: OutboxLimits

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/outbox", .viewer, index)
        routes.page(.get, "/outbox/{id}", .viewer, show)
        routes.page(.get, "/outbox/{id}/html", .viewer, html)
        routes.page(.get, "/outbox/{id}/raw", .viewer, raw)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let asked: PageRequest = try request.pageRequest()
        let before: MessageID? = asked.after?.first.flatMap { MessageID($0) }
        let query: String? = request.query.optional("q")
        let scope = try request.scope
        var rows: [OutboxRow] = try await services.database.read(scope.workspace) { tx in
            try await OutboxQueries(workspace: scope.workspace, tx: tx)
                .page(search: query, before: before, limit: asked.limit + 1)
        }
        var nextHref: String?
        if rows.count > asked.limit {
            rows.removeLast()
            nextHref = rows.last.map { row in
                "/outbox"
                    + PercentEncoding.query([("q", query), ("cursor", request.cursor(after: [row.id.description]))])
            }
        }
        return .page(
            OutboxPage(
                rows: rows.map { OutboxRecord(row: $0) }, query: query ?? "",
                pager: Pager(summary: "\(rows.count) shown", nextHref: nextHref), limits: limits))
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let id: MessageID = try request.id()
        let scope = try request.scope
        let (row, raw) = try await services.database.read(scope.workspace) { tx in
            let queries = OutboxQueries(workspace: scope.workspace, tx: tx)
            return (try await queries.row(id), try await queries.raw(id))
        }
        guard let row, let raw else { throw WebError.notFound }
        let message = OutboxReader(raw)
        return .page(
            OutboxMessagePage(
                id: id.description, recipient: row.recipient, subject: row.subject, at: row.createdAt, size: row.size,
                text: message.text, headers: message.headers))
    }

    private func html(_ request: WebRequest) async throws -> WebResponse {
        .sandboxed(html: Array(OutboxReader(try await bytes(request)).html.utf8))
    }

    private func raw(_ request: WebRequest) async throws -> WebResponse {
        .bytes(
            try await bytes(request), contentType: "message/rfc822",
            headers: [.contentDisposition: ContentDisposition.attachment("message.eml")])
    }

    private func bytes(_ request: WebRequest) async throws -> [UInt8] {
        let id: MessageID = try request.id()
        let scope = try request.scope
        let raw: [UInt8]? = try await services.database.read(scope.workspace) { tx in
            try await OutboxQueries(workspace: scope.workspace, tx: tx).raw(id)
        }
        guard let raw else { throw WebError.notFound }
        return raw
    }
}
