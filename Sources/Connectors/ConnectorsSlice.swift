import Accounts
import Core
import Jobs
import Templates
import Tracking
import Web

/// Host products: who they are, what they send, and what it became.
package struct ConnectorsSlice: Slice {
    private let services: AppServices
    private let tenants: TenantDirectory
    private let events: ActivityAPI
    /// Who a service key stands for.
    package let access: ServiceAccess

    /// - Parameters:
    ///   - installationKey: the key that may name any tenant (`MARKETING_SERVICE_API_KEY`); nil: there is none.
    ///   - activity: where events of people come in.
    package init(services: AppServices, installationKey: Secret<String>?, activity: ActivityIntake) {
        self.services = services
        tenants = TenantDirectory(services: services)
        access = ServiceAccess(services: services, installationKey: installationKey, tenants: tenants)
        events = ActivityAPI(clock: services.clock, intake: activity)
    }

    package static let pages: [any ViewPage.Type] = [
        ServiceKeysPage.self, ServiceKeyRevokePage.self, SyncIndexPage.self, SyncShowPage.self,
    ]

    package func routes(_ table: inout RouteTable) {
        let log = SyncLog(services: services)
        let intake = SyncIntake(services: services, log: log)
        ServiceKeyRoutes(keys: ServiceKeys(services: services), access: access, tenants: tenants).add(to: &table)
        SyncRoutes(log: log, intake: intake, events: events).add(to: &table)
        ServiceAPI(
            services: services, tenants: tenants, intake: intake,
            events: ServiceEvents(services: services, log: log, events: events)
        ).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        registry.schedule("connectors.sync.sweep", every: .seconds(3600)) { [services] _ in
            try await SyncLog(services: services).sweep()
        }
    }
}
