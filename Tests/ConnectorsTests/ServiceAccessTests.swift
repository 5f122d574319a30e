import Accounts
import Core
import FoundationEssentials
import Postgres
import TestSupport
import Testing
import Web

@testable import Connectors

@Suite("Host products and their keys")
struct ServiceAccessTests {
    private func makeKey(_ browser: TestBrowser, name: String = "Shop") async throws -> String {
        let page = try await browser.post("/settings/service-keys", [("name", name)])
        #expect(page.status == .ok)
        return try #require(try page.page().one("#made-key")["value"])
    }

    @Test("A tenant's first call makes its workspace, many at once make one, and another tenant gets another")
    func provisions() async throws {
        try await PortalFixture.with { portal in
            let ids = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await portal.service(.get, "/v1/service/account").json()["id"]?.stringValue }
                }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            let other = try await portal.service(.get, "/v1/service/account", tenant: "t-2").json()
            #expect(!ids.contains(other["id"]?.stringValue))
            #expect(other["externalTenantId"] == .string("t-2"))
            #expect(other["connectorType"] == .string("serviceflow"))
        }
    }

    @Test("The key of the installation needs a tenant, and a sensible one")
    func needsTenant() async throws {
        try await PortalFixture.with { portal in
            let nameless = try await portal.service(.get, "/v1/service/account", tenant: nil)
            #expect(nameless.status == .badRequest)
            let long = String(repeating: "x", count: 201)
            for tenant in ["a b", long] {
                let answer = try await portal.service(.get, "/v1/service/account", tenant: tenant)
                #expect(answer.status == .badRequest)
            }
        }
    }

    @Test("A workspace's key speaks for that workspace alone, is kept as a hash, and ends when it is revoked")
    func workspaceKeys() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let key = try await makeKey(browser)
            let account = try await portal.service(.get, "/v1/service/account", tenant: nil, key: key)
            #expect(try account.json()["id"] == .string("\(ana.principal.workspace)"))
            _ = try await portal.service(.get, "/v1/service/account", tenant: "t-9")
            for tenant in ["t-9", "t-unknown"] {
                let foreign = try await portal.service(.get, "/v1/service/account", tenant: tenant, key: key)
                #expect(foreign.status == .forbidden)
            }
            let list = try await browser.get("/settings/service-keys")
            #expect(!list.text.contains(key))
            #expect(list.text.contains("…\(key.suffix(4))"))
            let stored: [[UInt8]] = try await portal.services.database.session { session in
                try await session.values([UInt8].self, "test.keys", "SELECT key_hash FROM marketing_service_keys")
            }
            #expect(stored == [ServiceKeys.hash(key)])
            let href = try #require(try list.page().one("a[href$='/revoke']")["href"])
            #expect(try await browser.get(href).text.contains("Revoke “Shop”?"))
            #expect(try await browser.post(href).status == .seeOther)
            #expect(
                try await portal.service(.get, "/v1/service/account", tenant: nil, key: key).status == .unauthorized)
        }
    }

    @Test("Members' tokens open nothing here, and service keys open nothing else")
    func facesAreApart() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            #expect(try await ana.api(.get, "/v1/service/account").status == .unauthorized)
            #expect(try await portal.service(.get, "/v1/contacts").status == .unauthorized)
            let browser = try await ana.signIn()
            #expect(try await browser.get("/v1/service/account").status == .unauthorized)
        }
    }

    @Test("Wrong keys are slowed down; the right one is not")
    func throttles() async throws {
        let now = Moment(PortalFixture.noon)
        try await PortalFixture.with(clock: WallClock { now.value }) { portal in
            var statuses: [HTTPResponse.Status] = []
            for index in 0..<22 {
                statuses.append(
                    try await portal.service(.get, "/v1/service/account", tenant: nil, key: "mpk_wrong\(index)").status)
            }
            #expect(statuses.prefix(20).allSatisfy { $0 == .unauthorized })
            #expect(statuses.last == .tooManyRequests)
            #expect(try await portal.service(.get, "/v1/service/account").status == .ok)
            now.value = now.value.addingTimeInterval(120)
            let later = try await portal.service(.get, "/v1/service/account", tenant: nil, key: "mpk_wrong")
            #expect(later.status == .unauthorized)
        }
    }

    @Test("Lists and contacts are there under /v1/service too, in the tenant's own workspace")
    func mirrors() async throws {
        try await PortalFixture.with { portal in
            let made = try await portal.service(
                .post, "/v1/service/contacts", #"{"email":"bo@example.com","firstName":"Bo"}"#)
            #expect(made.status == .created)
            let location = try #require(made.location)
            #expect(location.hasPrefix("/v1/service/contacts/"))
            #expect(try await portal.service(.get, location).json()["firstName"] == .string("Bo"))
            #expect(try await portal.service(.get, location, tenant: "t-2").status == .notFound)
            let list = try await portal.service(.post, "/v1/service/lists", #"{"name":"News"}"#)
            #expect(list.status == .created)
            let paths = Set(portal.assembly.routes.routes.filter { $0.face == .service }.map(\.path))
            #expect(paths.contains("/v1/service/lists/{id}/members"))
            #expect(paths.contains("/v1/service/contacts/resolve"))
        }
    }
}
