import Core
import FoundationEssentials
import HTTPTransport
import Synchronization

/// Asks the links of letters whether they answer, and remembers what they said for a few minutes.
package final class LinkInspector: Sendable {
    /// Seconds for which an answer counts.
    private static let memory: TimeInterval = 300
    /// Answers that are remembered at most.
    private static let capacity = 2_000

    private struct State {
        var client: HTTPClient?
        var answers: [String: (answer: LinkProbe.Answer, at: Date)] = [:]
    }

    private let state = Mutex(State())
    private let clock: WallClock
    private let trust: OutboundRequest.Trust

    /// - Parameter trust: anything but `publicWeb` is for tests.
    package init(clock: WallClock, trust: OutboundRequest.Trust = .publicWeb) {
        self.clock = clock
        self.trust = trust
    }

    /// What is known without asking. A link that is missing has to be asked.
    package func known(_ urls: [String]) -> [String: LinkProbe.Answer] {
        let oldest: Date = clock.now.addingTimeInterval(-Self.memory)
        return state.withLock { state in
            var found: [String: LinkProbe.Answer] = [:]
            for url in urls {
                if let entry = state.answers[url], entry.at > oldest { found[url] = entry.answer }
            }
            return found
        }
    }

    /// Asks the links that are not known. Takes six seconds at most, however many there are.
    package func ask(_ urls: [String]) async -> [String: LinkProbe.Answer] {
        var answers: [String: LinkProbe.Answer] = known(urls)
        let unknown: [String] = urls.filter { answers[$0] == nil }
        guard !unknown.isEmpty else { return answers }
        let found: [String: LinkProbe.Answer] = await LinkProbe(client: client(), trust: trust).ask(unknown)
        let now: Date = clock.now
        state.withLock { state in
            if state.answers.count + found.count > Self.capacity { state.answers.removeAll() }
            for (url, answer) in found where answer != .notAsked { state.answers[url] = (answer, now) }
        }
        answers.merge(found) { _, new in new }
        return answers
    }

    /// Made when it is needed first: most nodes never ask a link.
    private func client() -> HTTPClient {
        state.withLock { state in
            if let client = state.client { return client }
            let client = HTTPClient(userAgent: "Mozilla/5.0 (compatible; marketing-portal link check)")
            state.client = client
            return client
        }
    }
}
