import Core
import Testing

@testable import HTTPTransport

@Suite("Asking links whether they answer")
struct LinkProbeTests {
    private let client = HTTPClient(userAgent: "portal-tests")

    private func answer(_ status: Int, _ more: String = "") -> String {
        "HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\(more)\r\n"
    }

    /// Without haste: a machine that runs all tests at once may need seconds for what else takes none.
    private func probe(_ trust: OutboundRequest.Trust = .operatorSetting) -> LinkProbe {
        LinkProbe(client: client, trust: trust, each: 60_000, total: 120_000)
    }

    @Test("Links are asked with HEAD, each once, and every one has its answer")
    func answers() async throws {
        let server = try RawServer { request in
            request.contains("/gone ")
                ? answer(410)
                : request.contains("/old ")
                    ? answer(301, "Location: /new\r\n")
                    : answer(200)
        }
        let urls = ["/good", "/gone", "/old", "/good"].map { server.url($0) }
        let found = await probe().ask(urls)
        #expect(found[urls[0]] == .status(200))
        #expect(found[urls[1]] == .status(410))
        #expect(found[urls[2]] == .status(200))
        #expect(server.requests.allSatisfy { $0.hasPrefix("HEAD ") })
        #expect(server.requests.filter { $0.contains("/good ") }.count == 1)
    }

    @Test("A server that does not know HEAD is asked with GET", arguments: [405, 501])
    func getInstead(status: Int) async throws {
        let server = try RawServer { $0.hasPrefix("HEAD") ? answer(status) : answer(404) }
        let found = await probe().ask([server.url("/")])
        #expect(found[server.url("/")] == .status(404))
    }

    @Test("A server that never answers costs no more than the limit, and the rest is not asked")
    func limits() async throws {
        let server = try RawServer { _ in nil }
        let urls = (0..<40).map { server.url("/\($0)") }
        let probe = LinkProbe(client: client, trust: .operatorSetting, limit: 2, each: 200, total: 1_000)
        let clock = ContinuousClock()
        var found: [String: LinkProbe.Answer] = [:]
        let time = await clock.measure { found = await probe.ask(urls) }
        #expect(time < .seconds(20))
        #expect(found.count == 40)
        #expect(found.values.allSatisfy { $0 == .failed(.timedOut) || $0 == .notAsked })
        #expect(found.values.contains(.notAsked))
    }

    @Test("Redirects share the time of their request")
    func redirectsShareTime() async throws {
        let server = try RawServer { _ in answer(302, "Location: /again\r\n") }
        var request = OutboundRequest(.head, server.url("/"), trust: .operatorSetting)
        request.redirectLimit = .max
        request.timeout = 150
        await #expect(throws: OutboundFailure.timedOut) { _ = try await client.send(request) }
    }

    @Test("A letter's link reaches nothing but the public internet, also by a redirect")
    func guarded() async throws {
        let server = try RawServer { _ in answer(200) }
        let found = await probe(.publicWeb).ask([
            server.url("/"), "http://127.0.0.1/", "http://localhost/", "http://10.0.0.1/", "https://[::1]/",
            "http://example.com:8080/",
        ])
        #expect(server.requests.isEmpty)
        #expect(found["http://127.0.0.1/"] == .failed(.blockedAddress))
        #expect(found["http://10.0.0.1/"] == .failed(.blockedAddress))
        #expect(found["https://[::1]/"] == .failed(.blockedAddress))
        #expect(found["http://example.com:8080/"] == .failed(.invalidURL("The address must use port 80.")))
    }

    @Test("Addresses are written as they travel")
    func wireForm() {
        #expect(LinkProbe.wireForm(of: "https://a.example/café?q=ä#top") == "https://a.example/caf%C3%A9?q=%C3%A4")
        #expect(LinkProbe.wireForm(of: "https://bücher.example/") == nil)
    }
}
