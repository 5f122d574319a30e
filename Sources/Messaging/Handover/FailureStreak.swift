import Core

/// Watches the outcomes of a send as they come, and says when going on would do harm: when the mail server refuses
/// message after message for what we are, every further one makes it worse.
package struct FailureStreak: Sendable {
    /// So many refusals as a matter of policy in a row pause a send.
    package static let blockLimit = 10
    /// So many refusals of the sender itself in a row pause a send; these messages stay ready.
    package static let configurationLimit = 3

    private var blocks = 0
    private var misconfigurations = 0

    package init() {}

    /// Takes note of an outcome. Returns the reason to pause, in words for the sender's owner, when it is time to.
    package mutating func note(_ outcome: HandoverOutcome) -> String? {
        switch outcome {
        case .accepted:
            blocks = 0
            misconfigurations = 0
        case .hard, .soft, .softFailure:
            // The server listened to us and judged the mailbox: it is not us that it refuses.
            blocks = 0
            misconfigurations = 0
        case .blocked(let response), .deferredByPolicy(let response):
            blocks += 1
            if blocks >= Self.blockLimit {
                return "The mail server refused \(blocks) messages in a row: \(response)"
            }
        case .misconfigured(let response):
            misconfigurations += 1
            if misconfigurations >= Self.configurationLimit {
                return "The mail server does not accept this sender: \(response)"
            }
        case .rejected, .unavailable, .uncertain, .skipped, .unrenderable, .cancelled, .notStarted:
            break
        }
        return nil
    }
}

/// How long to leave a mail server alone that cannot be reached: 5 seconds, doubling, at most 5 minutes.
package enum Backoff {
    package static func seconds(afterSetbacks setbacks: Int) -> Double {
        min(300, 5 * Double(1 << min(max(0, setbacks - 1), 10)))
    }
}

/// A rate kept by handing out moments: each message takes the next free one. Pure; the caller waits.
package struct SendingPace: Sendable {
    private let interval: Double
    private let burst: Double
    private var nextFree: Double = 0

    /// - Parameter perSecond: messages per second, above 0.
    package init(perSecond: Double) {
        interval = 1 / perSecond
        burst = min(1, 4 / perSecond)
    }

    /// - Parameter now: seconds on a clock that does not go back.
    /// - Returns: how many seconds the caller waits before it sends.
    package mutating func take(at now: Double) -> Double {
        nextFree = max(nextFree, now - burst)
        let wait: Double = max(0, nextFree - now)
        nextFree += interval
        return wait
    }
}
