import Core
import FoundationEssentials
import Postgres
import Web

/// Changing what members may do, and parting from them.
struct MemberActions: Sendable {
    let services: AppServices
    let sessions: SessionQueries

    /// Why a change of members was not made.
    enum Refusal: Error, Sendable {
        case unknown
        case lastOwner
        case ownersOnly

        var message: String {
            switch self {
            case .unknown: "This person is not a member of the workspace any more."
            case .lastOwner: "A workspace needs an owner. Make somebody else an owner first."
            case .ownersOnly: "Only an owner can change another owner."
            }
        }
    }

    func changeRole(of user: UserID, to role: Role, by actor: Principal) async throws -> Refusal? {
        let scope = WorkspaceScope(actor)
        return try await services.database.write(scope.workspace) { transaction in
            let member = try await lockedMember(user, scope, in: transaction)
            guard let member else { return .unknown }
            if let refusal = try await obstacle(to: member, becoming: role, by: actor, in: transaction) {
                return refusal
            }
            try await transaction.run(
                "accounts.members.role",
                """
                UPDATE marketing_memberships SET role = \(role)
                WHERE workspace_id = \(scope.workspace) AND user_id = \(user)
                """)
            try await services.audit.record(
                "made \(member.name) \(role.rawValue)", subject: member.name, href: "/settings/members",
                before: ["role": .string(member.role.rawValue)], after: ["role": .string(role.rawValue)], by: scope,
                in: transaction)
            return nil
        }
    }

    func remove(_ user: UserID, by actor: Principal) async throws -> Refusal? {
        let scope = WorkspaceScope(actor)
        return try await services.database.write(scope.workspace) { transaction in
            let member = try await lockedMember(user, scope, in: transaction)
            guard let member else { return .unknown }
            if let refusal = try await obstacle(to: member, becoming: nil, by: actor, in: transaction) {
                return refusal
            }
            try await transaction.run(
                "accounts.members.remove",
                "DELETE FROM marketing_memberships WHERE workspace_id = \(scope.workspace) AND user_id = \(user)")
            try await transaction.run(
                "accounts.members.sign_out",
                "DELETE FROM marketing_sessions WHERE workspace_id = \(scope.workspace) AND user_id = \(user)")
            try await services.audit.record(
                "removed \(member.name)", subject: member.name, href: "/settings/members", by: scope, in: transaction)
            return nil
        }
    }

    /// Owners are locked first, so that two owners cannot demote each other at once.
    private func obstacle(
        to member: Member, becoming role: Role?, by actor: Principal, in transaction: PostgresTransaction
    ) async throws -> Refusal? {
        if member.role == .owner || role == .owner, actor.role != .owner { return .ownersOnly }
        guard member.role == .owner, role != .owner else { return nil }
        let owners = try await transaction.values(
            UserID.self, "accounts.members.owners",
            """
            SELECT user_id FROM marketing_memberships
            WHERE workspace_id = \(actor.workspace) AND role = 'owner' ORDER BY user_id FOR UPDATE
            """)
        return owners.count > 1 ? nil : .lastOwner
    }

    private func lockedMember(
        _ user: UserID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Member? {
        try await transaction.first(
            Member.self, "accounts.members.lock",
            """
            SELECT \(Member.columns) FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
            WHERE m.workspace_id = \(scope.workspace) AND m.user_id = \(user) FOR UPDATE OF m
            """)
    }
}
