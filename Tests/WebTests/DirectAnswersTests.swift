import Core
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import Testing

@testable import Web

@Suite("Direct answers")
struct DirectAnswersTests {
    /// Keeps what was asked until the test answers it.
    private final class Desk: Sendable {
        typealias Answer = @Sendable (Result<WebResponse, any Error>) -> Void
        private let answers = Mutex<[String: Answer]>([:])
        private let seen = Mutex<[DirectRequest]>([])

        func take(_ request: DirectRequest, _ answer: @escaping Answer) -> Bool {
            seen.withLock { $0.append(request) }
            if request.parameter == "refused" { return false }
            answers.withLock { $0[request.parameter] = answer }
            return true
        }

        func answer(_ name: String) {
            answers.withLock { $0[name] }?(.success(.bytes(Array(name.utf8), contentType: "text/plain")))
        }

        var requests: [DirectRequest] { seen.withLock { $0 } }
    }

    /// A connection whose server is the test: what reaches it are bytes, as they would reach the parser.
    private struct Connection {
        let channel = EmbeddedChannel()
        private let direct: DirectAnswers

        init(_ desk: Desk, trustedProxies: Set<String> = []) throws {
            var table = RouteTable()
            table.raw(.get, "/hit/{id}", direct: desk.take) { _ in .empty() }
            let routes = DirectRoutes(table.routes, trustedProxies: trustedProxies)
            direct = DirectAnswers(routes: routes) { answer, _ in
                DirectResponse(status: .ok, bytes: ByteBuffer(bytes: (try? answer.get().storableBody) ?? []))
            }
            try channel.pipeline.syncOperations.addHandler(OrdinaryAnswers(direct))
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/tmp/none")).wait()
        }

        func receive(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
        }

        /// Bytes that were handed on to the server since the last look.
        func handedOn() throws -> String {
            var text = ""
            while let part = try channel.readInbound(as: ByteBuffer.self) { text += String(buffer: part) }
            return text
        }

        /// Bytes that were sent since the last look.
        func sent() throws -> String {
            channel.embeddedEventLoop.run()
            var text = ""
            while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
            return text
        }

        /// The server's answer to an ordinary request leaves.
        func answerOrdinary() throws {
            try channel.writeOutbound(HTTPResponsePart.end(nil))
            while try channel.readOutbound(as: HTTPResponsePart.self) != nil {}
        }
    }

    private static func get(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    @Test("A direct request is answered without being handed on; its handler sees path, query and headers")
    func answers() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(Self.get("/hit/a?l=1&u=%20x", "USER-agent: \t Mail 1.0 \r\nAccept-Language:en\r\n"))
        #expect(try connection.handedOn().isEmpty)
        let seen = try #require(desk.requests.first)
        #expect(seen.parameter == "a")
        #expect(seen.queryText == "l=1&u=%20x")
        #expect(seen.head.value(of: "user-agent") == "Mail 1.0")
        #expect(seen.head.value(of: "accept-language") == "en")
        #expect(seen.head.value(of: "accept") == nil)
        #expect(try connection.sent().isEmpty)
        desk.answer("a")
        #expect(try connection.sent() == "a")
    }

    private static let ordinary: [String] = [
        get("/hit/a", "Content-Length: 0\r\n"), get("/hit/a/b"), get("/hit/"), get("/hit/%61"), get("/other"),
        get("/hit/refused"), "HEAD /hit/a HTTP/1.1\r\nHost: a\r\n\r\n", "POST /hit/a HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /hit/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    ]

    @Test(
        "What has a body, is no GET or goes deeper takes the ordinary way, and the next one is direct",
        arguments: ordinary)
    func leavesTheRest(request: String) throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(request)
        #expect(try connection.handedOn() == request)
        try connection.answerOrdinary()
        try connection.receive(Self.get("/hit/next"))
        #expect(try connection.handedOn().isEmpty)
        desk.answer("next")
        #expect(try connection.sent() == "next")
    }

