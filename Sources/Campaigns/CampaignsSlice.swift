import Accounts
import Core
import Jobs
import Messaging
import Templates
import Web

/// Campaigns: what is sent, to whom, when.
package struct CampaignsSlice: Slice {
    private let services: AppServices
    private let messaging: MessagingInterface
    private let inspector: LinkInspector
    package let actions: CampaignActions

    package init(services: AppServices, messaging: MessagingInterface) {
        inspector = LinkInspector(clock: services.clock)
        self.services = services
        self.messaging = messaging
        actions = CampaignActions(services: services, messaging: messaging)
    }

    package static let pages: [any ViewPage.Type] = [
        CampaignsIndexPage.self, CampaignEditPage.self, CampaignPreviewPage.self, CampaignReviewPage.self,
        CampaignLinksPage.self, CampaignFillingPage.self, CampaignShowPage.self, CampaignConfirmPage.self,
        CampaignDeletedPage.self,
    ]

    package static let navigation: [NavItem] = [
        NavItem(title: "Campaigns", icon: "campaign", href: "/campaigns", order: 40)
    ]

    package func routes(_ table: inout RouteTable) {
        let reader = CampaignReader(
            services: services, messaging: messaging, review: actions.review, inspector: inspector)
        CampaignRoutes(services: services, actions: actions, reader: reader, messaging: messaging).add(to: &table)
        CampaignLaunchRoutes(
            services: services, actions: actions, reader: reader, messaging: messaging, inspector: inspector
        ).add(to: &table)
        CampaignTemplateRoutes(services: services, actions: actions, reader: reader).add(to: &table)
        CampaignAPI(services: services, actions: actions, reader: reader).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        registry.register(LaunchCampaign.self) { [actions] job, _ in try await actions.launchScheduled(job) }
        registry.register(SendStateChanged.self) { [actions] job, _ in try await actions.follow(job) }
    }
}
