import Core
import Postgres

extension WorkspaceProvisioning {
    /// A workspace that belongs to somebody, in UTC until they say otherwise.
    package func make(
        name: String, owner: UserID, postalAddress: String, in transaction: PostgresTransaction
    ) async throws -> WorkspaceID {
        let id: WorkspaceID = try await make(name: name, in: transaction)
        try await transaction.run(
            "accounts.workspace.address",
            "UPDATE marketing_workspaces SET postal_address = \(postalAddress) WHERE id = \(id)")
        try await add(owner, to: id, in: transaction)
        return id
    }

    /// A workspace of a name that somebody owns.
    package static func owned(
        by user: UserID, named name: String, in session: some PostgresSession
    ) async throws -> WorkspaceID? {
        try await session.values(
            WorkspaceID.self, "accounts.workspace.owned",
            """
            SELECT w.id FROM marketing_memberships m JOIN marketing_workspaces w ON w.id = m.workspace_id
            WHERE m.user_id = \(user) AND m.role = 'owner' AND w.name = \(name) ORDER BY w.id LIMIT 1
            """
        ).first
    }
}

extension AccountAdministration {
    /// The account with an address; nil when there is none.
    package func find(email: String) async throws -> UserID? {
        guard let address = try? EmailAddress(parsing: email) else { return nil }
        return try await services.database.session { session in
            try await session.values(
                UserID.self, "accounts.admin.find",
                "SELECT id FROM marketing_users WHERE email_key = \(address.key)"
            ).first
        }
    }
}
