import Core
import FoundationEssentials
import Logging
import Metrics

/// Runs one claimed job to its end and settles it.
struct JobRunner: Sendable {
    let registry: JobRegistry
    let store: JobStore
    let running: RunningJobs
    let clock: WallClock
    let randomness: Randomness
    let logger: Logger

    private enum Event: Sendable {
        case returned
        case threw(any Error)
        case timedOut
        case told(Abandonment)
        /// A watcher that is not needed any more.
        case quiet
    }

    func run(_ job: ClaimedJob, stop: AsyncStream<Abandonment>) async {
        var logger: Logger = self.logger
        logger[metadataKey: "job"] = "\(job.id)"
        logger[metadataKey: "kind"] = "\(job.kind)"
        if let workspace = job.workspace { logger[metadataKey: "workspace"] = "\(workspace)" }
        let context = JobContext(job, clock: clock, logger: logger)
        let start: ContinuousClock.Instant = .now
        let attempt: JobAttempt = await attempt(job, context, stop: stop)
        let outcome: JobOutcome = .after(
            attempt, attempts: job.attempts, maxAttempts: job.maxAttempts, now: clock.now, randomness: randomness)
        await settle(job, context, outcome)
        running.remove(job)
        record(job, outcome, attempt, took: start.duration(to: .now), logger)
    }

    /// The handler races its time limit and the order to stop. Whatever it does after being cancelled counts: a handler
    /// that finishes its commit nevertheless has succeeded.
    private func attempt(_ job: ClaimedJob, _ context: JobContext, stop: AsyncStream<Abandonment>) async -> JobAttempt {
        guard let handler = registry.handlers[job.kind] else { return .returned }
        return await withTaskGroup(of: Event.self) { group in
            group.addTask {
                do {
                    try await handler.run(job.payload, context)
                    return .returned
                } catch {
                    return .threw(error)
                }
            }
            group.addTask {
                do {
                    try await Task.sleep(for: handler.timeout)
                    return .timedOut
                } catch {
                    return .quiet
                }
            }
            group.addTask {
                for await abandonment in stop { return .told(abandonment) }
                return .quiet
            }
            var cause: JobAttempt?
            var result: JobAttempt?
            for await event in group {
                switch event {
                case .returned: result = .succeeded
                case .threw(let error): result = .failed(error)
                case .timedOut: cause = cause ?? .timedOut
                case .told(.shutdown): cause = cause ?? .returned
                case .told(.leaseLost): cause = .leaseLost
                case .quiet: break
                }
                group.cancelAll()
            }
            return Self.verdict(cause: cause, result: result)
        }
    }

    private static func verdict(cause: JobAttempt?, result: JobAttempt?) -> JobAttempt {
        switch (cause, result) {
        case (_, .succeeded?): .succeeded
        case (let cause?, _): cause
        case (nil, .failed(let error)?): error is CancellationError && Task.isCancelled ? .returned : .failed(error)
        default: .returned
        }
    }

    private func settle(_ job: ClaimedJob, _ context: JobContext, _ outcome: JobOutcome) async {
        if context.isCompleted, outcome == .complete { return }
        do {
            try await store.settle(job, outcome, now: clock.now)
        } catch is JobLeaseLost {
            // A handler that completed the job itself and failed afterwards has nothing left to settle.
            if !context.isCompleted { context.logger.warning("The lease was lost before the job was settled") }
        } catch {
            context.logger.warning(
                "The job could not be settled; it runs again when its lease ends", metadata: ["error": "\(error)"])
        }
    }

    private func record(
        _ job: ClaimedJob, _ outcome: JobOutcome, _ attempt: JobAttempt, took: Duration, _ logger: Logger
    ) {
        let name: String
        switch outcome {
        case .complete: name = "completed"
        case .retry: name = "retried"
        case .dead: name = "dead"
        case .giveBack: name = "returned"
        case .leave: name = "lost"
        }
        Counter(label: "jobs_total", dimensions: [("kind", job.kind), ("outcome", name)]).increment()
        Timer(label: "jobs_duration", dimensions: [("kind", job.kind)]).recordNanoseconds(Int64(took.seconds * 1e9))
        switch outcome {
        case .dead(let error): logger.error("A job failed for good", metadata: ["error": "\(error)"])
        case .retry(_, let error):
            logger.info(
                "A job failed and will be tried again", metadata: ["error": "\(error)", "attempt": "\(job.attempts)"])
        case .complete:
            if case .failed(let error) = attempt {
                logger.info("A job was discarded", metadata: ["reason": "\(error)"])
            }
        case .giveBack, .leave: logger.info("A job was \(name)")
        }
    }
}
