import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The log of deeds: looked at with a filter, deed by deed with the values before and after, and taken out as CSV.
struct AuditRoutes: Sendable {
    let services: AppServices
    let vocabulary: AuditVocabulary.Source

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
        let wanted: Int = errors.isEmpty ? paging.limit + 1 : 0
        let look: Look = try await look(asked, before: before, limit: wanted, scope)
        let entries: [AuditEntry] = look.entries
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
            entries: shown.map { AuditRow($0, look.speech) }, pager: pager, filter: asked, people: look.people,
            query: request.query,
            errors: errors, check: look.check)
        return .page(page, status: errors.isEmpty ? .ok : .unprocessableContent)
    }

    /// What the page shows, read at once.
    private struct Look: Sendable {
        var entries: [AuditEntry] = []
        var people: [(UserID, String)] = []
        var check: AuditCheck?
        var speech = AuditSpeech()
    }

    private func look(
        _ filter: AuditFilter, before: Identifier<AuditEntryTag>?, limit: Int, _ scope: WorkspaceScope
    ) async throws -> Look {
        try await services.database.read(scope.workspace) { transaction in
            var look = Look()
            if limit > 0 {
                look.entries = try await services.audit.page(
                    filter, scope, before: before, limit: limit, in: transaction)
            }
            look.people = try await transaction.rows(
                as: (UserID, String).self, "accounts.audit.people",
                """
                SELECT u.id, u.name FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                WHERE m.workspace_id = \(scope.workspace) ORDER BY u.name LIMIT 200
                """)
            look.check = try await AuditChain(services: services).lastCheck(scope.workspace, in: transaction)
            look.speech = try await speech(for: look.entries, scope, in: transaction)
            return look
        }
    }

    private func speech(
        for entries: [AuditEntry], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> AuditSpeech {
        let zone: String = try await services.directory.workspace(scope.workspace)?.timeZone ?? "UTC"
        let mentions: AuditVocabulary.Mentions = AuditSpeech.mentions(entries)
        return AuditSpeech(vocabulary: try await vocabulary(mentions, zone, scope, transaction), zone: zone)
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
