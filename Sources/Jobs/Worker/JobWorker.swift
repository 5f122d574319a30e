import Core
import FoundationEssentials
import Logging
import Metrics
import Postgres
import ServiceLifecycle
import Synchronization

/// Runs jobs: claims what is due whenever a commit announces it (and by asking every second), keeps the leases of what
/// runs, settles what is done, frees the jobs of workers that died, and starts scheduled work.
///
/// On graceful shutdown nothing new is claimed; what runs may finish within the grace period, then it is cancelled and
/// its lease is given back, so another node can start it at once.
package final class JobWorker: Service {
    package struct Settings: Sendable {
        /// How many jobs of a lane run at a time on this node.
        package var concurrency: [JobLane: Int]
        /// How long a claimed job is ours without a sign of life; extended every third of it.
        package var lease: Duration
        /// How often the queue is asked when nothing is announced.
        package var poll: Duration
        /// How long running jobs may take to finish on shutdown.
        package var grace: Duration

        package init(
            concurrency: [JobLane: Int] = [.transactional: 4, .bulk: 4, .maintenance: 1],
            lease: Duration = .seconds(60), poll: Duration = .seconds(1), grace: Duration = .seconds(20)
        ) {
            self.concurrency = concurrency
            self.lease = lease
            self.poll = poll
            self.grace = grace
        }
    }

    /// A stream that yields whenever something is announced on a channel: `PostgresListener.notifications(on:)`.
    package typealias Announcements = @Sendable (_ channel: String) -> AsyncStream<Void>

    private let name: String
    private let registry: JobRegistry
    private let settings: Settings
    private let store: JobStore
    private let scheduler: Scheduler
    private let runner: JobRunner
    private let clock: WallClock
    private let logger: Logger
    private let announcements: Announcements?
    private let running = RunningJobs()
    private let bells = LaneBells()
    private let isStopping = Mutex(false)
    private let stopped: AsyncStream<Void>
    private let stopSignal: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - name: of this node, shown beside the jobs it runs; unique per process.
    ///   - database: best a pool of its own, so that pages never wait for jobs.
    ///   - announcements: nil means polling only.
    package init(
        name: String, database: Database, registry: JobRegistry, queue: JobQueue = JobQueue(),
        settings: Settings = Settings(), clock: WallClock = .system, randomness: Randomness = .system,
        logger: Logger = Logger(label: "portal.jobs"), announcements: Announcements? = nil
    ) {
        var registry = registry
        OutboxDelivery.register(in: &registry, database: database)
        self.name = name
        self.registry = registry
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.announcements = announcements
        store = JobStore(database: database)
        scheduler = Scheduler(registry.schedules, database: database, queue: queue, clock: clock)
        runner = JobRunner(
            registry: registry, store: store, running: running, clock: clock, randomness: randomness, logger: logger)
        (stopped, stopSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { helpers in
                helpers.addTask { await self.keepLeases() }
                helpers.addTask { await self.keepTime() }
                for lane in JobLane.allCases { helpers.addTask { await self.hearAnnouncements(in: lane) } }
                helpers.addTask { await self.limitGrace() }
                await withDiscardingTaskGroup { lanes in
                    for lane in JobLane.allCases { lanes.addTask { await self.work(in: lane) } }
                }
                helpers.cancelAll()
            }
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func stop() {
        isStopping.withLock { $0 = true }
        bells.close()
        stopSignal.finish()
    }

    // MARK: Working

    private func work(in lane: JobLane) async {
        let limit: Int = settings.concurrency[lane] ?? 0
        guard limit > 0 else { return }
        await withDiscardingTaskGroup { jobs in
            for await _ in bells.stream(lane) {
                while !isStopping.withLock({ $0 }) {
                    let free: Int = limit - running.count(in: lane)
                    guard free > 0 else { break }
                    let claimed: [ClaimedJob] = await claim(lane, limit: free)
                    for job in claimed {
                        let stop = running.add(job, leasedUntil: clock.now.addingTimeInterval(settings.lease.seconds))
                        jobs.addTask {
                            await self.runner.run(job, stop: stop)
                            self.bells.ring(lane)
                        }
                    }
                    if claimed.count < free { break }
                }
            }
        }
    }

    private func claim(_ lane: JobLane, limit: Int) async -> [ClaimedJob] {
        let now: Date = clock.now
        do {
            return try await store.claim(
                lane, kinds: registry.kinds, limit: limit, worker: name, now: now,
                leasedUntil: now.addingTimeInterval(settings.lease.seconds))
        } catch {
            report("Jobs could not be claimed", error)
            return []
        }
    }

    // MARK: Keeping

    private func keepLeases() async {
        while await pause(settings.lease / 3) {
            let asked: [JobID: Int] = running.fences
            let until: Date = clock.now.addingTimeInterval(settings.lease.seconds)
            do {
                let kept: Set<JobID> = try await store.extend(asked, until: until)
                running.extended(asked, kept: kept, until: until)
            } catch {
                report("Leases of jobs could not be extended", error)
                running.expire(now: clock.now)
            }
        }
    }

    /// Rings for what became due by itself, starts scheduled work, and frees what dead workers held.
    private func keepTime() async {
        var rounds = 0
        repeat {
            guard !isStopping.withLock({ $0 }) else { return }
            do {
                try await scheduler.tick()
                if rounds % 5 == 0 {
                    let freed: [JobLane] = try await store.recover(now: clock.now)
                    if !freed.isEmpty {
                        logger.notice("Freed jobs of stopped workers", metadata: ["count": "\(freed.count)"])
                    }
                }
            } catch {
                report("The schedule could not be kept", error)
            }
            bells.ringAll()
            rounds += 1
        } while await pause(settings.poll)
    }

    private func hearAnnouncements(in lane: JobLane) async {
        guard let announcements else { return }
        for await _ in announcements(lane.channel) { bells.ring(lane) }
    }

    private func limitGrace() async {
        for await _ in stopped {}
        guard await pause(settings.grace) else { return }
        running.stopAll()
    }

    /// Answers false when the task was cancelled.
    private func pause(_ duration: Duration) async -> Bool {
        do {
            try await Task.sleep(for: duration)
            return true
        } catch {
            return false
        }
    }

    private func report(_ message: Logger.Message, _ error: any Error) {
        guard !Task.isCancelled else { return }
        logger.warning(message, metadata: ["error": "\(error)"])
    }
}
