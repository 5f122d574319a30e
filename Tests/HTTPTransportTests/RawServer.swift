import Core
import Glibc
import Synchronization

/// A server on this machine that answers with exactly the bytes a test gives. A nil answer keeps the client waiting, an
/// empty one closes the connection.
final class RawServer: Sendable {
    struct Failure: Error {}

    private let listener: Int32
    private let port: UInt16
    private final class Log: Sendable {
        let requests = Mutex<[String]>([])
    }

    private let log = Log()

    init(answer: @escaping @Sendable (String) -> String?) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener: Int32 = listener
        let status: Int32 = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 128) == 0 ? getsockname(listener, $0, &size) : -1
            }
        }
        guard status == 0 else { throw Failure() }
        port = UInt16(bigEndian: address.sin_port)
        let log: Log = log
        OwnThread.launch(name: "raw-server") {
            while true {
                let connection: Int32 = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                OwnThread.launch(name: "raw-client") {
                    while let request = Self.read(connection) {
                        log.requests.withLock { $0.append(request) }
                        guard let text = answer(request) else { continue }
                        if text.isEmpty { break }
                        _ = text.withCString { send(connection, $0, text.utf8.count, Int32(MSG_NOSIGNAL)) }
                    }
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var requests: [String] { log.requests.withLock { $0 } }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Head and, where a length is given, body of the next request.
    private static func read(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.firstRange(of: "\r\n\r\n") {
                let line: Substring? = text.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                let length: Int = line.flatMap { Int($0.dropFirst(16)) } ?? 0
                if text[end.upperBound...].utf8.count >= length { return text }
            }
            let count: Int = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
        }
    }
}
