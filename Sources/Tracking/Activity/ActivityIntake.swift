import Accounts
import Core
import FoundationEssentials
import Postgres
import ServiceLifecycle
import Synchronization
import Web

/// Where events of all workspaces come in: those that arrive at the same time are stored together, and each is answered
/// when it is stored.
package final class ActivityIntake: Sendable {
    /// What one request brought, and where its answer is left.
    private final class Delivery: Sendable {
        let scope: WorkspaceScope
        let events: [ActivityEvent]
        let answer = Mutex<Result<[ActivityOutcome], any Error>?>(nil)

        init(_ scope: WorkspaceScope, _ events: [ActivityEvent]) {
            self.scope = scope
            self.events = events
        }
    }

    private let deliveries: GroupCommit<Delivery>
    private let partitions: ActivityPartitions

    init(services: AppServices) {
        let store = ActivityStore(services: services)
        partitions = ActivityPartitions(services: services)
        deliveries = GroupCommit(
            capacity: 20_000, batchSize: 2_000, writers: 2, gathering: .milliseconds(1), weight: { $0.events.count }
        ) { batch in
            for own in Dictionary(grouping: batch, by: \.scope).values { await Self.write(own, store) }
        }
    }

    package var writer: any Service { deliveries }

    /// Stores the deliveries of one workspace together. When that fails each is tried by itself, so that one of them cannot
    /// spoil the others.
    private static func write(_ own: [Delivery], _ store: ActivityStore) async {
        do {
            guard let scope = own.first?.scope else { return }
            var outcomes: ArraySlice<ActivityOutcome> = try await store.store(own.flatMap(\.events), scope)[...]
            for delivery in own {
                let part = Array(outcomes.prefix(delivery.events.count))
                delivery.answer.withLock { $0 = .success(part) }
                outcomes = outcomes.dropFirst(delivery.events.count)
            }
        } catch {
            guard own.count > 1 else {
                own.first?.answer.withLock { $0 = .failure(error) }
                return
            }
            for delivery in own { await write([delivery], store) }
        }
    }

    /// Stores events; answers what became of each, in order.
    /// - Throws: `WebError` 503 when too much waits or the portal stops; what storing threw.
    package func take(_ events: [ActivityEvent], _ scope: WorkspaceScope) async throws -> [ActivityOutcome] {
        guard !events.isEmpty else { return [] }
        try await partitions.prepare(for: events.map(\.occurredAt))
        let delivery = Delivery(scope, events)
        do {
            try await deliveries.submit(delivery)
        } catch is GroupCommit<Delivery>.Overloaded {
            throw WebError.unavailable("Too much at once. Try again in a moment.", retryAfter: 1)
        } catch is GroupCommit<Delivery>.Stopped {
            throw WebError.unavailable("The portal is restarting. Try again in a moment.", retryAfter: 2)
        }
        guard let answer = delivery.answer.withLock({ $0 }) else {
            throw WebError.unavailable("The events were not stored. Try again in a moment.", retryAfter: 1)
        }
        return try answer.get()
    }
}

/// The monthly parts of the events: made ahead by a schedule, and when a late event needs an old month.
final class ActivityPartitions: Sendable {
    private let services: AppServices
    private let known = Mutex<Set<Int>>([])

    init(services: AppServices) {
        self.services = services
    }

    /// Makes the months of these days unless they are there. Each month is asked for once in the life of the portal.
    func prepare(for days: [Date]) async throws {
        let months: [Int: Date] = Dictionary(days.map { (Self.month(of: $0), $0) }, uniquingKeysWith: { one, _ in one })
        let missing = known.withLock { known in months.filter { !known.contains($0.key) } }
        guard !missing.isEmpty else { return }
        let starts: [Date] = missing.values.sorted()
        _ = try await services.database.session { session in
            try await session.run(
                "tracking.activity.partitions",
                """
                SELECT marketing_add_month_partition('marketing_events', (d AT TIME ZONE 'UTC')::date)
                FROM unnest(\(starts)) AS d
                """)
        }
        known.withLock { $0.formUnion(missing.keys) }
    }

    /// Months since year 0, UTC.
    static func month(of date: Date) -> Int {
        let civil = CivilDate(daysSince1970: Int((date.timeIntervalSince1970 / 86_400).rounded(.down)))
        return civil.year * 12 + civil.month - 1
    }
}

/// Forgets old ids of events, workspace by workspace, because the wall lets nobody see them all.
enum ActivityMemory {
    static func sweep(_ services: AppServices) async throws {
        let before: Date = services.clock.now.addingTimeInterval(-ActivityLimits.memory)
        let workspaces = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "tracking.activity.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces {
            var removed: Int = 0
            repeat {
                removed = try await services.workerDatabase.write(
                    workspace, "tracking.activity.forget",
                    """
                    DELETE FROM marketing_event_ids WHERE workspace_id = \(workspace) AND id_hash IN (
                        SELECT id_hash FROM marketing_event_ids
                        WHERE workspace_id = \(workspace) AND received_at < \(before)
                        ORDER BY received_at LIMIT 10000)
                    """)
            } while removed == 10_000
        }
    }
}
