import Core
import FoundationEssentials
import Postgres

/// How many jobs of a lane are in a state.
package struct JobCount: PostgresRow, Equatable {
    package static let columns: SQL =
        "lane, state, count(*), min(CASE state WHEN 'ready' THEN run_at ELSE enqueued_at END)"

    package let lane: JobLane
    /// `ready`, `running` or `dead`.
    package let state: String
    package let count: Int
    /// When the oldest was due (ready) or enqueued.
    package let oldest: Date

    package init(row: inout RowReader) throws {
        lane = try row.next()
        state = try row.next()
        count = try row.next()
        oldest = try row.next()
    }
}

/// A job that failed for good.
package struct DeadJob: PostgresRow, Equatable {
    package static let columns: SQL = "id, kind, lane, workspace_id, key, attempts, last_error, enqueued_at, failed_at"

    package let id: JobID
    package let kind: String
    package let lane: JobLane
    /// Nil for the portal's own jobs.
    package let workspace: WorkspaceID?
    package let key: String?
    package let attempts: Int
    package let lastError: String
    package let enqueuedAt: Date
    package let failedAt: Date

    package init(row: inout RowReader) throws {
        id = try row.next()
        kind = try row.next()
        lane = try row.next()
        let owner: WorkspaceID = try row.next()
        workspace = owner == JobQueue.portal ? nil : owner
        key = try row.next()
        attempts = try row.next()
        lastError = try row.next(String?.self) ?? ""
        enqueuedAt = try row.next()
        failedAt = try row.next()
    }
}

/// Looking at the queue, and dealing with dead jobs. Everything can be narrowed to one workspace, which pages must do;
/// nil sees all and is for the operator's commands.
package struct JobsAdmin: Sendable {
    private let database: Database
    private let clock: WallClock

    package init(_ database: Database, clock: WallClock = .system) {
        self.database = database
        self.clock = clock
    }

    private static func owned(by workspace: WorkspaceID?) -> SQL {
        workspace.map { "workspace_id = \($0)" } ?? "true"
    }

    package func counts(workspace: WorkspaceID?) async throws -> [JobCount] {
        try await database.session { session in
            try await session.all(
                JobCount.self, "jobs.counts",
                """
                SELECT \(JobCount.columns) FROM marketing_job_queue WHERE \(Self.owned(by: workspace))
                GROUP BY lane, state ORDER BY lane, state
                """)
        }
    }

    /// How long the job that waits longest has been due; nil when none is.
    package func oldestWait(workspace: WorkspaceID?) async throws -> Duration? {
        let now: Date = clock.now
        let oldest: Date? = try await database.session { session in
            try await session.value(
                Date?.self, "jobs.oldest",
                """
                SELECT min(run_at) FROM marketing_job_queue
                WHERE state = 'ready' AND run_at <= \(now) AND \(Self.owned(by: workspace))
                """)
        }
        return oldest.map { .seconds(now.timeIntervalSince($0)) }
    }

    /// Dead jobs, the latest first. `after` is the last job of the page before.
    package func dead(workspace: WorkspaceID?, after: DeadJob? = nil, limit: Int = 50) async throws -> [DeadJob] {
        var filter: SQL = "state = 'dead' AND \(Self.owned(by: workspace))"
        if let after { filter += " AND (failed_at, id) < (\(after.failedAt), \(after.id))" }
        return try await database.session { session in
            try await session.all(
                DeadJob.self, "jobs.dead",
                """
                SELECT \(DeadJob.columns) FROM marketing_job_queue WHERE \(filter)
                ORDER BY failed_at DESC, id DESC LIMIT \(limit)
                """)
        }
    }

    /// Starts a dead job afresh. False when there is none with this id.
    package func retry(_ id: JobID, workspace: WorkspaceID?) async throws -> Bool {
        try await retry(where: "id = \(id)", workspace: workspace) > 0
    }

    /// Starts all dead jobs of a kind afresh; answers how many.
    package func retryAll(kind: String, workspace: WorkspaceID?) async throws -> Int {
        try await retry(where: "kind = \(kind)", workspace: workspace)
    }

    private func retry(where condition: SQL, workspace: WorkspaceID?) async throws -> Int {
        let now: Date = clock.now
        return try await database.transaction { transaction in
            let lanes: [JobLane] = try await transaction.values(
                JobLane.self, "jobs.retryDead",
                """
                UPDATE marketing_job_queue SET state = 'ready', attempts = 0, run_at = \(now), failed_at = NULL
                WHERE state = 'dead' AND \(condition) AND \(Self.owned(by: workspace)) RETURNING lane
                """)
            try await transaction.run(Set(lanes).map(JobQueue.announcement))
            return lanes.count
        }
    }

    /// Removes a dead job. False when there is none with this id.
    package func delete(_ id: JobID, workspace: WorkspaceID?) async throws -> Bool {
        try await database.session { session in
            try await session.run(
                "jobs.deleteDead",
                "DELETE FROM marketing_job_queue WHERE id = \(id) AND state = 'dead' AND \(Self.owned(by: workspace))")
                > 0
        }
    }
}
