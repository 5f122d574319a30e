import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The log of deeds: looked at with a filter, deed by deed with the values before and after, and taken out as CSV.
struct AuditRoutes: Sendable {
    let services: AppServices

    static let path = "/settings/audit"

    func add(to routes: inout RouteTable) {
        routes.page(.get, Self.path, .admin, index)
        routes.page(.get, Self.path + "/export", .admin, export)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let paging = try request.pageRequest()
        let before = paging.after?.first.flatMap { Identifier<AuditEntryTag>($0) }
        var errors = ValidationErrors()
        var filter = AuditFilter()
        do throws(ValidationErrors) {
            filter = try AuditFilter(request.query)
        } catch {
            errors = error
        }
        let asked: AuditFilter = filter
        let (entries, people, check) = try await services.database.read(scope.workspace) { transaction in
            (
                errors.isEmpty
                    ? try await services.audit.page(
                        asked, scope, before: before, limit: paging.limit + 1, in: transaction) : [],
                try await transaction.rows(
                    as: (UserID, String).self, "accounts.audit.people",
                    """
                    SELECT u.id, u.name FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                    WHERE m.workspace_id = \(scope.workspace) ORDER BY u.name LIMIT 200
                    """),
                try await AuditChain(services: services).lastCheck(scope.workspace, in: transaction)
            )
        }
        let shown: [AuditEntry] = Array(entries.prefix(paging.limit))
        var next: String?
        if entries.count > paging.limit, let last = shown.last {
            let cursor: String = request.cursor(after: ["\(last.id)"])
            next = Self.path + PercentEncoding.query(asked.pairs + [("cursor", cursor)])
        }
        let pager = Pager(
            summary: shown.isEmpty ? "Nothing here" : "Newest first",
            previousHref: before == nil ? nil : Self.path + PercentEncoding.query(asked.pairs), nextHref: next)
        let page = AuditPage(
            entries: shown.map(AuditRow.init), pager: pager, filter: asked, people: people, query: request.query,
            errors: errors, check: check)
        return .page(page, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let filter = try AuditFilter(request.query)
        try await services.database.write(scope.workspace) { transaction in
            try await services.audit.record("exported the audit log", href: Self.path, by: scope, in: transaction)
        }
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "audit.csv") { writer in
            try await write(filter, scope, to: writer)
        }
    }

    private func write(_ filter: AuditFilter, _ scope: WorkspaceScope, to writer: BodyWriter) async throws {
        var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
        CSVWriter.append(
            ["when", "who", "what", "record", "part", "before", "after", "details", "request", "network"], to: &bytes)
        var last: Identifier<AuditEntryTag>?
        while true {
            let before: Identifier<AuditEntryTag>? = last
            let entries: [AuditEntry] = try await services.database.read(scope.workspace) { transaction in
                try await services.audit.page(filter, scope, before: before, limit: 1_000, in: transaction)
            }
            for entry in entries {
                CSVWriter.append(
                    [
                        ISO8601.format(entry.occurredAt), entry.actor, entry.action, entry.subject ?? "",
                        entry.area.rawValue, entry.before.map(AuditEntry.words) ?? "",
                        entry.after.map(AuditEntry.words) ?? "", AuditEntry.words(entry.details), entry.request ?? "",
                        entry.network ?? "",
                    ], to: &bytes)
            }
            try await writer.write(bytes)
            bytes.removeAll(keepingCapacity: true)
            guard entries.count == 1_000, let end = entries.last else { return }
            last = end.id
        }
    }
}
