import Core
import FoundationEssentials
import Templates
import Web

/// All people, filtered, sorted, page by page.
struct ContactsIndexPage: ViewPage {
    var table = ContactTable()
    var filter = ContactFilter()
    var sort: ContactSort = .newest
    var total: Int = 0
    var unindexed: Int = 0
    var lists: [SelectOption] = []
    var tags: [String] = []
    var properties: [PropertyDefinition] = []
    var chips: [LabelledLink] = []
    var pager = Pager(summary: "")

    static let view = "contacts/index"
    static let fields = Fields<ContactsIndexPage> { f in
        f.record("table", of: ContactTable.self) { $0.table }
        f.optionalText("query") { $0.filter.query }
        f.optionalText("since") { $0.filter.since }
        f.text("sort") { $0.sort.rawValue }
        f.text("total") { CountWords.people($0.total) }
        f.optionalText("unindexed") { $0.unindexedText }
        f.list("lists", of: SelectOption.self) { $0.lists }
        f.list("statuses", of: SelectOption.self) { $0.statuses }
        f.list("tags", of: SelectOption.self) { $0.tagOptions }
        f.list("properties", of: SelectOption.self) { $0.propertyOptions }
        f.flag("hasProperties") { !$0.properties.isEmpty }
        f.optionalText("value") { $0.filter.value }
        f.optionalText("inactive") { $0.filter.isInactive == true ? "true" : nil }
        f.optionalText("company") { $0.filter.company?.description }
        f.list("chips", of: LabelledLink.self) { $0.chips }
        f.record("pager", of: Pager.self) { $0.pager }
        f.flag("isEmptyWorkspace") { $0.total == 0 && $0.filter.isEmpty }
        f.flag("canExport") { $0.total > 0 }
        f.link("exportHref") { ContactPaths.export($0.filter) }
    }

    private var unindexedText: String? {
        guard unindexed > 0 else { return nil }
        return "Search and sorting by name are being brought up to date for \(CountWords.people(unindexed))."
    }

    private var statuses: [SelectOption] {
        [SelectOption(value: "", label: "Any status")]
            + EmailStatus.allCases.map { status in
                SelectOption(value: status.rawValue, label: status.words, selected: status == filter.status)
            }
    }

    private var tagOptions: [SelectOption] {
        var names: [String] = tags
        if let tag = filter.tag, !names.contains(tag) { names.append(tag) }
        return [SelectOption(value: "", label: "Any tag")]
            + names.map { SelectOption(value: $0, label: $0, selected: $0 == filter.tag) }
    }

    private var propertyOptions: [SelectOption] {
        [SelectOption(value: "", label: "Any property")]
            + properties.map {
                SelectOption(value: $0.name, label: $0.label, selected: $0.name == filter.property)
            }
    }

    static var previews: [ContactsIndexPage] {
        let people: [ContactSummary] = [
            PreviewPeople.ana, PreviewPeople.nameless,
        ]
        let sorts: [SortLink] = [
            SortLink(label: "Name", href: "/contacts?sort=name"),
            SortLink(label: "E-mail", href: "/contacts?sort=email", direction: "ascending"),
        ]
        let table = ContactTable(
            rows: people.map(ContactTableRow.init), sorts: sorts,
            lists: [SelectOption(value: "1", label: "Newsletter")], allLabel: "All 2 contacts", canEdit: true)
        var viewer = table
        viewer.canEdit = false
        return [
            ContactsIndexPage(),
            ContactsIndexPage(
                table: table, filter: ContactFilter(query: "ana", status: .active, tag: "vip", since: "2026-01-15"),
                total: 2,
                unindexed: 5, lists: [SelectOption(value: "", label: "Any list")], tags: ["vip"],
                properties: PreviewProperties.all,
                chips: [LabelledLink(label: "Search: ana", href: "/contacts")], pager: Pager(summary: "2 contacts")),
            ContactsIndexPage(
                table: viewer, total: 2, pager: Pager(summary: "2 contacts", nextHref: "/contacts?cursor=x")),
            ContactsIndexPage(filter: ContactFilter(query: "nobody"), total: 2),
        ]
    }
}

/// Asks once before something is done, in words that name it.
struct ContactConfirmPage: ViewPage {
    let title: String
    let message: String
    let action: String
    let label: String
    let backLabel: String
    let backHref: String
    var kind: String = "danger"
    var hidden: [FormField] = []

    static let view = "contacts/confirm"
    static let fields = Fields<ContactConfirmPage> { f in
        f.text("title") { $0.title }
        f.text("message") { $0.message }
        f.link("action") { $0.action }
        f.text("label") { $0.label }
        f.text("backLabel") { $0.backLabel }
        f.link("backHref") { $0.backHref }
        f.text("kind") { $0.kind }
        f.list("hidden", of: FormField.self) { $0.hidden }
    }
    static var previews: [ContactConfirmPage] {
        [
            ContactConfirmPage(
                title: "Delete Ana Ruiz?", message: "You can bring the contact back right after.",
                action: "/contacts/1/delete",
                label: "Delete contact", backLabel: "Contacts", backHref: "/contacts", hidden: [FormField("ids", "1")])
        ]
    }
}

/// A deed on many people that is under way.
struct BulkRunPage: ViewPage {
    let id: BulkRunID
    let title: String
    let done: Int
    let total: Int
    let running: Bool

    static let view = "contacts/bulk"
    static let fields = Fields<BulkRunPage> { f in
        f.text("title") { $0.title }
        f.number("done") { $0.done }
        f.number("total") { max(1, $0.total) }
        f.text("detail") { "\(NumberWords.grouped($0.done)) of \(NumberWords.grouped($0.total))" }
        f.flag("running") { $0.running }
        f.link("liveHref") { "/contacts/bulk/\($0.id)/live" }
    }
    static var previews: [BulkRunPage] {
        [BulkRunPage(id: PreviewPeople.run, title: "Deleting contacts", done: 4000, total: 12_408, running: true)]
    }
}
