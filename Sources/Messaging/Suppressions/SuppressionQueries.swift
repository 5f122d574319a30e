import Core
import FoundationEssentials
import Postgres

/// Why an address must not get marketing mail.
package enum SuppressionReason: String, Sendable, CaseIterable, Codable {
    case unsubscribed
    case hardBounce = "hard_bounce"
    /// Came back again and again: see ``SoftBounces``.
    case softBounce = "soft_bounce"
    case complaint
    case manual
    /// The person was erased; only the hash of the address is left.
    case erased

    package var label: String {
        switch self {
        case .unsubscribed: "Unsubscribed"
        case .hardBounce: "Bounced"
        case .softBounce: "Kept bouncing"
        case .complaint: "Marked as spam"
        case .manual: "Added by hand"
        case .erased: "Erased"
        }
    }
}

extension SuppressionReason: PostgresCodable, PostgresArrayElement {}

package enum SuppressionTag {}
package typealias SuppressionID = Identifier<SuppressionTag>

/// What must not be written to.
package struct Suppression: PostgresRow, Sendable {
    package static let columns: SQL = """
        id, email_key, kind, reason, source, contact_id, message_id, note, created_at, expires_at, lifted_at, lift_reason
        """
    package let id: SuppressionID
    /// The address, `@domain`, `+number` or `#hash`.
    package let key: String
    package let kind: SuppressionKind
    package let reason: SuppressionReason
    /// Where it came from: `link`, `one_click`, `smtp`, `report`, `member`, `api`, `import`, `erasure`.
    package let source: String
    package let contact: ContactID?
    package let message: MessageID?
    package let note: String?
    package let createdAt: Date
    package let expiresAt: Date?
    package let liftedAt: Date?
    package let liftReason: String?

    /// As people read it.
    package var shown: String { SuppressionTarget.shown(key, kind) }

    package init(row: inout RowReader) throws {
        id = try row.next()
        key = try row.next()
        kind = SuppressionKind(rawValue: try row.next()) ?? .email
        reason = try row.next()
        source = try row.next()
        contact = try row.next()
        message = try row.next()
        note = try row.next()
        createdAt = try row.next()
        expiresAt = try row.next()
        liftedAt = try row.next()
        liftReason = try row.next()
    }
}

/// What to suppress, and why.
package struct NewSuppression: Sendable {
    package let target: SuppressionTarget
    package var reason: SuppressionReason = .manual
    package var source: String
    package var note: String?
    package var expiresAt: Date?

    package init(
        _ target: SuppressionTarget, reason: SuppressionReason = .manual, source: String, note: String? = nil,
        expiresAt: Date? = nil
    ) {
        self.target = target
        self.reason = reason
        self.source = source
        self.note = note
        self.expiresAt = expiresAt
    }
}

