import Accounts
import Core
import FoundationEssentials
import Templates
import Web

/// A key as the settings show it.
struct ServiceKeyRow: ViewRecord {
    let key: ServiceKey

    static let fields = Fields<ServiceKeyRow> { f in
        f.text("id") { "\($0.key.id)" }
        f.text("name") { $0.key.name }
        f.text("hint") { "…\($0.key.hint)" }
        f.date("created") { $0.key.createdAt }
        f.optionalDate("used") { $0.key.lastUsedAt }
        f.optionalDate("revoked") { $0.key.revokedAt }
    }
}

/// The keys with which host products speak for this workspace.
struct ServiceKeysPage: ViewPage {
    var keys: [ServiceKeyRow] = []
    var name = FormField("name")
    /// A key that was just made: seen this once.
    var made: String?
    /// The tenant whose workspace this is.
    var tenant: String?
    var errors = ValidationErrors()

    static let view = "connectors/service-keys"
    static let fields = Fields<ServiceKeysPage> { f in
        f.list("keys", of: ServiceKeyRow.self) { $0.keys }
        f.record("name", of: FormField.self) { $0.name }
        f.optionalText("made") { $0.made }
        f.optionalText("tenant") { $0.tenant }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [ServiceKeysPage] {
        let date = Date(timeIntervalSince1970: 1_768_469_400)
        let id: ServiceKeyID = IdentifierSource().next()
        let workspace: WorkspaceID = IdentifierSource().next()
        let key = ServiceKey(id: id, workspace: workspace, name: "Shop", hint: "x7Qa", createdAt: date)
        return [
            ServiceKeysPage(), ServiceKeysPage(keys: [ServiceKeyRow(key: key)], made: "mpk_example", tenant: "t-1"),
        ]
    }
}

/// Asks once before a key is revoked.
struct ServiceKeyRevokePage: ViewPage {
    let id: String
    let name: String

    static let view = "connectors/revoke-key"
    static let fields = Fields<ServiceKeyRevokePage> { f in
        f.text("title") { "Revoke “\($0.name)”?" }
        f.link("action") { "/settings/service-keys/\($0.id)/revoke" }
    }
    static var previews: [ServiceKeyRevokePage] { [ServiceKeyRevokePage(id: "1", name: "Shop")] }
}

struct ServiceKeyRoutes: Sendable {
    let keys: ServiceKeys
    let access: ServiceAccess
    let tenants: TenantDirectory

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/settings/service-keys", .admin, show)
        routes.page(.post, "/settings/service-keys", .admin, make)
        routes.page(.get, "/settings/service-keys/{id}/revoke", .admin, confirm)
        routes.page(.post, "/settings/service-keys/{id}/revoke", .admin, revoke)
    }

    private func page(_ request: WebRequest) async throws -> ServiceKeysPage {
        let scope = try request.scope
        var page = ServiceKeysPage()
        page.keys = try await keys.all(scope).map(ServiceKeyRow.init)
        page.tenant = try await tenants.tenant(of: scope.workspace)
        return page
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        .page(try await page(request))
    }

    /// The key is shown in the answer itself and nowhere again: a redirect would have to keep it somewhere.
    private func make(_ request: WebRequest) async throws -> WebResponse {
        let name: String = try await request.form().text("name")
        do {
            let key: String = try await keys.make(name: name, try request.scope)
            var page: ServiceKeysPage = try await page(request)
            page.made = key
            return WebResponse.page(page).header(.cacheControl, "no-store")
        } catch let errors as ValidationErrors {
            var page: ServiceKeysPage = try await page(request)
            page.name = FormField("name", name, errors)
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        }
    }

    private func key(_ request: WebRequest) async throws -> ServiceKey {
        guard let key = try await keys.find(try request.id(), try request.scope) else { throw WebError.notFound }
        return key
    }

    private func confirm(_ request: WebRequest) async throws -> WebResponse {
        let key: ServiceKey = try await key(request)
        return .page(ServiceKeyRevokePage(id: "\(key.id)", name: key.name))
    }

    private func revoke(_ request: WebRequest) async throws -> WebResponse {
        let key: ServiceKey = try await key(request)
        guard try await keys.revoke(key.id, try request.scope) else { throw WebError.notFound }
        access.forget(key.workspace)
        return .redirect(to: "/settings/service-keys", notice: "The key “\(key.name)” works no more.")
    }
}
