import Accounts
import Contacts
import Core
import FoundationEssentials
import Mail
import Postgres
import Templates

/// What the floors above may ask of messaging.
package struct MessagingInterface: Sendable {
    let services: AppServices
    let senders: SenderDirectory
    let links: LinkFactory
    let readiness: AudienceReadiness
    let footers: EmailFooters

    /// - Parameters:
    ///   - segments: who keeps the rules of segments; nil where there are none.
    ///   - views: the views of this moment, for what is added to e-mails.
    package init(
        services: AppServices, segments: (any SegmentRules)? = nil, views: @escaping @Sendable () throws -> ViewLibrary
    ) {
        self.services = services
        footers = EmailFooters(views)
        readiness = AudienceReadiness(segments: segments)
        senders = SenderDirectory(services: services)
        links = LinkFactory(services: services)
    }

    package var sends: SendActions { SendActions(services: services) }

    /// Takes in the bounces and complaints that arrive by mail.
    package var bounces: BounceIntake { BounceIntake(services: services, links: links) }

    /// Where e-mail goes now, for pages that say so.
    package struct SenderSummary: Sendable, Equatable {
        package let provider: EmailProvider
        package let fromName: String
        /// Nil while none is set.
        package let fromEmail: String?
        package let replyTo: String?
        package let bounceDomain: String?

        /// A sender for the previews of pages.
        package static func preview(provider: EmailProvider) -> SenderSummary {
            SenderSummary(
                provider: provider, fromName: "Acme", fromEmail: provider == .smtp ? "news@acme.example" : nil,
                replyTo: nil, bounceDomain: nil)
        }
    }

    package func sender(of workspace: Workspace, in tx: PostgresTransaction) async throws -> SenderSummary {
        let settings: EmailSettings = try await senders.sender(of: workspace.id, in: tx).settings
        // The Outbox needs no real address: nothing leaves the portal.
        let fallback: String? = settings.provider == .outbox ? "newsletter@example.com" : nil
        return SenderSummary(
            provider: settings.provider, fromName: settings.fromName ?? workspace.publicName,
            fromEmail: settings.fromEmail ?? fallback, replyTo: settings.replyTo, bounceDomain: settings.bounceDomain)
    }

    /// Prepares what an author wrote, with the workspace's frame around it.
    package func prepare(_ draft: EmailDraft, workspace: Workspace) throws(EmailPreparation.Flaw) -> PreparedEmail {
        try EmailPreparation.prepare(
            draft,
            frame: EmailFrame(
                workspaceName: workspace.publicName, postalAddress: workspace.postalAddress, language: workspace.locale,
                tracksOpens: workspace.trackOpens, tracksClicks: workspace.trackClicks), footers: footers)
    }

    /// - Throws: `TemplateError` for Liquid that cannot be read, `ValidationErrors` for a sender that cannot be used.
    package func compile(_ content: SendContent, workspace: Workspace) throws -> CompiledEmail {
        try CompiledEmail(content, links: links.links(for: workspace.id), routingKey: workspace.routingKey)
    }

    /// The segments of an audience that are not complete now. A snapshot waits for those that are filling.
    package func gaps(
        _ audience: SendAudience, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [AudienceGap] {
        try await readiness.gaps(audience, workspace: workspace, in: tx)
    }

    /// How many people would get it, decided by the very statement that the snapshot uses.
    package func forecast(
        _ audience: SendAudience, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> AudienceForecast {
        let erased = try await ErasedAddresses.load(workspace, services: services, in: tx)
        return try await SnapshotQueries(workspace: workspace, tx: tx, erased: erased)
            .forecast(audience, at: services.clock.now)
    }

    /// An e-mail as a contact would see it; without one, as a person with an example's name.
    package func preview(
        _ content: SendContent, contact: ContactID?, workspace: Workspace, in tx: PostgresTransaction
    ) async throws -> EmailPreview {
        let email: CompiledEmail = try compile(content, workspace: workspace)
        return try email.preview(for: try await recipient(contact, workspace: workspace, in: tx))
    }

    /// A person for previews and tests. The message's id stands for no row of the ledger.
    func recipient(
        _ contact: ContactID?, workspace: Workspace, in tx: PostgresTransaction
    ) async throws -> Recipient {
        var person: ContactSnapshot?
        if let contact {
            person = try await tx.first(
                PersonRow.self, "messaging.preview_person",
                """
                SELECT \(PersonRow.columns) FROM marketing_contacts c
                WHERE c.workspace_id = \(workspace.id) AND c.id = \(contact) AND c.deleted_at IS NULL
                """)?.person
        }
        let shown: ContactSnapshot =
            person
            ?? ContactSnapshot(
                email: "ana.ruiz@example.com", firstName: "Ana", lastName: "Ruiz", properties: JSONMembers([:]))
        let id: ContactID = contact ?? services.ids.next()
        var merge = MergeData(workspaceName: workspace.publicName)
        return Recipient(
            message: newMessageID(workspace), contact: id, address: shown.email ?? "nobody@example.com",
            name: shown.name,
            data: merge.values(of: shown, id: id),
            allowsTracking: false)
    }

    func newMessageID(_ workspace: Workspace) -> MessageID {
        MessageID.make(
            at: services.clock.now, routingKey: workspace.routingKey,
            position: UInt32(truncatingIfNeeded: services.randomness.next()),
            random: UInt16(truncatingIfNeeded: services.randomness.next()))
    }

    private struct PersonRow: PostgresRow {
        static let columns: SQL = ContactSnapshot.columns
        let person: ContactSnapshot

        init(row: inout RowReader) throws {
            person = try ContactSnapshot(row: &row)
        }
    }
}
