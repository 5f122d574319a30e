import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres
import Synchronization
import Web

/// Who a host product is: by the key of the installation together with a tenant's id, or by the key of one workspace.
package final class ServiceAccess: Sendable {
    private struct Known {
        let key: ServiceKey
        let until: Date
    }

    private let installationKey: [UInt8]?
    private let keys: ServiceKeys
    private let tenants: TenantDirectory
    private let throttle: KeyThrottle
    private let clock: WallClock
    private let known = Mutex<[[UInt8]: Known]>([:])
    /// How long another node's revocation may take to be heard, in seconds.
    private static let lifetime: TimeInterval = 5
    /// Wrong keys from one network, forgotten after an hour without another.
    private static let policy = RateLimitPolicy(name: "service-key", quota: 20, window: 3600)
    private static let capacity: Int = 1_000

    init(services: AppServices, installationKey: Secret<String>?, tenants: TenantDirectory) {
        self.installationKey = installationKey.map { ServiceKeys.hash($0.reveal()) }
        self.tenants = tenants
        keys = ServiceKeys(services: services)
        throttle = KeyThrottle(services)
        clock = services.clock
    }

    /// - Throws: `WebError` 400, 401, 403 or 429.
    package func principal(_ call: ServiceCall) async throws -> Principal {
        let hash: [UInt8] = ServiceKeys.hash(call.token)
        // Hashes are compared, in constant time: nothing about the key can be learned from how long it takes.
        if let installationKey, ConstantTime.equal(hash, installationKey) {
            guard let header = call.tenant else {
                throw WebError.badRequest(
                    "Name the tenant in X-External-Tenant-Id.", code: "tenant_required")
            }
            let tenant: String = try TenantDirectory.tenant(header)
            let workspace: WorkspaceID = try await tenants.workspace(of: tenant)
            return Principal(service: "Host product, tenant \(tenant)", workspace: workspace)
        }
        let key: ServiceKey = try await key(hash, call)
        if let header = call.tenant {
            guard try await tenants.find(try TenantDirectory.tenant(header)) == key.workspace else {
                throw WebError(
                    .forbidden, code: "foreign_tenant", detail: "This key does not belong to the tenant that is named.")
            }
        }
        return Principal(service: "Service key “\(key.name)”", workspace: key.workspace)
    }

    private func key(_ hash: [UInt8], _ call: ServiceCall) async throws -> ServiceKey {
        let now: Date = clock.now
        if let one = known.withLock({ $0[hash] }), one.until > now { return one.key }
        let wait: Int = try await throttle.wait(address: call.address)
        if wait > 0 { throw WebError.tooManyRequests(retryAfter: wait, policy: Self.policy) }
        guard let key = try await keys.find(hash: hash) else {
            known.withLock { $0[hash] = nil }
            try await throttle.recordFailure(address: call.address)
            throw WebError(
                .unauthorized, code: "unauthorized", detail: "This service key is not known or was revoked.",
                headers: [.wwwAuthenticate: "Bearer"])
        }
        try await keys.touch(key)
        known.withLock { known in
            if known.count >= Self.capacity { known.removeAll() }
            known[hash] = Known(key: key, until: now.addingTimeInterval(Self.lifetime))
        }
        return key
    }

    /// Forgets the keys of a workspace on this node after one was revoked.
    func forget(_ workspace: WorkspaceID) {
        known.withLock { known in known = known.filter { $0.value.key.workspace != workspace } }
    }
}
