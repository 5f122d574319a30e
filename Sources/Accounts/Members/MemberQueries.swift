import Core
import FoundationEssentials
import Postgres

/// Reading and changing who belongs to a workspace. These tables are global, so every statement names the workspace.
struct MemberQueries: Sendable {
    let scope: WorkspaceScope
    let database: Database

    func all() async throws -> [Member] {
        try await database.session { session in
            try await session.all(
                Member.self, "accounts.members.all",
                """
                SELECT \(Member.columns) FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                WHERE m.workspace_id = \(scope.workspace) ORDER BY m.created_at, u.id
                """)
        }
    }

    func member(_ user: UserID) async throws -> Member? {
        try await database.session { session in
            try await session.first(
                Member.self, "accounts.members.find",
                """
                SELECT \(Member.columns) FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                WHERE m.workspace_id = \(scope.workspace) AND m.user_id = \(user)
                """)
        }
    }

    func openInvitations(at now: Date) async throws -> [Invitation] {
        try await database.session { session in
            try await session.all(
                Invitation.self, "accounts.invitations.open",
                """
                SELECT \(Invitation.columns) FROM marketing_invitations i
                JOIN marketing_users u ON u.id = i.invited_by JOIN marketing_workspaces w ON w.id = i.workspace_id
                WHERE i.workspace_id = \(scope.workspace) AND i.closed_at IS NULL AND i.expires_at > \(now)
                ORDER BY i.created_at
                """)
        }
    }
}

package enum InvitationTag {}

/// A place in a workspace that is offered to somebody by e-mail.
struct Invitation: PostgresRow {
    let id: Identifier<InvitationTag>
    let workspace: WorkspaceID
    let workspaceName: String
    let email: String
    let emailKey: String
    let role: Role
    let inviterName: String
    let expiresAt: Date

    static let columns: SQL = "i.id, i.workspace_id, w.name, i.email, i.email_key, i.role, u.name, i.expires_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        workspace = try row.next()
        workspaceName = try row.next()
        email = try row.next()
        emailKey = try row.next()
        role = try row.next()
        inviterName = try row.next()
        expiresAt = try row.next()
    }
}
