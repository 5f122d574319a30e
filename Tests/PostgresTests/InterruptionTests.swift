import Core
import FoundationEssentials
import Glibc
import Postgres
import PostgresTesting
import Synchronization
import Testing

@Suite("Cancellation, time limits and lost connections")
struct InterruptionTests {
    private let one: SQL = "SELECT 1"

    private func backend(_ session: some PostgresSession) async throws -> Int {
        try await session.value(Int.self, "test.backend", "SELECT pg_backend_pid()")
    }

    /// Waits until the server shows a statement of this name under way.
    private func waitUntilRunning(_ name: String, _ database: Database) async throws {
        try await TestDatabase.asOwner(of: database) { session in
            let question: SQL = """
                SELECT EXISTS (SELECT FROM pg_stat_activity
                WHERE state = 'active' AND starts_with(query, \("-- \(name)\n")) AND datname = current_database())
                """
            while try await !session.value(Bool.self, "test.running", question) { await Task.yield() }
        }
    }

    @Test("cancelling the task cancels the statement and leaves the connection usable")
    func cancelTask() async throws {
        try await TestDatabase.withDatabase(connections: 2) { database in
            try await database.session { session in
                let before: Int = try await backend(session)
                let task = Task { try await session.run("test.sleep", "SELECT pg_sleep(60)") }
                try await waitUntilRunning("test.sleep", database)
                let start = ContinuousClock.now
                task.cancel()
                let error = await #expect(throws: PostgresError.self) { _ = try await task.value }
                guard case .cancelled(query: "test.sleep")? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(ContinuousClock.now - start < .seconds(3))
                for _ in 0..<20 { #expect(try await session.value(Int.self, "test.after", one) == 1) }
                #expect(try await backend(session) == before)
            }
        }
    }

    @Test("a task that is cancelled already sends nothing")
    func cancelledBefore() async throws {
        try await TestDatabase.withDatabase { database in
            try await database.session { session in
                try await session.run("test.table", "CREATE TEMP TABLE marks (n int)")
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    _ = try await session.run("test.mark", "INSERT INTO marks VALUES (1)")
                }
                await #expect(throws: PostgresError.self) { try await task.value }
                #expect(try await session.value(Int.self, "test.count", "SELECT count(*) FROM marks") == 0)
            }
        }
    }

