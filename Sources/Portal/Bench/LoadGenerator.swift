import Core
import Glibc

/// Asks as fast as answers come, over a fixed number of kept-alive connections, one request at a time on each, from a
/// single thread: poll, prepared requests, no allocation per request.
struct LoadGenerator: Sendable {
    struct Result: Sendable {
        var histogram = LatencyHistogram()
        var seconds = 0.0
        /// Answers of another status than expected.
        var refused = 0
        /// Connections that broke, each with the request it was busy with.
        var broken = 0

        var answered: Int { histogram.count }
        var rate: Double { seconds > 0 ? Double(answered) / seconds : 0 }
    }

    let port: Int
    let connections: Int
    /// Statuses that count as an answer.
    let accepts: Set<Int>

    /// Sends the requests in turn, from the first again after the last, for so long.
    /// - Parameter limit: how many requests are sent at most.
    func run(_ requests: [[UInt8]], for duration: Duration, limit: Int = .max) async throws -> Result {
        let threads = BlockingThreads<Void>(name: "bench-load", count: 1, waitingLimit: 1)
        let nanoseconds = UInt64(duration / .nanoseconds(1))
        let result: Result? = try await threads.run { _ in
            guard let loop = LoadLoop(self, requests, nanoseconds: nanoseconds, limit: limit) else { return nil }
            return loop.run()
        }
        guard let result else { throw BenchError("The portal does not take connections.") }
        guard result.answered > 0 else {
            throw BenchError(
                "No request was answered as expected (\(result.refused) otherwise, \(result.broken) broken).")
        }
        return result
    }
}

/// One connection of the load.
private struct LoadConnection {
    let socket: Int32
    var sentAt: UInt64 = 0
    /// The request under way and how much of it is sent.
    var request = 0
    /// The answer's head so far; empty while its body is read.
    var head: [UInt8] = []
    var status = 0
    var bodyLeft = -1
    var isBusy = false
}

private final class LoadLoop {
    private let generator: LoadGenerator
    private let requests: [[UInt8]]
    private let nanoseconds: UInt64
    private let limit: Int
    private var watched: [pollfd] = []
    private var connections: [LoadConnection] = []
    private var sent = 0
    private var busy = 0
    private var deadline: UInt64 = 0
    private var result = LoadGenerator.Result()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)

    init?(_ generator: LoadGenerator, _ requests: [[UInt8]], nanoseconds: UInt64, limit: Int) {
        self.generator = generator
        self.requests = requests
        self.nanoseconds = nanoseconds
        self.limit = limit
        for index in 0..<generator.connections {
            guard let socket = LoopbackSocket.connect(port: generator.port) else { return nil }
            watched.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0))
            connections.append(LoadConnection(socket: socket))
            connections[index].head.reserveCapacity(4096)
        }
    }

    deinit {
        for connection in connections { close(connection.socket) }
        buffer.deallocate()
    }

    func run() -> LoadGenerator.Result {
        let start = MonotonicTime.now
        deadline = start + nanoseconds
        for index in connections.indices { begin(index) }
        let patience = deadline + 10_000_000_000
        while busy > 0, MonotonicTime.now < patience {
            guard poll(&watched, nfds_t(watched.count), 100) > 0 else { continue }
            for index in watched.indices where watched[index].revents != 0 { receive(index) }
        }
        result.broken += busy
        result.seconds = MonotonicTime.seconds(since: start)
        return result
    }

    private func begin(_ index: Int) {
        let now = MonotonicTime.now
        guard now < deadline, sent < limit else { return }
        let request = sent % requests.count
        sent += 1
        connections[index].sentAt = now
        connections[index].isBusy = true
        connections[index].bodyLeft = -1
        connections[index].head.removeAll(keepingCapacity: true)
        busy += 1
        if !LoopbackSocket.send(connections[index].socket, requests[request]) { lose(index) }
    }

    private func receive(_ index: Int) {
        let count = recv(connections[index].socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return lose(index) }
        guard connections[index].isBusy else { return }
        if connections[index].bodyLeft < 0 {
            connections[index].head.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            readHead(index)
        } else {
            connections[index].bodyLeft -= count
        }
        if connections[index].bodyLeft == 0 { finish(index) }
    }

    private func readHead(_ index: Int) {
        let head = connections[index].head
        guard let end = HTTPAnswer.headEnd(in: head[...]) else { return }
        connections[index].status = head.count > 12 ? head[9..<12].reduce(0) { $0 * 10 + Int($1) - 48 } : 0
        let length = Self.contentLength(head, end)
        connections[index].bodyLeft = length - (head.count - end)
    }

    private static let lengthName: [UInt8] = Array("\ncontent-length:".utf8)

    private static func contentLength(_ head: [UInt8], _ end: Int) -> Int {
        var index = 0
        while index + lengthName.count < end {
            if head[index] == 10, matches(head, at: index) {
                var value = 0
                for byte in head[(index + lengthName.count)..<end] {
                    if byte == 13 { break }
                    if byte >= 48, byte <= 57 { value = value * 10 + Int(byte) - 48 }
                }
                return value
            }
            index += 1
        }
        return 0
    }

    private static func matches(_ head: [UInt8], at start: Int) -> Bool {
        for offset in lengthName.indices where head[start + offset] | 0x20 != lengthName[offset] | 0x20 { return false }
        return true
    }

    private func finish(_ index: Int) {
        busy -= 1
        connections[index].isBusy = false
        if generator.accepts.contains(connections[index].status) {
            result.histogram.record(nanoseconds: MonotonicTime.now - connections[index].sentAt)
        } else {
            result.refused += 1
        }
        begin(index)
    }

    private func lose(_ index: Int) {
        guard connections[index].isBusy else { return }
        busy -= 1
        connections[index].isBusy = false
        result.broken += 1
        watched[index].fd = -1
    }
}
