import Accounts
import Core
import Jobs
import Templates
import Web

/// Lists whose members are found by a rule: the rules, the pages to make them, and what keeps membership true.
package struct SegmentsSlice: Slice {
    private let services: AppServices
    private let ledger: any BehaviourLedger
    package let actions: SegmentActions
    private let desk = PreviewDesk()

    package init(services: AppServices, ledger: any BehaviourLedger, actions: SegmentActions) {
        self.services = services
        self.ledger = ledger
        self.actions = actions
    }

    package static let pages: [any ViewPage.Type] = [
        SegmentsIndexPage.self, SegmentFormPage.self, SegmentShowPage.self,
    ]

    package static let navigation: [NavItem] = [
        NavItem(title: "Segments", icon: "filter", href: "/segments", order: 35)
    ]

    /// What works off the notes of changes, to be run where jobs run.
    package var keeper: SegmentKeeper { SegmentKeeper(services: services, ledger: ledger) }

    /// What keeps the copies that everybody is counted by.
    package var factsKeeper: FactsKeeper { FactsKeeper(services: services) }

    package func routes(_ table: inout RouteTable) {
        SegmentAPI(actions: actions).add(to: &table)
        SegmentRoutes(actions: actions, desk: desk).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        let (services, ledger) = (services, ledger)
        registry.register(SegmentRefreshJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await SegmentRefresh(services: services, ledger: ledger, workspace: workspace)
                .run(job.list, because: job.cause)
        }
        registry.register(FactsFillJob.self) { _, context in
            guard let workspace = context.workspace else { return }
            try await FactsFill(services: services, workspace: workspace).run()
        }
        registry.schedule("segments.facts", every: .seconds(300)) { [factsKeeper] _ in try await factsKeeper.look() }
        registry.schedule("segments.check", .daily(hour: 3, minute: 20)) { [keeper] _ in try await keeper.checkAll() }
    }
}
