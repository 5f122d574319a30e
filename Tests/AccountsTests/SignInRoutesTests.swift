import Accounts
import Core
import TestSupport
import Testing
import Web

@Suite("Signing in")
struct SignInRoutesTests {
    @Test("Registering makes an account with its workspace and signs the browser in")
    func registers() async throws {
        try await PortalFixture.with { portal in
            let browser = portal.browser()
            _ = try await browser.get("/register")
            let answer = try await browser.post(
                "/register",
                [
                    ("name", "Ana Ruiz"), ("email", "Ana@Example.com"), ("password", "correct horse battery"),
                    ("workspaceName", "Acme"), ("timeZone", "Europe/Madrid"),
                ])
            #expect(answer.status == .seeOther)
            let profile = try await browser.get("/profile")
            #expect(profile.status == .ok)
            #expect(try profile.page().one("input[name=name]")["value"] == "Ana Ruiz")
        }
    }

    @Test("A form with mistakes comes back with the input kept and each mistake beside its field")
    func keepsInput() async throws {
        try await PortalFixture.with { portal in
            let browser = portal.browser()
            let answer = try await browser.post(
                "/register",
                [("name", "Ana"), ("email", "not an address"), ("password", "short"), ("workspaceName", "")])
            #expect(answer.status == .unprocessableContent)
            let page = try answer.page()
            #expect(try page.one("input[name=email]")["value"] == "not an address")
            #expect(try page.one("input[name=email]")["aria-invalid"] == "true")
            #expect(answer.text.contains("There is a problem"))
        }
    }

    @Test("A wrong password and an unknown address get the same answer")
    func revealsNothing() async throws {
        try await PortalFixture.with { portal in
            _ = try await portal.register("Ana")
            let browser = portal.browser()
            let wrong = try await browser.post(
                "/login", [("email", "ana@example.com"), ("password", "wrong password")])
            let unknown = try await browser.post(
                "/login", [("email", "nobody@example.com"), ("password", "wrong password")])
            #expect(wrong.status == .unprocessableContent)
            #expect(unknown.status == wrong.status)
            #expect(try wrong.page().text(".error-summary") == unknown.page().text(".error-summary"))
        }
    }

    @Test("Guessing is slowed down after five failures, and the right password has to wait too")
    func throttles() async throws {
        try await PortalFixture.with(clock: .fixed(PortalFixture.noon)) { portal in
            let ana = try await portal.register("Ana")
            let guess = #"{"email":"ana@example.com","password":"a wrong password"}"#
            for _ in 0..<5 {
                #expect(try await ana.api(.post, "/v1/auth/login", guess).status == .unauthorized)
            }
            let right = #"{"email":"ana@example.com","password":"\#(TestMember.password)"}"#
            let blocked = try await ana.api(.post, "/v1/auth/login", right)
            #expect(blocked.status == .tooManyRequests)
            #expect(blocked.headers[.retryAfter] == "1")
            let limit = try #require(HTTPField.Name("RateLimit"))
            let policy = try #require(HTTPField.Name("RateLimit-Policy"))
            #expect(blocked.headers[limit] == #""sign-in";r=0;t=1"#)
            #expect(blocked.headers[policy] == #""sign-in";q=5;w=3600"#)
            #expect(try blocked.json()["detail"]?.stringValue?.contains("sign-in") == true)
        }
    }

    @Test("A form from another site, or without its token, changes nothing")
    func refusesForgery() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let fields = [("name", "Mallory"), ("email", "mallory@example.com")]
            let foreign = try await browser.post("/profile", fields, headers: [.secFetchSite: "cross-site"])
            let untokened = try await browser.post("/profile", fields, token: "bm90IGEgdG9rZW4")
            #expect(foreign.status == .forbidden)
            #expect(untokened.status == .forbidden)
            #expect(try await browser.get("/profile").text.contains("Ana"))
        }
    }

    @Test("Signing out ends the session")
    func signsOut() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            #expect(try await browser.get("/profile").status == .ok)
            #expect(try await browser.post("/logout").status == .seeOther)
            let after = try await browser.get("/profile")
            #expect(after.location == "/login?next=%2Fprofile")
        }
    }

    @Test(
        "Only paths of this portal are gone back to after signing in",
        arguments: [
            ("/contacts?q=a", "/contacts?q=a"), ("//evil.example", "/"), ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\tevil", "/"),
        ])
    func refusesOpenRedirects(next: String, expected: String) {
        #expect((LocalPath.safe(next) ?? "/") == expected)
    }
}
