import Accounts
import Core
import Postgres

/// The names of campaigns, for slices that refer to them.
package enum CampaignNames {
    /// Those of the workspace among the ids; without ids the newest, as many as a picker shows.
    package static func find(
        _ ids: [CampaignID]?, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [(id: CampaignID, name: String)] {
        let condition: SQL = ids.map { " AND id = ANY (\($0))" } ?? ""
        let rows = try await transaction.rows(
            as: (CampaignID, String).self, "campaigns.names",
            """
            SELECT id, name FROM marketing_campaigns
            WHERE workspace_id = \(scope.workspace) AND deleted_at IS NULL\(condition) ORDER BY id DESC LIMIT 200
            """)
        return rows.map { (id: $0.0, name: $0.1) }
    }
}

extension CampaignActions {
    /// Moves a campaign that was sent back in time, for the example workspace.
    /// - Parameter seconds: how far.
    package static func antedate(
        _ campaign: CampaignID, by seconds: Double, _ workspace: WorkspaceID, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "campaigns.example",
            """
            UPDATE marketing_campaigns SET launched_at = launched_at - make_interval(secs => \(seconds)),
                finished_at = finished_at - make_interval(secs => \(seconds))
            WHERE workspace_id = \(workspace) AND id = \(campaign)
            """)
    }
}
