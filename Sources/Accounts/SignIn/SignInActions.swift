import Core
import Cryptography
import FoundationEssentials
import Postgres
import Web

/// Signing in and out.
struct SignInActions: Sendable {
    let services: AppServices
    let sessions: SessionQueries
    let throttle: LoginThrottle

    enum Outcome: Sendable {
        case signedIn(Membership)
        case refused
        case wait(seconds: Int)
    }

    /// A person in a workspace they belong to.
    struct Membership: Sendable {
        let user: User
        let workspace: WorkspaceID
        let role: Role
    }

    /// Checks an e-mail address and a password. Unknown addresses cost as much time as wrong passwords and get the
    /// same answer, so that nobody can find out who has an account.
    func check(email: String, password: String, address: String) async throws -> Outcome {
        let key = (try? EmailAddress(parsing: email))?.key ?? email.lowercased()
        let wait = try await throttle.wait(email: key, address: address)
        guard wait == 0 else { return .wait(seconds: wait) }
        let user = try await user(emailKey: key)
        let answer = try await services.passwords.verify(password, against: user?.passwordHash)
        guard answer.matches, let user, let membership = try await membership(of: user) else {
            try await throttle.recordFailure(email: key, address: address)
            try await FailedSignIns(services: services).note(email: key)
            return .refused
        }
        try await throttle.clear(email: key)
        if let replacement = answer.replacement { try await store(replacement, for: user.id) }
        let scope = WorkspaceScope(workspace: membership.workspace, actor: user.id)
        try await services.database.write(membership.workspace) { transaction in
            try await services.audit.record("signed in", href: "/profile", by: scope, in: transaction)
        }
        return .signedIn(membership)
    }

    func startSession(_ membership: Membership, userAgent: String) async throws -> String {
        try await services.database.transaction { transaction in
            try await sessions.start(
                user: membership.user.id, workspace: membership.workspace, userAgent: userAgent, in: transaction)
        }
    }

    func user(emailKey: String) async throws -> User? {
        try await services.database.session { session in
            try await session.first(
                User.self, "accounts.user.by_email",
                "SELECT \(User.columns) FROM marketing_users WHERE email_key = \(emailKey)")
        }
    }

    /// The workspace that somebody lands in: the one they joined first.
    private func membership(of user: User) async throws -> Membership? {
        let found = try await services.database.session { session in
            try await session.rows(
                as: (WorkspaceID, Role).self, "accounts.membership.first",
                """
                SELECT workspace_id, role FROM marketing_memberships WHERE user_id = \(user.id)
                ORDER BY created_at LIMIT 1
                """)
        }
        return found.first.map { Membership(user: user, workspace: $0.0, role: $0.1) }
    }

    private func store(_ hash: String, for user: UserID) async throws {
        _ = try await services.database.session { session in
            try await session.run(
                "accounts.user.rehash", "UPDATE marketing_users SET password_hash = \(hash) WHERE id = \(user)")
        }
    }
}
