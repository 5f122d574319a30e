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

    package var label: String {
        switch self {
        case .unsubscribed: "Unsubscribed"
        case .hardBounce: "Bounced"
        case .softBounce: "Kept bouncing"
        case .complaint: "Marked as spam"
        case .manual: "Added by hand"
        }
    }
}

extension SuppressionReason: PostgresCodable, PostgresArrayElement {}

package enum SuppressionTag {}
package typealias SuppressionID = Identifier<SuppressionTag>

/// An address that must not get marketing mail.
package struct Suppression: PostgresRow, Sendable {
    package static let columns: SQL = "id, email_key, reason, source, contact_id, message_id, created_at"
    package let id: SuppressionID
    package let email: String
    package let reason: SuppressionReason
    /// Where it came from: `link`, `one_click`, `smtp`, `report`, `member`, `api`.
    package let source: String
    package let contact: ContactID?
    package let message: MessageID?
    package let createdAt: Date

    package init(row: inout RowReader) throws {
        id = try row.next()
        email = try row.next()
        reason = try row.next()
        source = try row.next()
        contact = try row.next()
        message = try row.next()
        createdAt = try row.next()
    }
}

/// The list of addresses that must not get marketing mail.
package struct SuppressionQueries: Sendable {
    package let workspace: WorkspaceID
    package let tx: PostgresTransaction

    package init(workspace: WorkspaceID, tx: PostgresTransaction) {
        self.workspace = workspace
        self.tx = tx
    }

    /// Suppresses an address; an address that is suppressed already stays as it is, unless the new reason is graver:
    /// somebody who unsubscribed and then complains counts as a complaint.
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
            SET reason = excluded.reason, source = excluded.source, message_id = excluded.message_id
            WHERE \(isGrave) AND marketing_suppressions.reason <> excluded.reason
                AND marketing_suppressions.reason <> 'complaint'
            """) > 0
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

    /// Lets an address get mail again. The row stays as history.
    /// - Parameter reason: only a suppression for this reason; nil: whatever it is.
    @discardableResult
    package func lift(_ emailKey: String, reason: SuppressionReason? = nil, now: Date) async throws -> Bool {
        let only: SQL = reason.map { "AND reason = \($0)" } ?? ""
        return try await tx.run(
            "messaging.lift",
            """
            UPDATE marketing_suppressions SET lifted_at = \(now)
            WHERE workspace_id = \(workspace) AND email_key = \(emailKey) AND lifted_at IS NULL \(only)
            """) > 0
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

    /// The newest first, from after a given one.
    package func page(
        reason: SuppressionReason?, search: String?, after: (Date, SuppressionID)?, limit: Int
    ) async throws -> [Suppression] {
        let matching: SQL = reason.map { "AND reason = \($0)" } ?? ""
        let found: SQL = search.map { "AND starts_with(email_key, \($0.lowercased()))" } ?? ""
        let rest: SQL = after.map { "AND (created_at, id) < (\($0.0), \($0.1))" } ?? ""
        return try await tx.all(
            Suppression.self, "messaging.suppressions",
            """
            SELECT \(Suppression.columns) FROM marketing_suppressions
            WHERE workspace_id = \(workspace) AND lifted_at IS NULL \(matching) \(found) \(rest)
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """)
    }
}
