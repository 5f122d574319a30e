import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres

package enum ServiceKeyTag {}
package typealias ServiceKeyID = Identifier<ServiceKeyTag>

/// A key of one workspace, as it is shown: the key itself is kept nowhere.
struct ServiceKey: Sendable, PostgresRow {
    let id: ServiceKeyID
    let workspace: WorkspaceID
    let name: String
    /// Its last characters.
    let hint: String
    let createdAt: Date
    let lastUsedAt: Date?
    let revokedAt: Date?

    static let columns: SQL = "id, workspace_id, name, hint, created_at, last_used_at, revoked_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        workspace = try row.next()
        name = try row.next()
        hint = try row.next()
        createdAt = try row.next()
        lastUsedAt = try row.next()
        revokedAt = try row.next()
    }

    init(id: ServiceKeyID, workspace: WorkspaceID, name: String, hint: String, createdAt: Date) {
        self.id = id
        self.workspace = workspace
        self.name = name
        self.hint = hint
        self.createdAt = createdAt
        lastUsedAt = nil
        revokedAt = nil
    }
}

/// Making, finding and revoking keys of workspaces.
struct ServiceKeys: Sendable {
    let services: AppServices

    static let prefix: String = "mpk_"
    static let limit: Int = 50

    static func hash(_ key: String) -> [UInt8] { SHA256.hash(key) }

    /// Makes a key; the answer is the only time it is seen.
    func make(name: String, _ scope: WorkspaceScope) async throws -> String {
        let name: String = name.trimmed
        guard !name.isEmpty, name.count <= 100 else {
            throw ValidationErrors(
                "name", "Give the key a name of at most 100 characters, like the product that uses it.")
        }
        let key: String = Self.prefix + SecureRandom.token()
        let id: ServiceKeyID = services.ids.next()
        try await services.database.write(scope.workspace) { transaction in
            let count: Int = try await transaction.value(
                Int.self, "connectors.keys.count",
                """
                SELECT count(*) FROM marketing_service_keys
                WHERE workspace_id = \(scope.workspace) AND revoked_at IS NULL
                """)
            guard count < Self.limit else {
                throw ValidationErrors("name", "There are \(Self.limit) keys already. Revoke one first.")
            }
            try await transaction.run(
                "connectors.keys.make",
                """
                INSERT INTO marketing_service_keys (key_hash, id, workspace_id, name, hint, created_by, created_at)
                VALUES (\(Self.hash(key)), \(id), \(scope.workspace), \(name), \(String(key.suffix(4))), \(scope.actor),
                    \(services.clock.now))
                """)
            try await services.audit.record(
                "made the service key", subject: name, href: "/settings/service-keys", by: scope, in: transaction)
        }
        return key
    }

    /// All keys of a workspace, the newest first.
    func all(_ scope: WorkspaceScope) async throws -> [ServiceKey] {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(
                ServiceKey.self, "connectors.keys.all",
                """
                SELECT \(ServiceKey.columns) FROM marketing_service_keys
                WHERE workspace_id = \(scope.workspace)
                ORDER BY revoked_at IS NOT NULL, id DESC LIMIT 200
                """)
        }
    }

    func find(_ id: ServiceKeyID, _ scope: WorkspaceScope) async throws -> ServiceKey? {
        try await all(scope).first { $0.id == id && $0.revokedAt == nil }
    }

    /// The key with this hash that was not revoked.
    func find(hash: [UInt8]) async throws -> ServiceKey? {
        try await services.database.session { session in
            try await session.first(
                ServiceKey.self, "connectors.keys.find",
                """
                SELECT \(ServiceKey.columns) FROM marketing_service_keys
                WHERE key_hash = \(hash) AND revoked_at IS NULL LIMIT 1
                """)
        }
    }

    /// Notes that a key was used, once a minute at most.
    func touch(_ key: ServiceKey) async throws {
        let now: Date = services.clock.now
        if let last = key.lastUsedAt, now.timeIntervalSince(last) < 60 { return }
        _ = try await services.database.session { session in
            try await session.run(
                "connectors.keys.touch",
                "UPDATE marketing_service_keys SET last_used_at = \(now) WHERE id = \(key.id)")
        }
    }

    /// False when there is no such key.
    func revoke(_ id: ServiceKeyID, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            let name: String? = try await transaction.value(
                String?.self, "connectors.keys.revoke",
                """
                UPDATE marketing_service_keys SET revoked_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND revoked_at IS NULL RETURNING name
                """)
            guard let name else { return false }
            try await services.audit.record(
                "revoked the service key", subject: name, href: "/settings/service-keys", by: scope, in: transaction)
            return true
        }
    }
}
