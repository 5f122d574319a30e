import Core
import TestSupport
import Testing
import Web

@Suite("Choosing a workspace")
struct WorkspaceChoiceTests {
    /// Bob, who is a viewer in Ana's workspace beside being the owner of his own.
    private static func invite(_ bob: TestMember, to ana: TestMember, _ portal: PortalFixture) async throws {
        _ = try await portal.services.database.session { session in
            try await session.run(
                "test.join",
                """
                INSERT INTO marketing_memberships (workspace_id, user_id, role, created_at)
                VALUES (\(ana.scope.workspace), \(bob.principal.user), 'viewer', now() + interval '1 hour')
                """)
        }
    }

    @Test("Somebody in one workspace sees no switch; somebody in two opens the other, and the session remembers it")
    func switches() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bob = try await portal.register("Bob")
            let alone = try await ana.signIn().get("/profile")
            #expect(try !alone.page().has("a[href='/workspaces']"))
            try await Self.invite(bob, to: ana, portal)
            let browser = try await bob.signIn()
            #expect(try await browser.get("/profile").page().has("a[href='/workspaces']"))
            let choice = try await browser.get("/workspaces").page()
            #expect(choice.all("form[action='/workspaces']").count == 1)
            #expect(
                try choice.one("form[action='/workspaces'] input[name=workspace]")["value"] == "\(ana.scope.workspace)")
            let answer = try await browser.post("/workspaces", [("workspace", "\(ana.scope.workspace)")])
            #expect(answer.location == "/")
            for _ in 0..<2 {
                let page = try await browser.get("/profile").page()
                #expect(try page.text(".brand-name") == "Ana’s workspace")
            }
            // The role of the workspace that is open counts: Bob only looks here.
            #expect(try await browser.post("/settings", [("name", "Bob’s now")]).status == .forbidden)
        }
    }

    @Test("A page of one workspace opened in another is 404")
    func keepsWorkspacesApart() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bob = try await portal.register("Bob")
            try await Self.invite(bob, to: ana, portal)
            let list = try #require(
                try await bob.api(.post, "/v1/lists", #"{"name":"News"}"#).json()["id"]?.stringValue)
            let browser = try await bob.signIn()
            #expect(try await browser.get("/lists/\(list)").status == .ok)
            _ = try await browser.post("/workspaces", [("workspace", "\(ana.scope.workspace)")])
            #expect(try await browser.get("/lists/\(list)").status == .notFound)
        }
    }

    @Test("A workspace that one does not belong to is 404, whether it is there or not, and a form needs its token")
    func refusesStrangers() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let bob = try await portal.register("Bob")
            let browser = try await bob.signIn()
            for id in ["\(ana.scope.workspace)", "01920000-0000-7000-8000-000000000000", "x", ""] {
                #expect(try await browser.post("/workspaces", [("workspace", id)]).status == .notFound)
            }
            let forged = try await browser.post(
                "/workspaces", [("workspace", "\(bob.scope.workspace)")], token: "forged")
            #expect(forged.status == .forbidden)
        }
    }
}
