import Core

/// Sends requests to other servers. One thread carries all of them; callers wait without blocking.
///
/// TLS is verified, only http and https are spoken, no proxy or cookies from the surroundings are used, and a user's
/// URL cannot reach anything but the public internet, whatever its name resolves to when the connection is made.
package final class HTTPClient: Sendable {
    private let engine: TransferEngine

    /// - Parameters:
    ///   - userAgent: sent with every request.
    ///   - trustedCertificatesFile: certificates in PEM instead of the system's.
    package init(userAgent: String, trustedCertificatesFile: String? = nil) {
        engine = TransferEngine(userAgent: userAgent, trustedCertificatesFile: trustedCertificatesFile)
    }

    deinit {
        engine.stop()
    }

    /// Sends a request and waits for the whole answer. Any status is an answer; only its absence is an error.
    /// Cancelling the task ends the transfer.
    package func send(_ request: OutboundRequest) async throws(OutboundFailure) -> OutboundResponse {
        var request: OutboundRequest = request
        let end: ContinuousClock.Instant = .now + .milliseconds(request.timeout)
        var redirects = 0
        while true {
            try Self.check(request)
            let result: TransferResult = try await engine.run(request).get()
            guard request.redirectLimit > 0, let next = result.redirect else { return result.response }
            redirects += 1
            guard redirects <= request.redirectLimit else { throw .tooManyRedirects }
            request = try Self.redirected(request, status: result.response.status, to: next)
            request.timeout = (end - .now).wholeMilliseconds
            guard request.timeout > 0 else { throw .timedOut }
        }
    }

    /// Ends the thread; requests under way fail with ``OutboundFailure/stopped``.
    package func stop() {
        engine.stop()
    }

    private static func check(_ request: OutboundRequest) throws(OutboundFailure) {
        _ = try OutboundURL(request.url, trust: request.trust)
        for (name, value) in request.headers {
            let isName: Bool = !name.isEmpty && name.utf8.allSatisfy(isTokenByte)
            let isValue: Bool = value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 }
            guard isName, isValue else { throw .invalidHeader(name) }
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// Another host does not get our credentials; only 307 and 308 repeat the body.
    private static func redirected(
        _ request: OutboundRequest, status: Int, to url: String
    ) throws(OutboundFailure) -> OutboundRequest {
        var next: OutboundRequest = request
        next.url = url
        let from = try OutboundURL(request.url, trust: request.trust)
        let to = try OutboundURL(url, trust: request.trust)
        if from.scheme == "https", to.scheme != "https", request.trust != .publicWeb {
            throw .invalidURL("The server redirected to an address without encryption.")
        }
        if from.host != to.host || from.port != to.port {
            next.headers.removeAll { ["authorization", "cookie"].contains($0.name.lowercased()) }
        }
        if status != 307, status != 308, request.method != .head {
            next.method = .get
            next.body = []
            next.headers.removeAll { $0.name.lowercased().hasPrefix("content-") }
        }
        return next
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
