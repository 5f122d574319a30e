import Core
import HTTPTypes
import TestSupport
import Testing
import Web

@Suite("Requests that say they are for another host")
struct ForgedHostTests {
    @Test("The link for a new password leads to the portal, whatever host the request names")
    func passwordReset() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let forged: HTTPFields = [
                HTTPField.Name("X-Forwarded-Host")!: "evil.example", HTTPField.Name("Forwarded")!: "host=evil.example",
                .origin: "http://evil.example",
            ]
            let form = try await portal.send(.get, "/forgotten-password", host: "evil.example", headers: forged)
            #expect(!form.text.contains("evil.example"))
            let token: String = try #require(try form.page().fields(of: "form")["_csrf"])
            var fields: HTTPFields = forged
            fields[.cookie] = form.headers[values: .setCookie].map { $0.prefix { $0 != ";" } }.joined(separator: "; ")
            fields[.contentType] = "application/x-www-form-urlencoded"
            let body = "_csrf=\(PercentEncoding.encode(token))&email=\(PercentEncoding.encode(ana.email))"
            let answer = try await portal.send(
                .post, "/forgotten-password", host: "evil.example", headers: fields, body: Array(body.utf8))
            #expect(answer.status.code < 400, "\(answer.text)")
            #expect(!answer.text.contains("evil.example"))
            #expect(answer.headers[.location]?.contains("evil.example") != true)
            let mails = try await portal.services.database.session { session in
                try await session.values(
                    String.self, "test.mails",
                    "SELECT payload::text FROM marketing_job_queue WHERE payload::text LIKE '%reset-password%'")
            }
            #expect(mails.count == 1)
            #expect(mails.first?.contains("portal.test/reset-password?token=") == true)
            #expect(mails.first?.contains("evil") == false)
        }
    }
}
