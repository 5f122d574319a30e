import Core
import Cryptography
import FoundationEssentials
import Postgres

/// A forgotten password: a link by e-mail, good once and for an hour.
struct PasswordResetActions: Sendable {
    let services: AppServices
    let sessions: SessionQueries

    static let lifetime: TimeInterval = 3600

    /// Sends a link if there is such an account. The caller says the same either way.
    func request(email: String) async throws {
        guard let address = try? EmailAddress(parsing: email) else { return }
        let token = SecureRandom.token()
        let now = services.clock.now
        try await services.database.transaction { transaction in
            let found = try await transaction.rows(
                as: (UserID, String, String).self, "accounts.reset.user",
                "SELECT id, name, email FROM marketing_users WHERE email_key = \(address.key)")
            guard let (user, name, email) = found.first else { return }
            let recent = try await transaction.value(
                Int.self, "accounts.reset.recent",
                """
                SELECT count(*) FROM marketing_password_resets
                WHERE user_id = \(user) AND created_at > \(now.addingTimeInterval(-Self.lifetime))
                """)
            guard recent < 5 else { return }
            try await transaction.run(
                "accounts.reset.insert",
                """
                INSERT INTO marketing_password_resets (token_hash, user_id, created_at, expires_at)
                VALUES (\(SHA256.hash(token)), \(user), \(now), \(now.addingTimeInterval(Self.lifetime)))
                """)
            let mail = SystemMail.passwordReset(
                name: name, href: "\(services.urls.portalBase)/reset-password?token=\(token)")
            try await services.jobs.enqueue(
                DeliverSystemMail(to: email, mail: mail), workspace: nil, in: transaction)
        }
    }

    func isValid(_ token: String) async throws -> Bool {
        let now = services.clock.now
        return try await services.database.session { session in
            try await session.value(
                Int.self, "accounts.reset.valid",
                """
                SELECT count(*) FROM marketing_password_resets
                WHERE token_hash = \(SHA256.hash(token)) AND used_at IS NULL AND expires_at > \(now)
                """)
        } > 0
    }

    enum Outcome: Sendable {
        case changed
        case linkExpired
    }

    /// Sets the password and ends all sessions: whoever knew the old password is out.
    func reset(token: String, password: String) async throws -> Outcome {
        var errors = ValidationErrors()
        CredentialRules.check(password, email: "", &errors)
        try errors.throwIfAny()
        let hash = try await services.passwords.hash(password)
        let now = services.clock.now
        return try await services.database.transaction { transaction in
            let used = try await transaction.values(
                UserID.self, "accounts.reset.use",
                """
                UPDATE marketing_password_resets SET used_at = \(now)
                WHERE token_hash = \(SHA256.hash(token)) AND used_at IS NULL AND expires_at > \(now) RETURNING user_id
                """)
            guard let user = used.first else { return .linkExpired }
            try await transaction.run(
                "accounts.reset.password", "UPDATE marketing_users SET password_hash = \(hash) WHERE id = \(user)")
            try await sessions.endAll(of: user, except: nil, in: transaction)
            return .changed
        }
    }
}
