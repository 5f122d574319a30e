import Accounts
import Core
import Jobs
import Templates
import Web

/// The overview of a workspace, reports of campaigns and the log of their messages. It reads the tables of other slices
/// and owns only what makes that cheap.
package struct AnalyticsSlice: Slice {
    private let services: AppServices
    private let memory: BreakdownMemory

    package init(services: AppServices) {
        self.services = services
        memory = BreakdownMemory(clock: services.clock)
    }

    package static let pages: [any ViewPage.Type] = [
        DashboardPage.self, ReportPage.self, MessageLogPage.self, MessagePage.self,
    ]

    package static let navigation: [NavItem] = [NavItem(title: "Overview", icon: "dashboard", href: "/", order: 0)]

    package func routes(_ table: inout RouteTable) {
        let reports = ReportReader(services: services, memory: memory)
        let messages = MessageReader(services: services)
        let dashboards = DashboardReader(services: services)
        AnalyticsRoutes(services: services, reports: reports, messages: messages, dashboards: dashboards).add(
            to: &table)
        AnalyticsAPI(services: services, reports: reports, messages: messages, dashboards: dashboards).add(to: &table)
    }

    /// Writes down how many people a workspace has, as of the moment of the services (`AppServices.at`).
    package static func recordContactCount(
        of workspace: WorkspaceID, timeZone: String, _ services: AppServices
    ) async throws {
        try await ContactCounts(services: services).record(workspace, timeZone: timeZone)
    }

    package func jobs(_ registry: inout JobRegistry) {
        registry.schedule("analytics.contact_counts", every: .seconds(3600)) { [services] _ in
            try await ContactCounts(services: services).record()
        }
    }
}
