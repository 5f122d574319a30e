import Core
import FoundationEssentials

/// A signed-in browser as the server knows it, with what every page shows of it.
package struct BrowserSession: Sendable {
    /// SHA-256 of the cookie's token; the token itself is stored nowhere.
    package let tokenHash: [UInt8]
    package let principal: Principal
    package let workspaceName: String
    package let timeZone: String
    /// Whether this person belongs to other workspaces too.
    package let hasOtherWorkspaces: Bool

    package init(
        tokenHash: [UInt8], principal: Principal, workspaceName: String, timeZone: String,
        hasOtherWorkspaces: Bool = false
    ) {
        self.tokenHash = tokenHash
        self.principal = principal
        self.workspaceName = workspaceName
        self.timeZone = timeZone
        self.hasOtherWorkspaces = hasOtherWorkspaces
    }
}

/// What a host product comes with.
package struct ServiceCall: Sendable {
    /// The service key.
    package let token: String
    /// The tenant that it speaks for (`X-External-Tenant-Id`), if it names one.
    package let tenant: String?
    /// The client's address.
    package let address: String

    package init(token: String, tenant: String?, address: String) {
        self.token = token
        self.tenant = tenant
        self.address = address
    }
}

/// Where sessions and bearer tokens are looked up. `Accounts` implements it; `Portal` hands it over.
package struct SessionStore: Sendable {
    /// The session of a cookie's token hash, or nil when it has ended.
    package let session: @Sendable (_ tokenHash: [UInt8]) async throws -> BrowserSession?
    /// The member that a bearer token stands for, or nil.
    package let bearer: @Sendable (_ token: String) async throws -> Principal?
    /// Whom a service key stands for; throws the `WebError` that refuses it, and answers nil where there are no keys.
    package let service: @Sendable (_ call: ServiceCall) async throws -> Principal?

    package init(
        session: @escaping @Sendable ([UInt8]) async throws -> BrowserSession?,
        bearer: @escaping @Sendable (String) async throws -> Principal?,
        service: @escaping @Sendable (ServiceCall) async throws -> Principal? = { _ in nil }
    ) {
        self.session = session
        self.bearer = bearer
        self.service = service
    }
}
