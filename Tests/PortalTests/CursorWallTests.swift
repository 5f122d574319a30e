import Core
import TestSupport
import Testing
import Web

/// Cursors lead on in the list and the workspace that gave them out, and nowhere else.
@Suite("Cursors of others")
struct CursorWallTests {
    private static func problem(_ answer: TestResponse) throws -> String? { try answer.json()["code"]?.stringValue }

    /// The first page of two of a list with three rows.
    private func cursor(_ path: String, _ member: TestMember) async throws -> String {
        let page = try await member.api(.get, "\(path)?limit=1").json()
        return try #require(page["nextCursor"]?.stringValue, "\(path) \(page)")
    }

    private func fill(_ member: TestMember, _ name: String) async throws {
        for number in 0..<3 {
            _ = try await member.api(.post, "/v1/contacts", #"{"email":"\#(name)\#(number)@example.com"}"#)
            _ = try await member.api(.post, "/v1/lists", #"{"name":"\#(name) \#(number)"}"#)
            _ = try await member.api(.post, "/v1/companies", #"{"name":"\#(name) \#(number)"}"#)
            _ = try await member.api(.post, "/v1/suppressions", #"{"email":"\#(name)\#(number)@x.example"}"#)
        }
    }

    @Test("A cursor of another workspace is refused with a clear answer and shows none of its rows")
    func foreign() async throws {
        try await PortalFixture.with { portal in
            let (ana, bo) = (try await portal.register("Ana"), try await portal.register("Bo"))
            try await fill(ana, "ana")
            try await fill(bo, "bo")
            for path in ["/v1/contacts", "/v1/lists", "/v1/companies", "/v1/suppressions"] {
                let cursor: String = try await cursor(path, ana)
                let own = try await ana.api(.get, "\(path)?limit=1&cursor=\(cursor)")
                #expect(own.status == .ok, "\(path)")
                let foreign = try await bo.api(.get, "\(path)?limit=1&cursor=\(cursor)")
                #expect(foreign.status == .badRequest, "\(path)")
                #expect(try Self.problem(foreign) == "bad_cursor")
                #expect(foreign.text.contains("gave out in this workspace"))
                #expect(!foreign.text.contains("ana0") && !foreign.text.contains("ana 0"))
            }
            let page = try await bo.signIn().get("/contacts?cursor=\(try await cursor("/v1/contacts", ana))")
            #expect(page.status == .badRequest)
            #expect(!page.text.contains("ana1@example.com"))
        }
    }

    @Test("A cursor of one list given to any other is no error of the server and shows nobody else’s rows")
    func mixed() async throws {
        try await PortalFixture.with { portal in
            let (ana, bo) = (try await portal.register("Ana"), try await portal.register("Bo"))
            try await fill(ana, "ana")
            try await fill(bo, "bo")
            let browser = try await bo.signIn()
            var seen: Int = 0
            for source in ["/v1/contacts", "/v1/lists", "/v1/companies", "/v1/suppressions"] {
                let cursor: String = try await cursor(source, bo)
                for route in portal.assembly.routes.routes where route.method == .get && !route.path.contains("{") {
                    let answer: TestResponse
                    switch route.face {
                    case .api:
                        guard route.operation?.query.contains(where: { $0.name == "cursor" }) == true else { continue }
                        answer = try await bo.api(.get, "\(route.path)?cursor=\(cursor)")
                    case .page where route.access != .anyone:
                        answer = try await browser.get("\(route.path)?cursor=\(cursor)")
                    default: continue
                    }
                    seen += 1
                    #expect(answer.status.code < 500, "\(route.path) with a cursor of \(source): \(answer.status)")
                    #expect(!answer.text.contains("ana1@") && !answer.text.contains("ana 1"), "\(route.path)")
                }
            }
            #expect(seen > 60)
        }
    }

    @Test("A workspace’s service key that names another tenant is told so and sees nothing of either")
    func foreignTenant() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let page = try await ana.signIn().post("/settings/service-keys", [("name", "Shop")])
            let key: String = try #require(try page.page().one("#made-key")["value"])
            _ = try await portal.service(
                .post, "/v1/service/contacts", #"{"email":"theirs@example.com"}"#, tenant: "t-9")
            _ = try await ana.api(.post, "/v1/contacts", #"{"email":"ours@example.com"}"#)
            let paths: [String] = portal.assembly.routes.routes
                .filter { $0.face == .service && $0.method == .get && !$0.path.contains("{") }.map(\.path)
            #expect(paths.count > 3)
            for path in paths {
                for tenant in ["t-9", "t-unknown"] {
                    let answer = try await portal.service(.get, path, tenant: tenant, key: key)
                    #expect(answer.status == .forbidden, "\(path)")
                    #expect(try Self.problem(answer) == "foreign_tenant")
                    #expect(!answer.text.contains("theirs@") && !answer.text.contains("ours@"))
                }
            }
            let written = try await portal.service(
                .post, "/v1/service/contacts", #"{"email":"new@example.com"}"#, tenant: "t-9", key: key)
            #expect(written.status == .forbidden)
            let theirs = try await portal.service(.get, "/v1/service/contacts", tenant: "t-9")
            #expect(theirs.text.contains("theirs@example.com") && !theirs.text.contains("new@example.com"))
        }
    }
}