    @Test("a time limit cancels the statement, ours and the server's")
    func timeLimit() async throws {
        try await TestDatabase.withAddress { address in
            var settings = ConnectionSettings(address: address)
            settings.statementTimeout = .milliseconds(300)
            let pool = PostgresPool(name: "limited", settings: settings, limits: .init(maximum: 1))
            let database = Database(pool)
            for timeout in [Duration?.none, .milliseconds(100)] {
                let error = await #expect(throws: PostgresError.self) {
                    try await database.session(timeout: timeout) { session in
                        _ = try await session.run("test.sleep", "SELECT pg_sleep(60)")
                    }
                }
                guard case .timedOut(query: "test.sleep")? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(try await database.session { try await $0.value(Int.self, "test.after", one) } == 1)
            }
            // A longer limit reaches the server, and does not stay there.
            try await database.session(timeout: .seconds(5)) { session in
                _ = try await session.run("test.patient", "SELECT pg_sleep(0.5)")
            }
            try await database.transaction(timeout: .seconds(5)) { transaction in
                _ = try await transaction.run("test.patient", "SELECT pg_sleep(0.5)")
            }
            let limit: String = try await database.session { session in
                try await session.value(String.self, "test.limit", "SELECT current_setting('statement_timeout')")
            }
            #expect(limit == "300ms")
            await pool.shutDown()
        }
    }

    @Test("a transaction whose statement was cancelled rolls back, and the pool goes on")
    func cancelledTransaction() async throws {
        try await TestDatabase.withDatabase(connections: 1) { database in
            _ = try await database.session { try await $0.run("test.table", "CREATE TEMP TABLE marks (n int)") }
            let error = await #expect(throws: PostgresError.self) {
                try await database.transaction(timeout: .milliseconds(200)) { transaction in
                    _ = try await transaction.run("test.mark", "INSERT INTO marks VALUES (1)")
                    _ = try await transaction.run("test.sleep", "SELECT pg_sleep(60)")
                }
            }
            guard case .timedOut? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let count: Int = try await database.session { session in
                try await session.value(Int.self, "test.count", "SELECT count(*) FROM marks")
            }
            #expect(count == 0)
        }
    }

    @Test("cancelling at any moment never makes a later statement fail")
    func cancelStorm() async throws {
        try await TestDatabase.withDatabase(connections: 1) { database in
            for round in 0..<150 {
                let task = Task {
                    try await database.session { session in
                        _ = try await session.run(
                            "test.short", "SELECT count(*) FROM generate_series(1, \(round * 40))")
                    }
                }
                for _ in 0..<(round % 13) { await Task.yield() }
                task.cancel()
                _ = await task.result
                let after: Int = try await database.session { try await $0.value(Int.self, "test.after", one) }
                #expect(after == 1)
            }
            #expect(database.pool.usage.leased == 0)
        }
    }

    @Test("a backend that was terminated is replaced without anybody noticing")
    func terminated() async throws {
        try await TestDatabase.withDatabase(connections: 1) { database in
            for _ in 0..<10 {
                let process: Int = try await database.session { try await backend($0) }
                try await TestDatabase.asOwner(of: database) { session in
                    _ = try await session.run("test.terminate", "SELECT pg_terminate_backend(\(process)::int, 5000)")
                }
                let next: Int = try await database.session { try await backend($0) }
                #expect(next != process)
            }
            // In the middle of a transaction it must be noticed.
            let lost = await #expect(throws: PostgresError.self) {
                try await database.transaction { transaction in
                    let process: Int = try await backend(transaction)
                    try await TestDatabase.asOwner(of: database) { session in
                        _ = try await session.run(
                            "test.terminate", "SELECT pg_terminate_backend(\(process)::int, 5000)")
                    }
                    _ = try await transaction.run("test.second", "SELECT 1")
                }
            }
            #expect(lost?.isConnectionLost == true)
            #expect(lost?.queryName == "test.second")
            #expect(try await database.session { try await $0.value(Int.self, "test.after", one) } == 1)
        }
    }

    @Test("callers wait in order, give up in time, and a full line is refused at once")
    func poolLimits() async throws {
        try await TestDatabase.withAddress { address in
            let limits = PostgresPool.Limits(maximum: 1, wait: .milliseconds(300), waiters: 1)
            let pool = PostgresPool(name: "tiny", settings: ConnectionSettings(address: address), limits: limits)
            let database = Database(pool)
            try await database.session { session in
                _ = try await session.run("test.first", one)
                let waiting = Task { try await database.session { _ in } }
                while pool.usage.waiting == 0 { await Task.yield() }
                let refused = await #expect(throws: PostgresError.self) { try await database.session { _ in } }
                guard case .poolExhausted(pool: "tiny")? = refused else {
                    Issue.record("\(String(describing: refused))")
                    return
                }
                await #expect(throws: PostgresError.self) { try await waiting.value }
                let cancelled = Task { try await database.session { _ in } }
                while pool.usage.waiting == 0 { await Task.yield() }
                cancelled.cancel()
                await #expect(throws: PostgresError.self) { try await cancelled.value }
                #expect(pool.usage.waiting == 0)
            }
            #expect(try await database.session { try await $0.value(Int.self, "test.after", one) } == 1)
            await pool.shutDown()
            let closed = await #expect(throws: PostgresError.self) { try await database.session { _ in } }
            guard case .poolClosed? = closed else {
                Issue.record("\(String(describing: closed))")
                return
            }
        }
    }

    @Test("a task shares the thread of its connection, also when that was lost and is made again")
    func sharedThread() async throws {
        func current() -> UInt { UInt(pthread_self()) }
        try await TestDatabase.withAddress { address in
            let thread = try #require(PostgresThread())
            let pool = PostgresPool(
                name: "shared", settings: ConnectionSettings(address: address), limits: .init(maximum: 1),
                thread: thread)
            let database = Database(pool)
            try await withTaskExecutorPreference(thread) {
                let here: UInt = current()
                for _ in 0..<2 {
                    let process: Int = try await database.session { session in
                        try await session.value(Int.self, "test.process", "SELECT pg_backend_pid()")
                    }
                    #expect(current() == here)
                    try await PostgresConnection.with(.owner(address: address)) { other in
                        _ = try await other.run("test.terminate", "SELECT pg_terminate_backend(\(process)::int, 5000)")
                    }
                }
                #expect(try await database.session { try await $0.value(Int.self, "test.after", one) } == 1)
                #expect(current() == here)
            }
            await pool.shutDown()
        }
    }

    @Test("a listener hears notifications, and again after its connection was cut")
    func listener() async throws {
        try await TestDatabase.withDatabase { database in
            let listener = PostgresListener(settings: database.pool.settings)
            let jobs = listener.notifications(on: "test_jobs")
            let service = Task { try await listener.run() }
            var iterator = jobs.makeAsyncIterator()
            #expect(await iterator.next() != nil)
            for _ in 0..<3 {
                _ = try await database.session { try await $0.run("test.notify", "NOTIFY test_jobs") }
                #expect(await iterator.next() != nil)
            }
            // A channel that is added later is heard as well.
            var other = listener.notifications(on: "test_other").makeAsyncIterator()
            #expect(await other.next() != nil)
            _ = try await database.session { try await $0.run("test.notify", "NOTIFY test_other") }
            #expect(await other.next() != nil)
            try await TestDatabase.asOwner(of: database) { session in
                let cut: Int = try await session.value(
                    Int.self, "test.cut",
                    """
                    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
                    WHERE application_name LIKE '%listener' AND datname = current_database()
                    """)
                #expect(cut == 1)
            }
            #expect(await iterator.next() != nil)
            _ = try await database.session { try await $0.run("test.notify", "NOTIFY test_jobs") }
            #expect(await iterator.next() != nil)
            service.cancel()
            _ = await service.result
        }
    }
}
