import Core
import FoundationEssentials
import Glibc

/// Asks the portal under test for one thing at a time, on a connection of its own.
struct BenchClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        /// Names in lower case, in the order of the answer.
        let headers: [(name: String, value: String)]
        let body: [UInt8]

        func header(_ name: String) -> String? {
            headers.first { $0.name == name }?.value
        }

        var text: String { String(decoding: body, as: UTF8.self) }

        func json() throws -> JSONValue {
            try JSONDecoder().decode(JSONValue.self, from: Data(body))
        }
    }

    let port: Int
    private static let threads = BlockingThreads<Void>(name: "bench-client", count: 2, waitingLimit: 64)

    /// Nil when nobody listens, or the answer is none.
    func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws -> Answer? {
        var request = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        if !body.isEmpty || method != "GET" { request += "Content-Length: \(body.count)\r\n" }
        let bytes: [UInt8] = Array((request + "\r\n").utf8)
        let port = port
        return try await Self.threads.run { _ in Self.exchange(port: port, bytes, body) }
    }

    /// Sends JSON with a bearer token and expects a JSON answer of status 2xx.
    func json(_ method: String, _ path: String, _ input: JSONValue? = nil, token: String? = nil) async throws
        -> JSONValue
    {
        var headers: [(String, String)] = [("Accept", "application/json")]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        var body: [UInt8] = []
        if let input {
            headers.append(("Content-Type", "application/json"))
            body = Array(try JSONEncoder().encode(input))
        }
        guard let answer = try await ask(method, path, headers: headers, body: body) else {
            throw BenchError("The portal did not answer \(method) \(path).")
        }
        guard (200..<300).contains(answer.status) else {
            throw BenchError("\(method) \(path) was answered with \(answer.status): \(answer.text.prefix(500))")
        }
        return answer.body.isEmpty ? .null : try answer.json()
    }

    // MARK: On the wire

    private static func exchange(port: Int, _ head: [UInt8], _ body: [UInt8]) -> Answer? {
        guard let socket = LoopbackSocket.connect(port: port) else { return nil }
        defer { close(socket) }
        guard LoopbackSocket.send(socket, head), LoopbackSocket.send(socket, body) else { return nil }
        var received: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            while true {
                let count = recv(socket, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { break }
                received.append(contentsOf: buffer.prefix(count))
            }
        }
        return parse(received)
    }

    private static func parse(_ bytes: [UInt8]) -> Answer? {
        guard let end = HTTPAnswer.headEnd(in: bytes[...]) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        let headers: [(name: String, value: String)] = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0].lowercased(), parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "")
        }
        var body = Array(bytes[end...])
        if headers.contains(where: { $0.name == "transfer-encoding" && $0.value == "chunked" }) {
            body = unchunked(body)
        }
        return Answer(status: status, headers: headers, body: body)
    }

    /// RFC 9112 §7.1, without trailers.
    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstIndex(of: 13),
            let size = Int(String(decoding: rest[rest.startIndex..<line], as: UTF8.self), radix: 16), size > 0
        {
            let start = line + 2
            guard start + size <= rest.endIndex else { break }
            output += rest[start..<(start + size)]
            rest = rest[min(start + size + 2, rest.endIndex)...]
        }
        return output
    }
}

/// What both clients know of an answer's form.
enum HTTPAnswer {
    /// The index after the empty line.
    static func headEnd(in bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        while index + 3 < bytes.endIndex {
            if bytes[index + 3] > 13 {
                index += 4
            } else if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
                return index + 4
            } else {
                index += 1
            }
        }
        return nil
    }
}

/// Sockets to this machine.
enum LoopbackSocket {
    static func connect(port: Int) -> Int32? {
        let descriptor: Int32 = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let connected = withAddress(port: port) { Glibc.connect(descriptor, $0, $1) }
        guard connected == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// A port on which nobody listens at the moment.
    static func freePort() -> Int {
        let descriptor: Int32 = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        _ = withAddress(port: 0) { bind(descriptor, $0, $1) }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// False when the other side has gone.
    static func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let count = Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                start += count
            }
            return true
        }
    }

    private static func withAddress(port: Int, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
