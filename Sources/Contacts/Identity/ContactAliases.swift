import Core
import Postgres

/// The ids and addresses that people had before they were merged into others. Ids are asked only when one is not found.
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

    /// Somebody else who is found by the address because it was theirs before a merge.
    ///
    /// Ask after writing the address: a merge at the same moment holds the address until its end, so that whoever writes it
    /// waits, and sees here what the merge left.
    static func formerOwner(
        ofEmail key: String, besides id: ContactID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> ContactID? {
        try await session.value(
            ContactID?.self, "contacts.aliases.formerOwner",
            """
            SELECT c.id FROM marketing_contact_identities i JOIN marketing_contacts c
                ON c.workspace_id = i.workspace_id AND c.id = i.contact_id AND c.deleted_at IS NULL
            WHERE i.workspace_id = \(scope.workspace) AND i.kind = 'email' AND i.source = '' AND i.value = \(key)
                AND c.id <> \(id)
            LIMIT 1
            """)
    }
}
