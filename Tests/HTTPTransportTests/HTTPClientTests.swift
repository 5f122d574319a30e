import Core
import Glibc
import Synchronization
import Testing

@testable import HTTPTransport

@Suite("Requests to other servers")
struct HTTPClientTests {
    private let client = HTTPClient(userAgent: "portal-tests")

    private func failure(_ request: OutboundRequest) async -> OutboundFailure? {
        do {
            _ = try await client.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test("a request carries method, headers and body, and the answer comes back whole")
    func roundTrip() async throws {
        let server = try RawServer { _ in "HTTP/1.1 201 Created\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello" }
        let request = OutboundRequest(
            .post, server.url("/x?y=1"), trust: .operatorSetting,
            headers: [("Content-Type", "application/json"), ("X-Key", "k")], body: Array(#"{"a":1}"#.utf8))
        let response = try await client.send(request)
        #expect(response.status == 201)
        #expect(response.header("x-a") == "1")
        #expect(response.text == "hello")
        let seen: String = try #require(server.requests.first)
        #expect(seen.hasPrefix("POST /x?y=1 HTTP/1.1\r\n"))
        #expect(seen.contains("\r\nX-Key: k\r\n"))
        #expect(seen.contains("\r\nUser-Agent: portal-tests\r\n"))
        #expect(seen.hasSuffix("\r\n\r\n{\"a\":1}"))
        #expect(!seen.contains("Expect:"))
    }

    @Test("an error status is an answer", arguments: [400, 404, 500])
    func statuses(status: Int) async throws {
        let server = try RawServer { _ in "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n" }
        #expect(try await client.send(OutboundRequest(.get, server.url("/"), trust: .operatorSetting)).status == status)
    }

    @Test("a body over the limit is refused while it arrives")
    func bodyLimit() async throws {
        let server = try RawServer { _ in
            "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + String(repeating: "x", count: 5000)
        }
        var request = OutboundRequest(.get, server.url("/"), trust: .operatorSetting)
        request.responseLimit = 4999
        #expect(await failure(request) == .tooLarge)
        request.responseLimit = 5000
        #expect(await failure(request) == nil)
    }

    @Test("endless headers are refused")
    func headerLimit() async throws {
        let server = try RawServer { _ in
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X-A: \(String(repeating: "y", count: 1000))\r\n", count: 100)
                + "\r\n"
        }
        #expect(await failure(OutboundRequest(.get, server.url("/"), trust: .operatorSetting)) == .tooLarge)
    }

    @Test("redirects are not followed unless asked, then only so often")
    func redirects() async throws {
        let server = try RawServer { request in
            request.hasPrefix("GET /end") || request.hasPrefix("HEAD /end")
                ? "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend"
                : "HTTP/1.1 302 Found\r\nLocation: \(request.hasPrefix("POST /a") ? "/end" : "/loop")\r\nContent-Length: 0\r\n\r\n"
        }
        var request = OutboundRequest(.post, server.url("/a"), trust: .operatorSetting, body: [1])
        #expect(try await client.send(request).status == 302)
        request.redirectLimit = 3
        let response = try await client.send(request)
        #expect(response.text == "end")
        #expect(response.url.hasSuffix("/end"))
        var loop = OutboundRequest(.get, server.url("/loop"), trust: .operatorSetting)
        loop.redirectLimit = 2
        #expect(await failure(loop) == .tooManyRedirects)
    }

    @Test("a header with a line break is refused before anything is sent")
    func headerInjection() async throws {
        let server = try RawServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
        for header in [("X-A", "x\r\nHost: evil"), ("X A", "x"), ("X-A\r\n", "x"), ("", "x"), ("X-A", "x\0")] {
            let request = OutboundRequest(.get, server.url("/"), trust: .operatorSetting, headers: [header])
            #expect(await failure(request) == .invalidHeader(header.0))
        }
        #expect(server.requests.isEmpty)
    }

    @Test("a user's URL never reaches this machine, by number or by a name that leads here")
    func userURLs() async throws {
        for url in ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://169.254.169.254/latest"] {
            #expect(await failure(OutboundRequest(.get, url, trust: .user)) == .blockedAddress)
        }
    }

    @Test("the address that is connected to decides, not the one that was looked up")
    func connectedAddress() {
        let transfer = Transfer(id: 1, request: OutboundRequest(.get, "https://example.com/", trust: .user))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        for (number, isAllowed) in [(UInt32(0x7F00_0001), false), (0x0808_0808, true), (0x0A00_0001, false)] {
            address.sin_addr.s_addr = number.bigEndian
            #expect(withUnsafeBytes(of: &address) { transfer.allows($0.baseAddress!, family: AF_INET) } == isAllowed)
        }
        #expect(withUnsafeBytes(of: &address) { !transfer.allows($0.baseAddress!, family: AF_UNIX) })
    }

    @Test("no answer in time, no listener and a broken answer each have their own words")
    func failures() async throws {
        let silent = try RawServer { _ in nil }
        var request = OutboundRequest(.get, silent.url("/"), trust: .operatorSetting)
        request.timeout = 200
        #expect(await failure(request) == .timedOut)
        let broken = try RawServer { _ in "" }
        guard case .broken = await failure(OutboundRequest(.get, broken.url("/"), trust: .operatorSetting)) else {
            Issue.record("not broken")
            return
        }
        #expect(
            await failure(OutboundRequest(.get, "http://127.0.0.1:1/", trust: .operatorSetting))
                == .unreachable("127.0.0.1"))
    }

    @Test("cancelling the task ends the request at once")
    func cancellation() async throws {
        let silent = try RawServer { _ in nil }
        let task = Task { await failure(OutboundRequest(.get, silent.url("/"), trust: .operatorSetting)) }
        while silent.requests.isEmpty { await Task.yield() }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test("stopping fails what is under way and what comes after")
    func stopping() async throws {
        let silent = try RawServer { _ in nil }
        let other = HTTPClient(userAgent: "x")
        let request = OutboundRequest(.get, silent.url("/"), trust: .operatorSetting)
        let task = Task { () -> OutboundFailure? in
            do {
                _ = try await other.send(request)
                return nil
            } catch let error as OutboundFailure {
                return error
            }
        }
        while silent.requests.isEmpty { await Task.yield() }
        other.stop()
        #expect(try await task.value == .stopped)
        await #expect(throws: OutboundFailure.stopped) { try await other.send(request) }
    }

    @Test("many requests at once share the thread")
    func many() async throws {
        let server = try RawServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" }
        let url: String = server.url("/")
        let answers: Int = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<100 {
                group.addTask { try await client.send(OutboundRequest(.get, url, trust: .operatorSetting)).body.count }
            }
            return try await group.reduce(0, +)
        }
        #expect(answers == 200)
    }
}
