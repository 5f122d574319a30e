import Accounts
import Contacts
import Core
import FoundationEssentials
import Logging
import Postgres
import ServiceLifecycle

/// Keeps the copies of what rules compare of people up to date: looks every second whose notes wait, and works them off. It is
/// in no hurry, because counting sees the notes: after each batch it leaves the machine to others for as long as that took.
package struct FactsKeeper: Service {
    let services: AppServices
    private static let interval: Duration = .seconds(1)
    /// Notes are taken together until they name so many people.
    private static let peoplePerBatch = 5_000

    package init(services: AppServices) {
        self.services = services
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await round { try await Task.sleep(for: $0) }
                } catch {
                    if Task.isCancelled { return }
                    // The database may be away for a moment; notes stay until they are worked off.
                    services.logger.warning("Copies for counting could not be kept up", metadata: ["error": "\(error)"])
                }
                guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
            }
        }
    }

    /// Works off every note that waits.
    /// - Parameter rest: called after each batch with the time that it took.
    package func round(rest: (Duration) async throws -> Void = { _ in }) async throws {
        var waiting: [WorkspaceID] = try await workspaces()
        while !waiting.isEmpty {
            var more: [WorkspaceID] = []
            for workspace in waiting {
                let start = ContinuousClock.now
                if try await step(workspace) { more.append(workspace) }
                try await rest(start.duration(to: .now))
            }
            waiting = more
        }
    }

    /// Has everybody copied where that has become worth it, or where properties have changed.
    package func look() async throws {
        let workspaces: [WorkspaceID] = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "segments.facts.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces {
            try await services.workerDatabase.write(workspace) { transaction in
                guard try await FactsFill(services: services, workspace: workspace).isDue(in: transaction) else {
                    return
                }
                try await FactsFillJob.enqueue(workspace, services, in: transaction)
            }
        }
    }

    /// Notes from now on who changes, however few people there are.
    package func begin(_ workspace: WorkspaceID) async throws {
        try await FactsFill(services: services, workspace: workspace).begin()
    }

    /// Copies everybody at once, without a job, where that is due.
    /// - Throws: `JobRetry` while transactions are under way that began before the first look.
    package func fill(_ workspace: WorkspaceID) async throws {
        try await FactsFill(services: services, workspace: workspace).run()
    }

    private func workspaces() async throws -> [WorkspaceID] {
        try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "segments.facts.waiting",
                """
                SELECT s.workspace_id FROM marketing_contact_facts_state s WHERE EXISTS (
                    SELECT FROM marketing_stale_facts n WHERE n.workspace_id = s.workspace_id)
                """)
        }
    }

    /// Whether there may be more to do.
    private func step(_ workspace: WorkspaceID) async throws -> Bool {
        do {
            return try await take(workspace)
        } catch let error as PostgresError where !error.isConnectionLost && !Task.isCancelled {
            // One workspace's trouble must not hold up the others.
            services.logger.error(
                "The copies of a workspace could not be kept up",
                metadata: ["workspace": "\(workspace)", "error": "\(error)"])
            return false
        }
    }

    /// Works off some notes in one transaction: they go in the same one that copies. Answers whether there may be more.
    private func take(_ workspace: WorkspaceID) async throws -> Bool {
        try await services.workerDatabase.write(workspace, timeout: .seconds(60)) { transaction in
            let copies = FactsCopy(workspace: workspace, transaction: transaction)
            guard try await copies.hold(waits: false) else { return false }
            let taking: Query<ContactID> = .values(
                ContactID.self, "segments.facts.notes",
                """
                WITH taken AS (
                    DELETE FROM marketing_stale_facts n USING (
                        SELECT position, sum(people) OVER (ORDER BY position) - people AS before
                        FROM marketing_stale_facts WHERE workspace_id = \(workspace)
                        ORDER BY position LIMIT \(Self.peoplePerBatch)
                    ) w
                    WHERE n.workspace_id = \(workspace) AND n.position = w.position AND w.before < \(Self.peoplePerBatch)
                    RETURNING n.contact_ids
                )
                SELECT DISTINCT unnest(contact_ids) FROM taken
                """)
            let (people, assignments) = try await transaction.pipeline(taking, FactAssignment.all(workspace))
            guard !people.isEmpty else { return false }
            try await copies.copy({ "\($0) = ANY (\(people))" }, assignments)
            return true
        }
    }
}
