import Core
import FoundationEssentials
import Postgres

/// Puts jobs into the queue, in the caller's transaction: the job exists exactly when the transaction commits, and a
/// worker wakes up right then.
package struct JobQueue: Sendable {
    /// Stands for "no workspace" in the queue.
    static let portal = WorkspaceID(.zero)

    private let clock: WallClock
    private let ids: IdentifierSource

    package init(clock: WallClock = .system, ids: IdentifierSource = IdentifierSource()) {
        self.clock = clock
        self.ids = ids
    }

    /// Enqueues a job.
    ///
    /// With a `key` there is at most one such job of this kind in the workspace: a waiting one takes the new payload and
    /// the earlier time, a running one starts once more when it is done, a dead one comes back to life.
    /// - Parameters:
    ///   - workspace: nil for the portal's own work.
    ///   - time: when the job may start; nil for at once.
    package func enqueue<J: Job>(
        _ job: J, workspace: WorkspaceID?, key: String? = nil, at time: Date? = nil, in session: some PostgresSession
    ) async throws {
        try await enqueue([job], workspace: workspace, key: key, at: time, in: session)
    }

    /// Enqueues many jobs of one kind in one round trip. A key stands for all of them, so give one for a single job only.
    package func enqueue<J: Job>(
        _ jobs: [J], workspace: WorkspaceID?, key: String? = nil, at time: Date? = nil, in session: some PostgresSession
    ) async throws {
        guard !jobs.isEmpty else { return }
        let payloads: [String] = try jobs.map(Self.encode)
        let entry = Entry(
            kind: J.kind, lane: J.lane, workspace: workspace ?? Self.portal, key: key, maxAttempts: J.maxAttempts,
            runAt: time)
        try await insert(payloads, entry, in: session)
    }

    struct Entry {
        let kind: String
        let lane: JobLane
        let workspace: WorkspaceID
        let key: String?
        let maxAttempts: Int
        let runAt: Date?
    }

    func insert(_ payloads: [String], _ entry: Entry, in session: some PostgresSession) async throws {
        let now: Date = clock.now
        let identifiers: [JobID] = payloads.map { _ in ids.next() }
        let runAt: Date = entry.runAt ?? now
        let insert: SQL = """
            INSERT INTO marketing_job_queue AS job
                (id, kind, lane, workspace_id, key, payload, max_attempts, run_at, enqueued_at)
            SELECT new.id, \(entry.kind), \(entry.lane), \(entry.workspace), \(entry.key), new.payload::jsonb,
                \(entry.maxAttempts), \(runAt), \(now)
            FROM unnest(\(identifiers), \(payloads)) AS new (id, payload)
            ON CONFLICT (kind, workspace_id, key) WHERE key IS NOT NULL DO UPDATE SET
                payload = excluded.payload,
                run_at = CASE job.state WHEN 'ready' THEN least(job.run_at, excluded.run_at) ELSE excluded.run_at END,
                again = job.state = 'running',
                attempts = CASE job.state WHEN 'dead' THEN 0 ELSE job.attempts END,
                state = CASE job.state WHEN 'dead' THEN 'ready' ELSE job.state END
            """
        var statements: [Statement] = [Statement("jobs.enqueue", insert)]
        if runAt <= now { statements.append(Self.announcement(of: entry.lane)) }
        try await session.run(statements)
    }

    static func announcement(of lane: JobLane) -> Statement {
        Statement("jobs.announce", "SELECT pg_notify(\(lane.channel), '')")
    }

    private static func encode(_ job: some Job) throws -> String {
        String(decoding: try JSONEncoder().encode(job), as: UTF8.self)
    }
}

extension JobLane: PostgresArrayElement, PostgresDecodable {}
