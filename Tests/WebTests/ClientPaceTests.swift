import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite("Slow clients")
struct ClientPaceTests {
    private static let limits = ClientPace.Limits(patience: .seconds(30), bytesPerSecond: 512, stall: .seconds(60))

    private func at(_ seconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .seconds(seconds)
    }

    @Test("A body that comes byte by byte ends its connection after the time of patience, not before")
    func byteByByte() {
        var pace = ClientPace(Self.limits)
        #expect(!pace.isWatched)
        pace.beginBody(at: at(0))
        pace.rest(at: at(0))
        for second in Int64(1)...29 {
            pace.ask(at: at(second - 1))
            pace.receive(1)
            pace.rest(at: at(second))
            #expect(!pace.isTooSlow(at: at(second)))
        }
        pace.ask(at: at(29))
        #expect(pace.isTooSlow(at: at(31)))
        pace.endBody()
        #expect(!pace.isTooSlow(at: at(100)) && !pace.isWatched)
    }

    @Test("A client that is quick when it is asked is not blamed for a portal that takes its time")
    func busyPortal() {
        var pace = ClientPace(Self.limits)
        pace.beginBody(at: at(0))
        for round in Int64(0)..<10 {
            pace.ask(at: at(round * 100))
            pace.receive(1)
            pace.rest(at: at(round * 100 + 1))
            #expect(!pace.isTooSlow(at: at(round * 100 + 99)))
        }
    }

    @Test("A slow but steady upload goes on for hours")
    func steady() {
        var pace = ClientPace(Self.limits)
        pace.beginBody(at: at(0))
        for second in Int64(0)..<7200 {
            pace.ask(at: at(second))
            pace.receive(600)
            pace.rest(at: at(second + 1))
        }
        #expect(!pace.isTooSlow(at: at(7200)))
        pace.ask(at: at(7200))
        #expect(pace.isTooSlow(at: at(9000)))
    }

    @Test("An answer that nobody takes ends its connection; one that is taken now and then does not")
    func stalled() {
        var pace = ClientPace(Self.limits)
        pace.take(isWritable: false, at: at(0))
        #expect(pace.isWatched && !pace.isTooSlow(at: at(60)))
        pace.take(isWritable: true, at: at(60))
        pace.take(isWritable: false, at: at(61))
        pace.take(isWritable: false, at: at(100))
        #expect(!pace.isTooSlow(at: at(121)))
        #expect(pace.isTooSlow(at: at(122)))
    }

    @Test("A body that breaks off is the client's mistake, not ours")
    func brokenBody() async throws {
        struct Gone: Error {}
        let parts = AsyncThrowingStream<ByteBuffer, any Error> { parts in
            parts.yield(ByteBuffer(string: "half"))
            parts.finish(throwing: Gone())
        }
        let body = RequestBodyStream(RequestBody(asyncSequence: parts), limit: 100)
        await #expect(throws: WebError.badRequest("The request broke off before its end.", code: "broken_request")) {
            _ = try await body.collect(upTo: 100)
        }
    }
}
