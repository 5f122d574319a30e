import Core
import FoundationEssentials
import MailTesting
import Testing

@testable import Mail

@Suite(
    "Encrypted connections to mail servers",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/openssl"), "the openssl command is needed"))
struct SMTPEncryptionTests {
    private func outcome(
        _ encryption: SMTPSettings.Encryption, host: String = "localhost", trusting file: String?, pem: String? = nil,
        _ certificates: TestCertificates
    ) async throws -> (SMTPOutcome, messages: Int) {
        let sink = try SMTPSink()
        let front = try EncryptedFront(of: sink, encryption: encryption, certificates)
        let settings = SMTPSettings(
            host: host, port: front.port, encryption: encryption, helloName: "client.example", connectTimeout: 10,
            answerTimeout: 10, trustedCertificatesFile: file, trustedCertificates: pem)
        let pool = SMTPPool(settings: settings, connections: 1)
        var batch = SMTPBatch()
        batch.append(sender: "a@b.example", recipient: "c@d.example", message: SMTPTests.message)
        let outcomes: [SMTPOutcome] = await pool.deliver(batch)
        pool.stop()
        return (try #require(outcomes.first), sink.messageCount)
    }

    private func isRefused(_ outcome: SMTPOutcome) -> Bool {
        guard case .configuration(let reason) = outcome else { return false }
        return reason.hasPrefix("The encrypted connection failed")
    }

    @Test(
        "a certificate with its chain up to a trusted root is accepted",
        arguments: [SMTPSettings.Encryption.startTLS, .implicitTLS])
    func trusted(encryption: SMTPSettings.Encryption) async throws {
        let certificates = try TestCertificates()
        let (outcome, messages) = try await outcome(encryption, trusting: certificates.root, certificates)
        guard case .accepted = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(messages == 1)
    }

    @Test(
        "a root that is given as text counts like one in a file",
        arguments: [SMTPSettings.Encryption.startTLS, .implicitTLS])
    func givenAsText(encryption: SMTPSettings.Encryption) async throws {
        let certificates = try TestCertificates()
        let pem = try String(contentsOfFile: certificates.root, encoding: .utf8)
        let (outcome, messages) = try await outcome(encryption, trusting: nil, pem: pem, certificates)
        guard case .accepted = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(messages == 1)
    }

    @Test(
        "a batch goes over one encrypted connection, each message once",
        arguments: [SMTPSettings.Encryption.startTLS, .implicitTLS])
    func batch(encryption: SMTPSettings.Encryption) async throws {
        let certificates = try TestCertificates()
        var options = SMTPSink.Options()
        options.recording = .envelopes
        options.behavior = { $0 == "p2@d.example" ? SinkBehavior(.recipient, .reply("550 5.1.1 gone")) : nil }
        let sink = try SMTPSink(options: options)
        let front = try EncryptedFront(of: sink, encryption: encryption, certificates)
        let settings = SMTPSettings(
            host: "localhost", port: front.port, encryption: encryption, helloName: "client.example",
            connectTimeout: 10, answerTimeout: 10, trustedCertificatesFile: certificates.root)
        let pool = SMTPPool(settings: settings, connections: 1)
        var batch = SMTPBatch()
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 40_000)
        for number in 0..<6 {
            batch.append(
                sender: "a@b.example", recipient: "p\(number)@d.example", message: SMTPTests.message + long + [13, 10])
        }
        let outcomes: [SMTPOutcome] = await pool.deliver(batch)
        pool.stop()
        #expect(sink.records.map(\.recipient) == [0, 1, 3, 4, 5].map { "p\($0)@d.example" })
        #expect(sink.connectionCount == 1)
        #expect(outcomes[2].reply?.line == "550 5.1.1 gone")
    }

    @Test(
        "another name, and a root that nobody trusts, are settings errors, and nothing is handed over",
        arguments: [SMTPSettings.Encryption.startTLS, .implicitTLS])
    func refused(encryption: SMTPSettings.Encryption) async throws {
        let certificates = try TestCertificates()
        let wrongName = try await outcome(
            encryption, host: "127.0.0.1", trusting: certificates.root, certificates)
        #expect(isRefused(wrongName.0), "\(wrongName.0)")
        #expect(wrongName.messages == 0)
        let untrusted = try await outcome(encryption, trusting: nil, certificates)
        #expect(isRefused(untrusted.0), "\(untrusted.0)")
        #expect(untrusted.messages == 0)
    }
}
