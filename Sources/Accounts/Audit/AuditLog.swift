import Core
import FoundationEssentials
import Postgres
import Web

/// Who did what, written in the same transaction as the deed; `AuditChain` chains it soon after.
package struct AuditLog: Sendable {
    private let clock: WallClock
    private let ids: IdentifierSource

    init(clock: WallClock, ids: IdentifierSource) {
        self.clock = clock
        self.ids = ids
    }

    /// Records a deed in words that a person reads: “Ana Ruiz *changed the postal address*”. The request it came by, and
    /// the network it came from, go along by themselves.
    /// - Parameters:
    ///   - action: a past-tense phrase without its subject.
    ///   - subject: what it was done to, by name.
    ///   - href: the page of the subject; it also tells the area (contacts, campaigns, settings, …).
    ///   - details: whatever explains it.
    ///   - before: the values that changed, as they were. No secrets.
    ///   - after: the same, as they are now.
    package func record(
        _ action: String, subject: String? = nil, href: String? = nil, details: [String: JSONValue] = [:],
        before: [String: JSONValue]? = nil, after: [String: JSONValue]? = nil, by scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        let id: Identifier<AuditEntryTag> = ids.next()
        let trace: RequestTrace? = RequestTrace.current
        try await transaction.run(
            "accounts.audit.record",
            """
            WITH entry AS (
                INSERT INTO marketing_audit_log (workspace_id, id, actor_id, actor_name, action, subject, href,
                    details, occurred_at, area, before, after, request_id, network)
                SELECT \(scope.workspace), \(id), \(scope.actor),
                    coalesce((SELECT name FROM marketing_users WHERE id = \(scope.actor)), 'Marketing Portal'),
                    \(action), \(subject), \(href), \(JSONValue.object(details)), \(clock.now),
                    \(AuditArea(href: href).rawValue), \(before.map { JSONValue.object($0) }),
                    \(after.map { JSONValue.object($0) }), \(trace?.id), \(trace?.network)
                RETURNING workspace_id, id
            )
            INSERT INTO marketing_audit_waiting (workspace_id, entry_id) SELECT workspace_id, id FROM entry
            """)
    }

    /// Records a change with the values that really differ; nothing when none does.
    package func recordChange(
        _ action: String, subject: String? = nil, href: String? = nil, from before: [String: JSONValue],
        to after: [String: JSONValue], by scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        let changed: Set<String> = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
        guard !changed.isEmpty else { return }
        try await record(
            action, subject: subject, href: href, before: before.filter { changed.contains($0.key) },
            after: after.filter { changed.contains($0.key) }, by: scope, in: transaction)
    }

    /// The newest deeds first, those that fit a filter.
    func page(
        _ filter: AuditFilter, _ scope: WorkspaceScope, before: Identifier<AuditEntryTag>?, limit: Int,
        in transaction: PostgresTransaction
    ) async throws -> [AuditEntry] {
        let position: SQL = before.map { " AND id < \($0)" } ?? ""
        return try await transaction.all(
            AuditEntry.self, "accounts.audit.page",
            """
            SELECT \(AuditEntry.columns) FROM marketing_audit_log
            WHERE workspace_id = \(scope.workspace)\(filter.conditions)\(position) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}

package enum AuditEntryTag {}
