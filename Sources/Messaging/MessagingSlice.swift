import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Logging
import Postgres
import Templates
import Tracking
import Web

/// Senders, the ledger of messages, suppressions, the Outbox: everything between a decision to send and the mail server.
package struct MessagingSlice: Slice {
    private let services: AppServices
    package let interface: MessagingInterface
    private let dispatcher: SendDispatcher
    private let recovery: SendRecovery
    private let outbox: OutboxLimits

    /// - Parameters:
    ///   - segments: who keeps the rules of segments.
    ///   - views: the views of this moment, for what is added to e-mails.
    package init(
        services: AppServices, segments: (any SegmentRules)? = nil, outbox: OutboxLimits = OutboxLimits(),
        pause: Pause = .real, views: @escaping @Sendable () throws -> ViewLibrary
    ) {
        self.services = services
        self.outbox = outbox
        interface = MessagingInterface(services: services, segments: segments, views: views)
        let journals = HandoverJournals(directory: "\(services.varDirectory)/handover", ids: services.ids)
        recovery = SendRecovery(
            database: services.workerDatabase, journals: journals.directory,
            rules: SettlementRules(clock: services.clock, randomness: services.randomness),
            bounces: BounceFollowUp(services: services), ids: services.ids, clock: services.clock,
            logger: services.logger)
        let senders: SenderDirectory = interface.senders
        dispatcher = SendDispatcher(
            services: services, senders: senders, links: interface.links, journals: journals,
            carrier: { try senders.carrier(for: $0, workspace: $1) }, recovery: recovery, running: RunningSends(),
            pause: pause)
    }

    package static let pages: [any ViewPage.Type] = [
        EmailSettingsPage.self, SuppressionsPage.self, OutboxPage.self, OutboxMessagePage.self, UncertainPage.self,
        UnsubscribePage.self, SuppressionLiftPage.self, SuppressionImportPage.self, SuppressionImportResultPage.self,
        EmailFooter.self, TemplatesPage.self, TemplateEditPage.self, TemplateComparePage.self, TemplateDeletePage.self,
    ]

    package static let navigation: [NavItem] = [
        NavItem(title: "Templates", icon: "file", href: "/templates", order: 45),
        NavItem(title: "Outbox", icon: "inbox", href: "/outbox", order: 60),
    ]

    package static let personalTables: [PersonalTable] = MessagingTables.all
    package static let retentionRules: [RetentionRule] = MessagingTables.retention

    package func routes(_ table: inout RouteTable) {
        EmailSettingsRoutes(services: services, messaging: interface).add(to: &table)
        SuppressionRoutes(services: services).add(to: &table)
        TemplateRoutes(services: services, messaging: interface).add(to: &table)
        OutboxRoutes(services: services, limits: outbox).add(to: &table)
        UncertainRoutes(services: services, sends: interface.sends).add(to: &table)
        UnsubscribeRoutes(actions: UnsubscribeActions(services: services, links: Self.unsubscribeLinks(services)))
            .add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        let snapshot = SendSnapshot(services: services, readiness: interface.readiness)
        registry.register(SnapshotSend.self) { job, _ in
            try await snapshot.write(JournalRecord.Run(workspace: job.workspace, send: job.send))
        }
        registry.register(DispatchSend.self) { [dispatcher] job, _ in
            try await dispatcher.dispatch(JournalRecord.Run(workspace: job.workspace, send: job.send))
        }
        registry.register(CancelSend.self) { [services] job, _ in
            try await Self.cancel(job, services: services)
        }
        let sweep = SendSweep(services: services)
        registry.schedule("messaging.sends", every: .seconds(2)) { _ in try await sweep.wakeDueSends() }
        let suppressions = SuppressionActions(services: services)
        registry.schedule("messaging.suppressions", every: .seconds(3600)) { _ in try await suppressions.liftExpired() }
        let cleaning = OutboxCleaning(services: services, limits: outbox)
        registry.schedule("messaging.outbox", every: .seconds(3600)) { _ in try await cleaning.run() }
        registry.schedule("messaging.journals", every: .seconds(5)) { [recovery] _ in
            await recovery.takeOverAbandonedJournals()
        }
        let seals = SenderSeals(services: services)
        registry.schedule("messaging.seals", every: .seconds(3600)) { _ in try await seals.renew() }
    }

    /// The saved passwords of mail servers, sealed anew after a change of keys.
    package var seals: SenderSeals { SenderSeals(services: services) }

    /// Signs and checks the links that end all mail to a person.
    package static func unsubscribeLinks(_ services: AppServices) -> UnsubscribeLinks {
        UnsubscribeLinks(
            publicBase: services.urls.publicBase, key: services.keys.key(for: "unsubscribe links"),
            earlier: services.keys.earlierKeys(for: "unsubscribe links"))
    }

    /// What a process does when it starts, before it works: it takes over from those that ended on this machine.
    package func recover() async {
        await recovery.takeOverAbandonedJournals()
    }

    private static func cancel(_ job: CancelSend, services: AppServices) async throws {
        while true {
            let count: Int = try await services.workerDatabase.write(job.workspace, timeout: .seconds(30)) { tx in
                try await BatchQueries(workspace: job.workspace, send: job.send, tx: tx)
                    .cancelFree(50, now: services.clock.now)
            }
            if count == 0 { return }
        }
    }
}

/// Finds the sends that somebody should look at: with free batches, due retries, claims of dead processes, or a mail server
/// that may answer again.
struct SendSweep: Sendable {
    let services: AppServices

    func wakeDueSends() async throws {
        let now: Date = services.clock.now
        try await services.workerDatabase.transaction { tx in
            let due = try await tx.rows(
                as: (WorkspaceID, SendID).self, "messaging.due_sends",
                """
                UPDATE marketing_active_sends SET wake_at = \(now.addingTimeInterval(5))
                WHERE wake_at <= \(now) RETURNING workspace_id, send_id
                """)
            for (workspace, send) in due {
                // Two places: when one process works on the send, another may join it.
                for place in 0...1 {
                    try await services.jobs.enqueue(
                        DispatchSend(workspace: workspace, send: send), workspace: workspace,
                        key: "dispatch:\(send):\(place)", in: tx)
                }
            }
        }
    }
}
