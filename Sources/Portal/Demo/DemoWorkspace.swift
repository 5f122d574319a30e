import Accounts
import Analytics
import Campaigns
import Contacts
import Core
import FoundationEssentials
import Jobs
import Messaging
import Postgres
import Segments

/// A workspace to look around in: people, companies, lists, segments, and a campaign that went out to the Outbox and was
/// opened and clicked. Made with the same actions as anything else, so it can be changed and deleted like any other.
package struct DemoWorkspace: Sendable {
    let services: AppServices
    let messaging: MessagingInterface
    let campaigns: CampaignActions
    let segments: SegmentActions

    package enum Outcome: Sendable, Equatable {
        /// It is there; its people's opens and clicks follow within seconds of the send.
        case made(WorkspaceID)
        /// Somebody has theirs already.
        case exists(WorkspaceID)
    }

    /// Makes the example for somebody, who becomes its owner.
    package func make(for user: UserID) async throws -> Outcome {
        if let known = try await existing(user) { return .exists(known) }
        let workspace: WorkspaceID = try await services.database.transaction { transaction in
            try await WorkspaceProvisioning(services).make(
                name: DemoData.workspaceName, owner: user, postalAddress: DemoData.postalAddress, in: transaction)
        }
        let scope = WorkspaceScope(workspace: workspace, actor: user)
        // First of all, so that nothing of it can leave by the installation's own mail server.
        try await services.database.write(workspace) { transaction in
            try await messaging.keepInOutbox(workspace, in: transaction)
        }
        let people: [ContactID] = try await makePeople(scope)
        let newsletter: ContactListID = try await makeLists(people, scope)
        for segment in DemoData.segments {
            _ = try await segments.create(
                name: segment.name, description: segment.description, rules: segment.rules, scope)
        }
        try await makeCampaigns(newsletter, scope)
        return .made(workspace)
    }

    private func existing(_ user: UserID) async throws -> WorkspaceID? {
        try await services.database.session { session in
            try await WorkspaceProvisioning.owned(by: user, named: DemoData.workspaceName, in: session)
        }
    }

    /// People came little by little during the last weeks.
    private func makePeople(_ scope: WorkspaceScope) async throws -> [ContactID] {
        var people: [ContactID] = []
        for first in stride(from: 0, to: DemoData.peopleCount, by: DemoData.cohort) {
            let past = services.at(moment(ofPerson: first))
            let reader = SyncReader(defaultType: DemoData.source, now: past.clock.now)
            if first == 0 {
                let companies = try DemoData.companies.indices.map { try reader.company(DemoData.company($0)) }
                _ = try await CompanySync(past).apply(companies, scope)
            }
            let numbers = first..<min(first + DemoData.cohort, DemoData.peopleCount)
            let cohort = try numbers.map { try reader.contact(DemoData.person($0)) }
            people += try await ContactSync(past).apply(cohort, scope).compactMap { $0.id.map { ContactID($0) } }
            try await AnalyticsSlice.recordContactCount(of: scope.workspace, timeZone: "UTC", past)
        }
        return people
    }

    /// When the person of this number came.
    private func moment(ofPerson number: Int) -> Date {
        let after: Int = (DemoData.peopleCount - 1 - number) / DemoData.cohort
        let days: Int = DemoData.daysSinceLastCohort + after * DemoData.daysBetweenCohorts
        return services.clock.now.addingTimeInterval(-Double(days) * 86_400)
    }

    private func makeLists(_ people: [ContactID], _ scope: WorkspaceScope) async throws -> ContactListID {
        let past = services.at(moment(ofPerson: DemoData.peopleCount - 1))
        let wholesale: [ContactID] = people.enumerated().filter { DemoData.isWholesale($0.offset) }.map(\.element)
        // One in twelve never asked for the newsletter.
        let readers: [ContactID] = people.enumerated().filter { $0.offset % 12 != 5 }.map(\.element)
        return try await services.database.write(scope.workspace) { transaction in
            _ = try await ContactLists.create(
                name: "Wholesale", description: "Cafés, shops and offices.", members: wholesale, scope,
                services: past, in: transaction)
            return try await ContactLists.create(
                name: "Newsletter", description: "Everybody who asked for it in the shop.", members: readers, scope,
                services: past, in: transaction
            ).id
        }
    }

    /// One that goes out now, and a draft of the next.
    private func makeCampaigns(_ newsletter: ContactListID, _ scope: WorkspaceScope) async throws {
        var content = CampaignContent()
        content.name = "Autumn roast"
        content.audience.listIds = [newsletter]
        content.subject = DemoData.subject
        content.previewText = "Plum, hazelnut, a little smoke."
        content.html = DemoData.letter
        content.fromName = "Northwind Coffee"
        content.fromEmail = "hello@northwind.example"
        let campaign: Campaign = try await campaigns.create(content, by: scope)
        let outcome: CampaignOutcome = try await campaigns.launch(campaign.id, for: .program, by: scope)
        guard case .done(let launched) = outcome, let send = launched.send else {
            throw DemoFlaw(description: "The example's campaign could not be sent: \(outcome).")
        }
        try await services.database.write(scope.workspace) { transaction in
            try await services.jobs.enqueue(
                DemoEngagement(workspace: scope.workspace, send: send), workspace: scope.workspace,
                key: "demo:\(send)", in: transaction)
        }
        content.name = "Winter gifts"
        content.subject = "Something warm for everybody on your list"
        content.previewText = ""
        content.html =
            "<p>Hi {{ contact.firstName | default: \"there\" }},</p><p>Gift boxes are packed from Monday.</p>"
        _ = try await campaigns.create(content, by: scope)
    }
}

/// What should not happen to the example.
struct DemoFlaw: Error, CustomStringConvertible {
    let description: String
}
