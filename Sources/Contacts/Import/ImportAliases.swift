import Accounts
import Core
import Postgres

/// Addresses and numbers that people had before a merge, as imports ask for them: a row with one finds its person instead
/// of making a second.
struct ImportAliases: Sendable {
    let scope: WorkspaceScope

    /// Whether anybody in the workspace has a former address or number: one look into an index.
    func exist(_ services: AppServices) async throws -> Bool {
        try await services.database.read(scope.workspace, keepsPlans: true) { transaction in
            try await transaction.value(Bool.self, "contacts.import.hasAliases", "SELECT \(any)")
        }
    }

    private var any: SQL {
        """
        EXISTS (SELECT FROM marketing_contact_identities
            WHERE workspace_id = \(scope.workspace) AND kind IN ('email', 'phone'))
        """
    }

    /// Whether nobody whom the chunk has just made carries the former address of somebody else. Asked behind the insertion: a
    /// merge under way holds its addresses, so the insertion waited for it.
    func agree(_ chunk: ImportChunk, in transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.value(
            Bool.self, "contacts.import.agree",
            """
            SELECT NOT (\(any) AND EXISTS (
                SELECT FROM unnest(\(chunk.ids), \(chunk.keys)) AS n(id, email_key)
                CROSS JOIN LATERAL (\(Self.owner(kind: "email", value: "n.email_key", scope))) o
                JOIN marketing_contacts made
                    ON made.workspace_id = \(scope.workspace) AND made.id = n.id AND made.deleted_at IS NULL
                WHERE o.id <> made.id))
            """)
    }

    /// The id of the person who had the value before a merge: a look-up of one row, as `LATERAL` wants it.
    static func owner(kind: SQL, value: SQL, _ scope: WorkspaceScope) -> SQL {
        """
        SELECT i.contact_id AS id FROM marketing_contact_identities i
        WHERE i.workspace_id = \(scope.workspace) AND i.kind = '\(kind)' AND i.source = '' AND i.value = \(value)
        LIMIT 1
        """
    }
}
