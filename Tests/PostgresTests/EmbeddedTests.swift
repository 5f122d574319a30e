import FoundationEssentials
import Glibc
import Postgres
import Testing

@Suite("The private cluster", .serialized)
struct EmbeddedTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory: String = "/tmp/portal-embedded-\(UUID().uuidString.prefix(8))"
        do {
            try await body(directory)
        } catch {
            // A server that still runs may get in the way; what went wrong before is what has to be told.
            try? FileManager.default.removeItem(atPath: directory)
            throw error
        }
        try FileManager.default.removeItem(atPath: directory)
    }

    private func serverProcess(_ cluster: EmbeddedPostgres) throws -> pid_t {
        let text = try String(contentsOfFile: cluster.location + "/data/postmaster.pid", encoding: .utf8)
        return try #require(pid_t(text.prefix { $0 != "\n" }))
    }

    private func count(_ cluster: EmbeddedPostgres) async throws -> Int {
        try await PostgresConnection.with(.owner(address: cluster.connectionString)) { session in
            try await session.run("test.table", "CREATE TABLE IF NOT EXISTS kept (n int)")
            try await session.run("test.insert", "INSERT INTO kept VALUES (1)")
            return try await session.value(Int.self, "test.count", "SELECT count(*) FROM kept")
        }
    }

    /// Reasons that a restart gives, also on a machine that is slow to notice it.
    private static func passes(_ error: PostgresError) -> Bool {
        switch error {
        case .connectionLost, .timedOut, .poolExhausted: true
        default: ["57P01", "57P02", "57P03"].contains(error.sqlState ?? "")
        }
    }

    @Test("starts, keeps its data over stops and kills, and listens on a socket alone")
    func lifecycle() async throws {
        try await withDirectory { directory in
            let first = try EmbeddedPostgres(directory: directory)
            try await first.start()
            #expect(try await count(first) == 1)
            var status = stat()
            #expect(lstat(first.location, &status) == 0 && status.st_mode & 0o777 == 0o700)
            let addresses: String = try await PostgresConnection.with(.owner(address: first.connectionString)) {
                session in
                try await session.value(
                    String.self, "test.settings",
                    """
                    SELECT current_setting('listen_addresses') || current_setting('fsync')
                        || current_setting('synchronous_commit')
                    """
                )
            }
            #expect(addresses == "onon")
            let stopped: pid_t = try serverProcess(first)
            await first.stop()
            #expect(kill(stopped, 0) != 0)

            let second = try EmbeddedPostgres(directory: directory)
            let begin = ContinuousClock.now
            try await second.start()
            print("private cluster started in \(ContinuousClock.now - begin)")
            #expect(try await count(second) == 2)
            // Killed hard: the next start recovers what was committed.
            kill(try serverProcess(second), SIGKILL)
            await second.stop()
            let third = try EmbeddedPostgres(directory: directory)
            try await third.start()
            #expect(try await count(third) == 3)
            await third.stop()
        }
    }

    @Test("a server left over from an earlier run is stopped and its data used")
    func leftover() async throws {
        try await withDirectory { directory in
            let left = try EmbeddedPostgres.forTests(directory: directory)
            try await left.startUnlessRunning()
            #expect(try await count(left) == 1)
            let old: pid_t = try serverProcess(left)
            let next = try EmbeddedPostgres(directory: directory)
            try await next.start()
            #expect(try serverProcess(next) != old)
            #expect(try await count(next) == 2)
            // A second portal with the same directory shares the server of the first.
            let guest = try EmbeddedPostgres(directory: directory)
            try await guest.start()
            #expect(try await count(guest) == 3)
            await next.stop()
        }
    }

    @Test("a pool lives through a restart of the server")
    func restart() async throws {
        try await withDirectory { directory in
            let cluster = try EmbeddedPostgres(directory: directory)
            try await cluster.start()
            let settings = ConnectionSettings(address: cluster.connectionString)
            let pool = PostgresPool(name: "restart", settings: settings, limits: .init(maximum: 4))
            let database = Database(pool)
            let question: SQL = "SELECT 1"
            #expect(try await database.session { try await $0.value(Int.self, "test.before", question) } == 1)
            let working = Task {
                // Queries during the restart either work or fail for a stated reason; nothing hangs.
                var lost: Int = 0
                while !Task.isCancelled {
                    do {
                        _ = try await database.session { try await $0.value(Int.self, "test.during", question) }
                    } catch let error as PostgresError where Self.passes(error) {
                        lost += 1
                    }
                    await Task.yield()
                }
                return lost
            }
            await cluster.stop()
            let gone = await #expect(throws: PostgresError.self) {
                try await database.session(timeout: .seconds(2)) { try await $0.value(Int.self, "test.gone", question) }
            }
            #expect(gone.map { Self.passes($0) } == true)
            try await cluster.start()
            // What was on its way when the server went may still be told to the first who ask.
            var answer: Int?
            for _ in 0..<20 where answer == nil {
                do {
                    answer = try await database.session { try await $0.value(Int.self, "test.after", question) }
                } catch let error as PostgresError where Self.passes(error) {
                    await Task.yield()
                }
            }
            #expect(answer == 1)
            working.cancel()
            do { _ = try await working.value } catch PostgresError.cancelled {}
            #expect(try await database.session { try await $0.value(Int.self, "test.end", question) } == 1)
            await pool.shutDown()
            await cluster.stop()
        }
    }
}
