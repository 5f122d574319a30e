import Accounts
import Contacts
import Core
import Jobs
import Postgres
import ServiceLifecycle
import Templates
import Web

/// Opens and clicks: taken in, told from machines, stored, counted.
package struct TrackingSlice: Slice {
    private let services: AppServices
    private let events: GroupCommit<EmailEvent>
    private let bursts = ClickBursts()
    /// One connection, for the groups of events.
    private let pool: PostgresPool
    let backlog: EmailEventBacklog
    let spool: ClickSpoolKeeper
    /// Where events of people come in.
    package let activity: ActivityIntake

    package static let pages: [any ViewPage.Type] = []

    /// - Parameter ledger: where messages count what happened to them.
    package init(services: AppServices, ledger: any EngagementLedger) {
        self.services = services
        let store = EmailEventStore(database: services.database, ledger: ledger)
        let thread = PostgresThread()
        pool = PostgresPool(
            name: "tracking", settings: services.database.pool.settings, limits: .init(maximum: 1), thread: thread,
            logger: services.logger)
        let backlog = EmailEventBacklog(store: store, services: services, appending: Database(pool))
        self.backlog = backlog
        events = GroupCommit(executor: thread) { try await backlog.take($0) }
        spool = ClickSpoolKeeper(
            spool: ClickSpool(directory: "\(services.varDirectory)/clicks", ids: services.ids), services: services,
            store: store, interval: .seconds(5))
        activity = ActivityIntake(services: services)
    }

    /// Stores opens and clicks that did not come in by an address, and counts them.
    package func record(_ events: [EmailEvent]) async throws {
        try await spool.store.store(events)
    }

    /// Where this slice names people.
    package static let contactReferences: [ContactReference] = [
        .rows("marketing_email_events", words: "opens and clicks"), .rows("marketing_events", words: "events"),
    ]

    /// The writers of events, to be run with the server.
    package var eventWriters: [any Service] { [pool, backlog, events, spool, activity.writer] }

    /// Signs and checks the addresses in messages.
    package static func links(_ services: AppServices) -> TrackingLinks {
        TrackingLinks(
            publicBase: services.urls.publicBase, key: services.keys.key(for: "tracking"),
            earlier: services.keys.earlierKeys(for: "tracking"))
    }

    package static let personalTables: [PersonalTable] = TrackingTables.all
    package static let signsOfLife: [SignOfLife] = TrackingTables.signsOfLife
    package static let retentionRules: [RetentionRule] = TrackingTables.retention

    package func routes(_ table: inout RouteTable) {
        TrackingRoutes(
            services: services, links: Self.links(services), events: events, bursts: bursts, spool: spool.spool
        ).add(to: &table)
        ActivityAPI(clock: services.clock, intake: activity).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        registry.schedule("tracking.partitions", every: .seconds(6 * 3600)) { [services] _ in
            try await EventPartitions.prepare(services)
        }
        registry.schedule("tracking.activity.forget", every: .seconds(6 * 3600)) { [services] _ in
            try await ActivityMemory.sweep(services)
        }
    }
}

/// Makes the monthly parts of the event tables before they are needed.
enum EventPartitions {
    static func prepare(_ services: AppServices) async throws {
        _ = try await services.workerDatabase.session { session in
            try await session.run(
                "tracking.partitions",
                """
                SELECT marketing_add_month_partition(t, (\(services.clock.now)::date + make_interval(months => m))::date)
                FROM generate_series(0, 2) AS m,
                    unnest(ARRAY['marketing_email_events', 'marketing_events']::regclass[]) AS t
                """)
        }
    }
}
