import Core
import Cryptography
import FoundationEssentials
import Postgres
import Web

/// The sessions of browsers. The cookie holds a random token; the table only its hash.
struct SessionQueries: Sendable {
    let database: Database
    let clock: WallClock

    static let lifetime: TimeInterval = 7 * 86_400

    private struct Row: PostgresRow {
        let session: BrowserSession

        static let columns: SQL = """
            s.token_hash, u.id, s.workspace_id, m.role, u.name, u.email, w.name, w.time_zone,
            EXISTS (SELECT 1 FROM marketing_memberships o WHERE o.user_id = u.id AND o.workspace_id <> s.workspace_id)
            """

        init(row: inout RowReader) throws {
            let hash: [UInt8] = try row.next()
            let principal = Principal(
                user: try row.next(), workspace: try row.next(), role: try row.next(), name: try row.next(),
                email: try row.next())
            session = BrowserSession(
                tokenHash: hash, principal: principal, workspaceName: try row.next(), timeZone: try row.next(),
                hasOtherWorkspaces: try row.next())
        }
    }

    func find(_ tokenHash: [UInt8]) async throws -> BrowserSession? {
        try await database.session { session in
            try await session.first(
                Row.self, "accounts.session.find",
                """
                SELECT \(Row.columns) FROM marketing_sessions s
                JOIN marketing_users u ON u.id = s.user_id
                JOIN marketing_memberships m ON m.workspace_id = s.workspace_id AND m.user_id = s.user_id
                JOIN marketing_workspaces w ON w.id = s.workspace_id
                WHERE s.token_hash = \(tokenHash) AND s.expires_at > \(clock.now)
                """)?.session
        }
    }

    /// Starts a session and gives the token for the cookie.
    func start(
        user: UserID, workspace: WorkspaceID, userAgent: String, in transaction: some PostgresSession
    ) async throws -> String {
        let token = SecureRandom.token()
        let now = clock.now
        try await transaction.run(
            "accounts.session.start",
            """
            INSERT INTO marketing_sessions (token_hash, user_id, workspace_id, user_agent, created_at, expires_at)
            VALUES (\(SHA256.hash(token)), \(user), \(workspace), \(String(userAgent.prefix(200))), \(now),
                \(now.addingTimeInterval(Self.lifetime)))
            """)
        try await transaction.run(
            "accounts.user.seen", "UPDATE marketing_users SET last_seen_at = \(now) WHERE id = \(user)")
        return token
    }

    func end(_ tokenHash: [UInt8]) async throws {
        _ = try await database.session { session in
            try await session.run(
                "accounts.session.end", "DELETE FROM marketing_sessions WHERE token_hash = \(tokenHash)")
        }
    }

    /// Ends all of a person's sessions, except the one given.
    func endAll(of user: UserID, except tokenHash: [UInt8]?, in session: some PostgresSession) async throws {
        let kept: SQL = tokenHash.map { " AND token_hash <> \($0)" } ?? ""
        try await session.run(
            "accounts.session.end_all", "DELETE FROM marketing_sessions WHERE user_id = \(user)\(kept)")
    }

    func switchWorkspace(_ tokenHash: [UInt8], to workspace: WorkspaceID, user: UserID) async throws -> Bool {
        try await database.session { session in
            try await session.run(
                "accounts.session.switch",
                """
                UPDATE marketing_sessions SET workspace_id = \(workspace) WHERE token_hash = \(tokenHash)
                    AND EXISTS (SELECT 1 FROM marketing_memberships
                        WHERE workspace_id = \(workspace) AND user_id = \(user))
                """) > 0
        }
    }

    func removeExpired() async throws {
        let now = clock.now
        _ = try await database.session { session in
            try await session.run("accounts.session.sweep", "DELETE FROM marketing_sessions WHERE expires_at <= \(now)")
        }
    }
}
