import Accounts
import Core
import Cryptography
import Logging
import Postgres

/// The sealed passwords of mail servers after a change of keys: which are sealed with an older one, and sealing them anew.
package struct SenderSeals: Sendable {
    let services: AppServices

    /// How many passwords an older key sealed. When there are none, older keys can go.
    package func outdated() async throws -> Int {
        var count = 0
        for workspace in try await workspaces() {
            let sealed = try await services.workerDatabase.read(workspace) { tx in
                try await EmailSettingsQueries(workspace: workspace, tx: tx).find()?.sealedPassword
            }
            if let sealed, services.secrets.needsResealing(sealed) { count += 1 }
        }
        return count
    }

    /// Seals every password anew that an older key sealed. One that no key opens stays as it is, with a line in the log.
    package func renew() async throws {
        for workspace in try await workspaces() {
            do {
                try await renew(workspace)
            } catch let flaw as SecretBox.Flaw {
                services.logger.warning(
                    "a saved mail server password cannot be opened with the keys that are set",
                    metadata: ["workspace": .string("\(workspace)"), "reason": .string("\(flaw)")])
            }
        }
    }

    private func renew(_ workspace: WorkspaceID) async throws {
        let place = SenderDirectory.seal(of: workspace)
        try await services.workerDatabase.write(workspace) { tx in
            let queries = EmailSettingsQueries(workspace: workspace, tx: tx)
            guard let sealed = try await queries.find()?.sealedPassword, services.secrets.needsResealing(sealed) else {
                return
            }
            let password = try services.secrets.openText(sealed, aad: place)
            let renewed = try services.secrets.seal(password.reveal(), aad: place)
            try await queries.replace(password: sealed, with: renewed)
        }
    }

    private func workspaces() async throws -> [WorkspaceID] {
        try await services.workerDatabase.session { session in
            try await session.rows(as: WorkspaceID.self, "messaging.workspaces", "SELECT id FROM marketing_workspaces")
        }
    }
}
