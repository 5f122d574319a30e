import Core
import Cryptography
import FoundationEssentials
import Postgres

/// Bearer tokens of the JSON face: JWT, HS256, valid for an hour (RFC 7519).
struct BearerTokens: Sendable {
    let services: AppServices

    static let lifetime = 3600
    static let audience = "marketing-portal"
    private static let workspaceClaim = "workspaceId"

    /// - Throws: `TokenKeyMissing` when the secret is too short to sign with.
    func issue(user: UserID, workspace: WorkspaceID) throws -> String {
        guard let key = services.keys.bearer else { throw TokenKeyMissing() }
        let now = Int(services.clock.now.timeIntervalSince1970)
        let claims = JWT.Claims(
            issuer: Self.audience, subject: "\(user)", audience: Self.audience, issuedAt: now, notBefore: nil,
            expires: now + Self.lifetime, identifier: nil, others: [Self.workspaceClaim: .string("\(workspace)")])
        return JWT.issue(claims, key: key)
    }

    /// The member that a token stands for, as the membership is now: a removed member's token is worth nothing.
    func principal(of token: String) async throws -> Principal? {
        let rules = JWT.Rules(
            type: "JWT", issuer: Self.audience, audience: Self.audience, maximumLifetime: Self.lifetime, skew: 30)
        // Tokens name no key, so each is asked in turn.
        let verified = services.keys.bearers.lazy.compactMap { key in
            try? JWT.verify(token, keys: [key], rules: rules, now: services.clock.now)
        }
        guard let claims = verified.first,
            let user = claims.subject.flatMap({ UserID($0) }),
            let workspace = claims.others[Self.workspaceClaim]?.stringValue.flatMap({ WorkspaceID($0) })
        else { return nil }
        return try await services.database.session { session in
            try await session.rows(
                as: (Role, String, String).self, "accounts.bearer.member",
                """
                SELECT m.role, u.name, u.email FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
                WHERE m.workspace_id = \(workspace) AND m.user_id = \(user)
                """)
        }.first.map { Principal(user: user, workspace: workspace, role: $0.0, name: $0.1, email: $0.2) }
    }
}

struct TokenKeyMissing: Error {}
