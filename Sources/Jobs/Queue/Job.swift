/// A piece of work that survives a restart: a small value that is stored, and a handler registered for its kind.
///
/// A job runs at least once. What must happen only once belongs into one transaction with `JobContext.complete(in:)`.
package protocol Job: Codable, Sendable {
    /// The name under which the job is stored. It is data: renaming the Swift type must not change it.
    static var kind: String { get }
    static var lane: JobLane { get }
    /// How often the job is tried before it is set aside as dead.
    static var maxAttempts: Int { get }
    /// How long one attempt may take; then its task is cancelled and the attempt has failed.
    static var timeout: Duration { get }
}

extension Job {
    package static var lane: JobLane { .bulk }
    package static var maxAttempts: Int { 10 }
    package static var timeout: Duration { .seconds(300) }
}

/// Jobs of different lanes do not wait for each other: each lane has workers of its own.
package enum JobLane: String, Sendable, Codable, CaseIterable {
    /// Somebody waits for it: a password mail, the launch of a campaign, an event for another slice.
    case transactional
    /// Large work that may take its time: imports, sends, recounts.
    case bulk
    /// Housekeeping.
    case maintenance

    /// On which a commit with new jobs of the lane is announced.
    var channel: String { "marketing_jobs_" + rawValue }
}

/// Thrown by a job that wants to run again later. It counts as an attempt.
package struct JobRetry: Error, Sendable, CustomStringConvertible {
    /// Nil: the usual growing wait.
    package let delay: Duration?
    package let reason: String

    package init(after delay: Duration? = nil, _ reason: String = "asked to run again") {
        self.delay = delay
        self.reason = reason
    }

    package var description: String { reason }
}

/// Thrown by a job that has become pointless: it is removed and not tried again.
package struct JobDiscard: Error, Sendable, CustomStringConvertible {
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }

    package var description: String { "discarded: \(reason)" }
}

/// The job's lease ran out and somebody else may be running it: nothing may be settled any more. Thrown by
/// `JobContext.complete(in:)`, so that the transaction rolls back.
package struct JobLeaseLost: Error, Sendable, CustomStringConvertible {
    package let description = "the lease of this job was lost"

    package init() {}
}
