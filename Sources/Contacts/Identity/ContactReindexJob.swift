import Accounts
import Core
import Jobs
import Postgres

/// Brings the search table up to date for people whom a large batch made or changed.
struct ContactReindexJob: Job {
    static let kind = "contacts.reindex"

    let contacts: [ContactID]

    /// Settles how many people wait for the search table; negative when they are done.
    static func count(_ difference: Int, _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.reindex.count",
            """
            UPDATE marketing_contact_totals
            SET unindexed_count = greatest(0, unindexed_count + \(difference)), revision = revision + 1
            WHERE workspace_id = \(scope.workspace)
            """)
    }

    func run(_ services: AppServices, _ context: JobContext) async throws {
        guard let workspace = context.workspace else { return }
        let scope = WorkspaceScope(workspace: workspace)
        try await services.workerDatabase.write(workspace, timeout: .seconds(60)) { transaction in
            try await context.complete(in: transaction)
            try await apply(scope, in: transaction)
        }
    }

    func apply(_ scope: WorkspaceScope, in transaction: PostgresTransaction) async throws {
        try await transaction.run([
            ContactSearchIndex.refresh(contacts, scope), Self.count(-contacts.count, scope),
        ])
    }
}
