import Core
import FoundationEssentials
import Logging
import Postgres
import PostgresTesting
import ServiceLifecycle
import Synchronization
import Testing

@testable import Jobs

/// What handlers saw, for a test to wait on.
final class Journal: Sendable {
    private let entries = Mutex<[String]>([])
    private let stream: AsyncStream<Int>
    private let changed: AsyncStream<Int>.Continuation

    init() {
        (stream, changed) = AsyncStream.makeStream(of: Int.self)
    }

    func note(_ entry: String) {
        let count: Int = entries.withLock { entries in
            entries.append(entry)
            return entries.count
        }
        changed.yield(count)
    }

    var all: [String] { entries.withLock { $0 } }

    func wait(for count: Int) async {
        if all.count >= count { return }
        for await now in stream where now >= count { return }
    }
}

@Suite("The worker", .timeLimit(.minutes(30)))
struct JobWorkerTests {
    private let first: WorkspaceID = IdentifierSource().next()

    /// Runs a worker while the body runs, then shuts it down as a service group does.
    private func withWorker(
        _ database: Database, _ registry: JobRegistry, settings: JobWorker.Settings = .init(poll: .milliseconds(20)),
        announcements: JobWorker.Announcements? = nil, _ body: () async throws -> Void
    ) async throws {
        let worker = JobWorker(
            name: "test", database: database, registry: registry, settings: settings, announcements: announcements)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [worker], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func rows(_ database: Database) async throws -> [String] {
        try await database.session { session in
            try await session.values(
                String.self, "test.states",
                "SELECT state || ':' || attempts FROM marketing_job_queue ORDER BY enqueued_at, id")
        }
    }

    @Test("Enqueued jobs run, with what they were given, and leave nothing behind")
    func runs() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Greet.self) { job, context in
                journal.note("\(job.name) \(context.attempt) \(context.workspace == first)")
            }
            try await withWorker(database, registry) {
                for name in ["a", "b", "c"] {
                    try await database.write(first) {
                        try await JobQueue().enqueue(Greet(name: name), workspace: first, in: $0)
                    }
                }
                await journal.wait(for: 3)
            }
            #expect(journal.all.sorted() == ["a 1 true", "b 1 true", "c 1 true"])
            #expect(try await rows(database).isEmpty)
        }
    }

    @Test("A commit wakes the worker, which by itself would only ask ten minutes later")
    func wakesUp() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Greet.self) { job, _ in journal.note(job.name) }
            let listener = PostgresListener(settings: database.pool.settings)
            let rounds: Int = try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await listener.run() }
                // The stream's first element says that the channel is listened to.
                for await _ in listener.notifications(on: JobLane.transactional.channel) { break }
                let settings = JobWorker.Settings(poll: .seconds(600))
                try await withWorker(
                    database, registry, settings: settings, announcements: { listener.notifications(on: $0) }
                ) {
                    for round in 1...30 {
                        try await database.write(first) { transaction in
                            try await JobQueue().enqueue(Greet(name: "\(round)"), workspace: first, in: transaction)
                        }
                        await journal.wait(for: round)
                    }
                }
                tasks.cancelAll()
                return journal.all.count
            }
            #expect(rounds == 30)
        }
    }

    @Test("Errors retry, discard or bury a job by their type")
    func errors() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Greet.self) { job, context in
                journal.note("\(job.name) \(context.attempt)")
                switch job.name {
                case "discard": throw JobDiscard("pointless")
                case "retry" where context.attempt < 2: throw JobRetry(after: .milliseconds(1))
                case "bury": throw JobRetry(after: .milliseconds(1), "never works")
                default: break
                }
            }
            try await withWorker(database, registry) {
                try await database.session { session in
                    for name in ["discard", "retry", "bury"] {
                        try await JobQueue().enqueue(Greet(name: name), workspace: first, in: session)
                    }
                }
                await journal.wait(for: 6)
            }
            #expect(journal.all.filter { $0.hasPrefix("bury") } == ["bury 1", "bury 2", "bury 3"])
            #expect(journal.all.filter { $0.hasPrefix("retry") } == ["retry 1", "retry 2"])
            let dead = try await JobsAdmin(database).dead(workspace: first)
            #expect(dead.map(\.lastError) == ["never works"])
        }
    }

    @Test("Shutdown lets a job finish; one that does not is cancelled and given back without losing an attempt")
    func shutdown() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Count.self) { job, context in
                journal.note("started \(job.number)")
                try await Task.sleep(for: job.number == 1 ? .milliseconds(50) : .seconds(60))
                journal.note("finished \(job.number)")
            }
            let settings = JobWorker.Settings(poll: .milliseconds(20), grace: .milliseconds(400))
            try await withWorker(database, registry, settings: settings) {
                try await database.session { session in
                    try await JobQueue().enqueue([Count(number: 1), Count(number: 2)], workspace: first, in: session)
                }
                await journal.wait(for: 2)
            }
            #expect(journal.all.contains("finished 1") && !journal.all.contains("finished 2"))
            #expect(try await rows(database) == ["ready:0"])
        }
    }

    @Test("A job that takes too long is cancelled and counts as failed")
    func timeout() async throws {
        struct Slow: Job {
            static let kind = "test.slow"
            static let timeout: Duration = .milliseconds(30)
            static let maxAttempts = 1
        }
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Slow.self) { _, context in
                do { try await Task.sleep(for: .seconds(60)) } catch {
                    journal.note("cancelled")
                    throw error
                }
            }
            try await withWorker(database, registry) {
                try await database.session { try await JobQueue().enqueue(Slow(), workspace: first, in: $0) }
                await journal.wait(for: 1)
            }
            #expect(
                try await JobsAdmin(database).dead(workspace: first).map(\.lastError) == [
                    "took longer than its time limit"
                ])
        }
    }

    @Test("A worker that lost its lease stops its job and settles nothing")
    func lostLease() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Count.self) { _, _ in
                journal.note("started")
                do { try await Task.sleep(for: .seconds(60)) } catch {
                    journal.note("stopped")
                    throw error
                }
            }
            let settings = JobWorker.Settings(lease: .milliseconds(600), poll: .seconds(60))
            try await database.session { try await JobQueue().enqueue(Count(number: 1), workspace: first, in: $0) }
            try await withWorker(database, registry, settings: settings) {
                await journal.wait(for: 1)
                try await database.session { session in
                    _ = try await session.run(
                        "test.steal", "UPDATE marketing_job_queue SET fence = fence + 1, worker = 'other'")
                }
                await journal.wait(for: 2)
            }
            #expect(try await rows(database) == ["running:1"])
        }
    }

    @Test("Two workers on one database run each job once")
    func twoWorkers() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.register(Count.self) { job, context in
                try await database.write(first) { transaction in try await context.complete(in: transaction) }
                journal.note("\(job.number)")
            }
            try await database.session { session in
                try await JobQueue().enqueue((0..<200).map { Count(number: $0) }, workspace: first, in: session)
            }
            try await withWorker(database, registry) {
                try await withWorker(database, registry) { await journal.wait(for: 200) }
            }
            #expect(Set(journal.all).count == 200 && journal.all.count == 200)
            #expect(try await rows(database).isEmpty)
        }
    }

    @Test("Schedules run on one node at a time and again when they are due")
    func schedules() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            var registry = JobRegistry()
            registry.schedule("tidy", every: .seconds(60)) { _ in journal.note("tidy") }
            registry.schedule("report", .daily(hour: 3, minute: 0)) { _ in journal.note("report") }
            try await withWorker(database, registry) { await journal.wait(for: 1) }
            #expect(journal.all == ["tidy"])
            let start = Date(timeIntervalSince1970: 1_800_014_400)  // 2027-01-15 12:00:00 UTC
            func tick(_ seconds: Double, _ schedules: [JobSchedule]) async throws {
                let clock = WallClock.fixed(start.addingTimeInterval(seconds))
                let nodes = (0..<3).map { _ in
                    Scheduler(schedules, database: database, queue: JobQueue(clock: clock), clock: clock)
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for node in nodes { group.addTask { try await node.tick() } }
                    try await group.waitForAll()
                }
            }
            func kinds() async throws -> [String] {
                try await database.session {
                    try await $0.values(String.self, "test.take", "DELETE FROM marketing_job_queue RETURNING kind")
                }
            }
            try await tick(0, registry.schedules)
            #expect(try await kinds().sorted() == ["schedule.report", "schedule.tidy"])
            try await tick(59, registry.schedules)
            #expect(try await kinds().isEmpty)
            try await tick(60, registry.schedules)
            try await tick(61, registry.schedules)
            #expect(try await kinds() == ["schedule.tidy"])
            try await tick(15 * 3600, registry.schedules)
            #expect(try await kinds().sorted() == ["schedule.report", "schedule.tidy"])
        }
    }

    @Test("Events reach their subscribers in order, and a failing one holds back only those behind it")
    func outbox() async throws {
        try await TestDatabase.withDatabase { database in
            let journal = Journal()
            let failures = Mutex(2)
            var registry = JobRegistry()
            registry.subscribe("contact.changed", as: "segments") { event, transaction in
                let number: Int = try event.decode()
                let fails: Bool = failures.withLock { left in
                    guard number == 3, left > 0 else { return false }
                    left -= 1
                    return true
                }
                if fails { throw JobRetry("not yet") }
                try await transaction.run("test.effect", "SELECT 1")
                journal.note("\(number)")
            }
            let outbox = Outbox(queue: JobQueue())
            try await database.write(first) { transaction in
                for number in 1...5 {
                    try await outbox.publish("contact.changed", number, workspace: first, in: transaction)
                }
                try await outbox.publish("nobody.listens", 0, workspace: first, in: transaction)
            }
            let deliverer = OutboxDeliverer(database: database, subscribers: registry.subscribers)
            let store = JobStore(database: database)
            func attempt() async throws {
                let now = Date()
                let jobs = try await store.claim(
                    .transactional, kinds: [OutboxDelivery.kind], limit: 5, worker: "t",
                    now: now.addingTimeInterval(100), leasedUntil: now)
                #expect(jobs.count <= 1)
                for job in jobs {
                    do {
                        try await deliverer.deliver(first, JobContext(job, clock: .system, logger: .init(label: "t")))
                        try await store.settle(job, .complete, now: now)
                    } catch {
                        try await store.settle(job, .retry(at: now, error: "\(error)"), now: now)
                    }
                }
            }
            try await attempt()
            #expect(journal.all.last == "2")
            try await attempt()
            #expect(journal.all.suffix(3) == ["3", "4", "5"])
            let left: Int = try await database.session {
                try await $0.value(Int.self, "test.left", "SELECT count(*) FROM marketing_outbox")
            }
            #expect(left == 0)
            #expect(try await rows(database).isEmpty)
        }
    }
}
