import Accounts
import Core
import Postgres
import Templates

/// Something that uses a list, a company or a property: a campaign, a segment, a template, an import.
package struct ListUse: Sendable, ViewRecord {
    /// The slices above know where lists are used; `Portal` hands this over. Asked in the transaction that deletes.
    package typealias Finder =
        @Sendable (_ list: ContactListID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws ->
        [ListUse]

    package let name: String
    package let href: String
    /// Where it stands, in a word: “Draft”, “Sending”.
    package let status: String
    package let tone: String
    /// It is under way, or will be at a set time: what it uses cannot be deleted under it.
    package let isBinding: Bool

    package init(name: String, href: String, status: String, tone: String, isBinding: Bool) {
        self.name = name
        self.href = href
        self.status = status
        self.tone = tone
        self.isBinding = isBinding
    }

    /// Why something cannot be deleted, for people and programs.
    /// - Parameter noun: what it is: “list”.
    package static func refusal(_ noun: String, _ uses: [ListUse]) -> String {
        let names: String = uses.filter(\.isBinding).map { "“\($0.name)”" }.joined(separator: ", ")
        return "The \(noun) is needed by what is scheduled or under way: \(names). Cancel that first, or wait."
    }

    package static let fields = Fields<ListUse> { f in
        f.text("name") { $0.name }
        f.link("href") { $0.href }
        f.text("status") { $0.status }
        f.text("tone") { $0.tone }
    }
}
