import Core
import Templates
import TestSupport
import Testing
import Web

@Suite("The server")
struct WebServerTests {
    @Test(
        "Every answer carries the security headers",
        arguments: ["/login", "/healthz", "/nowhere", "/v1/account", "/assets/none/x.css"])
    func sendsSecurityHeaders(path: String) async throws {
        try await PortalFixture.with { portal in
            let answer = try await portal.send(.get, path)
            #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            #expect(answer.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
            #expect(answer.headers[.contentSecurityPolicy]?.contains("unsafe-inline") == false)
        }
    }

    @Test("A page that does not exist is a page; an address of the API is a problem document")
    func answersMisses() async throws {
        try await PortalFixture.with { portal in
            let page = try await portal.send(.get, "/nowhere")
            #expect(page.status == .notFound)
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            let problem = try await portal.send(.get, "/v1/nowhere")
            #expect(problem.status == .notFound)
            #expect(problem.headers[.contentType] == "application/problem+json")
            #expect(try problem.json()["code"] == .string("not_found"))
        }
    }

    @Test("A member sees an unknown address inside the portal, everybody else on a plain page")
    func keepsMembersInside() async throws {
        try await PortalFixture.with { portal in
            let stranger = try await portal.browser().get("/nowhere")
            #expect(try !stranger.page().has("nav.sidebar"))
            let browser = try await portal.register("Ana").signIn()
            for path in ["/nowhere", "/assets/x/none.css"] {
                let answer = try await browser.get(path)
                #expect(answer.status == .notFound)
                #expect(try answer.page().has("nav.sidebar a[href='/contacts']"), "\(path)")
            }
            let ended = try await portal.send(.get, "/nowhere", headers: [.cookie: "sid=forged"])
            #expect(try !ended.page().has("nav.sidebar"))
        }
    }

    @Test("A form in parts needs its token also where nobody reads the form")
    func guardsForms() async throws {
        try await PortalFixture.with { portal in
            let browser = try await portal.register("Ana").signIn()
            let file = (name: "x", fileName: "x.txt", bytes: Array("x".utf8))
            for path in ["/logout", "/profile/sessions/end", "/profile"] {
                #expect(try await browser.upload(path, file: file, token: "made-up").status == .forbidden, "\(path)")
            }
            #expect(try await browser.get("/profile").status == .ok)
            let renamed = try await browser.upload(
                "/profile", fields: [("name", "Ana María"), ("email", "ana@example.com")], file: file)
            #expect(renamed.status == .seeOther)
            #expect(try await browser.get("/profile").text.contains("Ana María"))
            #expect(try await browser.upload("/logout", file: file).status == .seeOther)
            #expect(try await browser.get("/profile").status == .seeOther)
        }
    }

    @Test("Mistakes in views that are worked on are shown with their place")
    func showsViewMistakes() async throws {
        try await PortalFixture.with { portal in
            let broken = try portal.showing {
                try ViewLibrary.load(
                    sources: ["errors/error.html": "{{ nobody"], pages: [], chrome: Chrome.self, asset: { _ in nil })
            }
            let answer = try await broken.send(.get, "/login")
            #expect(answer.status == .internalServerError)
            #expect(answer.text.contains("Mistakes in the views"))
            #expect(answer.text.contains("errors/error.html"))
        }
    }

    @Test("A worker answers watchdogs and Prometheus, and nothing else")
    func servesHealthOnWorkers() async throws {
        try await PortalFixture.with { portal in
            let worker = try portal.asWorker()
            #expect(try await worker.send(.get, "/healthz").status == .ok)
            #expect(try await worker.send(.get, "/metrics").status == .ok)
            // Not listening yet in a test, so not ready; but it is this route that says so.
            #expect(try await worker.send(.get, "/readyz").status == .serviceUnavailable)
            for path in ["/", "/login", "/v1/account"] {
                #expect(try await worker.send(.get, path).status == .notFound, "\(path)")
            }
        }
    }

    @Test("A wrong method is answered with the right ones")
    func answersWrongMethods() async throws {
        try await PortalFixture.with { portal in
            let answer = try await portal.send(.delete, "/v1/auth/login")
            #expect(answer.status == .methodNotAllowed)
            #expect(answer.headers[.allow] == "POST")
        }
    }

    @Test("Bodies beyond the limit, wrong content types and broken JSON are refused with their own status")
    func refusesBadBodies() async throws {
        try await PortalFixture.with { portal in
            let path = "/v1/auth/login"
            let json: HTTPFields = [.contentType: "application/json"]
            let huge = [UInt8](repeating: UInt8(ascii: " "), count: (1 << 20) + 1)
            let tooLarge = try await portal.send(.post, path, headers: json, body: huge)
            let broken = try await portal.send(.post, path, headers: json, body: Array("{".utf8))
            let foreign = try await portal.send(.post, path, body: Array("a=b".utf8))
            #expect(tooLarge.status == .contentTooLarge)
            #expect(broken.status == .badRequest)
            #expect(foreign.status == .unsupportedMediaType)
        }
    }

    @Test(
        "Without a token, or with a forged one, the API asks for one",
        arguments: ["", "Bearer x", "Bearer a.b.c", "Basic YTpi"])
    func asksForTokens(authorization: String) async throws {
        try await PortalFixture.with { portal in
            let answer = try await portal.send(
                .get, "/v1/account", headers: authorization.isEmpty ? [:] : [.authorization: authorization])
            #expect(answer.status == .unauthorized)
            #expect(answer.headers[.wwwAuthenticate] == "Bearer")
        }
    }

    @Test("An answer that has not changed is not sent again")
    func answersConditionalRequests() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let first = try await ana.api(.get, "/v1/account")
            let tag = try #require(first.headers[.eTag])
            let second = try await ana.api(.get, "/v1/account", headers: [.ifNoneMatch: tag])
            #expect(second.status == .notModified)
            #expect(second.bytes.isEmpty)
        }
    }

    @Test("Text is compressed for those who take it")
    func compresses() async throws {
        try await PortalFixture.with { portal in
            let plain = try await portal.send(.get, "/login")
            let packed = try await portal.send(.get, "/login", headers: [.acceptEncoding: "br, gzip;q=0.8"])
            #expect(plain.headers[.contentEncoding] == nil)
            #expect(packed.headers[.contentEncoding] == "gzip")
            #expect(packed.bytes.count < plain.bytes.count)
        }
    }
}
