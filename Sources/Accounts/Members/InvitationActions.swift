import Core
import Cryptography
import FoundationEssentials
import Postgres
import Web

/// Inviting colleagues, and accepting.
struct InvitationActions: Sendable {
    let services: AppServices
    let registration: RegistrationActions
    let sessions: SessionQueries

    static let lifetime: TimeInterval = 7 * 86_400

    /// Invites somebody by e-mail. A second invitation to the same address replaces the first.
    func invite(email: String, role: Role, by actor: Principal) async throws {
        var errors = ValidationErrors()
        let address = CredentialRules.checkEmail(email, &errors)
        if !Role.assignable.contains(role) { errors.add("role", "Choose a role from the list.") }
        try errors.throwIfAny()
        guard let address else { throw errors }
        let scope = WorkspaceScope(actor)
        try await refuseMember(address, scope)
        let token = SecureRandom.token()
        let workspaceName = try await services.directory.workspace(actor.workspace)?.name ?? ""
        try await services.database.write(scope.workspace) { transaction in
            try await store(address, role, token, scope, in: transaction)
            try await services.jobs.enqueue(
                DeliverSystemMail(
                    to: address.description,
                    mail: .invitation(
                        inviter: actor.name, workspace: workspaceName, role: role,
                        href: "\(services.urls.portalBase)/invitation?token=\(token)")),
                workspace: scope.workspace, in: transaction)
            try await services.audit.record(
                "invited \(address) as \(role.rawValue)", subject: address.description, href: "/settings/members",
                by: scope,
                in: transaction)
        }
    }

    private func refuseMember(_ address: EmailAddress, _ scope: WorkspaceScope) async throws {
        let members = try await services.database.session { session in
            try await session.value(
                Int.self, "accounts.invitations.member",
                """
                SELECT count(*) FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                WHERE m.workspace_id = \(scope.workspace) AND u.email_key = \(address.key)
                """)
        }
        if members > 0 { throw ValidationErrors("email", "\(address) is already a member of this workspace.") }
    }

    private func store(
        _ address: EmailAddress, _ role: Role, _ token: String, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        let now = services.clock.now
        let id: Identifier<InvitationTag> = services.ids.next()
        try await transaction.run(
            "accounts.invitations.replace",
            """
            UPDATE marketing_invitations SET closed_at = \(now)
            WHERE workspace_id = \(scope.workspace) AND email_key = \(address.key) AND closed_at IS NULL
            """)
        try await transaction.run(
            "accounts.invitations.insert",
            """
            INSERT INTO marketing_invitations
                (workspace_id, id, email, email_key, role, token_hash, invited_by, created_at, expires_at)
            VALUES (\(scope.workspace), \(id), \(address.description), \(address.key), \(role),
                \(SHA256.hash(token)), \(scope.actor), \(now), \(now.addingTimeInterval(Self.lifetime)))
            """)
    }

    func revoke(_ id: Identifier<InvitationTag>, by actor: Principal) async throws -> Bool {
        let scope = WorkspaceScope(actor)
        return try await services.database.write(scope.workspace) { transaction in
            let emails = try await transaction.values(
                String.self, "accounts.invitations.revoke",
                """
                UPDATE marketing_invitations SET closed_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND closed_at IS NULL RETURNING email
                """)
            guard let email = emails.first else { return false }
            try await services.audit.record(
                "withdrew the invitation of \(email)", subject: email, by: scope, in: transaction)
            return true
        }
    }

    /// The invitation that a link stands for, while it is good.
    func invitation(token: String) async throws -> Invitation? {
        let now = services.clock.now
        return try await services.database.session { session in
            try await session.first(
                Invitation.self, "accounts.invitations.find",
                """
                SELECT \(Invitation.columns) FROM marketing_invitations i
                JOIN marketing_users u ON u.id = i.invited_by JOIN marketing_workspaces w ON w.id = i.workspace_id
                WHERE i.token_hash = \(SHA256.hash(token)) AND i.closed_at IS NULL AND i.expires_at > \(now)
                """)
        }
    }

    func hasAccount(_ invitation: Invitation) async throws -> Bool {
        try await services.database.session { session in
            try await session.value(
                Int.self, "accounts.invitations.account",
                "SELECT count(*) FROM marketing_users WHERE email_key = \(invitation.emailKey)")
        } > 0
    }

    enum Outcome: Sendable {
        case joined(sessionToken: String)
        case wrongPassword
        case linkExpired
    }

    /// Joins the workspace: with the password of the account that has this address, or with a new account.
    func accept(token: String, name: String, password: String, userAgent: String) async throws -> Outcome {
        guard let invitation = try await invitation(token: token) else { return .linkExpired }
        let existing = try await services.database.session { session in
            try await session.first(
                User.self, "accounts.user.by_email",
                "SELECT \(User.columns) FROM marketing_users WHERE email_key = \(invitation.emailKey)")
        }
        var hash = ""
        if let existing {
            guard try await services.passwords.verify(password, against: existing.passwordHash).matches else {
                return .wrongPassword
            }
        } else {
            var errors = ValidationErrors()
            CredentialRules.checkName(name, &errors)
            CredentialRules.check(password, email: invitation.email, &errors)
            try errors.throwIfAny()
            hash = try await services.passwords.hash(password)
        }
        return try await join(invitation, existing, name, hash, userAgent)
    }

    private func join(
        _ invitation: Invitation, _ existing: User?, _ name: String, _ hash: String, _ userAgent: String
    ) async throws -> Outcome {
        let newUser: UserID = services.ids.next()
        let address = try EmailAddress(parsing: invitation.email)
        return try await services.database.write(invitation.workspace) { transaction in
            let closed = try await transaction.run(
                "accounts.invitations.accept",
                """
                UPDATE marketing_invitations SET closed_at = \(services.clock.now)
                WHERE workspace_id = \(invitation.workspace) AND id = \(invitation.id) AND closed_at IS NULL
                """)
            guard closed == 1 else { return .linkExpired }
            let user = existing?.id ?? newUser
            if existing == nil {
                try await registration.insertUser(user, address, name, hash, in: transaction)
            }
            try await registration.addMember(user, to: invitation.workspace, as: invitation.role, in: transaction)
            try await services.audit.record(
                "joined the workspace", by: WorkspaceScope(workspace: invitation.workspace, actor: user),
                in: transaction)
            let token = try await sessions.start(
                user: user, workspace: invitation.workspace, userAgent: userAgent, in: transaction)
            return .joined(sessionToken: token)
        }
    }
}
