import Core
import FoundationEssentials
import Postgres
import Web

/// What a person changes about themselves.
struct ProfileActions: Sendable {
    let services: AppServices
    let sessions: SessionQueries

    func rename(_ user: UserID, name: String, email: String) async throws {
        var errors = ValidationErrors()
        CredentialRules.checkName(name, &errors)
        let address = CredentialRules.checkEmail(email, &errors)
        try errors.throwIfAny()
        guard let address else { throw errors }
        do {
            _ = try await services.database.session { session in
                try await session.run(
                    "accounts.user.rename",
                    """
                    UPDATE marketing_users SET name = \(name), email = \(address.description), email_key = \(address.key)
                    WHERE id = \(user)
                    """)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: "marketing_users_email_key_key") {
            throw ValidationErrors("email", "Another account uses this e-mail address.")
        }
    }

    /// Changes the password and ends every other session.
    func changePassword(of user: UserID, email: String, from current: String, to new: String, keeping token: [UInt8])
        async throws
    {
        let stored = try await services.database.session { session in
            try await session.value(
                String?.self, "accounts.user.password", "SELECT password_hash FROM marketing_users WHERE id = \(user)")
        }
        guard try await services.passwords.verify(current, against: stored).matches else {
            throw ValidationErrors("currentPassword", "This is not your present password.")
        }
        var errors = ValidationErrors()
        CredentialRules.check(new, field: "newPassword", email: email, &errors)
        try errors.throwIfAny()
        let hash = try await services.passwords.hash(new)
        try await services.database.transaction { transaction in
            try await transaction.run(
                "accounts.user.set_password", "UPDATE marketing_users SET password_hash = \(hash) WHERE id = \(user)")
            try await sessions.endAll(of: user, except: token, in: transaction)
        }
    }
}
