import Accounts
import Core
import FoundationEssentials
import Jobs
import Logging
import Postgres
import ServiceLifecycle

/// Keeps membership true: looks five times a second which workspaces have notes of changes and which segments are due,
/// and works them off.
package struct SegmentKeeper: Service {
    let services: AppServices
    let processor: ChangeProcessor
    let interval: Duration

    package init(services: AppServices, ledger: any BehaviourLedger, interval: Duration = .milliseconds(200)) {
        self.services = services
        self.interval = interval
        processor = ChangeProcessor(services: services, ledger: ledger)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await round()
                } catch {
                    if Task.isCancelled { return }
                    // The database may be away for a moment; notes stay until they are worked off.
                    services.logger.warning("Segments could not be kept up", metadata: ["error": "\(error)"])
                }
                guard (try? await Task.sleep(for: interval)) != nil else { return }
            }
        }
    }

    /// Works off everything that waits, in turns so that no workspace waits for another one.
    package func round() async throws {
        try await wakeDue()
        var waiting: [WorkspaceID] = try await workspaces()
        while !waiting.isEmpty, !Task.isCancelled {
            var more: [WorkspaceID] = []
            for workspace in waiting {
                if try await step(workspace) { more.append(workspace) }
            }
            waiting = more
        }
    }

    /// Whether there may be more to do.
    private func step(_ workspace: WorkspaceID) async throws -> Bool {
        do {
            switch try await processor.step(workspace) {
            case .worked(let count): return count > 0
            case .busy: return false
            }
        } catch let error as PostgresError where !error.isConnectionLost && !Task.isCancelled {
            // One workspace's trouble must not hold up the others.
            services.logger.error(
                "The segments of a workspace could not be kept up",
                metadata: ["workspace": "\(workspace)", "error": "\(error)"])
            return false
        }
    }

    private func workspaces() async throws -> [WorkspaceID] {
        try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "segments.waiting",
                """
                WITH RECURSIVE waiting (id) AS (
                    (SELECT workspace_id FROM marketing_audience_changes ORDER BY workspace_id LIMIT 1)
                    UNION ALL
                    SELECT (SELECT a.workspace_id FROM marketing_audience_changes a WHERE a.workspace_id > w.id
                        ORDER BY a.workspace_id LIMIT 1)
                    FROM waiting w WHERE w.id IS NOT NULL
                )
                SELECT id FROM waiting WHERE id IS NOT NULL
                """)
        }
    }

    /// Segments whose day has begun are looked at as a whole, by jobs.
    private func wakeDue() async throws {
        let now: Date = services.clock.now
        let dueCount: Int = try await services.workerDatabase.session { session in
            try await session.value(
                Int.self, "segments.due.count", "SELECT count(*) FROM marketing_segment_wakes WHERE due_at <= \(now)")
        }
        guard dueCount > 0 else { return }
        try await services.workerDatabase.transaction { transaction in
            let due = try await transaction.rows(
                as: (WorkspaceID, ContactListID).self, "segments.due",
                "DELETE FROM marketing_segment_wakes WHERE due_at <= \(now) RETURNING workspace_id, list_id")
            for (workspace, list) in due {
                try await SegmentRefreshJob.enqueue(
                    list, because: .day, workspace: workspace, services, in: transaction)
            }
        }
    }

    /// Looks at every segment as a whole and counts who is on the wrong side. Nobody should be.
    package func checkAll() async throws {
        let workspaces: [WorkspaceID] = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "segments.check.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces {
            try await services.workerDatabase.write(workspace) { transaction in
                let lists: [ContactListID] = try await transaction.values(
                    ContactListID.self, "segments.check.lists",
                    "SELECT list_id FROM marketing_segments WHERE workspace_id = \(workspace) AND state = 'live'")
                for list in lists {
                    try await SegmentRefreshJob.enqueue(
                        list, because: .check, workspace: workspace, services, in: transaction)
                }
            }
        }
    }
}
