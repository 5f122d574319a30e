import Core
import Foundation
import Postgres
import Web

/// Making an account with its first workspace.
struct RegistrationActions: Sendable {
    let services: AppServices

    /// What somebody typed to register.
    struct Input: Sendable {
        var name: String
        var email: String
        var password: String
        var workspaceName: String
        var timeZone: String

        func validated() throws(ValidationErrors) -> EmailAddress {
            var errors = ValidationErrors()
            CredentialRules.checkName(name, &errors)
            let address = CredentialRules.checkEmail(email, &errors)
            CredentialRules.check(password, email: email, &errors)
            if workspaceName.isEmpty {
                errors.add("workspaceName", "Give your workspace a name; your company’s will do.")
            }
            if workspaceName.count > 100 { errors.add("workspaceName", "Use at most 100 characters.") }
            if !workspaceName.isOneLine { errors.add("workspaceName", "Write the name in one line.") }
            try errors.throwIfAny()
            guard let address else { throw errors }
            return address
        }
    }

    enum Outcome: Sendable {
        case registered(user: UserID, workspace: WorkspaceID)
        case emailTaken
    }

    /// User, workspace and ownership are made together or not at all.
    func register(_ input: Input) async throws -> Outcome {
        let address = try input.validated()
        let hash = try await services.passwords.hash(input.password)
        let user: UserID = services.ids.next()
        let workspace: WorkspaceID = services.ids.next()
        let zone = TimeZoneNames.isKnown(input.timeZone) ? input.timeZone : "UTC"
        do {
            try await services.database.transaction { transaction in
                try await insertUser(user, address, input.name, hash, in: transaction)
                try await insertWorkspace(workspace, input.workspaceName, zone, in: transaction)
                try await addMember(user, to: workspace, as: .owner, in: transaction)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: "marketing_users_email_key_key") {
            return .emailTaken
        }
        return .registered(user: user, workspace: workspace)
    }

    func insertUser(
        _ id: UserID, _ address: EmailAddress, _ name: String, _ passwordHash: String,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "accounts.user.insert",
            """
            INSERT INTO marketing_users (id, email, email_key, name, password_hash, created_at)
            VALUES (\(id), \(address.description), \(address.key), \(name), \(passwordHash), \(services.clock.now))
            """)
    }

    func insertWorkspace(
        _ id: WorkspaceID, _ name: String, _ timeZone: String, in transaction: PostgresTransaction
    ) async throws {
        // Among 2³² keys a collision is rare enough to try a few at once and keep the first that is free.
        let keys = (0..<8).map { _ in Int(Int32(truncatingIfNeeded: services.randomness.next())) }
        try await transaction.run(
            "accounts.workspace.insert",
            """
            INSERT INTO marketing_workspaces (id, name, routing_key, time_zone, created_at, updated_at)
            SELECT \(id), \(name), k::integer, \(timeZone), \(services.clock.now), \(services.clock.now)
            FROM unnest(\(keys)) AS k
            WHERE NOT EXISTS (SELECT 1 FROM marketing_workspaces WHERE routing_key = k) LIMIT 1
            """)
    }

    func addMember(
        _ user: UserID, to workspace: WorkspaceID, as role: Role, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "accounts.membership.insert",
            """
            INSERT INTO marketing_memberships (workspace_id, user_id, role, created_at)
            VALUES (\(workspace), \(user), \(role), \(services.clock.now))
            ON CONFLICT (workspace_id, user_id) DO NOTHING
            """)
    }
}
