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

    private func connection(_ desk: Desk) throws -> EmbeddedChannel {
        var table = RouteTable()
        table.raw(.get, "/hit/{id}", direct: desk.take) { _ in .empty() }
        let routes = DirectRoutes(table.routes, trustedProxies: [])
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(
            DirectAnswers(routes: routes) { answer, _ in
                let body = (try? answer.get().storableBody) ?? []
                return DirectResponse(head: HTTPResponse(status: .ok), body: ByteBuffer(bytes: body))
            })
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/tmp/none")).wait()
        return channel
    }

    private func ask(
        _ path: String, on channel: EmbeddedChannel, method: HTTPRequest.Method = .get, _ headers: HTTPFields = [:]
    ) throws {
        let head = HTTPRequest(method: method, scheme: "http", authority: "a", path: path, headerFields: headers)
        try channel.writeInbound(HTTPRequestPart.head(head))
        try channel.writeInbound(HTTPRequestPart.end(nil))
    }

    /// Paths of the requests that were handed on to the ordinary way since the last look.
    private func handedOn(_ channel: EmbeddedChannel) throws -> [String] {
        var paths: [String] = []
        while let part = try channel.readInbound(as: HTTPRequestPart.self) {
            if case .head(let head) = part { paths.append(head.path ?? "") }
        }
        return paths
    }

    /// Bodies of the answers that were sent since the last look.
    private func sent(_ channel: EmbeddedChannel) throws -> [String] {
        channel.embeddedEventLoop.run()
        var bodies: [String] = []
        while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
            if case .body(let body) = part { bodies.append(String(buffer: body)) }
        }
        return bodies
    }

    private func answerOrdinary(_ body: String, on channel: EmbeddedChannel) throws {
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(string: body)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    @Test("A direct request is answered without being handed on; its handler sees path, query and headers")
    func answers() throws {
        let desk = Desk()
        let channel = try connection(desk)
        try ask("/hit/a?l=1&u=%20x", on: channel, [.userAgent: "Mail"])
        #expect(try handedOn(channel).isEmpty)
        let seen = try #require(desk.requests.first)
        #expect(seen.parameter == "a")
        #expect(seen.query.raw("u") == " x")
        #expect(seen.headers[.userAgent] == "Mail")
        #expect(try sent(channel).isEmpty)
        desk.answer("a")
        #expect(try sent(channel) == ["a"])
    }

    struct Ordinary: Sendable, CustomTestStringConvertible {
        var path: String = "/hit/a"
        var method: HTTPRequest.Method = .get
        var headers: HTTPFields = [:]
        var testDescription: String { "\(method) \(path) \(headers)" }
    }

    private static let ordinary: [Ordinary] = [
        Ordinary(headers: [.contentLength: "3"]), Ordinary(headers: [.transferEncoding: "chunked"]),
        Ordinary(headers: [.connection: "close"]), Ordinary(method: .head), Ordinary(method: .post),
        Ordinary(path: "/hit/a/b"), Ordinary(path: "/hit/"), Ordinary(path: "/hit/%61"), Ordinary(path: "/other"),
        Ordinary(path: "/hit/refused"),
    ]

    @Test(
        "What has a body, ends its connection, is no GET or goes deeper takes the ordinary way", arguments: ordinary)
    func leavesTheRest(request: Ordinary) throws {
        let channel = try connection(Desk())
        try ask(request.path, on: channel, method: request.method, request.headers)
        #expect(try handedOn(channel) == [request.path])
    }

    @Test("Pipelined requests are answered in their order, whatever is ready first")
    func keepsOrder() throws {
        let desk = Desk()
        let channel = try connection(desk)
        for name in ["a", "b", "c"] { try ask("/hit/\(name)", on: channel) }
        desk.answer("c")
        desk.answer("b")
        #expect(try sent(channel).isEmpty)
        desk.answer("a")
        #expect(try sent(channel) == ["a", "b", "c"])
    }

    @Test("An ordinary request waits for the direct ones before it, and those behind it go its way")
    func mixes() throws {
        let desk = Desk()
        let channel = try connection(desk)
        try ask("/hit/a", on: channel)
        try ask("/page", on: channel)
        try ask("/hit/b", on: channel)
        #expect(try handedOn(channel).isEmpty)
        desk.answer("a")
        #expect(try sent(channel) == ["a"])
        #expect(try handedOn(channel) == ["/page", "/hit/b"])
        try answerOrdinary("page", on: channel)
        try answerOrdinary("b by the ordinary way", on: channel)
        _ = try sent(channel)
        try ask("/hit/c", on: channel)
        #expect(try handedOn(channel).isEmpty)
        desk.answer("c")
        #expect(try sent(channel) == ["c"])
    }

    @Test("A connection that is to be closed is closed only when what was taken is answered")
    func closesLate() throws {
        let desk = Desk()
        let channel = try connection(desk)
        try ask("/hit/a", on: channel)
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        #expect(channel.isActive)
        desk.answer("a")
        #expect(try sent(channel) == ["a"])
        #expect(!channel.isActive)
    }

    @Test("An answer that comes after the visitor has gone is dropped")
    func survivesTheVisitor() throws {
        let desk = Desk()
        let channel = try connection(desk)
        try ask("/hit/a", on: channel)
        channel.pipeline.fireChannelInactive()
        desk.answer("a")
        #expect(try sent(channel).isEmpty)
    }
}
