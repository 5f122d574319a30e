import Accounts
import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres
import Templates
import Web

/// Gathers what the pages and the JSON face show.
struct CampaignReader: Sendable {
    let services: AppServices
    let messaging: MessagingInterface
    let review: CampaignReview
    let inspector: LinkInspector

    /// Why an e-mail cannot be shown or sent as a test, for its author.
    struct Problem: Error, Sendable {
        let message: String
    }

    struct Page: Sendable {
        let rows: [CampaignRowRecord]
        let next: String?
        let counts: [CampaignStatus: Int]
    }

    /// - Throws: `WebError.notFound` for an absent or foreign campaign.
    func campaign(_ id: CampaignID, _ scope: WorkspaceScope) async throws -> Campaign {
        let found: Campaign? = try await services.database.read(scope.workspace) { tx in
            try await CampaignQueries(scope, tx).find(id)
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    func page(_ request: WebRequest, status: CampaignStatus?, query: String?) async throws -> Page {
        let asked: PageRequest = try request.pageRequest()
        let scope = try request.scope
        let after: (Date, CampaignID)? = asked.after.flatMap { Self.position($0) }
        return try await services.database.read(scope.workspace) { tx in
            let queries = CampaignQueries(scope, tx)
            var found: [CampaignSummary] = try await queries.page(
                status: status, search: query, after: after, limit: asked.limit + 1)
            let hasMore: Bool = found.count > asked.limit
            if hasMore { found.removeLast() }
            let sends: [SendSummary] = try await SendQueries(workspace: scope.workspace, tx: tx)
                .summaries(found.compactMap(\.send))
            let bySend: [SendID: SendSummary] = Dictionary(sends.map { ($0.id, $0) }) { first, _ in first }
            let rows: [CampaignRowRecord] = found.map { campaign in
                CampaignRowRecord(campaign: campaign, send: campaign.send.flatMap { bySend[$0] })
            }
            let next: String? = hasMore ? found.last.map { request.cursor(after: Self.keys($0)) } : nil
            return Page(rows: rows, next: next, counts: try await queries.countsByStatus())
        }
    }

    static func keys(_ campaign: CampaignSummary) -> [String] {
        [String(Int64((campaign.updatedAt.timeIntervalSince1970 * 1_000_000).rounded())), campaign.id.description]
    }

    static func position(_ keys: [String]) -> (Date, CampaignID)? {
        guard keys.count == 2, let micros = Int64(keys[0]), let id = CampaignID(keys[1]) else { return nil }
        return (Date(timeIntervalSince1970: Double(micros) / 1_000_000), id)
    }

    // MARK: Pages

    func show(_ id: CampaignID, _ request: WebRequest) async throws -> CampaignShowPage {
        let scope = try request.scope
        let canEdit: Bool = try request.member.role >= .editor
        let now: Date = services.clock.now
        let page: CampaignShowPage? = try await services.database.read(scope.workspace) { tx in
            guard let campaign = try await CampaignQueries(scope, tx).find(id) else { return nil }
            var progress: SendProgressRecord?
            if let send = campaign.send,
                let summary = try await SendQueries(workspace: scope.workspace, tx: tx).summary(send)
            {
                progress = SendProgressRecord(summary: summary, now: now)
            }
            let names: [String] = try await listNames(campaign.content.audience.listIds, scope, tx)
            return CampaignShowPage(
                campaign: campaign, progress: progress, canEdit: canEdit, isLive: campaign.status == .sending,
                listNames: names)
        }
        guard let page else { throw WebError.notFound }
        return page
    }

    private func listNames(
        _ ids: [ContactListID], _ scope: WorkspaceScope, _ tx: PostgresTransaction
    ) async throws -> [String] {
        guard !ids.isEmpty else { return [] }
        return try await ContactLists.all(scope, in: tx).filter { ids.contains($0.id) }.map(\.name)
    }

    /// - Parameter people: words that were searched for to show the preview as somebody; nil offers the newest people.
    func editPage(
        id: CampaignID?, _ content: CampaignContent, version: Int, _ request: WebRequest, people: String? = nil
    ) async throws -> CampaignEditPage {
        let scope = try request.scope
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        return try await services.database.read(scope.workspace) { tx in
            let lists = try await ContactLists.all(scope, in: tx)
            let properties: [PropertyDefinition] = try await PropertyQueries(scope: scope).all(.contact, in: tx)
            let contacts = try await ContactLookup.newest(
                inList: people == nil ? content.audience.listIds.first : nil, matching: people,
                limit: SuggestionsPage.limit, scope, in: tx)
            let sender = try await messaging.sender(of: workspace, in: tx)
            let from: String = sender.fromEmail.map { "\(sender.fromName) <\($0)>" } ?? sender.fromName
            return CampaignEditPage(
                id: id, content: content, version: version,
                lists: lists.map { (id: $0.id, name: $0.name, count: $0.memberCount) },
                variables: Self.variables(properties),
                contacts: contacts.map { SelectOption(value: $0.id.description, label: $0.nameAndAddress) },
                contactQuery: people, fromPlaceholder: from)
        }
    }

    private static func variables(_ properties: [PropertyDefinition]) -> [SelectOption] {
        let fields: [SelectOption] = ContactLiquid.variables(properties: properties).map { path, label in
            let isFirstName: Bool = path == "contact.firstName"
            let tag: String = isFirstName ? "{{ \(path) | default: \"there\" }}" : "{{ \(path) }}"
            return SelectOption(value: tag, label: label)
        }
        return fields + [
            SelectOption(value: "{{ workspace.name }}", label: "Name of your workspace"),
            SelectOption(value: "{{ unsubscribe_url }}", label: "Link to unsubscribe"),
        ]
    }

    func reviewPage(
        _ id: CampaignID, _ request: WebRequest, testAddress: String? = nil
    ) async throws -> CampaignReviewPage {
        let scope = try request.scope
        let member = try request.member
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let tomorrow: Date = services.clock.now.addingTimeInterval(86_400)
        let (day, _) = LocalTime.fields(of: tomorrow, in: workspace.timeZone)
        let page: CampaignReviewPage? = try await services.database.read(scope.workspace, timeout: .seconds(20)) { tx in
            guard let campaign = try await CampaignQueries(scope, tx).find(id) else { return nil }
            let finding: CampaignReview.Finding = try await review.review(
                campaign, for: .person, scope: scope, in: tx)
            let lists = try await ContactLists.all(scope, in: tx)
            let audience: SendAudience = campaign.content.audience
            let links = LinkReport.links(of: campaign.content)
            return CampaignReviewPage(
                campaign: campaign, finding: finding,
                listNames: lists.filter { audience.listIds.contains($0.id) }.map(\.name),
                excludedNames: lists.filter { audience.excludeListIds.contains($0.id) }.map(\.name),
                timeZone: workspace.timeZone,
                links: LinkReport(links, answers: inspector.known(links.map(\.url))), date: FormField("date", day),
                time: FormField("time", "09:00"),
                testAddress: testAddress ?? member.email)
        }
        guard let page else { throw WebError.notFound }
        return page
    }

    /// The segments of a campaign's audience that are not complete.
    func filling(_ id: CampaignID, _ scope: WorkspaceScope) async throws -> CampaignFillingPage {
        let page: CampaignFillingPage? = try await services.database.read(scope.workspace) { tx in
            guard let campaign = try await CampaignQueries(scope, tx).find(id) else { return nil }
            let gaps: [AudienceGap] = try await messaging.gaps(
                campaign.content.audience, workspace: scope.workspace, in: tx)
            return CampaignFillingPage(id: id, name: campaign.content.name, gaps: gaps)
        }
        guard let page else { throw WebError.notFound }
        return page
    }

    // MARK: E-mails

    enum PreviewOutcome: Sendable {
        case email(EmailPreview)
        case problem(String)
    }

    func preview(
        _ content: CampaignContent, id: CampaignID, contact: ContactID?, _ scope: WorkspaceScope
    ) async throws -> PreviewOutcome {
        do {
            let (made, workspace): (SendContent, Workspace) = try await sendContent(content, id: id, scope)
            return .email(
                try await services.database.read(scope.workspace) { tx in
                    try await messaging.preview(made, contact: contact, workspace: workspace, in: tx)
                })
        } catch let problem as Problem {
            return .problem(problem.message)
        } catch let error as TemplateError {
            return .problem("Line \(error.line): \(error.message)")
        }
    }

    /// Whether a contact is one of the workspace's.
    func knows(_ contact: ContactID, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.read(scope.workspace) { tx in
            try await ContactLookup.contact(contact, scope, in: tx) != nil
        }
    }

    /// - Throws: `Problem` for a campaign that cannot be made, `ValidationErrors` for a wrong address.
    func sendTest(
        _ id: CampaignID, to address: String, contact: ContactID?, _ scope: WorkspaceScope
    ) async throws -> TestReport {
        let campaign: Campaign = try await campaign(id, scope)
        let (made, workspace): (SendContent, Workspace) = try await sendContent(campaign.content, id: id, scope)
        do {
            return try await messaging.sendTest(made, to: address, contact: contact, workspace: workspace)
        } catch let error as TemplateError {
            throw Problem(message: "Line \(error.line): \(error.message)")
        }
    }

    private func sendContent(
        _ content: CampaignContent, id: CampaignID, _ scope: WorkspaceScope
    ) async throws -> (SendContent, Workspace) {
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let sender = try await services.database.read(scope.workspace) { tx in
            try await messaging.sender(of: workspace, in: tx)
        }
        do {
            return (try review.content(of: content, id: id, workspace: workspace, sender: sender), workspace)
        } catch let flaw as EmailPreparation.Flaw {
            throw Problem(message: flaw.message)
        } catch let errors as ValidationErrors {
            throw Problem(message: errors.entries.first?.message ?? "The sender settings are incomplete.")
        }
    }
}
