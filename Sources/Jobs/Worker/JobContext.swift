import Core
import Logging
import Postgres
import Synchronization

/// What a job knows about the attempt that is under way. Its lease is extended in the background.
package final class JobContext: Sendable {
    package let id: JobID
    /// 1 for the first attempt.
    package let attempt: Int
    /// No further attempt follows when this one fails.
    package let isLastAttempt: Bool
    /// Nil for the portal's own jobs.
    package let workspace: WorkspaceID?
    package let clock: WallClock
    package let logger: Logger
    private let fence: Int
    private let completion = Mutex(false)

    init(_ job: ClaimedJob, clock: WallClock, logger: Logger) {
        id = job.id
        attempt = job.attempts
        isLastAttempt = job.attempts >= job.maxAttempts
        workspace = job.workspace
        fence = job.fence
        self.clock = clock
        self.logger = logger
    }

    /// The workspace that the job belongs to. Throws `JobDiscard` for a job without one.
    package func requireWorkspace() throws -> WorkspaceID {
        guard let workspace else { throw JobDiscard("The job has no workspace.") }
        return workspace
    }

    /// The worker is stopping, the time is over, or the lease was lost: stop at the next good place.
    package var isCancelled: Bool { Task.isCancelled }

    package func checkCancellation() throws {
        try Task.checkCancellation()
    }

    /// Settles the job inside a transaction, so that its effect and its completion commit together. Without this call
    /// the job is completed after its handler returns. Throws `JobLeaseLost` when somebody else runs the job now.
    package func complete(in transaction: PostgresTransaction) async throws {
        try await JobStore.complete(id, fence: fence, in: transaction)
        completion.withLock { $0 = true }
    }

    /// The handler settled the job itself. Should its transaction have rolled back nevertheless, the lease runs out and
    /// the job runs again.
    var isCompleted: Bool { completion.withLock { $0 } }
}