/// The list of what must not get marketing mail.
package struct SuppressionQueries: Sendable {
    package let workspace: WorkspaceID
    package let tx: PostgresTransaction

    package init(workspace: WorkspaceID, tx: PostgresTransaction) {
        self.workspace = workspace
        self.tx = tx
    }

    /// Suppresses an address; an address that is suppressed already stays as it is, unless the new reason is graver:
    /// somebody who unsubscribed and then complains counts as a complaint. One with an end loses it then.
    /// - Returns: whether something changed.
    @discardableResult
    package func add(
        _ emailKey: String, reason: SuppressionReason, source: String, contact: ContactID? = nil,
        message: MessageID? = nil,
        id: SuppressionID, now: Date
    ) async throws -> Bool {
        let isGrave: Bool = reason == .complaint || reason == .unsubscribed
        return try await tx.run(
            "messaging.suppress",
            """
            INSERT INTO marketing_suppressions
                (workspace_id, id, email_key, reason, source, contact_id, message_id, created_at)
            VALUES (\(workspace), \(id), \(emailKey), \(reason), \(source), \(contact), \(message), \(now))
            ON CONFLICT (workspace_id, email_key) WHERE lifted_at IS NULL DO UPDATE
            SET reason = excluded.reason, source = excluded.source, message_id = excluded.message_id, expires_at = NULL
            WHERE marketing_suppressions.expires_at IS NOT NULL OR (
                \(isGrave) AND marketing_suppressions.reason <> excluded.reason
                AND marketing_suppressions.reason <> 'complaint')
            """) > 0
    }

    /// Suppresses many at once. What is suppressed already keeps its reason; an end is moved out, never in.
    /// - Returns: how many were not suppressed before.
    func add(_ new: [NewSuppression], ids: IdentifierSource, by actor: UserID?, now: Date) async throws -> Int {
        let fresh: [SuppressionID] = new.map { _ in ids.next() }
        return try await tx.value(
            Int.self, "messaging.suppress_many",
            """
            WITH added AS (
                INSERT INTO marketing_suppressions
                    (workspace_id, id, email_key, reason, source, note, expires_at, contact_id, created_by, created_at)
                SELECT DISTINCT ON (n.key) \(workspace), n.id, n.key, n.reason, n.source, n.note, n.expires_at, c.id,
                    \(actor), \(now)
                FROM unnest(\(fresh), \(new.map(\.target.key)), \(new.map(\.reason)), \(new.map(\.source)),
                    \(new.map(\.note)), \(new.map(\.expiresAt))) AS n (id, key, reason, source, note, expires_at)
                LEFT JOIN marketing_contacts c ON c.workspace_id = \(workspace) AND c.email_key = n.key
                    AND c.email_key IS NOT NULL AND c.deleted_at IS NULL
                ORDER BY n.key
                ON CONFLICT (workspace_id, email_key) WHERE lifted_at IS NULL DO UPDATE
                SET expires_at = CASE WHEN excluded.expires_at IS NULL THEN NULL
                    ELSE greatest(marketing_suppressions.expires_at, excluded.expires_at) END
                WHERE marketing_suppressions.expires_at IS NOT NULL
                RETURNING (xmax = 0) AS is_new
            )
            SELECT count(*) FILTER (WHERE is_new) FROM added
            """)
    }

    /// Suppresses the addresses that a mail server called unknown; answers whose they are.
    func addBounces(_ messages: [MessageID], ids: IdentifierSource, now: Date) async throws -> [ContactID] {
        let fresh: [SuppressionID] = messages.map { _ in ids.next() }
        return try await tx.values(
            ContactID.self, "messaging.suppress_bounces",
            """
            INSERT INTO marketing_suppressions
                (workspace_id, id, email_key, reason, source, contact_id, message_id, detail, created_at)
            SELECT \(workspace), b.id, c.email_key, 'hard_bounce', 'smtp', c.id, m.id, m.provider_response, \(now)
            FROM unnest(\(messages), \(fresh)) AS b (message_id, id)
            JOIN marketing_messages m ON m.workspace_id = \(workspace) AND m.id = b.message_id AND m.state = 'failed'
            JOIN marketing_contacts c ON c.workspace_id = \(workspace) AND c.id = m.contact_id
            WHERE c.email_key IS NOT NULL
            ON CONFLICT (workspace_id, email_key) WHERE lifted_at IS NULL DO NOTHING
            RETURNING contact_id
            """)
    }

    /// Lets it get mail again. The row stays as history.
    /// - Parameters:
    ///   - reason: only a suppression for this reason; nil: whatever it is.
    ///   - words: why it is lifted.
    @discardableResult
    package func lift(
        _ emailKey: String, reason: SuppressionReason? = nil, by actor: UserID? = nil, words: String? = nil, now: Date
    ) async throws -> Bool {
        let only: SQL = reason.map { "AND reason = \($0)" } ?? ""
        return try await tx.run(
            "messaging.lift",
            """
            UPDATE marketing_suppressions SET lifted_at = \(now), lifted_by = \(actor), lift_reason = \(words)
            WHERE workspace_id = \(workspace) AND email_key = \(emailKey) AND lifted_at IS NULL \(only)
            """) > 0
    }

    /// Lifts what has come to its end; answers how many.
    func liftExpired(now: Date) async throws -> Int {
        try await tx.run(
            "messaging.lift_expired",
            """
            UPDATE marketing_suppressions SET lifted_at = expires_at, lift_reason = 'Its time ran out.'
            WHERE workspace_id = \(workspace) AND lifted_at IS NULL AND expires_at IS NOT NULL AND expires_at <= \(now)
            """)
    }

    package func find(_ id: SuppressionID) async throws -> Suppression? {
        try await tx.first(
            Suppression.self, "messaging.suppression",
            """
            SELECT \(Suppression.columns) FROM marketing_suppressions
            WHERE workspace_id = \(workspace) AND id = \(id) AND lifted_at IS NULL
            """)
    }

    package func active(_ emailKey: String) async throws -> Suppression? {
        try await tx.first(
            Suppression.self, "messaging.suppression_of",
            """
            SELECT \(Suppression.columns) FROM marketing_suppressions
            WHERE workspace_id = \(workspace) AND email_key = \(emailKey) AND lifted_at IS NULL
            """)
    }
}

/// What a list of suppressions shows.
struct SuppressionFilter: Sendable, Equatable {
    var reason: SuppressionReason?
    var kind: SuppressionKind?
    /// What the address, domain or number begins with.
    var search: String?
    /// Those that were lifted instead of those in force.
    var isLifted: Bool = false

    /// As conditions. A beginning is a range of keys, which the index of keys answers; `LIKE` could not use it behind the
    /// workspace wall.
    var conditions: SQL {
        var sql: SQL = isLifted ? "lifted_at IS NOT NULL" : "lifted_at IS NULL"
        if let reason { sql += " AND reason = \(reason)" }
        if let kind { sql += " AND kind = \(kind.rawValue)" }
        guard let search else { return sql }
        var beginning: String = search.lowercased()
        if kind == .domain, !beginning.hasPrefix("@") { beginning = "@" + beginning }
        let domain: String = "@" + beginning
        sql += """
             AND ((email_key >= \(beginning) AND email_key < \(beginning + "\u{10FFFF}"))
                OR (email_key >= \(domain) AND email_key < \(domain + "\u{10FFFF}")))
            """
        return sql
    }
}

extension SuppressionQueries {
    /// The newest first, from after a given one.
    func page(
        _ filter: SuppressionFilter, after: (Date, SuppressionID)?, limit: Int
    ) async throws -> [Suppression] {
        let rest: SQL = after.map { "AND (created_at, id) < (\($0.0), \($0.1))" } ?? ""
        return try await tx.all(
            Suppression.self, "messaging.suppressions",
            """
            SELECT \(Suppression.columns) FROM marketing_suppressions
            WHERE workspace_id = \(workspace) AND \(filter.conditions) \(rest)
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """)
    }
}
