import Accounts
import Core
import FoundationEssentials
import Postgres
import Synchronization
import Web

/// Which workspace a tenant of the host product works in. Remembered for a while: it does not change.
final class TenantDirectory: Sendable {
    /// The one kind of host product there is.
    static let connectorType: String = "serviceflow"

    private struct Known {
        let workspace: WorkspaceID
        let until: Date
    }

    private let services: AppServices
    private let known = Mutex<[String: Known]>([:])
    private static let lifetime: TimeInterval = 60
    private static let capacity: Int = 10_000

    init(services: AppServices) {
        self.services = services
    }

    /// A tenant's id as a header brings it: 1 to 200 visible ASCII characters.
    static func tenant(_ text: String) throws(WebError) -> String {
        let trimmed: String = text.trimmed
        guard (1...200).contains(trimmed.utf8.count), trimmed.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .badRequest(
                "X-External-Tenant-Id must be 1 to 200 visible ASCII characters without spaces.", code: "bad_tenant")
        }
        return trimmed
    }

    /// The workspace of a tenant; nil when it has none yet.
    func find(_ tenant: String) async throws -> WorkspaceID? {
        let now: Date = services.clock.now
        if let one = known.withLock({ $0[tenant] }), one.until > now { return one.workspace }
        let found: WorkspaceID? = try await services.database.session { session in
            try await session.value(WorkspaceID?.self, "connectors.tenants.find", select(tenant))
        }
        if let found { remember(tenant, found, now) }
        return found
    }

    private func select(_ tenant: String) -> SQL {
        """
        SELECT workspace_id FROM marketing_connections
        WHERE connector_type = \(Self.connectorType) AND external_tenant_id = \(tenant) LIMIT 1
        """
    }

    private func remember(_ tenant: String, _ workspace: WorkspaceID, _ now: Date) {
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[tenant] = Known(workspace: workspace, until: now.addingTimeInterval(Self.lifetime))
        }
    }

    /// The workspace of a tenant, made when it has none. Two at once make one: the second waits for the first.
    func workspace(of tenant: String) async throws -> WorkspaceID {
        if let found = try await find(tenant) { return found }
        let made: WorkspaceID = try await services.database.transaction { transaction in
            try await transaction.run(
                "connectors.tenants.lock",
                "SELECT pg_advisory_xact_lock(hashtextextended(\("tenant \(Self.connectorType) \(tenant)"), 0))")
            if let found = try await transaction.value(
                WorkspaceID?.self, "connectors.tenants.findAgain", select(tenant))
            {
                return found
            }
            let workspace: WorkspaceID = try await WorkspaceProvisioning(services).make(
                name: "Tenant \(tenant.prefix(80))", in: transaction)
            try await transaction.run(
                "connectors.tenants.make",
                """
                INSERT INTO marketing_connections (connector_type, external_tenant_id, workspace_id, created_at)
                VALUES (\(Self.connectorType), \(tenant), \(workspace), \(services.clock.now))
                """)
            return workspace
        }
        remember(tenant, made, services.clock.now)
        return made
    }

    /// The tenant that a workspace belongs to, if it was made for one.
    func tenant(of workspace: WorkspaceID) async throws -> String? {
        try await services.database.session { session in
            try await session.value(
                String?.self, "connectors.tenants.name",
                """
                SELECT external_tenant_id FROM marketing_connections
                WHERE workspace_id = \(workspace) AND connector_type = \(Self.connectorType)
                ORDER BY created_at LIMIT 1
                """)
        }
    }
}
