import Accounts
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

    package static let pages: [any ViewPage.Type] = []

    /// - Parameter ledger: where messages count what happened to them.
    package init(services: AppServices, ledger: any EngagementLedger) {
        self.services = services
        let store = EmailEventStore(database: services.database, ledger: ledger)
        events = GroupCommit(gathering: .milliseconds(1)) { try await store.store($0) }
    }

    /// The writer of events, to be run with the server.
    package var eventWriter: any Service { events }

    /// Signs and checks the addresses in messages.
    package static func links(_ services: AppServices) -> TrackingLinks {
        TrackingLinks(
            publicBase: services.urls.publicBase, key: services.keys.key(for: "tracking"),
            earlier: services.keys.earlierKeys(for: "tracking"))
    }

    package func routes(_ table: inout RouteTable) {
        TrackingRoutes(services: services, links: Self.links(services), events: events, bursts: bursts).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        registry.schedule("tracking.partitions", every: .seconds(6 * 3600)) { [services] _ in
            try await EmailEventPartitions.prepare(services)
        }
    }
}

/// Makes the monthly parts of the event table before they are needed.
enum EmailEventPartitions {
    static func prepare(_ services: AppServices) async throws {
        _ = try await services.workerDatabase.session { session in
            try await session.run(
                "tracking.partitions",
                """
                SELECT marketing_add_month_partition('marketing_email_events', (\(services.clock.now)::date + make_interval(months => m))::date)
                FROM generate_series(0, 2) AS m
                """)
        }
    }
}
