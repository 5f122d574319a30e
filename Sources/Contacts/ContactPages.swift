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

/// One person.
struct ContactShowPage: ViewPage {
    let contact: Contact
    var lists: [ContactList] = []
    var otherLists: [ContactList] = []
    var moments: [ContactMoment] = []
    /// The one kind of moments that is shown; nil: all.
    var kind: ContactMoment.Kind?
    var isFirst = true
    var olderCursor: String?
    var consents: [ConsentRecord] = []

    struct Property: ViewRecord {
        let name: String
        let value: String

        static let fields = Fields<Property> { f in
            f.text("name") { $0.name }
            f.text("value") { $0.value }
        }
        static var viewType: String { "ContactProperty" }
    }

    static let view = "contacts/show"
    static let fields = Fields<ContactShowPage> { f in
        f.text("name") { $0.contact.displayName }
        f.optionalText("email") { $0.contact.fullName == nil ? nil : $0.contact.email }
        f.text("emailShown") { $0.contact.email ?? "—" }
        f.text("firstName") { $0.contact.firstName ?? "—" }
        f.text("lastName") { $0.contact.lastName ?? "—" }
        f.text("phone") { $0.contact.phone ?? "—" }
        f.text("status") { $0.contact.emailStatus.words }
        f.text("tone") { $0.contact.emailStatus.tone }
        f.list("tags", of: LabelledLink.self) { $0.contact.tags.map(ContactTable.link(toTag:)) }
        f.date("created") { $0.contact.createdAt }
        f.date("updated") { $0.contact.updatedAt }
        f.text("source") { $0.source }
        f.optionalLink("importHref") { $0.contact.importID.map(ContactPaths.importPage) }
        f.text("consent") { $0.consent }
        f.record("consentPanel", of: ConsentPanel.self) { ConsentPanel($0.contact.id, $0.consents) }
        f.text("tracking") { $0.contact.trackingAllowed ? "May be counted" : "Are not counted" }
        f.list("properties", of: Property.self) { $0.properties }
        f.list("lists", of: LabelledLink.self) { page in
            page.lists.map { LabelledLink(label: $0.name, href: ContactPaths.list($0.id)) }
        }
        f.list("otherLists", of: SelectOption.self) { page in
            page.otherLists.map { SelectOption(value: $0.id.description, label: $0.name) }
        }
        f.list("moments", of: ContactMoment.self) { $0.moments }
        f.list("kinds", of: Tab.self) { page in
            [Tab(label: "Everything", href: page.path(nil), current: page.kind == nil)]
                + ContactMoment.Kind.allCases.map { kind in
                    Tab(label: kind.label, href: page.path(kind), current: page.kind == kind)
                }
        }
        f.flag("isFirst") { $0.isFirst }
        f.link("newestHref") { $0.path($0.kind) }
        f.optionalLink("olderHref") { page in page.olderCursor.map { page.path(page.kind, cursor: $0) } }
        f.link("editHref") { "\(ContactPaths.contact($0.contact.id))/edit" }
        f.link("deleteHref") { "\(ContactPaths.contact($0.contact.id))/delete" }
        f.link("listHref") { "\(ContactPaths.contact($0.contact.id))/lists" }
    }

    private func path(_ kind: ContactMoment.Kind?, cursor: String? = nil) -> String {
        ContactPaths.contact(contact.id) + PercentEncoding.query([("show", kind?.rawValue), ("cursor", cursor)])
            + (kind == nil && cursor == nil ? "" : "#timeline-title")
    }

    private var source: String {
        switch contact.source {
        case "import": "An import"
        case "api": "The API"
        case "form": "A form"
        case nil: "Unknown"
        default: "Added by hand"
        }
    }

    private var consent: String {
        guard let basis = contact.consentBasis else { return "Not stated" }
        return ConsentBasis(rawValue: basis)?.words ?? basis
    }

    private var properties: [Property] {
        contact.properties.keys.sorted().map { name in
            Property(name: name, value: PropertyFormat.shown(contact.properties[name], nil))
        }
    }

    static var previews: [ContactShowPage] {
        [
            ContactShowPage(contact: PreviewPeople.contact),
            ContactShowPage(
                contact: PreviewPeople.contact, lists: [PreviewPeople.list], otherLists: [PreviewPeople.list],
                moments: [PreviewPeople.event.moment], isFirst: false, olderCursor: "x",
                consents: ConsentHistoryPage.exampleRecords),
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
