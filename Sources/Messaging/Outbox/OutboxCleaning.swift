import Accounts
import Core
import FoundationEssentials
import Postgres

/// How long and how many messages the Outbox of a workspace keeps (`MARKETING_OUTBOX_DAYS`, `MARKETING_OUTBOX_MESSAGES`).
package struct OutboxLimits: Sendable, Equatable {
    package var days: Int
    package var messages: Int

    package init(days: Int = 30, messages: Int = 20_000) {
        self.days = days
        self.messages = messages
    }
}

/// Removes what the Outbox need not keep any more. The ledger keeps its rows.
struct OutboxCleaning: Sendable {
    let services: AppServices
    let limits: OutboxLimits

    /// Rows that are removed in one transaction: messages are large.
    static let step = 500

    /// All workspaces, one after the other.
    func run() async throws {
        let workspaces: [WorkspaceID] = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "messaging.outbox_workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces { try await clean(workspace) }
    }

    /// - Returns: how many messages were removed.
    @discardableResult
    func clean(_ workspace: WorkspaceID) async throws -> Int {
        let oldest: Date = services.clock.now.addingTimeInterval(-Double(limits.days) * 86_400)
        let surplus: MessageID? = try await services.workerDatabase.read(workspace) { tx in
            try await OutboxQueries(workspace: workspace, tx: tx).newestBeyond(limits.messages)
        }
        var removed = 0
        while true {
            let count: Int = try await services.workerDatabase.write(workspace, timeout: .seconds(30)) { tx in
                try await OutboxQueries(workspace: workspace, tx: tx)
                    .remove(upTo: surplus, before: oldest, limit: Self.step)
            }
            removed += count
            if count < Self.step { return removed }
        }
    }
}

extension OutboxQueries {
    /// The newest message that is too many.
    func newestBeyond(_ count: Int) async throws -> MessageID? {
        try await tx.values(
            MessageID.self, "messaging.outbox_surplus",
            """
            SELECT id FROM marketing_outbox_messages WHERE workspace_id = \(workspace)
            ORDER BY id DESC OFFSET \(count) LIMIT 1
            """
        ).first
    }

    /// Removes some messages: those up to one of them, and those that were stored before a moment. An id is never younger
    /// than its row, so the key finds the old ones.
    func remove(upTo surplus: MessageID?, before oldest: Date, limit: Int) async throws -> Int {
        let young = MessageID(.version7(at: oldest, high: 0, low: 0))
        let tooMany: SQL = surplus.map { "OR id <= \($0)" } ?? ""
        return try await tx.run(
            "messaging.outbox_remove",
            """
            DELETE FROM marketing_outbox_messages WHERE workspace_id = \(workspace) AND id IN (
                SELECT id FROM marketing_outbox_messages
                WHERE workspace_id = \(workspace) AND ((id < \(young) AND created_at < \(oldest)) \(tooMany))
                ORDER BY id LIMIT \(limit))
            """)
    }
}
