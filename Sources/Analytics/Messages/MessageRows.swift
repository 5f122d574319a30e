import Core
import FoundationEssentials
import Messaging
import Postgres

/// One line of a campaign's message log, as pages and JSON show it.
struct MessageRow: PostgresRow, Encodable, Sendable {
    static let columns: SQL = """
        m.id, m.contact_id, m.occurrence::bigint, m.email, c.first_name, c.last_name, m.state, m.reason,
        m.provider_response, m.attempt::bigint, m.created_at, m.next_attempt_at, m.sent_at, m.bounced_at, m.opened_at,
        m.clicked_at, m.unsubscribed_at, m.open_count::bigint, m.click_count::bigint
        """
    let id: MessageID
    let contact: ContactID
    let occurrence: Int
    let email: String?
    let firstName: String?
    let lastName: String?
    let stateName: String
    let reason: String?
    /// The reason in words.
    let reasonLabel: String?
    /// What the mail server answered, as it came.
    let response: String?
    let attempts: Int
    let createdAt: Date
    let nextAttemptAt: Date?
    let sentAt: Date?
    let bouncedAt: Date?
    let openedAt: Date?
    let clickedAt: Date?
    let unsubscribedAt: Date?
    let openCount: Int
    let clickCount: Int

    /// No mail server was asked: the workspace has none yet.
    var isKeptInOutbox: Bool { state == .sent && response == OutboxAnswer.kept }

    var state: MessageState { MessageState(rawValue: stateName) ?? .failed }

    /// First and last name; nil when the person has neither or is gone.
    var name: String? {
        let parts: [String] = [firstName, lastName].compactMap { $0 }.filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    var title: String { name ?? email ?? "No name" }

    /// Names in JSON; the occurrence is for cursors only.
    private enum CodingKeys: String, CodingKey {
        case id, contact = "contactId", email, firstName, lastName, stateName = "status", reason
        case reasonLabel = "reasonText", response = "providerResponse", attempts, createdAt, nextAttemptAt, sentAt
        case bouncedAt, openedAt, clickedAt, unsubscribedAt, openCount, clickCount
    }
}

extension MessageRow {
    init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        occurrence = try row.next()
        email = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        stateName = try row.next()
        reason = try row.next()
        reasonLabel = reason.map { MessageReason(rawValue: $0)?.label ?? $0 }
        response = try row.next()
        attempts = try row.next()
        createdAt = try row.next()
        nextAttemptAt = try row.next()
        sentAt = try row.next()
        bouncedAt = try row.next()
        openedAt = try row.next()
        clickedAt = try row.next()
        unsubscribedAt = try row.next()
        openCount = try row.next()
        clickCount = try row.next()
    }
}

/// Which messages of a campaign are wanted.
struct MessageFilter: Sendable, Equatable {
    enum Action: String, Sendable, CaseIterable {
        case opened, notOpened = "not_opened", clicked, unsubscribed, complained

        var label: String {
            switch self {
            case .opened: "Opened"
            case .notOpened: "Not opened"
            case .clicked: "Clicked"
            case .unsubscribed: "Unsubscribed"
            case .complained: "Marked as spam"
            }
        }
    }

    var state: MessageState?
    var reason: MessageReason?
    var action: Action?
    /// A part of the e-mail address.
    var search: String?

    var isEmpty: Bool { state == nil && reason == nil && action == nil && search == nil }

    /// `AND …` for the ledger under the name `m`.
    var condition: SQL {
        var condition: SQL = ""
        if let state { condition += " AND m.state = \(state.rawValue)" }
        if let reason { condition += " AND m.reason = \(reason.rawValue)" }
        if let search { condition += " AND strpos(lower(m.email), \(search.lowercased())) > 0" }
        switch action {
        case nil: break
        case .opened: condition += " AND m.opened_at IS NOT NULL"
        case .notOpened: condition += " AND m.opened_at IS NULL AND m.sent_at IS NOT NULL"
        case .clicked: condition += " AND m.clicked_at IS NOT NULL"
        case .unsubscribed: condition += " AND m.unsubscribed_at IS NOT NULL"
        case .complained:
            // Suppressions name the message that was reported; they are fewer than events by far.
            condition += """
                 AND m.id IN (SELECT s.message_id FROM marketing_suppressions s
                    WHERE s.workspace_id = m.workspace_id AND s.reason = 'complaint' AND s.message_id IS NOT NULL)
                """
        }
        return condition
    }
}

/// Where a page of the log ended: rows follow the ledger's unique key, so that no sorting is needed.
struct MessagePosition: Sendable, Equatable {
    let contact: ContactID
    let occurrence: Int

    var keys: [String] { [contact.description, String(occurrence)] }

    init(_ row: MessageRow) {
        contact = row.contact
        occurrence = row.occurrence
    }

    init?(_ keys: [String]) {
        guard keys.count == 2, let contact = ContactID(keys[0]), let occurrence = Int(keys[1]) else { return nil }
        self.contact = contact
        self.occurrence = occurrence
    }
}

/// Reads the ledger for people who look for somebody in it.
struct MessageQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    private static let source: SQL = """
        FROM marketing_messages m
        LEFT JOIN marketing_contacts c ON c.workspace_id = m.workspace_id AND c.id = m.contact_id
        """

    func page(
        of send: SendID, _ filter: MessageFilter, after: MessagePosition?, limit: Int
    ) async throws -> [MessageRow] {
        let position: SQL =
            after.map { " AND (m.contact_id, m.occurrence) > (\($0.contact), \($0.occurrence)::int)" } ?? ""
        return try await tx.all(
            MessageRow.self, "analytics.messages",
            """
            SELECT \(MessageRow.columns) \(Self.source)
            WHERE m.workspace_id = \(workspace) AND m.send_id = \(send)\(filter.condition)\(position)
            ORDER BY m.contact_id, m.occurrence LIMIT \(limit)
            """)
    }

    func find(_ id: MessageID) async throws -> MessageRow? {
        try await tx.first(
            MessageRow.self, "analytics.message",
            "SELECT \(MessageRow.columns) \(Self.source) WHERE m.workspace_id = \(workspace) AND m.id = \(id)")
    }
}
