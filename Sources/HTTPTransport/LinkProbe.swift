import Core

/// Asks whether links answer, a few at a time and within a time limit for all of them together.
///
/// A link is asked with HEAD, and with GET where the server does not know HEAD. Redirects are followed, each one checked
/// anew. Nothing of the answer is kept but its status.
package struct LinkProbe: Sendable {
    /// What became of asking one link.
    package enum Answer: Sendable, Equatable {
        /// The server answered with this status, after redirects.
        case status(Int)
        case failed(OutboundFailure)
        /// The time for all links was over before its turn, or the address cannot be asked at all.
        case notAsked
    }

    private let client: HTTPClient
    private let trust: OutboundRequest.Trust
    private let limit: Int
    private let each: Int
    private let total: Int

    /// - Parameters:
    ///   - trust: who chose the links; anything but `publicWeb` is for tests.
    ///   - limit: how many are asked at the same time.
    ///   - each: milliseconds for one link.
    ///   - total: milliseconds for all links together.
    package init(
        client: HTTPClient, trust: OutboundRequest.Trust = .publicWeb, limit: Int = 6, each: Int = 3_000,
        total: Int = 6_000
    ) {
        self.client = client
        self.trust = trust
        self.limit = limit
        self.each = each
        self.total = total
    }

    /// One answer for each link, by its address as given.
    package func ask(_ links: [String]) async -> [String: Answer] {
        let end: ContinuousClock.Instant = .now + .milliseconds(total)
        var waiting: ArraySlice<String> = Array(Set(links)).sorted()[...]
        var answers: [String: Answer] = [:]
        await withTaskGroup(of: (String, Answer).self) { group in
            func askNext() {
                guard let link = waiting.popFirst() else { return }
                group.addTask { (link, await answer(of: link, until: end)) }
            }
            for _ in 0..<limit { askNext() }
            while let (link, answer) = await group.next() {
                answers[link] = answer
                askNext()
            }
        }
        return answers
    }

    private func answer(of link: String, until end: ContinuousClock.Instant) async -> Answer {
        guard let url = Self.wireForm(of: link) else { return .notAsked }
        let ownEnd: ContinuousClock.Instant = min(end, .now + .milliseconds(each))
        let first: Answer = await answer(.head, url, until: ownEnd)
        guard first == .status(405) || first == .status(501) else { return first }
        let second: Answer = await answer(.get, url, until: ownEnd)
        return second == .notAsked ? .failed(.timedOut) : second
    }

    private func answer(
        _ method: OutboundRequest.Method, _ url: String, until end: ContinuousClock.Instant
    ) async -> Answer {
        let rest: Int = (end - .now).wholeMilliseconds
        guard rest > 0 else { return .notAsked }
        var request = OutboundRequest(method, url, trust: trust, headers: [("Accept", "*/*")])
        request.timeout = rest
        request.connectTimeout = rest
        request.redirectLimit = 5
        request.responseLimit = 64 << 10
        do {
            return .status(try await client.send(request).status)
        } catch {
            // Whoever sends more than we read has answered.
            return error == .tooLarge ? .status(200) : .failed(error)
        }
    }

    /// The address as it is asked for: without the place on the page, other letters percent-encoded. Nil for a host name
    /// that needs more than that.
    static func wireForm(of link: String) -> String? {
        let whole: Substring = link.prefix { $0 != "#" }
        guard let scheme = whole.firstRange(of: "://") else { return nil }
        let host: Substring = whole[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard host.utf8.allSatisfy({ $0 < 128 }) else { return nil }
        var url = ""
        for byte in whole.utf8 {
            if byte > 32, byte < 127 {
                url.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                url += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return url
    }
}
