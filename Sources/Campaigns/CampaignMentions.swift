import Accounts
import Contacts
import Core
import Postgres

/// Campaigns whose texts name a person who is erased, whatever their status: what was sent stays to be read.
package enum CampaignMentions {
    package static func find(
        _ person: PersonMentions, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let texts: SQL = "concat_ws(' ', c.name, c.subject, c.preview_text, c.html, c.reply_to)"
        let found: [(CampaignID, String)] = try await transaction.rows(
            as: (CampaignID, String).self, "campaigns.mentions",
            """
            SELECT c.id, c.name FROM marketing_campaigns c
            WHERE c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL AND \(person.isNamed(in: texts))
            ORDER BY c.id LIMIT \(PersonMentions.limit)
            """)
        return found.map { id, name in
            ListUse(name: name, href: "/campaigns/\(id)", status: "Campaign", tone: "info", isBinding: false)
        }
    }
}
