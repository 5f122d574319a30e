import Accounts
import Contacts
import Core
import FoundationEssentials
import Messaging
import Postgres
import Templates

/// Looks a campaign over before it goes out. The page shows what it found; sending refuses what must not go.
package struct CampaignReview: Sendable {
    let services: AppServices
    let messaging: MessagingInterface

    package struct Finding: Sendable {
        package let checks: [CampaignCheck]
        package let forecast: AudienceForecast
        /// What would be sent; nil when it cannot be made.
        package let content: SendContent?
        package let sender: MessagingInterface.SenderSummary
        /// Segments of the audience that are not complete.
        package var gaps: [AudienceGap] = []

        /// What must be put right before sending.
        package var blockers: [CampaignCheck] { checks.filter { $0.level == .blocker } }
    }

    /// - Parameter asker: people are held to more than programs: see `PostalAddressCheck`.
    package func review(
        _ campaign: Campaign, for asker: CampaignAsker, scope: WorkspaceScope, in tx: PostgresTransaction
    ) async throws -> Finding {
        guard let workspace = try await services.directory.workspace(scope.workspace) else {
            throw ReviewFlaw.noWorkspace
        }
        let sender: MessagingInterface.SenderSummary = try await messaging.sender(of: workspace, in: tx)
        let forecast: AudienceForecast = try await messaging.forecast(
            campaign.content.audience, workspace: scope.workspace, in: tx)
        let gaps: [AudienceGap] = try await messaging.gaps(
            campaign.content.audience, workspace: scope.workspace, in: tx)
        var checks: [CampaignCheck] = CampaignChecks.basics(
            campaign.content, forecast: forecast, gaps: gaps, asker: asker)
        var content: SendContent?
        do {
            let made: SendContent = try self.content(
                of: campaign.content, id: campaign.id, workspace: workspace, sender: sender)
            _ = try messaging.compile(made, workspace: workspace)
            let properties = Set(try await ContactVocabulary.properties(scope, in: tx))
            let address: CampaignCheck = try PostalAddressCheck.check(
                workspace.postalAddress, in: made, properties: properties, asker: asker,
                returnPath: "/campaigns/\(campaign.id)/review")
            checks += try CampaignChecks.message(
                made, source: campaign.content, address: address, properties: properties)
            content = made
        } catch let error as TemplateError {
            checks.append(
                .blocker("template", "The personalisation has a mistake", "Line \(error.line): \(error.message)"))
        } catch let error as EmailPreparation.Flaw {
            checks.append(.blocker("html", "The text cannot be used", error.message))
        } catch let error as ValidationErrors {
            let message: String = error.entries.first?.message ?? "Look at the sender settings."
            checks.append(.blocker("sender", "The sender cannot be used", message))
        }
        return Finding(checks: checks, forecast: forecast, content: content, sender: sender, gaps: gaps)
    }

    private enum ReviewFlaw: Error { case noWorkspace }

    /// What would be sent: text, sender and headers.
    /// - Throws: `EmailPreparation.Flaw`, or `ValidationErrors` when there is no From address.
    package func content(
        of content: CampaignContent, id: CampaignID, workspace: Workspace, sender: MessagingInterface.SenderSummary
    ) throws -> SendContent {
        guard let fromEmail = content.fromEmail ?? sender.fromEmail else {
            throw ValidationErrors("fromEmail", "Set the address that your e-mails come from in Settings.")
        }
        let lists: [ContactListID] = content.audience.listIds
        let identity = SendIdentity(
            fromName: content.fromName ?? sender.fromName, fromEmail: fromEmail,
            replyTo: content.replyTo ?? sender.replyTo, bounceDomain: sender.bounceDomain, campaign: id,
            listID: MessagingInterface.listID(
                workspace, fromEmail: fromEmail, list: lists.count == 1 ? lists.first : nil))
        return SendContent(email: try messaging.prepare(content.draft, workspace: workspace), identity: identity)
    }
}

extension CampaignContent {
    var draft: EmailDraft {
        let format: EmailDraft.Format =
            switch bodyMode {
            case .rich: .rich
            case .html: .html
            case .markdown: .markdown
            }
        return EmailDraft(subject: subject, previewText: previewText, format: format, body: html)
    }
}
