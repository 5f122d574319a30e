import Core
import Hummingbird
import Web

/// A registered person: their token for the JSON face and, after `signIn`, a browser.
package struct TestMember: Sendable {
    let portal: PortalFixture
    package let email: String
    package let token: String
    package let principal: Principal

    package static let password = "correct horse battery"

    /// The same person with the same token at another portal: what a restart is to a client.
    package func moved(to portal: PortalFixture) -> TestMember {
        TestMember(portal: portal, email: email, token: token, principal: principal)
    }

    package var scope: WorkspaceScope { WorkspaceScope(principal) }

    /// A browser that is signed in as this person.
    package func signIn() async throws -> TestBrowser {
        let browser = portal.browser()
        _ = try await browser.get("/login")
        let answer = try await browser.post("/login", [("email", email), ("password", Self.password)])
        guard answer.status == .seeOther else { throw TestFailure("sign-in failed: \(answer.status)") }
        // The forms' token belongs to the session now: see a page that carries it.
        _ = try await browser.get("/profile")
        return browser
    }

    /// One call of the JSON face with this person's token.
    package func api(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var fields = headers
        fields[.authorization] = "Bearer \(token)"
        if json != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        return try await portal.send(method, path, headers: fields, body: Array((json ?? "").utf8))
    }
}
