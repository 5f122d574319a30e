import Accounts
import Core
import FoundationEssentials
import Mail
import MailTesting
import Postgres
import TestSupport
import Testing

@testable import Messaging

@Suite(
    "Mail servers with a certificate of a private authority",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/openssl"), "the openssl command is needed"))
struct OwnAuthorityTests {
    private func settings(_ port: Int, _ encryption: String, certificates: String?) -> String {
        let pem: String = certificates.map { "\"\($0.replacing("\n", with: "\\n"))\"" } ?? "null"
        return """
            {"provider":"smtp","fromEmail":"news@acme.example","smtp":{"host":"localhost","port":\(port),
            "encryption":"\(encryption)","certificates":\(pem)}}
            """
    }

    @Test(
        "With the authority's certificate in the settings mail goes out, without it the connection is refused",
        arguments: [SMTPSettings.Encryption.startTLS, .implicitTLS])
    func accepted(encryption: SMTPSettings.Encryption) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let certificates = try TestCertificates()
            let root = try String(contentsOfFile: certificates.root, encoding: .utf8)
            let sink = try SMTPSink()
            let front = try EncryptedFront(of: sink, encryption: encryption, certificates)
            for pem in [nil, root, nil] {
                let saved = try await ana.api(
                    .put, "/v1/settings/email", settings(front.port, encryption.rawValue, certificates: pem))
                #expect(saved.status == .ok, "\(saved.text)")
                #expect(
                    try saved.json()["smtp"]?["certificates"]?.stringValue == pem.map { $0.trimmed },
                    "\(saved.text)")
                let report = try await ana.api(.post, "/v1/settings/email/test", #"{"to":"bo@example.com"}"#)
                let isAccepted: Bool = try report.json()["accepted"] == .bool(true)
                #expect(isAccepted == (pem != nil), "\(report.text)")
                if pem == nil { #expect(report.text.contains("certificate"), "\(report.text)") }
            }
            #expect(sink.messageCount == 1)
        }
    }

    @Test("The page keeps the certificate, says whose it is, and refuses what is none")
    func page() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let certificates = try TestCertificates()
            let root = try String(contentsOfFile: certificates.root, encoding: .utf8)
            let key = try String(contentsOfFile: certificates.key, encoding: .utf8)
            let browser = try await ana.signIn()
            var fields = try await browser.get("/settings/email").page().fields(of: "form[action='/settings/email']")
            fields["_csrf"] = nil
            func post(_ pem: String) async throws -> TestResponse {
                fields["certificates"] = pem
                return try await browser.post("/settings/email", fields.map { ($0.key, $0.value) })
            }
            let lines: [Substring] = root.split(separator: "\n")
            let damaged: String = (lines.prefix(2) + lines.dropFirst(3)).joined(separator: "\n")
            for (text, words) in [
                ("trust me", "This is no certificate"), (root + key, "There is a private key in it"),
                (damaged, "The certificate cannot be read"), (root + damaged, "Certificate 2 cannot be read"),
            ] {
                let refused = try await post(text)
                #expect(refused.status == .unprocessableContent)
                #expect(refused.text.contains(words), "\(words)")
            }
            #expect(try await post(root).status == .seeOther)
            let shown = try await browser.get("/settings/email")
            #expect(shown.text.contains("Test root, valid until"))
            #expect(shown.text.contains(lines[1]))
            let log = try await browser.get("/settings/audit")
            #expect(!log.text.contains(lines[1]))
        }
    }

    @Test("An address in the API names the field")
    func pointer() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let refused = try await ana.api(
                .put, "/v1/settings/email", settings(25, "starttls", certificates: "nonsense"))
            #expect(refused.status == .unprocessableContent)
            #expect(refused.text.contains("smtp/certificates"), "\(refused.text)")
        }
    }
}
