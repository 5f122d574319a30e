import Accounts
import Core
import Cryptography
import Postgres

/// The hashes that stay of erased people's addresses: HMAC-SHA256 with a secret of the workspace over the channel, a colon
/// and the normalised address, because a plain hash of an address can be undone by guessing.
///
/// It can be computed in SQL too (RFC 2104 with `sha256()`), so that the decision about a send can ask for everybody at
/// once whether their address was erased.
package struct ErasedAddresses: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) {
        self.key = key
    }

    /// The hash of `email:ana@example.com`, `sms:+14155552671`.
    package func hash(_ channel: String, _ address: String) -> [UInt8] {
        HMAC.sha256(key: key, message: Array("\(channel):\(address)".utf8))
    }

    /// What stands on the do-not-send list for an erased e-mail address.
    package func suppressionKey(_ emailKey: String) -> String {
        "#" + Hexadecimal.encode(hash("email", emailKey))
    }

    /// The hash of the address in a column of keys, as SQL.
    package func hash(of column: SQL) -> SQL {
        let block: [UInt8] = key + [UInt8](repeating: 0, count: 64 - key.count)
        let inner: [UInt8] = block.map { $0 ^ 0x36 }
        let outer: [UInt8] = block.map { $0 ^ 0x5C }
        return "sha256(\(outer)::bytea || sha256(\(inner)::bytea || convert_to('email:' || \(column), 'UTF8')))"
    }

    private static func place(_ workspace: WorkspaceID) -> String {
        "workspace:\(workspace)|table:privacy_settings|column:hash_key"
    }

    /// The workspace's hashes; nil when nobody was ever erased in it.
    package static func load(
        _ workspace: WorkspaceID, services: AppServices, in session: some PostgresSession
    ) async throws -> ErasedAddresses? {
        let sealed: [UInt8]? = try await session.value(
            [UInt8]?.self, "contacts.privacy.key",
            "SELECT hash_key FROM marketing_privacy_settings WHERE workspace_id = \(workspace)")
        guard let sealed else { return nil }
        return ErasedAddresses(key: try services.secrets.open(sealed, aad: place(workspace)).reveal())
    }

    /// The workspace's hashes, with a new secret if it has none.
    package static func loadOrMake(
        _ workspace: WorkspaceID, services: AppServices, in transaction: PostgresTransaction
    ) async throws -> ErasedAddresses {
        let sealed: [UInt8] = try services.secrets.seal(SecureRandom.bytes(32), aad: place(workspace))
        try await transaction.run(
            "contacts.privacy.makeKey",
            """
            INSERT INTO marketing_privacy_settings (workspace_id, hash_key, updated_at)
            VALUES (\(workspace), \(sealed), \(services.clock.now))
            ON CONFLICT (workspace_id) DO UPDATE SET hash_key = excluded.hash_key
            WHERE marketing_privacy_settings.hash_key IS NULL
            """)
        guard let made = try await load(workspace, services: services, in: transaction) else {
            throw PostgresError.noRow(query: "contacts.privacy.key")
        }
        return made
    }

    /// Gives a workspace its secret back after a restore, unless it has one.
    /// - Parameter sealed: as it stood in the database when something was erased.
    /// - Returns: whether the workspace has this very secret now.
    static func restore(
        _ sealed: [UInt8], _ workspace: WorkspaceID, services: AppServices, in transaction: PostgresTransaction
    ) async throws -> Bool {
        let wanted: [UInt8] = try services.secrets.open(sealed, aad: place(workspace)).reveal()
        try await transaction.run(
            "contacts.privacy.restoreKey",
            """
            INSERT INTO marketing_privacy_settings (workspace_id, hash_key, updated_at)
            VALUES (\(workspace), \(sealed), \(services.clock.now))
            ON CONFLICT (workspace_id) DO UPDATE SET hash_key = excluded.hash_key
            WHERE marketing_privacy_settings.hash_key IS NULL
            """)
        return try await load(workspace, services: services, in: transaction)?.key == wanted
    }

    /// The secret as it stands in the database; nil when there is none.
    static func sealedKey(
        _ workspace: WorkspaceID, in session: some PostgresSession
    ) async throws -> [UInt8]? {
        try await session.value(
            [UInt8]?.self, "contacts.privacy.sealedKey",
            "SELECT hash_key FROM marketing_privacy_settings WHERE workspace_id = \(workspace)")
    }

    /// Seals the secret anew when an older key sealed it.
    static func reseal(_ workspace: WorkspaceID, services: AppServices) async throws {
        try await services.workerDatabase.write(workspace) { transaction in
            let sealed: [UInt8]? = try await transaction.value(
                [UInt8]?.self, "contacts.privacy.sealed",
                """
                SELECT hash_key FROM marketing_privacy_settings WHERE workspace_id = \(workspace) FOR UPDATE
                """)
            guard let sealed, services.secrets.needsResealing(sealed) else { return }
            let opened: [UInt8] = try services.secrets.open(sealed, aad: place(workspace)).reveal()
            let renewed: [UInt8] = try services.secrets.seal(opened, aad: place(workspace))
            try await transaction.run(
                "contacts.privacy.reseal",
                "UPDATE marketing_privacy_settings SET hash_key = \(renewed) WHERE workspace_id = \(workspace)")
        }
    }
}
