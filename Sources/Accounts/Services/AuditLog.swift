import Core
import FoundationEssentials
import Postgres

/// Who did what, written in the same transaction as the deed.
package struct AuditLog: Sendable {
    private let clock: WallClock
    private let ids: IdentifierSource

    init(clock: WallClock, ids: IdentifierSource) {
        self.clock = clock
        self.ids = ids
    }

    /// Records a deed in words that a person reads: “Ana Ruiz *changed the postal address*”.
    /// - Parameters:
    ///   - action: a past-tense phrase without its subject.
    ///   - subject: what it was done to, by name.
    ///   - href: the page of the subject.
    ///   - details: before and after, or whatever explains it.
    package func record(
        _ action: String, subject: String? = nil, href: String? = nil, details: [String: JSONValue] = [:],
        by scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        let id: Identifier<AuditEntryTag> = ids.next()
        try await transaction.run(
            "accounts.audit.record",
            """
            INSERT INTO marketing_audit_log
                (workspace_id, id, actor_id, actor_name, action, subject, href, details, occurred_at)
            SELECT \(scope.workspace), \(id), \(scope.actor),
                coalesce((SELECT name FROM marketing_users WHERE id = \(scope.actor)), 'Marketing Portal'),
                \(action), \(subject), \(href), \(JSONValue.object(details)), \(clock.now)
            """)
    }

    /// The newest deeds first.
    func page(
        _ scope: WorkspaceScope, before: Identifier<AuditEntryTag>?, limit: Int, in transaction: PostgresTransaction
    )
        async throws -> [AuditEntry]
    {
        let position: SQL = before.map { " AND id < \($0)" } ?? ""
        return try await transaction.all(
            AuditEntry.self, "accounts.audit.page",
            """
            SELECT \(AuditEntry.columns) FROM marketing_audit_log
            WHERE workspace_id = \(scope.workspace)\(position) ORDER BY id DESC LIMIT \(limit)
            """)
    }
}

package enum AuditEntryTag {}

/// One deed as it is shown.
struct AuditEntry: PostgresRow {
    let id: Identifier<AuditEntryTag>
    let actor: String
    let action: String
    let subject: String?
    let href: String?
    let occurredAt: Date

    static let columns: SQL = "id, actor_name, action, subject, href, occurred_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        actor = try row.next()
        action = try row.next()
        subject = try row.next()
        href = try row.next()
        occurredAt = try row.next()
    }
}
