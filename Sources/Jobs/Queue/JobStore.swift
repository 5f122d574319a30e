import Core
import FoundationEssentials
import Postgres

/// A job that this worker may run until its lease ends.
struct ClaimedJob: PostgresRow, Equatable {
    static let columns: SQL =
        "job.id, job.kind, job.lane, job.workspace_id, job.payload::text, job.attempts, job.max_attempts, job.fence"

    let id: JobID
    let kind: String
    let lane: JobLane
    /// Nil for the portal's own jobs.
    let workspace: WorkspaceID?
    let payload: String
    /// How often it was started, this time included.
    let attempts: Int
    let maxAttempts: Int
    let fence: Int

    init(row: inout RowReader) throws {
        id = try row.next()
        kind = try row.next()
        lane = try row.next()
        let owner: WorkspaceID = try row.next()
        workspace = owner == JobQueue.portal ? nil : owner
        payload = try row.next()
        attempts = try row.next()
        maxAttempts = try row.next()
        fence = try row.next()
    }
}

/// The worker's side of the queue: claim, keep, settle, recover. Times come from the caller.
struct JobStore: Sendable {
    let database: Database

    /// Takes up to `limit` jobs that are due. Workspaces take turns: whoever has the fewest jobs running comes first, so
    /// ten thousand jobs of one do not delay the single job of another.
    func claim(
        _ lane: JobLane, kinds: [String], limit: Int, worker: String, now: Date, leasedUntil: Date
    ) async throws -> [ClaimedJob] {
        try await database.session { session in
            try await session.all(
                ClaimedJob.self, "jobs.claim",
                """
                WITH RECURSIVE owner (workspace_id) AS (
                    (SELECT workspace_id FROM marketing_job_queue WHERE lane = \(lane) AND state = 'ready'
                     ORDER BY workspace_id LIMIT 1)
                    UNION ALL
                    SELECT (SELECT next.workspace_id FROM marketing_job_queue AS next
                            WHERE next.lane = \(lane) AND next.state = 'ready'
                                AND next.workspace_id > owner.workspace_id
                            ORDER BY next.workspace_id LIMIT 1)
                    FROM owner WHERE owner.workspace_id IS NOT NULL
                ), candidate AS (
                    SELECT due.id, due.place + busy.count AS turn, due.run_at
                    FROM owner
                    CROSS JOIN LATERAL (
                        SELECT count(*) AS count FROM marketing_job_queue AS running
                        WHERE running.lane = \(lane) AND running.state = 'running'
                            AND running.workspace_id = owner.workspace_id
                    ) AS busy
                    CROSS JOIN LATERAL (
                        SELECT ready.id, ready.run_at, row_number() OVER (ORDER BY ready.run_at, ready.id) AS place
                        FROM marketing_job_queue AS ready
                        WHERE ready.lane = \(lane) AND ready.state = 'ready'
                            AND ready.workspace_id = owner.workspace_id AND ready.run_at <= \(now)
                            AND ready.kind = ANY (\(kinds))
                        ORDER BY ready.run_at, ready.id LIMIT \(limit * 4)
                    ) AS due
                ), chosen AS (
                    SELECT free.id FROM candidate JOIN marketing_job_queue AS free ON free.id = candidate.id
                    WHERE free.state = 'ready'
                    ORDER BY candidate.turn, candidate.run_at, free.id LIMIT \(limit)
                    FOR UPDATE OF free SKIP LOCKED
                )
                UPDATE marketing_job_queue AS job
                SET state = 'running', attempts = job.attempts + 1, fence = job.fence + 1, again = false,
                    worker = \(worker), leased_until = \(leasedUntil)
                FROM chosen WHERE job.id = chosen.id
                RETURNING \(ClaimedJob.columns)
                """)
        }
    }

    /// Extends leases. Answers the jobs that are still ours.
    func extend(_ held: [JobID: Int], until time: Date) async throws -> Set<JobID> {
        guard !held.isEmpty else { return [] }
        let pairs: [(JobID, Int)] = held.map { ($0.key, $0.value) }
        let identifiers: [JobID] = pairs.map(\.0)
        let fences: [Int] = pairs.map(\.1)
        let kept: [JobID] = try await database.session { session in
            try await session.values(
                JobID.self, "jobs.heartbeat",
                """
                UPDATE marketing_job_queue AS job SET leased_until = \(time)
                FROM unnest(\(identifiers), \(fences)) AS held (id, fence)
                WHERE job.id = held.id AND job.fence = held.fence AND job.state = 'running'
                RETURNING job.id
                """)
        }
        return Set(kept)
    }

    /// Removes a job that is done, or starts it again when it was enqueued meanwhile. Two statements, because the second
    /// must see an enqueueing that the first waited for. Throws `JobLeaseLost` when the job is not ours.
    static func complete(_ id: JobID, fence: Int, in session: some PostgresSession) async throws {
        let counts: [Int] = try await session.run([
            Statement(
                "jobs.complete",
                """
                DELETE FROM marketing_job_queue
                WHERE id = \(id) AND fence = \(fence) AND state = 'running' AND NOT again
                """),
            Statement(
                "jobs.again",
                """
                UPDATE marketing_job_queue
                SET state = 'ready', again = false, attempts = 0, worker = NULL, leased_until = NULL, last_error = NULL
                WHERE id = \(id) AND fence = \(fence) AND state = 'running' AND again
                """),
        ])
        if counts.reduce(0, +) == 0 { throw JobLeaseLost() }
    }

    /// Carries out what was decided. Throws `JobLeaseLost` when the job is not ours.
    func settle(_ job: ClaimedJob, _ outcome: JobOutcome, now: Date) async throws {
        switch outcome {
        case .leave: return
        case .complete:
            try await database.transaction { transaction in
                try await JobStore.complete(job.id, fence: job.fence, in: transaction)
            }
        case .retry(let time, let error):
            try await update(job, "jobs.retry", "state = 'ready', run_at = \(time), last_error = \(error)")
        case .dead(let error):
            try await update(
                job, "jobs.bury",
                """
                state = CASE WHEN again THEN 'ready' ELSE 'dead' END, attempts = CASE WHEN again THEN 0 ELSE attempts END,
                last_error = \(error), failed_at = \(now)
                """)
        case .giveBack:
            try await update(job, "jobs.giveBack", "state = 'ready', attempts = attempts - 1, run_at = \(now)")
        }
    }

    private func update(_ job: ClaimedJob, _ name: StaticString, _ changes: SQL) async throws {
        let count: Int = try await database.session { session in
            try await session.run(
                name,
                """
                UPDATE marketing_job_queue SET \(changes), again = false, worker = NULL, leased_until = NULL
                WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
                """)
        }
        if count == 0 { throw JobLeaseLost() }
    }

    /// Frees the jobs of workers that died. Answers the lanes that have work again.
    func recover(now: Date) async throws -> [JobLane] {
        try await database.session { session in
            try await session.values(
                JobLane.self, "jobs.recover",
                """
                UPDATE marketing_job_queue
                SET state = CASE WHEN attempts < max_attempts OR again THEN 'ready' ELSE 'dead' END,
                    run_at = \(now), failed_at = \(now), worker = NULL, leased_until = NULL, again = false,
                    last_error = 'The process that ran this job stopped before it was done.'
                WHERE id IN (
                    SELECT id FROM marketing_job_queue
                    WHERE state = 'running' AND lane = ANY (\(JobLane.allCases)) AND leased_until < \(now)
                    FOR UPDATE SKIP LOCKED
                )
                RETURNING lane
                """)
        }
    }
}
