import Accounts
import Contacts
import Core
import Postgres

/// Which campaigns say a property, for the question before it is deleted.
package enum CampaignPropertyUses {
    /// Drafts, and campaigns that are scheduled, sending or paused. A property that is gone leaves a blank; nothing is kept
    /// from being deleted for it.
    package static func find(
        _ property: PropertyDefinition, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        guard property.object == .contact else { return [] }
        let words: [String] = [ContactLiquid.path(of: property.name), "properties['\(property.name)']"]
        return try await CampaignQueries(scope, transaction).saying(words).map { campaign in
            ListUse(
                name: campaign.name, href: "/campaigns/\(campaign.id)", status: campaign.status.label,
                tone: campaign.status.tone, isBinding: false)
        }
    }
}
