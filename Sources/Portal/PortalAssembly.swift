import Accounts
import Analytics
import Campaigns
import Connectors
import Contacts
import Core
import FoundationEssentials
import Jobs
import Logging
import Messaging
import Postgres
import Segments
import Templates
import Tracking
import Web

/// The product put together: every slice with its routes, jobs, pages and navigation. This is the one place that lists
/// them.
package struct PortalAssembly: Sendable {
    package let accounts: AccountsSlice
    package let contacts: ContactsSlice
    package let slices: [any Slice]
    package let messaging: MessagingSlice
    package let tracking: TrackingSlice
    package let connectors: ConnectorsSlice
    package let segments: SegmentsSlice
    /// The example to look around in.
    package let demo: DemoWorkspace
    package let routes: RouteTable
    package let jobs: JobRegistry
    /// What a node answers that serves nothing else.
    private let health: RouteTable

    /// - Parameters:
    ///   - outbox: what the Outbox of a workspace keeps.
    ///   - serviceKey: the key of host products that may name any tenant (`MARKETING_SERVICE_API_KEY`).
    ///   - icons: the names of the sprite's icons, for the style guide; nil where none is shown.
    ///   - views: the views of this moment, for e-mails.
    package init(
        services: AppServices, metrics: PrometheusRegistry, readiness: Readiness, mailer: SystemMailer,
        outbox: OutboxLimits = OutboxLimits(), serviceKey: Secret<String>? = nil, icons: [String]? = nil,
        views: @escaping @Sendable () throws -> ViewLibrary
    ) {
        let accounts = AccountsSlice(services: services, vocabulary: AuditWords.source)
        let rules = SegmentActions(
            services: services, ledger: LedgerBehaviour(), references: RuleReferences(campaigns: CampaignNames.find))
        let messaging = MessagingSlice(services: services, segments: rules, outbox: outbox, views: views)
        let tracking = TrackingSlice(services: services, ledger: MessageEngagement())
        let connectors = ConnectorsSlice(
            services: services, installationKey: serviceKey, activity: tracking.activity)
        let campaigns = CampaignsSlice(services: services, messaging: messaging.interface)
        let segments = SegmentsSlice(services: services, ledger: LedgerBehaviour(), actions: rules)
        let contacts = ContactsSlice(
            services: services, listUses: ListUses.find, propertyUses: ListUses.ofProperty,
            companyUses: ListUses.ofCompany, messages: ContactMessages.moments, activity: ActivityMoments.moments,
            peopleActivity: ActivityMoments.ofPeople,
            references: TrackingSlice.contactReferences + MessagingSlice.contactReferences, segments: rules,
            personal: Self.personalTables, retention: Self.retentionRules,
            mentions: ListUses.naming, views: views)
        let slices: [any Slice] = [
            accounts, contacts, segments,
            messaging, tracking,
            campaigns,
            AnalyticsSlice(services: services), connectors,
        ]
        var routes = RouteTable()
        var jobs = JobRegistry()
        for slice in slices {
            slice.routes(&routes)
            slice.jobs(&jobs)
        }
        MergedContactRoutes.follow(services, in: &routes)
        ServiceMirror.add(to: &routes)
        let healthRoutes = HealthRoutes(database: services.database, readiness: readiness, metrics: metrics)
        healthRoutes.add(to: &routes)
        var health = RouteTable()
        healthRoutes.add(to: &health)
        jobs.register(DeliverSystemMail.self) { job, _ in try await mailer.deliver(job.mail, to: job.to) }
        if let icons { StyleguideRoutes(icons: icons, clock: services.clock).add(to: &routes) }
        let demo = DemoWorkspace(
            services: services, messaging: messaging.interface, campaigns: campaigns.actions, segments: rules)
        DemoRoutes(demo: demo).add(to: &routes)
        jobs.register(DemoEngagement.self) { job, _ in try await demo.engage(job, tracking: tracking) }
        DocumentationRoutes(described: routes, publicURL: services.urls.publicBase).add(to: &routes)
        self.accounts = accounts
        self.contacts = contacts
        self.messaging = messaging
        self.tracking = tracking
        self.connectors = connectors
        self.segments = segments
        self.demo = demo
        self.slices = slices
        self.routes = routes
        self.health = health
        self.jobs = jobs
    }

    /// Every page of the product, so that all views are checked at start.
    package static let pages: [any ViewPage.Type] =
        [
            ErrorPage.self, PlainErrorPage.self, SuggestionsPage.self, StyleguidePage.self, NoticeMail.self,
            DocumentationPage.self, DemoPage.self,
            ProblemsPage.self,
        ]
        + sliceTypes.flatMap { $0.pages }

    package static let navigation: [NavItem] = sliceTypes.flatMap { $0.navigation }

    private static let sliceTypes: [any Slice.Type] = [
        AccountsSlice.self, ContactsSlice.self, SegmentsSlice.self, MessagingSlice.self, TrackingSlice.self,
        CampaignsSlice.self, AnalyticsSlice.self, ConnectorsSlice.self,
    ]

    /// Reads, checks and links all views.
    /// - Throws: `ViewErrors` with every mistake of every file.
    package static func views(in directory: String, assets: Assets) throws(ViewErrors) -> ViewLibrary {
        try ViewLibrary.load(
            directory: directory, pages: pages, records: WebRecords.all, chrome: Chrome.self, sprite: "img/icons.svg",
            asset: { assets.url(of: $0) })
    }

    /// What answers requests: everything, or on a worker only what watchdogs and Prometheus ask.
    package func server(
        configuration: WebConfiguration, views: @escaping @Sendable () throws -> ViewLibrary,
        assets: Assets, role: PortalRuntime.NodeRole = .all, logger: Logger
    ) -> WebServer {
        var configuration = configuration
        configuration.navigation = Self.navigation
        return WebServer(
            routes: role == .worker ? health : routes, configuration: configuration,
            sessions: accounts.sessionStore { [connectors] in try await connectors.access.principal($0) },
            pages: PageRenderer(views), assets: assets, idempotency: accounts.idempotencyStore, logger: logger)
    }
}
