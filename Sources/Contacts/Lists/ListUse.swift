import Accounts
import Core
import Postgres
import Templates

/// Something that uses a list: a campaign that goes to it, or that leaves its people out.
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
    /// It goes out now or at a set time: the list cannot be deleted under it.
    package let isBinding: Bool

    package init(name: String, href: String, status: String, tone: String, isBinding: Bool) {
        self.name = name
        self.href = href
        self.status = status
        self.tone = tone
        self.isBinding = isBinding
    }

    package static let fields = Fields<ListUse> { f in
        f.text("name") { $0.name }
        f.link("href") { $0.href }
        f.text("status") { $0.status }
        f.text("tone") { $0.tone }
    }
}

/// The question before a list is deleted, with what uses it.
struct ListDeletePage: ViewPage {
    let list: ContactList
    let uses: [ListUse]

    static let view = "lists/delete"
    static let fields = Fields<ListDeletePage> { f in
        f.text("title") { page in
            page.isBound ? "“\(page.list.name)” cannot be deleted now" : "Delete the list “\(page.list.name)”?"
        }
        f.text("message") { $0.message }
        f.list("uses", of: ListUse.self) { $0.uses }
        f.flag("isBound") { $0.isBound }
        f.link("action") { "\(ContactPaths.list($0.list.id))/delete" }
        f.text("backLabel") { $0.list.name }
        f.link("backHref") { ContactPaths.list($0.list.id) }
    }

    private var isBound: Bool { uses.contains(where: \.isBinding) }

    private var message: String {
        if isBound { return ListActions.refusal(uses) }
        let people: String = "Its \(CountWords.people(list.memberCount)) stay in the workspace."
        return uses.isEmpty ? people : "\(people) These campaigns use the list and will be without it:"
    }

    static var previews: [ListDeletePage] {
        func use(_ isBinding: Bool) -> ListUse {
            ListUse(
                name: "Spring", href: "/campaigns/1", status: "Draft", tone: "neutral", isBinding: isBinding)
        }
        return [
            ListDeletePage(list: PreviewPeople.list, uses: []),
            ListDeletePage(list: PreviewPeople.list, uses: [use(false)]),
            ListDeletePage(list: PreviewPeople.list, uses: [use(true)]),
        ]
    }
}
