import Core
import FoundationEssentials

/// How one attempt ended.
enum JobAttempt: Sendable {
    case succeeded
    case failed(any Error)
    case timedOut
    /// The worker is stopping and took the job back.
    case returned
    /// Somebody else holds the lease now.
    case leaseLost
}

/// What becomes of a job after an attempt. Pure: the store carries it out.
enum JobOutcome: Sendable, Equatable {
    /// Removed, or started again when it was enqueued meanwhile.
    case complete
    case retry(at: Date, error: String)
    case dead(error: String)
    /// Ready again, and the attempt does not count.
    case giveBack
    /// Nothing: it is not ours any more.
    case leave

    /// - Parameter attempts: how often the job was started, this time included.
    static func after(
        _ attempt: JobAttempt, attempts: Int, maxAttempts: Int, now: Date, randomness: Randomness
    ) -> JobOutcome {
        switch attempt {
        case .succeeded: return .complete
        case .returned: return .giveBack
        case .leaseLost: return .leave
        case .timedOut:
            return failed("took longer than its time limit", nil, attempts, maxAttempts, now, randomness)
        case .failed(let error):
            if error is JobDiscard { return .complete }
            if error is JobLeaseLost { return .leave }
            let delay: Duration? = (error as? JobRetry)?.delay
            return failed(describe(error), delay, attempts, maxAttempts, now, randomness)
        }
    }

    private static func failed(
        _ error: String, _ delay: Duration?, _ attempts: Int, _ maxAttempts: Int, _ now: Date, _ randomness: Randomness
    ) -> JobOutcome {
        guard attempts < maxAttempts else { return .dead(error: error) }
        let wait: Duration = delay ?? retryWait(attempts: attempts, randomness: randomness)
        return .retry(at: now.addingTimeInterval(wait.seconds), error: error)
    }

    /// 2, 4, 8, … seconds, at most an hour, each shortened by up to a half so that jobs that failed together do not come
    /// back together.
    static func retryWait(attempts: Int, randomness: Randomness) -> Duration {
        let doublings: Int = min(max(attempts, 1), 12)
        let full: Double = min(3600, Double(1 << doublings))
        return .seconds(full * (1 - randomness.fraction() / 2))
    }

    /// An error for the page of dead jobs; long ones are cut.
    static func describe(_ error: any Error) -> String {
        String(String(describing: error).prefix(1000))
    }
}

extension Duration {
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
