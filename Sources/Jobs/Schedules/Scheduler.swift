import Core
import FoundationEssentials
import Postgres
import Synchronization

/// Turns schedules that are due into jobs. Any number of nodes may call `tick`; an advisory lock lets one of them act.
final class Scheduler: Sendable {
    /// Taken for the length of a tick (`pg_try_advisory_xact_lock`), so a node that dies frees it.
    private static let lock = 7_204_113

    private struct Row: PostgresRow {
        static let columns: SQL = "name, next_run_at"
        let name: String
        let nextRun: Date

        init(row: inout RowReader) throws {
            name = try row.next()
            nextRun = try row.next()
        }
    }

    private let schedules: [JobSchedule]
    private let database: Database
    private let queue: JobQueue
    private let clock: WallClock
    /// Until then nothing is due, as far as this node knows.
    private let quietUntil = Mutex(Date.distantPast)

    init(_ schedules: [JobSchedule], database: Database, queue: JobQueue, clock: WallClock) {
        self.schedules = schedules
        self.database = database
        self.queue = queue
        self.clock = clock
    }

    func tick() async throws {
        let now: Date = clock.now
        guard !schedules.isEmpty, quietUntil.withLock({ $0 <= now }) else { return }
        let next: Date? = try await database.transaction { transaction in
            let isOurs: Bool = try await transaction.value(
                Bool.self, "schedules.lock", "SELECT pg_try_advisory_xact_lock(\(Self.lock))")
            return isOurs ? try await self.enqueueDue(now: now, in: transaction) : nil
        }
        // Look again in a while even so: another node may have brought new schedules.
        let latest: Date = now.addingTimeInterval(15)
        quietUntil.withLock { $0 = min(next ?? latest, latest) }
    }

    /// Answers when the next schedule is due.
    private func enqueueDue(now: Date, in transaction: PostgresTransaction) async throws -> Date {
        let rows: [Row] = try await transaction.all(
            Row.self, "schedules.read",
            "SELECT \(Row.columns) FROM marketing_job_schedules WHERE name = ANY (\(schedules.map(\.name)))")
        let known: [String: Date] = Dictionary(rows.map { ($0.name, $0.nextRun) }) { first, _ in first }
        var names: [String] = []
        var times: [Date] = []
        var next: Date = .distantFuture
        for schedule in schedules {
            var time: Date = known[schedule.name] ?? schedule.rule.first(now: now)
            if time <= now {
                let entry = JobQueue.Entry(
                    kind: schedule.kind, lane: schedule.lane, workspace: JobQueue.portal, key: schedule.name,
                    maxAttempts: 1, runAt: nil)
                try await queue.insert(["{}"], entry, in: transaction)
                time = schedule.rule.next(after: now)
            }
            if known[schedule.name] != time {
                names.append(schedule.name)
                times.append(time)
            }
            next = min(next, time)
        }
        if !names.isEmpty { try await save(names, times, now: now, in: transaction) }
        return next
    }

    private func save(_ names: [String], _ times: [Date], now: Date, in transaction: PostgresTransaction) async throws {
        try await transaction.run(
            "schedules.save",
            """
            INSERT INTO marketing_job_schedules AS known (name, next_run_at, last_run_at)
            SELECT new.name, new.time, \(now) FROM unnest(\(names), \(times)) AS new (name, time)
            ON CONFLICT (name) DO UPDATE SET next_run_at = excluded.next_run_at, last_run_at = excluded.last_run_at
            """)
    }
}
