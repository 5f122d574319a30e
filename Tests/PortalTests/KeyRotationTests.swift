import Contacts
import Core
import Messaging
import TestSupport
import Testing
import Tracking
import Web

/// What a change of `MARKETING_JWT_SECRET` must leave as it is.
@Suite("Changing the secret")
struct KeyRotationTests {
    private static let newSecret = "another secret for tests, also long enough"

    private static func claim(_ ana: TestMember) throws -> UnsubscribeLinks.Claim {
        let id = "01920000-0000-7000-8000-000000000000"
        return UnsubscribeLinks.Claim(
            workspace: ana.scope.workspace, contact: try #require(ContactID(id)), message: try #require(MessageID(id)))
    }

    @Test("keeps bearer tokens, sessions, open forms and cursors while the earlier secret is kept")
    func keepsPeopleSignedIn() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            for name in ["One", "Two"] { _ = try await ana.api(.post, "/v1/lists", "{\"name\":\"\(name)\"}") }
            for name in ["a", "b"] { _ = try await ana.api(.post, "/v1/contacts", "{\"email\":\"\(name)@b.example\"}") }
            let cursor = try await ana.api(.get, "/v1/contacts?limit=1").json()["nextCursor"]?.stringValue
            let after = try portal.restarted(secret: Self.newSecret, earlier: [PortalFixture.secret])
            let next = try await ana.moved(to: after).api(.get, "/v1/contacts?limit=1&cursor=\(try #require(cursor))")
            #expect(next.status == .ok)
            await browser.move(to: after)
            #expect(try await browser.post("/profile", [("name", "Ana R"), ("email", ana.email)]).status == .seeOther)
        }
    }

    @Test("keeps unsubscribe and tracking links of old e-mails, and signs new ones with the new secret")
    func keepsLinks() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let claim = try Self.claim(ana)
            let old = MessagingSlice.unsubscribeLinks(portal.services)
            let after = try portal.restarted(
                secret: Self.newSecret, earlier: ["a third secret that is old enough too", PortalFixture.secret])
            let links = MessagingSlice.unsubscribeLinks(after.services)
            #expect(links.open(old.token(claim)) == claim)
            #expect(links.token(claim) != old.token(claim))
            #expect(old.open(links.token(claim)) == nil)

            var click: [UInt8] = []
            let target = TrackingLinks.Target(number: 1, url: "https://example.com/")
            TrackingSlice.links(portal.services).appendClick(of: target, in: MessageIdentity(claim.message), to: &click)
            let tag = String(decoding: click, as: UTF8.self).split(separator: "=").last ?? ""
            let isValid = { (portal: PortalFixture) in
                TrackingSlice.links(portal.services)
                    .isValid(message: claim.message, number: 1, url: "https://example.com/", tag: tag)
            }
            #expect(isValid(after))
            #expect(try !isValid(portal.restarted(secret: Self.newSecret)))
        }
    }

    @Test("without the earlier secret ends bearer tokens and links, but no session")
    func endsWhatIsDropped() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            let token = MessagingSlice.unsubscribeLinks(portal.services).token(try Self.claim(ana))
            let after = try portal.restarted(secret: Self.newSecret)
            #expect(try await ana.moved(to: after).api(.get, "/v1/account").status == .unauthorized)
            #expect(MessagingSlice.unsubscribeLinks(after.services).open(token) == nil)
            await browser.move(to: after)
            #expect(try await browser.get("/profile").status == .ok)
        }
    }

    @Test("has saved passwords sealed anew, after which the earlier secret is not needed for them")
    func sealsAnew() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let settings = """
                {"provider":"smtp","smtp":{"host":"mail.example.com","port":587,"encryption":"starttls","username":"u",
                "password":"p","connections":1},"fromName":"Ana","fromEmail":"ana@example.com"}
                """
            #expect(try await ana.api(.put, "/v1/settings/email", settings).status == .ok)
            let seals = { (portal: PortalFixture) in portal.assembly.messaging.seals }
            #expect(try await seals(portal).outdated() == 0)

            let lost = try portal.restarted(secret: Self.newSecret)
            try await seals(lost).renew()
            #expect(try await seals(lost).outdated() == 1)

            let after = try portal.restarted(secret: Self.newSecret, earlier: [PortalFixture.secret])
            #expect(try await seals(after).outdated() == 1)
            try await seals(after).renew()
            #expect(try await seals(after).outdated() == 0)
            #expect(try await seals(lost).outdated() == 0)
        }
    }
}
