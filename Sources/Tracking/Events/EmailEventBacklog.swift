import Accounts
import Core
import FoundationEssentials
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Opens and clicks that are stored but not yet counted.
///
/// Counting an event costs many times what storing it does, and less the more are counted at once. So where many come in at a
/// time, a group becomes one row that is committed and answered, and what has gathered is counted in large batches: the
/// rows go as the events come, in one transaction. A few at a time are counted at once: then reports know of an event when
/// it is answered.
final class EmailEventBacklog: Service {
    /// Up to so many events are counted at once, when no others wait.
    static let fewEvents: Int = 8

    /// With so many waiting, others are counted at once: then they come in more slowly.
    static let mostWaiting: Int = 100_000

    /// A transaction takes up to so many rows, and no more when they have so many events.
    private static let groupsAtOnce: Int = 500
    private static let eventsAtOnce: Int = 10_000

    /// From the beginning of one count to the next while events keep coming.
    private static let pace: Duration = .milliseconds(50)

    private let store: EmailEventStore
    private let services: AppServices
    private let appending: Database
    private let sweep: Duration
    /// Workspaces in which groups wait, with the events that this process has put there.
    private let waiting = Mutex<[WorkspaceID: Int]>([:])
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - appending: where groups are stored; nil for the database that answers requests.
    ///   - sweep: how often to look for groups of processes that ended.
    init(
        store: EmailEventStore, services: AppServices, appending: Database? = nil, sweep: Duration = .seconds(5)
    ) {
        self.store = store
        self.services = services
        self.appending = appending ?? services.database
        self.sweep = sweep
        (wakeUps, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Storing

    /// Stores events, and counts them at once or soon.
    func take(_ events: [EmailEvent]) async throws {
        for (workspace, own) in Dictionary(grouping: events, by: \.workspace) {
            let before: Int? = waiting.withLock { $0[workspace] }
            let isQuiet: Bool = before == nil && own.count <= Self.fewEvents
            if isQuiet || before ?? 0 > Self.mostWaiting {
                try await store.store(own, workspace)
            } else {
                try await append(own, workspace)
            }
        }
    }

    /// Stores events of a workspace as a group that is counted later.
    func append(_ events: [EmailEvent], _ workspace: WorkspaceID) async throws {
        _ = try await appending.session { session in
            try await session.run(
                "tracking.backlog.append",
                """
                INSERT INTO marketing_email_event_backlog (workspace_id, \(EmailEventColumns.names))
                VALUES (\(workspace), \(EmailEventColumns(events).arrays))
                """)
        }
        waiting.withLock { $0[workspace, default: 0] += events.count }
        wake.yield()
    }

    // MARK: Counting

    /// Counts until shutdown. What waits then is counted by the next process that starts.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.lookForOthers() }
                group.addTask { await self.countWhatWaits() }
            }
        }
    }

    private func countWhatWaits() async {
        for await _ in wakeUps {
            let started: ContinuousClock.Instant = .now
            await countAll()
            guard (try? await Task.sleep(until: started + Self.pace)) != nil else { return }
        }
    }

    /// Groups of processes that ended before they counted them.
    private func lookForOthers() async {
        while !Task.isCancelled {
            do {
                let found: [WorkspaceID] = try await services.workerDatabase.session { session in
                    try await session.values(
                        WorkspaceID.self, "tracking.backlog.workspaces",
                        "SELECT DISTINCT workspace_id FROM marketing_email_event_backlog")
                }
                waiting.withLock { waiting in
                    for workspace in found { waiting[workspace, default: 0] += 0 }
                }
                if !found.isEmpty { wake.yield() }
            } catch {
                services.logger.warning(
                    "The backlog of opens and clicks cannot be read", metadata: ["error": "\(error)"])
            }
            guard (try? await Task.sleep(for: sweep)) != nil else { return }
        }
    }

    /// Counts what waits in all workspaces. What cannot be counted stays for the next look, and holds up no other
    /// workspace.
    func countAll() async {
        for (workspace, events) in waiting.withLock({ $0 }) {
            do {
                try await count(workspace)
                waiting.withLock { waiting in
                    let left: Int = (waiting[workspace] ?? 0) - events
                    waiting[workspace] = left > 0 ? left : nil
                }
            } catch {
                services.logger.error("Opens and clicks cannot be counted yet", metadata: ["error": "\(error)"])
            }
        }
    }

    private func count(_ workspace: WorkspaceID) async throws {
        var isMore: Bool = true
        while isMore {
            do {
                isMore = try await countSome(workspace)
            } catch let error as PostgresError where error.isUniqueViolation() {
                // A click whose first commit went unanswered was kept in a file and stored from there.
                isMore = try await countSome(workspace, leavingOutKnown: true)
            }
        }
    }

    /// - Returns: whether more may wait.
    private func countSome(_ workspace: WorkspaceID, leavingOutKnown: Bool = false) async throws -> Bool {
        let known: SQL = """
            WHERE NOT EXISTS (
                SELECT FROM marketing_email_events e
                WHERE e.workspace_id = \(workspace) AND e.occurred_at = hit.occurred_at AND e.id = hit.id)
            """
        return try await services.workerDatabase.write(workspace, keepsPlans: true) { transaction in
            // A crash of the database brings back the rows with what was counted: nobody needs to wait for the disk.
            try await transaction.run("tracking.backlog.unhurried", "SET LOCAL synchronous_commit = off")
            return try await transaction.value(
                Bool.self, "tracking.backlog.count",
                """
                WITH taken AS (
                    DELETE FROM marketing_email_event_backlog b USING (
                        SELECT position, sum(size) OVER (ORDER BY position) - size AS earlier
                        FROM (
                            SELECT position, cardinality(ids) AS size FROM marketing_email_event_backlog
                            WHERE workspace_id = \(workspace) ORDER BY position LIMIT \(Self.groupsAtOnce)
                            FOR UPDATE SKIP LOCKED
                        ) oldest
                    ) o
                    WHERE b.workspace_id = \(workspace) AND b.position = o.position AND o.earlier < \(Self.eventsAtOnce)
                    RETURNING b.*
                ), hits AS MATERIALIZED (
                    SELECT * FROM (SELECT \(EmailEventColumns.events) FROM taken) hit \(leavingOutKnown ? known : "")
                ),
                \(store.counting("hits", workspace, fields: ["opened", "clicked"], at: services.clock.now)),
                kept AS (\(store.keeping("hits", workspace)))
                SELECT count(*) = \(Self.groupsAtOnce) OR sum(cardinality(ids)) >= \(Self.eventsAtOnce) IS TRUE FROM taken
                """)
        }
    }
}
