import Core
import Synchronization

/// Why a dispatcher stops handing over before everything is sent.
enum StopReason: Sendable, Equatable {
    /// Somebody paused the send, or cancelled it.
    case paused, cancelled
    /// The portal pauses it, for this reason.
    case harmful(String)
    /// The mail server cannot be reached; it is tried again later.
    case unreachable(String)
    /// The process ends, or the job's time is over.
    case leaving
}

/// What the lanes of one dispatcher share: whether to go on. Asked before every message.
final class SendControl: Sendable {
    private struct State {
        var stop: StopReason?
        var streak = FailureStreak()
        var handedOver = 0
    }

    private let state = Mutex(State())

    var stopReason: StopReason? { state.withLock { $0.stop } }

    /// How many messages the mail server answered for.
    var handedOver: Int { state.withLock { $0.handedOver } }

    /// The first reason holds, except that a person's word goes before the portal's.
    func stop(_ reason: StopReason) {
        state.withLock { state in
            switch (state.stop, reason) {
            case (nil, _), (.leaving, .paused), (.leaving, .cancelled), (.unreachable, .paused),
                (.unreachable, .cancelled):
                state.stop = reason
            default: break
            }
        }
    }

    /// Takes note of an outcome and stops everything when going on would do harm.
    func note(_ outcome: HandoverOutcome) {
        let reason: StopReason? = state.withLock { state in
            if case .accepted = outcome { state.handedOver += 1 }
            if case .unavailable(let detail) = outcome { return .unreachable(detail) }
            return state.streak.note(outcome).map { .harmful($0) }
        }
        if let reason { stop(reason) }
    }
}
