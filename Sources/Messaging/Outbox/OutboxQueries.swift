import Core
import FoundationEssentials
import Postgres

/// A message in the Outbox, as a list shows it.
struct OutboxRow: PostgresRow {
    static let columns: SQL = "id, recipient, subject, octet_length(raw), created_at"
    let id: MessageID
    let recipient: String
    let subject: String
    let size: Int
    let createdAt: Date

    init(row: inout RowReader) throws {
        id = try row.next()
        recipient = try row.next()
        subject = try row.next()
        size = try row.next()
        createdAt = try row.next()
    }
}

struct OutboxQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    func insert(_ messages: [OutboxMessage], send: SendID?, now: Date) async throws {
        guard !messages.isEmpty else { return }
        try await tx.run(
            "messaging.outbox_insert",
            """
            INSERT INTO marketing_outbox_messages (workspace_id, id, send_id, recipient, subject, raw, created_at)
            SELECT \(workspace), id, \(send), recipient, subject, raw, \(now)
            FROM unnest(\(messages.map(\.id)), \(messages.map(\.recipient)), \(messages.map(\.subject)),
                \(messages.map(\.raw))) AS m (id, recipient, subject, raw)
            ON CONFLICT DO NOTHING
            """)
    }

    /// The newest first.
    func page(search: String?, before: MessageID?, limit: Int) async throws -> [OutboxRow] {
        let rest: SQL = before.map { "AND id < \($0)" } ?? ""
        let found: SQL =
            search.map { text in
                "AND (strpos(lower(recipient), \(text.lowercased())) > 0 OR strpos(lower(subject), \(text.lowercased())) > 0)"
            } ?? ""
        return try await tx.all(
            OutboxRow.self, "messaging.outbox",
            """
            SELECT \(OutboxRow.columns) FROM marketing_outbox_messages
            WHERE workspace_id = \(workspace) \(found) \(rest) ORDER BY id DESC LIMIT \(limit)
            """)
    }

    func row(_ id: MessageID) async throws -> OutboxRow? {
        try await tx.first(
            OutboxRow.self, "messaging.outbox_row",
            "SELECT \(OutboxRow.columns) FROM marketing_outbox_messages WHERE workspace_id = \(workspace) AND id = \(id)"
        )
    }

    func raw(_ id: MessageID) async throws -> [UInt8]? {
        try await tx.value(
            [UInt8]?.self, "messaging.outbox_raw",
            "SELECT raw FROM marketing_outbox_messages WHERE workspace_id = \(workspace) AND id = \(id)")
    }
}
