import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Messaging
import Postgres

/// What came of something that was asked of a campaign.
package enum CampaignOutcome: Sendable {
    case done(Campaign)
    /// Absent, or another workspace's.
    case missing
    /// It is in no state for that; why, for people.
    case refused(String)
    /// Somebody else saved meanwhile; theirs.
    case conflict(Campaign)
    /// Checks that must pass before sending did not.
    case notReady([CampaignCheck])
}

/// The verbs of campaigns. State, audit entry and job commit together.
package struct CampaignActions: Sendable {
    let services: AppServices
    let sends: SendActions
    let review: CampaignReview

    package init(services: AppServices, messaging: MessagingInterface) {
        self.services = services
        sends = messaging.sends
        review = CampaignReview(services: services, messaging: messaging)
    }

    package func create(_ content: CampaignContent, by scope: WorkspaceScope) async throws -> Campaign {
        let id: CampaignID = services.ids.next()
        return try await services.database.write(scope.workspace) { tx in
            try await check(content.audience, addedTo: SendAudience(), scope, tx)
            try await queries(scope, tx).insert(id, content, by: scope.actor, now: services.clock.now)
            try await record("created the campaign", id, content.name, by: scope, in: tx)
            return try await stored(id, scope, tx)
        }
    }

    /// - Parameter version: the version that the editor started from; nil: whatever it is.
    package func save(
        _ id: CampaignID, _ content: CampaignContent, version: Int?, by scope: WorkspaceScope
    ) async throws -> CampaignOutcome {
        try await services.database.write(scope.workspace) { tx in
            guard let campaign = try await queries(scope, tx).locked(id) else { return .missing }
            guard campaign.status.allows(.edit) else { return .refused(campaign.status.refusal(of: .edit)) }
            if let version, version != campaign.version { return .conflict(campaign) }
            guard content != campaign.content else { return .done(campaign) }
            try await check(content.audience, addedTo: campaign.content.audience, scope, tx)
            try await queries(scope, tx).update(id, content, now: services.clock.now)
            try await record("changed the campaign", id, content.name, by: scope, in: tx)
            return .done(try await stored(id, scope, tx))
        }
    }

    /// Refuses lists that are added but not there, or another workspace's. Those that were deleted since may stay.
    private func check(
        _ audience: SendAudience, addedTo old: SendAudience, _ scope: WorkspaceScope, _ tx: PostgresTransaction
    ) async throws {
        let plus = Set(audience.listIds).subtracting(old.listIds)
        let minus = Set(audience.excludeListIds).subtracting(old.excludeListIds)
        guard !plus.isEmpty || !minus.isEmpty else { return }
        let known: Set<ContactListID> = Set(try await ContactLists.all(scope, in: tx).map(\.id))
        var errors = ValidationErrors()
        if !plus.isSubset(of: known) { errors.add("audience/listIds", "One of these lists does not exist.") }
        if !minus.isSubset(of: known) { errors.add("audience/excludeListIds", "One of these lists does not exist.") }
        try errors.throwIfAny()
    }

    package func duplicate(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        let copy: CampaignID = services.ids.next()
        return try await services.database.write(scope.workspace) { tx in
            guard let campaign = try await queries(scope, tx).find(id) else { return .missing }
            var content: CampaignContent = campaign.content
            content.name = String("Copy of \(content.name)".prefix(CampaignRules.nameLimit))
            try await queries(scope, tx).insert(copy, content, by: scope.actor, now: services.clock.now)
            try await record("duplicated the campaign", copy, content.name, by: scope, in: tx)
            return .done(try await stored(copy, scope, tx))
        }
    }

    package func delete(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await services.database.write(scope.workspace) { tx in
            guard let campaign = try await queries(scope, tx).locked(id) else { return .missing }
            guard campaign.status.allows(.delete) else { return .refused(campaign.status.refusal(of: .delete)) }
            _ = try await queries(scope, tx).setDeleted(id, at: services.clock.now)
            try await record("deleted the campaign", id, campaign.content.name, by: scope, in: tx)
            return .done(campaign)
        }
    }

    package func undelete(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await services.database.write(scope.workspace) { tx in
            guard try await queries(scope, tx).setDeleted(id, at: nil) else { return .missing }
            let campaign: Campaign = try await stored(id, scope, tx)
            try await record("restored the campaign", id, campaign.content.name, by: scope, in: tx)
            return .done(campaign)
        }
    }

    // MARK: Sending

    /// Starts sending now. The first message goes out within a second.
    package func launch(
        _ id: CampaignID, for asker: CampaignAsker, by scope: WorkspaceScope
    ) async throws -> CampaignOutcome {
        try await services.database.write(scope.workspace, timeout: .seconds(30)) { tx in
            try await launch(id, for: asker, by: scope, in: tx)
        }
    }

    private func launch(
        _ id: CampaignID, for asker: CampaignAsker, by scope: WorkspaceScope, in tx: PostgresTransaction
    ) async throws -> CampaignOutcome {
        guard let campaign = try await queries(scope, tx).locked(id) else { return .missing }
        guard let next = campaign.status.after(.launch) else { return .refused(campaign.status.refusal(of: .launch)) }
        let finding: CampaignReview.Finding = try await review.review(campaign, for: asker, scope: scope, in: tx)
        guard let content = finding.content, finding.blockers.isEmpty else { return .notReady(finding.blockers) }
        let send: SendID = try await sends.launch(
            campaign: id, content: content, audience: campaign.content.audience, workspace: scope.workspace, in: tx)
        try await queries(scope, tx).setLaunch(id, send: send, now: services.clock.now)
        try await queries(scope, tx).setStatus(id, next, now: services.clock.now)
        try await record("started sending the campaign", id, campaign.content.name, by: scope, in: tx)
        return .done(try await stored(id, scope, tx))
    }

    /// - Parameter date: when to start; in the future.
    package func schedule(
        _ id: CampaignID, at date: Date, for asker: CampaignAsker, by scope: WorkspaceScope
    ) async throws -> CampaignOutcome {
        guard date > services.clock.now else { return .refused("Choose a time in the future.") }
        return try await services.database.write(scope.workspace, timeout: .seconds(30)) { tx in
            guard let campaign = try await queries(scope, tx).locked(id) else { return .missing }
            guard let next = campaign.status.after(.schedule) else {
                return .refused(campaign.status.refusal(of: .schedule))
            }
            let finding: CampaignReview.Finding = try await review.review(
                campaign, for: asker, scope: scope, in: tx)
            guard finding.blockers.isEmpty else { return .notReady(finding.blockers) }
            try await queries(scope, tx).setSchedule(id, date)
            try await queries(scope, tx).setStatus(id, next, now: services.clock.now)
            try await services.jobs.enqueue(
                LaunchCampaign(workspace: scope.workspace, campaign: id, scheduledAt: date), workspace: scope.workspace,
                key: "launch:\(id):\(Int(date.timeIntervalSince1970))", at: date, in: tx)
            try await record("scheduled the campaign", id, campaign.content.name, by: scope, in: tx)
            return .done(try await stored(id, scope, tx))
        }
    }

    package func unschedule(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await move(id, .unschedule, "took the campaign off the schedule", by: scope) { _, tx in
            try await queries(scope, tx).setSchedule(id, nil)
            return true
        }
    }

    package func pause(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await move(id, .pause, "paused the campaign", by: scope) { campaign, tx in
            guard let send = campaign.send else { return false }
            return try await sends.pause(send, workspace: scope.workspace, in: tx)
        }
    }

    package func resume(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await move(id, .resume, "resumed the campaign", by: scope) { campaign, tx in
            guard let send = campaign.send else { return false }
            return try await sends.resume(send, workspace: scope.workspace, in: tx)
        }
    }

    package func cancel(_ id: CampaignID, by scope: WorkspaceScope) async throws -> CampaignOutcome {
        try await move(id, .cancel, "cancelled the campaign", by: scope) { campaign, tx in
            guard let send = campaign.send else { return true }
            return try await sends.cancel(send, workspace: scope.workspace, in: tx)
        }
    }

    /// Changes the status together with what follows from it, or nothing.
    private func move(
        _ id: CampaignID, _ event: CampaignEvent, _ deed: String, by scope: WorkspaceScope,
        _ effect: (Campaign, PostgresTransaction) async throws -> Bool
    ) async throws -> CampaignOutcome {
        try await services.database.write(scope.workspace) { tx in
            guard let campaign = try await queries(scope, tx).locked(id) else { return .missing }
            guard let next = campaign.status.after(event), try await effect(campaign, tx) else {
                return .refused(campaign.status.refusal(of: event))
            }
            try await queries(scope, tx).setStatus(id, next, now: services.clock.now)
            try await record(deed, id, campaign.content.name, by: scope, in: tx)
            return .done(try await stored(id, scope, tx))
        }
    }

    // MARK: From jobs

    /// A scheduled campaign whose time has come. A job for a schedule that was changed meanwhile finds another time.
    func launchScheduled(_ job: LaunchCampaign) async throws {
        let scope = WorkspaceScope(workspace: job.workspace)
        let outcome: CampaignOutcome = try await services.database.write(job.workspace, timeout: .seconds(30)) { tx in
            guard let campaign = try await queries(scope, tx).locked(job.campaign), campaign.status == .scheduled,
                let due = campaign.scheduledAt, abs(due.timeIntervalSince(job.scheduledAt)) < 1
            else { return .missing }
            let outcome: CampaignOutcome = try await launch(job.campaign, for: .program, by: scope, in: tx)
            if case .notReady(let checks) = outcome {
                try await queries(scope, tx).setStatus(job.campaign, .failed, now: services.clock.now)
                try await services.audit.record(
                    "could not start the scheduled campaign", subject: campaign.content.name,
                    href: "/campaigns/\(job.campaign)",
                    details: ["problems": .array(checks.map { .string($0.title) })], by: scope, in: tx)
            }
            return outcome
        }
        if case .refused(let reason) = outcome {
            services.logger.warning("A scheduled campaign was not started", metadata: ["reason": "\(reason)"])
        }
    }

    /// A send came to its end or was paused by the portal: its campaign follows.
    func follow(_ change: SendStateChanged) async throws {
        let scope = WorkspaceScope(workspace: change.workspace)
        let event: CampaignEvent =
            switch change.state {
            case .sent: .finish
            case .paused: .pause
            case .cancelled: .cancel
            case .failed: .fail
            case .sending: .reopen
            }
        try await services.database.write(change.workspace) { tx in
            guard let campaign = try await queries(scope, tx).lockedBySend(change.send),
                let next = campaign.status.after(event)
            else { return }
            try await queries(scope, tx).setStatus(campaign.id, next, now: services.clock.now)
            guard let notice = change.notice else { return }
            try await services.audit.record(
                "paused the campaign", subject: campaign.content.name, href: "/campaigns/\(campaign.id)",
                details: ["reason": .string(notice)], by: scope, in: tx)
        }
    }

    private func queries(_ scope: WorkspaceScope, _ tx: PostgresTransaction) -> CampaignQueries {
        CampaignQueries(scope, tx)
    }

    private func stored(
        _ id: CampaignID, _ scope: WorkspaceScope, _ tx: PostgresTransaction
    ) async throws -> Campaign {
        guard let campaign = try await queries(scope, tx).find(id) else {
            throw PostgresError.noRow(query: "campaigns.find")
        }
        return campaign
    }

    private func record(
        _ deed: String, _ id: CampaignID, _ name: String, by scope: WorkspaceScope, in tx: PostgresTransaction
    ) async throws {
        try await services.audit.record(deed, subject: name, href: "/campaigns/\(id)", by: scope, in: tx)
    }
}
