import Core
import FoundationEssentials
import Postgres
import Templates

/// A message that went, or did not go, to a person: what the contact's page shows of it.
package struct ContactMessage: ViewRecord {
    package let title: String
    package let at: Date
    package let detail: String?
    package let href: String

    package init(title: String, at: Date, detail: String?, href: String) {
        self.title = title
        self.at = at
        self.detail = detail
        self.href = href
    }

    package static let fields = Fields<ContactMessage> { f in
        f.text("title") { $0.title }
        f.date("at") { $0.at }
        f.optionalText("detail") { $0.detail }
        f.link("href") { $0.href }
    }

    /// The newest messages of a person. Messages belong to a higher floor; `Portal` hands this over.
    package typealias History =
        @Sendable (_ contact: ContactID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws ->
        [ContactMessage]
}
