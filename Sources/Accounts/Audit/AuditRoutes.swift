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
        let (entries, people) = try await services.database.read(scope.workspace) { transaction in
            (
                errors.isEmpty
                    ? try await services.audit.page(
                        asked, scope, before: before, limit: paging.limit + 1, in: transaction) : [],
                try await transaction.rows(
                    as: (UserID, String).self, "accounts.audit.people",
                    """
                    SELECT u.id, u.name FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                    WHERE m.workspace_id = \(scope.workspace) ORDER BY u.name LIMIT 200
                    """)
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
            errors: errors)
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

/// A deed as the page shows it.
struct AuditRow: ViewRecord {
    let at: Date
    let actor: String
    let action: String
    let subject: String?
    let href: String?
    let changes: [AuditEntry.Change]
    let origin: String?

    struct ChangeRow: ViewRecord {
        let change: AuditEntry.Change

        static let fields = Fields<ChangeRow> { f in
            f.text("field") { $0.change.field }
            f.optionalText("before") { $0.change.before }
            f.optionalText("after") { $0.change.after }
        }
        static var viewType: String { "AuditChange" }
    }

    static let fields = Fields<AuditRow> { f in
        f.date("at") { $0.at }
        f.text("actor") { $0.actor }
        f.text("action") { $0.action }
        f.optionalText("subject") { $0.subject }
        f.optionalLink("href") { $0.href }
        f.list("changes", of: ChangeRow.self) { row in row.changes.map { ChangeRow(change: $0) } }
        f.optionalText("origin") { $0.origin }
    }

    init(_ entry: AuditEntry) {
        at = entry.occurredAt
        actor = entry.actor
        action = entry.action
        subject = entry.subject
        href = entry.href
        changes = entry.changes
        origin = entry.request.map { "Request \($0)" + (entry.network.map { $0.isEmpty ? "" : " from \($0)" } ?? "") }
    }

    private init(example subject: String, changes: [AuditEntry.Change]) {
        at = Date(timeIntervalSince1970: 1_768_469_400)
        actor = "Ana Ruiz"
        action = "changed"
        self.subject = subject
        href = changes.isEmpty ? nil : "/settings"
        self.changes = changes
        origin = changes.isEmpty ? nil : "Request 1f from 192.0.2.0/24"
    }

    static let examples: [AuditRow] = [
        AuditRow(
            example: "Acme",
            changes: [
                AuditEntry.Change(field: "name", before: "Acme Inc.", after: "Acme"),
                AuditEntry.Change(field: "note", before: nil, after: "moved"),
            ]),
        AuditRow(example: "a list", changes: []),
    ]
}

struct AuditPage: ViewPage {
    let entries: [AuditRow]
    let pager: Pager
    var filter = AuditFilter()
    var people: [(UserID, String)] = []
    var query = FormValues()
    var errors = ValidationErrors()

    static let view = "accounts/audit"
    static let fields = Fields<AuditPage> { f in
        f.list("entries", of: AuditRow.self) { $0.entries }
        f.record("pager", of: Pager.self) { $0.pager }
        f.list("people", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Anybody")]
                + page.people.map {
                    SelectOption(value: $0.0.description, label: $0.1, selected: $0.0 == page.filter.actor)
                }
        }
        f.list("areas", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Everything")]
                + AuditArea.allCases.map {
                    SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == page.filter.area)
                }
        }
        f.text("text") { $0.query.text("q") }
        f.text("since") { $0.query.text("since") }
        f.text("until") { $0.query.text("until") }
        f.flag("filtered") { $0.filter != AuditFilter() }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.link("exportHref") { AuditRoutes.path + "/export" + PercentEncoding.query($0.filter.pairs) }
    }

    static var previews: [AuditPage] {
        var filter = AuditFilter()
        filter.area = .settings
        return [
            AuditPage(entries: [], pager: Pager(summary: "Nothing here")),
            AuditPage(
                entries: AuditRow.examples, pager: Pager(summary: "Newest first"), filter: filter,
                people: [(UserID(UUID()), "Ana Ruiz")], errors: ValidationErrors("since", "Give a day like 2026-01-15.")
            ),
        ]
    }
}
