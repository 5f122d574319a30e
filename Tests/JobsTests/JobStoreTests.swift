import Core
import FoundationEssentials
import Postgres
import PostgresTesting
import Testing

@testable import Jobs

struct Greet: Job, Equatable {
    static let kind = "test.greet"
    static let lane: JobLane = .transactional
    static let maxAttempts = 3
    var name: String
}

struct Count: Job {
    static let kind = "test.count"
    static let timeout: Duration = .seconds(20)
    var number: Int
}

@Suite("The queue in PostgreSQL", .timeLimit(.minutes(30)))
struct JobStoreTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let first: WorkspaceID = IdentifierSource().next()
    private let second: WorkspaceID = IdentifierSource().next()
    private let kinds = [Greet.kind, Count.kind]

    private func withStore(_ body: (JobStore, JobQueue, Database) async throws -> Void) async throws {
        try await TestDatabase.withDatabase { database in
            try await body(JobStore(database: database), JobQueue(clock: .fixed(now)), database)
        }
    }

    private func claim(_ store: JobStore, _ lane: JobLane = .transactional, limit: Int = 10, after: Double = 0)
        async throws -> [ClaimedJob]
    {
        let time: Date = now.addingTimeInterval(after)
        return try await store.claim(
            lane, kinds: kinds, limit: limit, worker: "a", now: time, leasedUntil: time.addingTimeInterval(60))
    }

    private func state(_ database: Database) async throws -> [String] {
        try await database.session { session in
            try await session.values(
                String.self, "test.states",
                "SELECT state || ':' || attempts FROM marketing_job_queue ORDER BY enqueued_at, id")
        }
    }

    @Test("A job exists exactly when its transaction commits, and is claimed once")
    func enqueueAndClaim() async throws {
        try await withStore { store, queue, database in
            struct Undo: Error {}
            await #expect(throws: Undo.self) {
                try await database.write(first) { transaction in
                    try await queue.enqueue(Greet(name: "nobody"), workspace: first, in: transaction)
                    throw Undo()
                }
            }
            #expect(try await claim(store).isEmpty)
            try await database.write(first) { transaction in
                try await queue.enqueue(Greet(name: "Ann"), workspace: first, in: transaction)
            }
            let jobs = try await claim(store)
            #expect(jobs.count == 1 && jobs[0].kind == Greet.kind && jobs[0].workspace == first)
            #expect(jobs[0].attempts == 1 && jobs[0].fence == 1 && jobs[0].payload == #"{"name": "Ann"}"#)
            #expect(try await claim(store).isEmpty)
            try await store.settle(jobs[0], .complete, now: now)
            #expect(try await state(database).isEmpty)
        }
    }

    @Test("Jobs wait for their time, and unknown kinds for a worker that knows them")
    func due() async throws {
        try await withStore { store, queue, database in
            try await database.session { session in
                try await queue.enqueue(
                    Greet(name: "later"), workspace: nil, at: now.addingTimeInterval(10), in: session)
            }
            #expect(try await claim(store, after: 9).isEmpty)
            let none = try await store.claim(
                .transactional, kinds: ["other"], limit: 9, worker: "a", now: now.addingTimeInterval(20),
                leasedUntil: now)
            #expect(none.isEmpty)
            let jobs = try await claim(store, after: 10)
            #expect(jobs.count == 1 && jobs[0].workspace == nil)
        }
    }

    @Test("A key makes one job of many, starts a running one again, and revives a dead one")
    func keys() async throws {
        try await withStore { store, queue, database in
            func enqueue(_ name: String) async throws {
                try await database.session { session in
                    try await queue.enqueue(Greet(name: name), workspace: first, key: "k", in: session)
                }
            }
            try await enqueue("one")
            try await enqueue("two")
            #expect(try await state(database) == ["ready:0"])
            let job = try #require(try await claim(store).first)
            #expect(job.payload.contains("two"))
            try await enqueue("three")
            #expect(try await state(database) == ["running:1"])
            try await store.settle(job, .complete, now: now)
            let again = try #require(try await claim(store).first)
            #expect(again.payload.contains("three") && again.attempts == 1 && again.fence == 2)
            try await store.settle(again, .dead(error: "broken"), now: now)
            #expect(try await state(database) == ["dead:1"])
            try await enqueue("four")
            #expect(try await state(database) == ["ready:0"])
            try await database.session { session in
                try await queue.enqueue(Greet(name: "x"), workspace: second, key: "k", in: session)
            }
            #expect(try await state(database).count == 2)
        }
    }

    @Test("An enqueueing that commits while its job completes is never lost")
    func enqueueDuringCompletion() async throws {
        try await withStore { store, queue, database in
            for round in 0..<20 {
                try await database.session {
                    try await queue.enqueue(Greet(name: "\(round)"), workspace: first, key: "k", in: $0)
                }
                let job = try #require(try await claim(store).first)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await database.write(first) { transaction in
                            try await queue.enqueue(Greet(name: "again"), workspace: first, key: "k", in: transaction)
                            try await transaction.run("test.linger", "SELECT pg_sleep(0.002)")
                        }
                    }
                    group.addTask { try await store.settle(job, .complete, now: now) }
                    try await group.waitForAll()
                }
                let left = try #require(try await claim(store).first)
                #expect(left.payload.contains("again"))
                try await store.settle(left, .complete, now: now)
            }
        }
    }

    @Test("Workspaces take turns: thousands of jobs of one do not delay the single job of another")
    func fairness() async throws {
        try await withStore { store, queue, database in
            try await database.session { session in
                try await queue.enqueue((0..<3000).map { Count(number: $0) }, workspace: first, in: session)
                try await queue.enqueue(Count(number: -1), workspace: second, at: now, in: session)
                try await queue.enqueue(Count(number: -2), workspace: nil, at: now, in: session)
            }
            let jobs = try await claim(store, .bulk, limit: 4)
            #expect(Set(jobs.map(\.workspace)) == [first, second, nil] && jobs.count == 4)
            let more = try await claim(store, .bulk, limit: 2)
            #expect(more.map(\.workspace) == [first, first])
            #expect(try await claim(store, .transactional).isEmpty)
        }
    }

    @Test("Two workers never hold one job, and together they get all")
    func parallelClaims() async throws {
        try await withStore { store, queue, database in
            try await database.session { session in
                try await queue.enqueue((0..<400).map { Count(number: $0) }, workspace: first, in: session)
            }
            let claimed: [JobID] = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var mine: [JobID] = []
                        while true {
                            let jobs = try await claim(store, .bulk, limit: 7)
                            if jobs.isEmpty { return mine }
                            mine += jobs.map(\.id)
                            for job in jobs { try await store.settle(job, .complete, now: now) }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == Set(claimed).count)
            // A worker may see nothing free while others hold all candidates; the rest is still there.
            var rest = 0
            while case let jobs = try await claim(store, .bulk, limit: 50), !jobs.isEmpty { rest += jobs.count }
            #expect(claimed.count + rest == 400)
        }
    }

    @Test("After a worker died its job goes to another, and the fence keeps the dead one out")
    func leaseExpiry() async throws {
        try await withStore { store, queue, database in
            try await database.session { try await queue.enqueue(Greet(name: "Ann"), workspace: first, in: $0) }
            let lost = try #require(try await claim(store).first)
            #expect(try await store.recover(now: now.addingTimeInterval(59)).isEmpty)
            #expect(try await store.extend([lost.id: lost.fence], until: now.addingTimeInterval(100)) == [lost.id])
            #expect(try await store.recover(now: now.addingTimeInterval(99)).isEmpty)
            #expect(try await store.recover(now: now.addingTimeInterval(101)) == [.transactional])
            #expect(try await store.extend([lost.id: lost.fence], until: now.addingTimeInterval(500)).isEmpty)
            let taken = try #require(try await claim(store, after: 101).first)
            #expect(taken.id == lost.id && taken.attempts == 2 && taken.fence == 2)
            await #expect(throws: JobLeaseLost.self) { try await store.settle(lost, .complete, now: now) }
            await #expect(throws: JobLeaseLost.self) { try await store.settle(lost, .dead(error: "x"), now: now) }
            #expect(try await store.extend([lost.id: lost.fence], until: now).isEmpty)
            await #expect(throws: JobLeaseLost.self) {
                try await database.write(first) { transaction in
                    try await JobContext(lost, clock: .fixed(now), logger: .init(label: "test")).complete(
                        in: transaction)
                }
            }
            try await store.settle(taken, .complete, now: now)
        }
    }

    @Test("A job whose workers keep dying is set aside in the end")
    func poison() async throws {
        try await withStore { store, queue, database in
            try await database.session { try await queue.enqueue(Greet(name: "Ann"), workspace: first, in: $0) }
            for round in 1...3 {
                #expect(try await claim(store, after: Double(round) * 1000).count == 1)
                _ = try await store.recover(now: now.addingTimeInterval(Double(round) * 1000 + 500))
            }
            #expect(try await state(database) == ["dead:3"])
        }
    }

    @Test("Retries wait, and giving back costs no attempt")
    func retries() async throws {
        try await withStore { store, queue, database in
            try await database.session { try await queue.enqueue(Greet(name: "Ann"), workspace: first, in: $0) }
            let job = try #require(try await claim(store).first)
            try await store.settle(job, .retry(at: now.addingTimeInterval(30), error: "busy"), now: now)
            #expect(try await claim(store, after: 29).isEmpty)
            let second = try #require(try await claim(store, after: 30).first)
            #expect(second.attempts == 2)
            try await store.settle(second, .giveBack, now: now.addingTimeInterval(30))
            #expect(try await claim(store, after: 30).first?.attempts == 2)
        }
    }

    @Test("The effect of a job and its completion commit together or not at all")
    func completionInTransaction() async throws {
        try await withStore { store, queue, database in
            try await database.session { try await queue.enqueue(Greet(name: "Ann"), workspace: first, in: $0) }
            let job = try #require(try await claim(store).first)
            let context = JobContext(job, clock: .fixed(now), logger: .init(label: "test"))
            struct Undo: Error {}
            await #expect(throws: Undo.self) {
                try await database.write(first) { transaction in
                    try await context.complete(in: transaction)
                    throw Undo()
                }
            }
            #expect(try await state(database) == ["running:1"])
            try await database.write(first) { try await context.complete(in: $0) }
            #expect(try await state(database).isEmpty && context.isCompleted)
        }
    }

    @Test("Dead jobs can be counted, paged, retried and deleted, each workspace its own")
    func admin() async throws {
        try await withStore { store, queue, database in
            try await database.session { session in
                try await queue.enqueue(
                    [Greet(name: "a"), Greet(name: "b"), Greet(name: "c")], workspace: first, in: session)
                try await queue.enqueue(Greet(name: "d"), workspace: second, in: session)
            }
            for (index, job) in try await claim(store).enumerated() {
                try await store.settle(job, .dead(error: "broken \(index)"), now: now.addingTimeInterval(Double(index)))
            }
            let admin = JobsAdmin(database, clock: .fixed(now))
            #expect(try await admin.counts(workspace: first).map(\.count) == [3])
            let page = try await admin.dead(workspace: first, limit: 2)
            let rest = try await admin.dead(workspace: first, after: page.last, limit: 2)
            #expect(
                page.count == 2 && rest.count == 1 && page[0].lastError.hasPrefix("broken")
                    && page[0].workspace == first)
            #expect(try await admin.retry(page[0].id, workspace: second) == false)
            #expect(try await admin.retry(page[0].id, workspace: first))
            #expect(try await admin.oldestWait(workspace: first) == .zero)
            #expect(try await admin.delete(page[1].id, workspace: first))
            #expect(try await admin.retryAll(kind: Greet.kind, workspace: nil) == 2)
            #expect(try await claim(store).count == 3)
        }
    }
}
