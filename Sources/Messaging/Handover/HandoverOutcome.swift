import Core
import FoundationEssentials

/// What became of one message of a claimed batch.
package enum HandoverOutcome: Sendable, Equatable {
    /// The mail server took it; its answer.
    case accepted(String)
    /// Refused for now: try again later.
    case soft(String)
    /// The mail server is holding us back for now (4.7.x): try again later, more slowly.
    case deferredByPolicy(String)
    /// The address does not exist.
    case hard(String)
    /// The mailbox would not take it, and says so for good: full, or switched off for now.
    case softFailure(String)
    /// Refused for what we are or what we sent, not for whom it is to.
    case blocked(String)
    /// Refused for good, for a reason that says nothing about the address.
    case rejected(String)
    /// The sender is set up wrongly: no message would pass. The message stays as it was.
    case misconfigured(String)
    /// The mail server cannot be reached. The message stays as it was.
    case unavailable(String)
    /// Handed over, but no answer came.
    case uncertain(MessageReason, String)
    case skipped(MessageReason)
    case unrenderable(String)
    case cancelled
    /// Not begun: the dispatcher stopped first.
    case notStarted

    /// Whether the message stays as it was and is to be taken again.
    var leavesOpen: Bool {
        switch self {
        case .misconfigured, .unavailable, .notStarted: true
        default: false
        }
    }
}

/// What is written to the ledger for an outcome. Nil fields stay as they are.
package struct LedgerEntry: Sendable, Equatable {
    package let state: MessageState
    package var reason: MessageReason?
    package var response: String?
    /// Whether the message was handed over, so that its attempts count.
    package var wasTried: Bool = false
    package var nextAttempt: Date?

    /// Answers are kept for people to read; a server that talks without end is cut short.
    package static let responseLimit = 300
}

/// The rules that turn outcomes into ledger entries.
package struct SettlementRules: Sendable {
    let clock: WallClock
    let randomness: Randomness

    package init(clock: WallClock, randomness: Randomness) {
        self.clock = clock
        self.randomness = randomness
    }

    /// The entry for an outcome; nil when the message stays as it is and is taken again later.
    /// - Parameter attempt: how often it was handed over before.
    package func entry(for outcome: HandoverOutcome, attempt: Int) -> LedgerEntry? {
        switch outcome {
        case .accepted(let response):
            LedgerEntry(state: .sent, response: cut(response), wasTried: true)
        case .soft(let response):
            again(after: attempt + 1, reason: .softBounce, response)
        case .deferredByPolicy(let response):
            again(after: attempt + 1, reason: .blocked, response)
        case .hard(let response):
            LedgerEntry(state: .failed, reason: .hardBounce, response: cut(response), wasTried: true)
        case .softFailure(let response):
            LedgerEntry(state: .failed, reason: .softBounce, response: cut(response), wasTried: true)
        case .blocked(let response):
            LedgerEntry(state: .failed, reason: .blocked, response: cut(response), wasTried: true)
        case .rejected(let response):
            LedgerEntry(state: .failed, reason: .providerRejected, response: cut(response), wasTried: true)
        case .uncertain(let reason, let detail):
            LedgerEntry(state: .uncertain, reason: reason, response: cut(detail), wasTried: true)
        case .skipped(let reason):
            LedgerEntry(state: .skipped, reason: reason)
        case .unrenderable(let detail):
            LedgerEntry(state: .failed, reason: .renderError, response: cut(detail))
        case .cancelled:
            LedgerEntry(state: .cancelled, reason: .cancelled)
        case .misconfigured, .unavailable, .notStarted:
            nil
        }
    }

    private func again(after attempt: Int, reason: MessageReason, _ response: String) -> LedgerEntry {
        guard let wait = RetrySchedule.wait(afterAttempt: attempt, fraction: randomness.fraction()) else {
            return LedgerEntry(state: .failed, reason: reason, response: cut(response), wasTried: true)
        }
        let next: Date = clock.now.addingTimeInterval(wait)
        return LedgerEntry(state: .retry, reason: reason, response: cut(response), wasTried: true, nextAttempt: next)
    }

    private func cut(_ response: String) -> String {
        let isClean: Bool = response.utf8.count <= LedgerEntry.responseLimit && response.utf8.allSatisfy { $0 >= 32 }
        if isClean { return response }
        let clean: String = String(response.unicodeScalars.map { $0.value < 32 ? " " : Character($0) })
        return clean.count <= LedgerEntry.responseLimit ? clean : String(clean.prefix(LedgerEntry.responseLimit)) + "…"
    }
}

/// When a message that was refused for now is tried again: after 5, 15 and 30 minutes, 1, 2 and 4 hours, then every four
/// hours; given up after about two days.
package enum RetrySchedule {
    private static let minutes: [Double] = [5, 15, 30, 60, 120, 240]
    /// With these waits, 16 attempts reach past 47 hours.
    package static let attempts = 16

    /// - Parameters:
    ///   - attempt: how many attempts there were, 1 or more.
    ///   - fraction: a random number in 0..<1, which lengthens the wait by up to a fifth so that retries do not come in step.
    /// - Returns: seconds to wait; nil when it is time to give up.
    package static func wait(afterAttempt attempt: Int, fraction: Double) -> Double? {
        guard attempt >= 1, attempt <= attempts else { return nil }
        let base: Double = minutes[min(attempt, minutes.count) - 1] * 60
        return base * (1 + 0.2 * fraction)
    }
}