    private static let unusual: [String] = [
        get("/hit/a", "Connection: close\r\n"), get("/hit/a", "Transfer-Encoding: chunked\r\n"),
        get("/hit/a", "Content-Length: 3\r\nContent-Length: 3\r\n"), get("/hit/a", "Content-Length: +3\r\n"),
        get("/hit/a", "Content-Length : 3\r\n"), get("/hit/a", "X: a\r\n b\r\n"), get("/hit/a", "X: a\u{0}b\r\n"),
        get("/hit/a", "X: a\rb\r\n"), get("/hit/a", "Host: b\r\n"), get("/hit/a", "Upgrade: websocket\r\n"),
        get("/hit/a", "Expect: 100-continue\r\n"), get("/hit/a", ": a\r\n"), get("/hit/a b"),
        "GET /hit/a HTTP/1.0\r\nHost: a\r\n\r\n", "GET /hit/a HTTP/1.1\nHost: a\n\n", "GET /hit/a HTTP/1.1\r\n\r\n",
        "\r\nGET /hit/a HTTP/1.1\r\nHost: a\r\n\r\n", "GET  /hit/a HTTP/1.1\r\nHost: a\r\n\r\n",
        "get /hit/a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hit/a HTTP/1.1\r\nHost: a\r\n", "PRI * HTTP/2.0\r\n\r\n",
    ]

    @Test("From a head on that is not plain, or not whole, the connection is the server's", arguments: unusual)
    func leavesTheConnection(request: String) throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(request)
        try connection.receive(Self.get("/hit/next"))
        #expect(try connection.handedOn() == request + Self.get("/hit/next"))
        #expect(desk.requests.isEmpty)
    }

    @Test("A body is the server's, whatever stands in it and however it comes")
    func bodies() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        let body = Self.get("/hit/smuggled")
        let request = "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        for size in [1_000, body.utf8.count + 10, body.utf8.count] {
            let cut = request.index(request.endIndex, offsetBy: -min(size, body.utf8.count))
            try connection.receive(String(request[..<cut]))
            try connection.receive(String(request[cut...]) + Self.get("/behind"))
            #expect(try connection.handedOn() == request + Self.get("/behind"))
            try connection.answerOrdinary()
            try connection.answerOrdinary()
        }
        #expect(desk.requests.isEmpty)
    }

    @Test("Pipelined requests are answered in their order, whatever is ready first")
    func keepsOrder() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(["a", "b", "c"].map { Self.get("/hit/\($0)") }.joined())
        desk.answer("c")
        desk.answer("b")
        #expect(try connection.sent().isEmpty)
        desk.answer("a")
        #expect(try connection.sent() == "abc")
    }

    @Test("An ordinary request waits for the direct ones before it, and those behind it go its way")
    func mixes() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(Self.get("/hit/a") + Self.get("/page"))
        try connection.receive(Self.get("/hit/b"))
        #expect(try connection.handedOn().isEmpty)
        desk.answer("a")
        #expect(try connection.sent() == "a")
        #expect(try connection.handedOn() == Self.get("/page") + Self.get("/hit/b"))
        try connection.answerOrdinary()
        try connection.receive(Self.get("/hit/c"))
        #expect(try connection.handedOn() == Self.get("/hit/c"))
        try connection.answerOrdinary()
        try connection.answerOrdinary()
        try connection.receive(Self.get("/hit/d"))
        desk.answer("d")
        #expect(try connection.sent() == "d")
    }

    @Test("Behind a trusted proxy the address is the last one it names, whoever else named one")
    func forwarded() throws {
        let desk = Desk()
        let connection = try Connection(desk, trustedProxies: [""])
        try connection.receive(
            Self.get("/hit/a", "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2, 192.0.2.7\r\n"))
        #expect(desk.requests.first?.clientAddress == "192.0.2.7")
        let stranger = Desk()
        try Connection(stranger).receive(Self.get("/hit/a", "X-Forwarded-For: 10.0.0.1\r\n"))
        #expect(stranger.requests.first?.clientAddress.isEmpty == true)
    }

    @Test("A connection that is to be closed is closed only when what was taken is answered")
    func closesLate() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(Self.get("/hit/a"))
        connection.channel.close(promise: nil)
        connection.channel.embeddedEventLoop.run()
        #expect(connection.channel.isActive)
        desk.answer("a")
        #expect(try connection.sent() == "a")
        #expect(!connection.channel.isActive)
    }

    @Test("An answer that comes after the visitor has gone is dropped")
    func survivesTheVisitor() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        try connection.receive(Self.get("/hit/a"))
        connection.channel.pipeline.fireChannelInactive()
        desk.answer("a")
        #expect(try connection.sent().isEmpty)
    }

    /// Counts how often the connection was read from.
    private final class Reads: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }

    @Test("While too many requests wait for their answers no more is read, and then again")
    func waits() throws {
        let desk = Desk()
        let connection = try Connection(desk)
        let reads = Reads()
        try connection.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        for number in 0..<64 { try connection.receive(Self.get("/hit/\(number)")) }
        let before = reads.count
        connection.channel.read()
        #expect(reads.count == before)
        desk.answer("0")
        #expect(try connection.sent() == "0")
        #expect(reads.count > before)
    }
}
