import Core
import FoundationEssentials
import Postgres

/// Soft deletion: the person stays with the day of deletion and the lists they were on, everything else lets go of them.
struct ContactDeletion: Sendable {
    let scope: WorkspaceScope
    let now: Date

    /// Deletes; answers whose row was really changed.
    func delete(_ ids: [ContactID], in transaction: PostgresTransaction) async throws -> [ContactID] {
        guard !ids.isEmpty else { return [] }
        // Members have no index by person: the lists are few, and each is probed by primary key.
        let gone: [ContactID] = try await transaction.values(
            ContactID.self, "contacts.delete",
            """
            UPDATE marketing_contacts c
            SET deleted_at = \(now), updated_at = \(now), version = version + 1, deleted_list_ids = (
                SELECT array_agg(l.id) FROM marketing_lists l
                WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL AND EXISTS (
                    SELECT FROM marketing_list_members m
                    WHERE m.workspace_id = \(scope.workspace) AND m.list_id = l.id AND m.contact_id = c.id))
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(ids)) AND c.deleted_at IS NULL
            RETURNING c.id
            """)
        guard !gone.isEmpty else { return [] }
        try await transaction.run([
            Statement(
                "contacts.delete.memberships",
                """
                WITH left_lists AS (
                    DELETE FROM marketing_list_members m
                    USING marketing_lists l, unnest(\(gone)) AS g(id)
                    WHERE l.workspace_id = \(scope.workspace) AND m.workspace_id = \(scope.workspace)
                        AND m.list_id = l.id AND m.contact_id = g.id
                    RETURNING m.list_id
                )
                UPDATE marketing_lists l SET member_count = l.member_count - d.count, updated_at = \(now)
                FROM (SELECT list_id, count(*)::int AS count FROM left_lists GROUP BY list_id) d
                WHERE l.workspace_id = \(scope.workspace) AND l.id = d.list_id
                """),
            Statement(
                "contacts.delete.search",
                """
                DELETE FROM marketing_contact_search
                WHERE workspace_id = \(scope.workspace) AND contact_id = ANY (\(gone))
                """),
            ContactTotals.adding(-gone.count, scope),
            AudienceChanges.record(gone, fields: [], scope.workspace, at: now),
        ])
        return gone
    }

    /// Brings a deleted person back, with the lists that still exist. False when there is no such deleted person, or when
    /// they were merged into somebody: that is taken back otherwise; a
    /// unique violation when the address has been given to somebody else since.
    func restore(_ id: ContactID, in transaction: PostgresTransaction) async throws -> Bool {
        let count: Int = try await transaction.run(
            "contacts.restore",
            """
            UPDATE marketing_contacts SET deleted_at = NULL, updated_at = \(now), version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = \(id) AND deleted_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM marketing_contact_aliases
                WHERE workspace_id = \(scope.workspace) AND loser_id = \(id))
            """)
        guard count > 0 else { return false }
        try await transaction.run([
            Statement(
                "contacts.restore.memberships",
                """
                WITH joined AS (
                    INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                    SELECT \(scope.workspace), l.id, c.id, \(now)
                    FROM marketing_contacts c JOIN marketing_lists l
                        ON l.workspace_id = c.workspace_id AND l.id = ANY (c.deleted_list_ids) AND l.deleted_at IS NULL
                    WHERE c.workspace_id = \(scope.workspace) AND c.id = \(id)
                    ON CONFLICT DO NOTHING RETURNING list_id
                )
                UPDATE marketing_lists l SET member_count = l.member_count + 1, updated_at = \(now)
                FROM joined j WHERE l.workspace_id = \(scope.workspace) AND l.id = j.list_id
                """),
            ContactSearchIndex.refresh([id], scope),
            ContactTotals.adding(1, scope),
            AudienceChanges.record([id], fields: [], scope.workspace, at: now),
        ])
        return true
    }
}
