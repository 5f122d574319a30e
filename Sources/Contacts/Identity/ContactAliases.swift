import Core
import Postgres

/// The ids that people had before they were merged into others. Asked only when an id is not found.
package enum ContactAliases {
    /// Who these ids are now; ids that were never merged are left out. Chains of merges are followed.
    package static func current(
        _ ids: [ContactID], _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> [ContactID: ContactID] {
        guard !ids.isEmpty else { return [:] }
        let rows = try await session.rows(
            as: (ContactID, ContactID).self, "contacts.aliases.current",
            """
            WITH RECURSIVE chain (old_id, id, depth) AS (
                SELECT loser_id, winner_id, 1 FROM marketing_contact_aliases
                WHERE workspace_id = \(scope.workspace) AND loser_id = ANY (\(ids))
                UNION ALL
                SELECT c.old_id, a.winner_id, c.depth + 1
                FROM chain c JOIN marketing_contact_aliases a
                    ON a.workspace_id = \(scope.workspace) AND a.loser_id = c.id
                WHERE c.depth < 50
            )
            SELECT DISTINCT ON (old_id) old_id, id FROM chain ORDER BY old_id, depth DESC
            """)
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Who the id is now; nil when it was never merged.
    package static func current(
        _ id: ContactID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> ContactID? {
        try await current([id], scope, in: session)[id]
    }
}
