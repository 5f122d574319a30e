import Core
import Postgres

/// Making workspaces that nobody registered, such as those of a host product's tenants.
package struct WorkspaceProvisioning: Sendable {
    private let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    /// A workspace without members, in UTC until somebody says otherwise.
    package func make(name: String, in transaction: PostgresTransaction) async throws -> WorkspaceID {
        let id: WorkspaceID = services.ids.next()
        try await RegistrationActions(services: services).insertWorkspace(id, name, "UTC", in: transaction)
        return id
    }

    func add(_ owner: UserID, to workspace: WorkspaceID, in transaction: PostgresTransaction) async throws {
        try await RegistrationActions(services: services).addMember(owner, to: workspace, as: .owner, in: transaction)
    }
}
