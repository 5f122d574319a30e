import Core
import FoundationEssentials
import Postgres

/// What an operator does at the command line.
package struct AccountAdministration: Sendable {
    let services: AppServices
    let registration: RegistrationActions
    let sessions: SessionQueries

    /// An account as `portal user list` shows it.
    package struct Account: Sendable {
        package let email: String
        package let name: String
        package let workspaces: String
    }

    /// Makes an account with its workspace; nil when the address is taken.
    /// - Throws: `ValidationErrors`.
    package func create(email: String, name: String, password: String, workspaceName: String) async throws
        -> WorkspaceID?
    {
        let outcome = try await registration.register(
            RegistrationActions.Input(
                name: name, email: email, password: password, workspaceName: workspaceName, timeZone: ""))
        if case .registered(_, let workspace) = outcome { return workspace }
        return nil
    }

    package func list() async throws -> [Account] {
        try await services.database.session { session in
            try await session.rows(
                as: (String, String, String).self, "accounts.admin.list",
                """
                SELECT u.email, u.name, coalesce(string_agg(w.name || ' (' || m.role || ')', ', ' ORDER BY m.created_at), '')
                FROM marketing_users u LEFT JOIN marketing_memberships m ON m.user_id = u.id
                LEFT JOIN marketing_workspaces w ON w.id = m.workspace_id
                GROUP BY u.id ORDER BY u.created_at
                """)
        }.map { Account(email: $0.0, name: $0.1, workspaces: $0.2) }
    }

    /// Sets a password and ends all sessions; false when there is no such account.
    /// - Throws: `ValidationErrors`.
    package func setPassword(email: String, to password: String) async throws -> Bool {
        var errors = ValidationErrors()
        let address = CredentialRules.checkEmail(email, &errors)
        CredentialRules.check(password, email: email, &errors)
        try errors.throwIfAny()
        guard let address else { throw errors }
        let hash = try await services.passwords.hash(password)
        return try await services.database.transaction { transaction in
            let users = try await transaction.values(
                UserID.self, "accounts.admin.password",
                "UPDATE marketing_users SET password_hash = \(hash) WHERE email_key = \(address.key) RETURNING id")
            guard let user = users.first else { return false }
            try await sessions.endAll(of: user, except: nil, in: transaction)
            return true
        }
    }
}
