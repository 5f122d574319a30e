import Core
import Hummingbird
import Web

/// A browser without scripts: keeps cookies, sends forms with the token of the page it saw last.
package actor TestBrowser {
    private var portal: PortalFixture
    private var cookies: [String: String] = [:]
    private var formToken = ""

    init(portal: PortalFixture) {
        self.portal = portal
    }

    /// Goes on with another portal, its cookies kept: what a restart is to a browser.
    package func move(to portal: PortalFixture) {
        self.portal = portal
    }

    package func get(_ path: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        var fields = headers
        fields[.cookie] = cookieHeader
        return remember(try await portal.send(.get, path, headers: fields))
    }

    /// Submits a form. Without a page seen before, the sign-in page is read for a token first.
    package func post(
        _ path: String, _ fields: [(String, String)] = [], headers: HTTPFields = [:], token: String? = nil
    ) async throws -> TestResponse {
        if formToken.isEmpty { _ = try await get("/login") }
        let all = [("_csrf", token ?? formToken)] + fields
        let body = all.map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        var own = headers
        own[.contentType] = "application/x-www-form-urlencoded"
        return try await send(.post, path, headers: own, body: Array(body.utf8))
    }

    /// Uploads a file with the fields of its form (RFC 7578).
    package func upload(
        _ path: String, fields: [(String, String)] = [], file: (name: String, fileName: String, bytes: [UInt8]),
        token: String? = nil
    ) async throws -> TestResponse {
        if formToken.isEmpty { _ = try await get("/login") }
        let boundary = "test-boundary-7f3a"
        var body: [UInt8] = []
        for (name, value) in [("_csrf", token ?? formToken)] + fields {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8
        }
        body +=
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(file.name)\"; filename=\"\(file.fileName)\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            .utf8
        body += file.bytes
        body += "\r\n--\(boundary)--\r\n".utf8
        return try await send(
            .post, path, headers: [.contentType: "multipart/form-data; boundary=\(boundary)"], body: body)
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields, body: [UInt8]
    ) async throws -> TestResponse {
        var fields = headers
        fields[.cookie] = cookieHeader
        if fields[.secFetchSite] == nil { fields[.secFetchSite] = "same-origin" }
        return remember(try await portal.send(method, path, headers: fields, body: body))
    }

    private var cookieHeader: String? {
        cookies.isEmpty ? nil : cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }

    private func remember(_ response: TestResponse) -> TestResponse {
        for (name, value) in response.cookies { cookies[name] = value.isEmpty ? nil : value }
        if let range = response.text.range(of: "name=\"_csrf\" value=\"") {
            formToken = String(response.text[range.upperBound...].prefix { $0 != "\"" })
        }
        return response
    }
}
