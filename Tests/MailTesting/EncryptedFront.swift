import CTestSSL
import Core
import Glibc
import Mail

/// Stands before a sink and speaks TLS, from the first byte or after STARTTLS.
package final class EncryptedFront: Sendable {
    package struct Failure: Error {}

    private let listener: LoopbackListener
    package var port: Int { listener.port }

    package init(of sink: SMTPSink, encryption: SMTPSettings.Encryption, _ certificates: TestCertificates) throws {
        listener = try LoopbackListener()
        guard let context = SSL_CTX_new(TLS_server_method()),
            SSL_CTX_use_certificate_chain_file(context, certificates.chain) == 1,
            SSL_CTX_use_PrivateKey_file(context, certificates.key, SSL_FILETYPE_PEM) == 1
        else { throw Failure() }
        let (target, shared) = (sink.port, SharedContext(context))
        listener.serve(name: "front") { client in
            // One connection after the other: tests make no more.
            Self.serve(client, shared.pointer, target: target, startsPlain: encryption == .startTLS)
            shutdown(client, Int32(SHUT_RDWR))
            close(client)
        }
    }

    deinit {
        listener.stop()
    }

    /// Freed with the thread that uses it.
    private final class SharedContext: @unchecked Sendable {
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) {
            self.pointer = pointer
        }

        deinit {
            SSL_CTX_free(pointer)
        }
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
