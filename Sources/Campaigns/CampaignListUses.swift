import Accounts
import Contacts
import Core
import Postgres

/// Which campaigns use a list, for the question before it is deleted.
package enum CampaignListUses {
    /// Drafts, and campaigns that are scheduled, sending or paused. What was sent needs the list no more.
    package static func find(
        _ list: ContactListID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await CampaignQueries(scope, transaction).using(list).map { campaign in
            ListUse(
                name: campaign.name, href: "/campaigns/\(campaign.id)", status: campaign.status.label,
                tone: campaign.status.tone, isBinding: campaign.status == .scheduled || campaign.status == .sending)
        }
    }
}
