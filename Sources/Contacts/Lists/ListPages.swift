import Core
import FoundationEssentials
import Templates
import Web

struct ListsIndexPage: ViewPage {
    var lists: [ContactList] = []
    var pager = Pager(summary: "")

    struct Row: ViewRecord {
        let list: ContactList

        static let fields = Fields<Row> { f in
            f.text("name") { $0.list.name }
            f.optionalText("description") { $0.list.description.isEmpty ? nil : $0.list.description }
            f.link("href") {
                $0.list.kind == .segment ? ContactPaths.segment($0.list.id) : ContactPaths.list($0.list.id)
            }
            f.flag("isSegment") { $0.list.kind == .segment }
            f.number("members") { $0.list.memberCount }
            f.date("updated") { $0.list.updatedAt }
        }
        static var viewType: String { "ListRow" }
    }

    static let view = "lists/index"
    static let fields = Fields<ListsIndexPage> { f in
        f.list("lists", of: Row.self) { $0.lists.map(Row.init) }
        f.record("pager", of: Pager.self) { $0.pager }
        f.flag("isPastTheEnd") { $0.lists.isEmpty && $0.pager.previousHref != nil }
    }
    static var previews: [ListsIndexPage] {
        let middle = Pager(summary: "Lists by name", previousHref: "/lists", nextHref: "/lists")
        return [
            ListsIndexPage(), ListsIndexPage(lists: [PreviewPeople.list], pager: Pager(summary: "1 list")),
            ListsIndexPage(lists: [PreviewPeople.list], pager: middle),
            ListsIndexPage(pager: Pager(summary: "Lists by name", previousHref: "/lists")),
        ]
    }
}

struct ListFormPage: ViewPage {
    var list: ContactList?
    var form = FormValues()
    var errors = ValidationErrors()
    /// Somebody else saved while this form was open.
    var hasNewer = false

    static let view = "lists/form"
    static let fields = Fields<ListFormPage> { f in
        f.text("title") { $0.list.map { "Rename \($0.name)" } ?? "New list" }
        f.text("saveLabel") { $0.list == nil ? "Create list" : "Save changes" }
        f.link("action") { $0.list.map { ContactPaths.list($0.id) } ?? "/lists" }
        f.link("backHref") { $0.list.map { ContactPaths.list($0.id) } ?? "/lists" }
        f.record("name", of: FormField.self) {
            FormField("name", $0.form.raw("name") ?? $0.list?.name ?? "", $0.errors)
        }
        f.record("description", of: FormField.self) { page in
            FormField("description", page.form.raw("description") ?? page.list?.description ?? "", page.errors)
        }
        f.text("version") { page in
            let opened: String? = page.hasNewer ? nil : page.form.raw("version")
            return opened ?? page.list.map { String($0.version) } ?? ""
        }
        f.flag("hasNewer") { $0.hasNewer }
        f.list("conflicts", of: ContactFormPage.Conflict.self) { $0.conflicts }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }

    private var conflicts: [ContactFormPage.Conflict] {
        guard hasNewer, let list else { return [] }
        return ContactFormPage.Conflict.differing([
            ("Name", list.name, form.text("name")), ("Description", list.description, form.text("description")),
        ])
    }

    static var previews: [ListFormPage] {
        [
            ListFormPage(), ListFormPage(list: PreviewPeople.list, errors: ContactListForm.taken),
            ListFormPage(
                list: PreviewPeople.list, form: FormValues([("name", "Other news"), ("description", "")]),
                hasNewer: true),
        ]
    }
}

struct ListShowPage: ViewPage {
    let list: ContactList
    var table = ContactTable()
    var pager = Pager(summary: "")
    var addQuery: String?
    var candidates: [ContactSummary] = []

    static let view = "lists/show"
    static let fields = Fields<ListShowPage> { f in
        f.text("name") { $0.list.name }
        f.optionalText("description") { $0.list.description.isEmpty ? nil : $0.list.description }
        f.number("members") { $0.list.memberCount }
        f.record("table", of: ContactTable.self) { $0.table }
        f.record("pager", of: Pager.self) { $0.pager }
        f.optionalText("addQuery") { $0.addQuery }
        f.list("candidates", of: ContactTableRow.self) { $0.candidates.map(ContactTableRow.init) }
        f.link("href") { ContactPaths.list($0.list.id) }
        f.link("editHref") { "\(ContactPaths.list($0.list.id))/edit" }
        f.link("deleteHref") { "\(ContactPaths.list($0.list.id))/delete" }
        f.link("membersHref") { "\(ContactPaths.list($0.list.id))/members" }
        f.link("exportHref") { ContactPaths.export(ContactFilter(list: $0.list.id)) }
    }
    static var previews: [ListShowPage] {
        let table = ContactTable(
            rows: [ContactTableRow(contact: PreviewPeople.ana)], sorts: [SortLink(label: "Name", href: "/lists")],
            canEdit: true, removesFromList: true)
        return [
            ListShowPage(list: PreviewPeople.list, addQuery: "nobody"),
            ListShowPage(
                list: PreviewPeople.list, table: table, pager: Pager(summary: "1 member"), addQuery: "ana",
                candidates: [PreviewPeople.ana]),
        ]
    }
}
