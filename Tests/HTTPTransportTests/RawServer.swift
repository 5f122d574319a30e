import Core
import Glibc
import Synchronization

/// A server on this machine that answers with exactly the bytes a test gives. A nil answer keeps the client waiting, an
/// empty one closes the connection.
final class RawServer: Sendable {
    private final class Log: Sendable {
        let requests = Mutex<[String]>([])
    }

    private let listener: LoopbackListener
    private let log = Log()

    init(answer: @escaping @Sendable (String) -> String?) throws {
        listener = try LoopbackListener()
        let log: Log = log
        listener.serve(name: "raw-server") { connection in
            OwnThread.launch(name: "raw-client") {
                while let request = Self.read(connection) {
                    log.requests.withLock { $0.append(request) }
                    guard let text = answer(request) else { continue }
                    if text.isEmpty { break }
                    _ = text.withCString { send(connection, $0, text.utf8.count, Int32(MSG_NOSIGNAL)) }
                }
                shutdown(connection, Int32(SHUT_RDWR))
                close(connection)
            }
        }
    }

    deinit {
        listener.stop()
    }

    var requests: [String] { log.requests.withLock { $0 } }

    func url(_ path: String) -> String { "http://127.0.0.1:\(listener.port)\(path)" }

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
