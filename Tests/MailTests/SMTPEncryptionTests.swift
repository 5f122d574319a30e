import CTestSSL
import Core
import FoundationEssentials
import Glibc
import Testing

@testable import Mail

@Suite(
    "Encrypted connections to mail servers",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/openssl"), "the openssl command is needed"))
struct SMTPEncryptionTests {
    private func outcome(
        _ encryption: SMTPSettings.Encryption, host: String = "localhost", trusting file: String?,
        _ certificates: TestCertificates
    ) async throws -> (SMTPOutcome, messages: Int) {
        let sink = try SMTPSink()
        let front = try EncryptedFront(of: sink, encryption: encryption, certificates)
        let settings = SMTPSettings(
            host: host, port: front.port, encryption: encryption, helloName: "client.example", connectTimeout: 10,
            answerTimeout: 10, trustedCertificatesFile: file)
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

/// A root, an authority beneath it and a server's certificate for `localhost`, in a folder of their own.
final class TestCertificates: Sendable {
    struct Failure: Error {}

    private let directory: String
    var root: String { "\(directory)/root.pem" }
    /// The server's certificate and the authority's.
    var chain: String { "\(directory)/chain.pem" }
    var key: String { "\(directory)/server.key" }

    init() throws {
        directory = "/tmp/portal-certificates-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let script = """
            set -e; cd \(directory)
            new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj "/CN=$2"; }
            new root "Test root"; new middle "Test authority"; new server localhost
            printf 'basicConstraints=critical,CA:true\\n' > ca.ext
            printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\n' > server.ext
            openssl x509 -req -in root.csr -signkey root.key -extfile ca.ext -days 2 -out root.pem
            openssl x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile ca.ext -days 2 -out middle.pem
            openssl x509 -req -in server.csr -CA middle.pem -CAkey middle.key -CAcreateserial -extfile server.ext -days 2 -out server.pem
            cat server.pem middle.pem > chain.pem
            """
        try script.write(toFile: "\(directory)/make.sh", atomically: true, encoding: .utf8)
        guard system("sh \(directory)/make.sh > \(directory)/log 2>&1") == 0 else { throw Failure() }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Stands before a sink and speaks TLS, from the first byte or after STARTTLS.
final class EncryptedFront: Sendable {
    struct Failure: Error {}

    let port: Int
    private let listener: Int32

    init(of sink: SMTPSink, encryption: SMTPSettings.Encryption, _ certificates: TestCertificates) throws {
        (listener, port) = try LoopbackListener.open(port: 0)
        guard let context = SSL_CTX_new(TLS_server_method()),
            SSL_CTX_use_certificate_chain_file(context, certificates.chain) == 1,
            SSL_CTX_use_PrivateKey_file(context, certificates.key, SSL_FILETYPE_PEM) == 1
        else { throw Failure() }
        let (listener, target, shared) = (listener, sink.port, SharedContext(pointer: context))
        OwnThread.launch(name: "front") {
            defer { SSL_CTX_free(shared.pointer) }
            while true {
                let client: Int32 = accept(listener, nil, nil)
                guard client >= 0 else { return }
                // One connection after the other: tests make no more.
                Self.serve(client, shared.pointer, target: target, startsPlain: encryption == .startTLS)
                close(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private struct SharedContext: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private static func serve(_ client: Int32, _ context: OpaquePointer, target: Int, startsPlain: Bool) {
        let plain = ScriptedServer.Connection(socket: client)
        if startsPlain {
            plain.say("220 front.example ESMTP")
            guard plain.hear() != nil, plain.say("250-front.example\r\n250 STARTTLS"), plain.hear() != nil,
                plain.say("220 go ahead")
            else { return }
        }
        guard let tls = SSL_new(context) else { return }
        defer { SSL_free(tls) }
        guard SSL_set_fd(tls, client) == 1, SSL_accept(tls) == 1, let sink = connect(target) else { return }
        defer { close(sink) }
        // After STARTTLS the client greets again; the server does not.
        if startsPlain { _ = ScriptedServer.Connection(socket: sink).hear() }
        relay(tls, client, sink)
    }

    private static func relay(_ tls: OpaquePointer, _ client: Int32, _ sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        var sockets: [pollfd] = [client, sink].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            guard SSL_pending(tls) > 0 || poll(&sockets, 2, 10_000) > 0 else { return }
            if SSL_pending(tls) > 0 || sockets[0].revents != 0 {
                let count: Int32 = SSL_read(tls, &buffer, Int32(buffer.count))
                guard count > 0, send(sink, buffer, Int(count), Int32(MSG_NOSIGNAL)) == Int(count) else { return }
            }
            if sockets[1].revents != 0 {
                let count: Int = recv(sink, &buffer, buffer.count, 0)
                guard count > 0, SSL_write(tls, buffer, Int32(count)) > 0 else { return }
            }
        }
    }

    private static func connect(_ port: Int) -> Int32? {
        let descriptor: Int32 = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result: Int32 = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 ? descriptor : nil
    }
}
