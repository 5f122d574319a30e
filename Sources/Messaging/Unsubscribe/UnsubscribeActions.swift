import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Tracking

/// Ending all campaigns to a person, and beginning again when they ask for it. The link's token says who; it works as long
/// as somebody keeps the message, also after the campaign or the contact is gone.
struct UnsubscribeActions: Sendable {
    let services: AppServices
    let links: UnsubscribeLinks

    /// How somebody stands with a workspace's mail.
    struct Standing: Sendable {
        let claim: UnsubscribeLinks.Claim
        let workspace: Workspace
        let email: String
        let emailKey: String
        let isUnsubscribed: Bool
    }

    /// Nil for a token that is not ours, or whose workspace is gone.
    func standing(token: String) async throws -> Standing? {
        guard let claim = links.open(token), let workspace = try await services.directory.workspace(claim.workspace)
        else {
            return nil
        }
        return try await services.database.read(claim.workspace) { tx in
            guard let email = try await address(of: claim, in: tx) else { return nil }
            let key = (try? EmailAddress(parsing: email))?.key ?? email.lowercased()
            let suppression = try await SuppressionQueries(workspace: claim.workspace, tx: tx).active(key)
            return Standing(
                claim: claim, workspace: workspace, email: email, emailKey: key, isUnsubscribed: suppression != nil)
        }
    }

    /// The contact's present address, or the one that the message went to when the contact is gone.
    private func address(of claim: UnsubscribeLinks.Claim, in tx: PostgresTransaction) async throws -> String? {
        let scope = WorkspaceScope(workspace: claim.workspace)
        if let email = try await ContactLookup.contact(claim.contact, scope, in: tx)?.email { return email }
        return try await tx.value(
            String?.self, "messaging.unsubscribe.address",
            "SELECT email FROM marketing_messages WHERE workspace_id = \(claim.workspace) AND id = \(claim.message)")
    }

    /// Suppresses the address, marks the contact and the message. Doing it twice changes nothing more.
    /// - Parameter source: `link` for the page's button, `one_click` for the mail program's (RFC 8058).
    /// - Parameter evidence: from where and with what, for the ledger of consent.
    func unsubscribe(
        _ standing: Standing, source: String, evidence: [String: JSONValue] = [:]
    ) async throws {
        let claim = standing.claim
        let scope = WorkspaceScope(workspace: claim.workspace)
        let now = services.clock.now
        try await services.database.write(claim.workspace) { tx in
            try await SuppressionQueries(workspace: claim.workspace, tx: tx).add(
                standing.emailKey, reason: .unsubscribed, source: source, contact: claim.contact,
                message: claim.message,
                id: services.ids.next(), now: now)
            try await MessageEngagement().record(
                Engagement(message: claim.message, kind: .unsubscribe, occurredAt: now, isHuman: true),
                workspace: claim.workspace, in: tx)
            let person: ContactID? = try await ContactEmailStatus.set(
                .unsubscribed, ofAddress: standing.emailKey, scope, services: services, in: tx)
            let decision = ConsentDecision(
                .withdrawn, source: source == "one_click" ? source : "unsubscribe_link", by: .contact,
                evidence: evidence.merging(["message": .string(claim.message.description)]) { own, _ in own })
            if let person {
                try await ConsentLedger(services).record(decision, of: person, onlyIfNew: true, scope, in: tx)
            }
        }
    }

    /// Lets campaigns go to the address again, because its owner asked. A complaint or a bounce is not undone by this.
    func resubscribe(_ standing: Standing, evidence: [String: JSONValue] = [:]) async throws -> Bool {
        let claim = standing.claim
        let scope = WorkspaceScope(workspace: claim.workspace)
        return try await services.database.write(claim.workspace) { tx in
            let lifted = try await SuppressionQueries(workspace: claim.workspace, tx: tx)
                .lift(standing.emailKey, reason: .unsubscribed, now: services.clock.now)
            guard lifted else { return false }
            let person: ContactID? = try await ContactEmailStatus.set(
                .active, ofAddress: standing.emailKey, scope, services: services, in: tx)
            if let person {
                let decision = ConsentDecision(
                    .granted, basis: "consent_express", wording: UnsubscribePage.againWording, source: "resubscribe",
                    by: .contact, evidence: evidence)
                try await ConsentLedger(services).record(decision, of: person, scope, in: tx)
            }
            return true
        }
    }
}
