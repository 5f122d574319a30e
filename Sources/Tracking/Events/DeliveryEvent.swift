import Core
import FoundationEssentials
import Postgres

/// A report about a message that came back by mail, kept among its opens and clicks.
package struct DeliveryEvent: Sendable {
    package enum Kind: String, Sendable {
        case bounce, complaint
    }

    package let id: Identifier<EmailEventTag>
    package let message: MessageID
    package let contact: ContactID
    package let kind: Kind
    package let occurredAt: Date
    /// What it was judged to be: a bounce's class, a complaint's type.
    package let verdict: String
    /// The rule that decided and its version, so that history can be judged anew.
    package let rule: String
    /// Who wrote the report.
    package let reporter: String

    package init(
        id: Identifier<EmailEventTag>, message: MessageID, contact: ContactID, kind: Kind, occurredAt: Date,
        verdict: String, rule: String, reporter: String
    ) {
        self.id = id
        self.message = message
        self.contact = contact
        self.kind = kind
        self.occurredAt = occurredAt
        self.verdict = verdict
        self.rule = rule
        self.reporter = reporter
    }

    /// Whether a report of this kind is known of a message.
    package static func exists(
        _ kind: Kind, of message: MessageID, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> Bool {
        try await tx.value(
            Bool.self, "tracking.delivery_event.exists",
            """
            SELECT EXISTS (SELECT FROM marketing_email_events
                WHERE workspace_id = \(workspace) AND message_id = \(message) AND kind = \(kind.rawValue))
            """)
    }

    package func insert(workspace: WorkspaceID, in tx: PostgresTransaction) async throws {
        try await tx.run(
            "tracking.delivery_event.insert",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, occurred_at, class,
                class_reason, user_agent, network)
            VALUES (\(workspace), \(id), \(message), \(contact), \(kind.rawValue), \(occurredAt), \(verdict), \(rule),
                \(reporter), '')
            """)
    }
}
