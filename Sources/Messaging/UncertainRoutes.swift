import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The messages of a send of which nobody knows whether they arrived, and what to do about them.
struct UncertainPage: ViewPage {
    let send: String
    let total: Int
    let rows: [UncertainRecord]
    let backHref: String
    let pager: Pager
    let canEdit: Bool

    static let view = "messaging/uncertain"
    static let fields = Fields<UncertainPage> { f in
        f.text("send") { $0.send }
        f.number("total") { $0.total }
        f.list("rows", of: UncertainRecord.self) { $0.rows }
        f.link("backHref") { $0.backHref }
        f.record("pager", of: Pager.self) { $0.pager }
        f.flag("canEdit") { $0.canEdit }
    }
    static var previews: [UncertainPage] {
        [
            UncertainPage(
                send: "1", total: 0, rows: [], backHref: "/campaigns", pager: Pager(summary: "0 shown"), canEdit: true)
        ]
    }
}

struct UncertainRecord: ViewRecord {
    let message: UncertainMessage

    static let fields = Fields<UncertainRecord> { f in
        f.text("id") { "\($0.message.id)" }
        f.text("email") { $0.message.email ?? "" }
        f.link("contactHref") { "/contacts/\($0.message.contact)" }
        f.text("reason") { $0.message.reason?.label ?? "Nobody knows whether it arrived" }
        f.optionalText("detail") { $0.message.detail }
    }
}

struct UncertainRoutes: Sendable {
    let services: AppServices
    let sends: SendActions

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/sends/{id}/uncertain", .viewer, index)
        routes.page(.post, "/sends/{id}/uncertain", .editor, decide)
        routes.api(.post, "/v1/sends/{id}/uncertain", .editor, Self.operation, decideJSON)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let id: SendID = try request.id()
        let scope = try request.scope
        let asked: PageRequest = try request.pageRequest(defaultLimit: 100)
        let after: MessageID? = asked.after?.first.flatMap { MessageID($0) }
        let found = try await services.database.read(scope.workspace) { tx in
            (
                try await SendQueries(workspace: scope.workspace, tx: tx).summary(id),
                try await UncertainQueries(workspace: scope.workspace, send: id, tx: tx)
                    .page(after: after, limit: asked.limit + 1)
            )
        }
        guard let summary = found.0 else { throw WebError.notFound }
        let rows: [UncertainMessage] = Array(found.1.prefix(asked.limit))
        let nextHref: String? =
            found.1.count > asked.limit
            ? rows.last.map { last in
                "/sends/\(id)/uncertain"
                    + PercentEncoding.query([("cursor", request.cursor(after: [last.id.description]))])
            } : nil
        return .page(
            UncertainPage(
                send: id.description, total: summary.uncertain, rows: rows.map { UncertainRecord(message: $0) },
                backHref: summary.campaign.map { "/campaigns/\($0)" } ?? "/campaigns",
                pager: Pager(summary: "\(rows.count) of \(summary.uncertain) shown", nextHref: nextHref),
                canEdit: try request.member.role >= .editor))
    }

    private func decide(_ request: WebRequest) async throws -> WebResponse {
        let id: SendID = try request.id()
        let form = try await request.form()
        let again: Bool = form.text("decision") == "again"
        let chosen: [MessageID] = form.all("messages").compactMap { MessageID($0) }
        let count: Int = try await resolve(
            id, sendAgain: again, messages: form.flag("all") ? nil : chosen, by: try request.scope)
        let words: String = count == 1 ? "1 message" : "\(count) messages"
        return .redirect(
            to: "/sends/\(id)/uncertain", notice: again ? "\(words) will be sent again." : "\(words) counted as sent.")
    }

    private struct Input: Decodable {
        enum Decision: String, Decodable {
            case sent
            case sendAgain = "send_again"
        }

        let decision: Decision
        let messageIds: [MessageID]?
    }

    private struct Output: Encodable {
        let count: Int
    }

    private func decideJSON(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        let count: Int = try await resolve(
            try request.id(), sendAgain: input.decision == .sendAgain, messages: input.messageIds, by: try request.scope
        )
        return try .json(Output(count: count))
    }

    private func resolve(
        _ id: SendID, sendAgain: Bool, messages: [MessageID]?, by scope: WorkspaceScope
    ) async throws -> Int {
        let count: Int? = try await services.database.write(scope.workspace) { tx in
            guard let summary = try await SendQueries(workspace: scope.workspace, tx: tx).summary(id) else {
                return nil
            }
            let count: Int = try await sends.resolveUncertain(
                id, sendAgain: sendAgain, messages: messages, workspace: scope.workspace, in: tx)
            guard count > 0 else { return 0 }
            try await services.audit.record(
                sendAgain ? "sent uncertain messages again" : "counted uncertain messages as sent",
                subject: "\(count)", href: summary.campaign.map { "/campaigns/\($0)" }, by: scope, in: tx)
            return count
        }
        guard let count else { throw WebError.notFound }
        return count
    }

    private static let operation = APIOperation(
        id: "resolveUncertainMessages", tag: "Campaigns",
        summary: "Decide about messages of which nobody knows whether they arrived",
        details: "Without `messageIds` the decision is about all uncertain messages of the send.",
        body: .object(
            [("decision", .string(oneOf: ["sent", "send_again"])), ("messageIds", .array(of: .id))],
            required: ["decision"]),
        response: .object([("count", .integer)], required: ["count"]))
}
