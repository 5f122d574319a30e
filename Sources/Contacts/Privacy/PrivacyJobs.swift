import Accounts
import Core
import Jobs
import Postgres
import Templates

/// The work behind people's rights: files of personal data, erasures, and what is removed by age.
struct PrivacyJobs: Sendable {
    let services: AppServices
    let tables: [PersonalTable]
    let rules: [RetentionRule]
    let mentions: PersonMentions.Finder
    /// The views of this moment, for the readable form of a person's data.
    let views: @Sendable () throws -> ViewLibrary

    func add(to registry: inout JobRegistry) {
        let exports = PersonExports(services: services, tables: tables)
        let erasure = Erasure(services: services, tables: tables, mentions: mentions)
        registry.register(PersonExportJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            let scope = WorkspaceScope(workspace: workspace, actor: job.actor)
            do {
                try await exports.make(job.exportID, scope, views: views)
            } catch  where context.isLastAttempt && !(error is CancellationError) {
                try await exports.fail(job.exportID, scope)
                throw error
            }
        }
        registry.register(ErasureJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await erasure.run(job.erasureID, WorkspaceScope(workspace: workspace, actor: job.actor))
        }
        registry.register(ErasureCheckJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await erasure.check(job.erasureID, WorkspaceScope(workspace: workspace))
        }
        let sweep = PrivacySweep(services: services, tables: tables, rules: rules)
        registry.schedule("contacts.privacy.sweep", every: .seconds(3600)) { _ in try await sweep.hourly() }
        registry.schedule("contacts.privacy.purge", .daily(hour: 3, minute: 20)) { _ in try await sweep.nightly() }
    }
}

/// What time does to privacy, in all workspaces.
struct PrivacySweep: Sendable {
    let services: AppServices
    let tables: [PersonalTable]
    let rules: [RetentionRule]

    /// Files of personal data whose time is over, consent that ran out, secrets sealed with an older key.
    func hourly() async throws {
        for workspace in try await workspaces() {
            try await PersonExports(services: services, tables: tables).sweep(workspace)
            try await ConsentExpiry(services: services).expire(workspace)
            try await ErasedAddresses.reseal(workspace, services: services)
        }
    }

    /// What is older than it is kept.
    func nightly() async throws {
        for workspace in try await workspaces() {
            try await RetentionActions(services: services, rules: rules).purge(workspace)
        }
    }

    private func workspaces() async throws -> [WorkspaceID] {
        try await services.workerDatabase.session { session in
            try await session.values(WorkspaceID.self, "contacts.workspaces", "SELECT id FROM marketing_workspaces")
        }
    }
}
