import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// The addresses of the pages about companies.
enum CompanyPaths {
    static func company(_ id: CompanyID) -> String { "/companies/\(id)" }

    static func index(_ query: String?, _ sort: CompanySort, cursor: String? = nil) -> String {
        "/companies"
            + PercentEncoding.query([("q", query), ("sort", sort == .name ? nil : sort.rawValue), ("cursor", cursor)])
    }
}

/// All companies, searched, sorted, page by page.
struct CompaniesIndexPage: ViewPage {
    var companies: [Company] = []
    var query: String?
    var sort: CompanySort = .name
    var sorts: [SortLink] = []
    var total: Int = 0
    var pager = Pager(summary: "")

    struct Row: ViewRecord {
        let company: Company

        static let fields = Fields<Row> { f in
            f.text("name") { $0.company.name }
            f.link("href") { CompanyPaths.company($0.company.id) }
            f.optionalText("domain") { $0.company.domain }
            f.number("people") { $0.company.contactCount }
            f.date("added") { $0.company.createdAt }
        }
        static var viewType: String { "CompanyRow" }
    }

    static let view = "companies/index"
    static let fields = Fields<CompaniesIndexPage> { f in
        f.list("rows", of: Row.self) { $0.companies.map(Row.init) }
        f.optionalText("query") { $0.query }
        f.text("sort") { $0.sort.rawValue }
        f.list("sorts", of: SortLink.self) { $0.sorts }
        f.text("total") { NumberWords.counted($0.total, "company", "companies") }
        f.record("pager", of: Pager.self) { $0.pager }
        f.flag("isEmptyWorkspace") { $0.total == 0 && $0.query == nil }
    }

    static var previews: [CompaniesIndexPage] {
        let sorts: [SortLink] = [
            SortLink(label: "Name", href: "/companies", direction: "ascending"),
            SortLink(label: "People", href: "/companies?sort=people"),
            SortLink(label: "Added", href: "/companies?sort=newest"),
        ]
        return [
            CompaniesIndexPage(), CompaniesIndexPage(query: "nothing", sorts: sorts),
            CompaniesIndexPage(
                companies: [PreviewPeople.company], query: "acme", sorts: sorts, total: 1,
                pager: Pager(summary: "1 company", nextHref: "/companies?cursor=x")),
        ]
    }
}

/// A line of a company's history.
struct CompanyEvent: Sendable, PostgresRow {
    let id: Identifier<ContactEventTag>
    let kind: String
    let occurredAt: Date
    let data: JSONValue

    static let columns: SQL = "id, kind, occurred_at, data"

    init(row: inout RowReader) throws {
        id = try row.next()
        kind = try row.next()
        occurredAt = try row.next()
        data = try row.next()
    }

    init(id: Identifier<ContactEventTag>, kind: String, occurredAt: Date, data: JSONValue) {
        self.id = id
        self.kind = kind
        self.occurredAt = occurredAt
        self.data = data
    }

    /// As the timeline shows it.
    var moment: ContactMoment {
        let (title, icon): (String, String) =
            switch kind {
            case "company.created":
                (data["source"] == .string("api") ? "Added through the API" : "Added by hand", "plus")
            case "company.deleted": ("Deleted", "trash")
            default: ("Details changed", "edit")
            }
        let event = ContactEvent(id: id, kind: .updated, occurredAt: occurredAt, data: data)
        return ContactMoment(
            .change, title: title, at: occurredAt, icon: icon,
            detail: kind == "company.updated" ? event.detail : nil, key: id.description)
    }
}

/// One company with its people and its history.
struct CompanyShowPage: ViewPage {
    let company: Company
    var definitions: [PropertyDefinition] = []
    var zone: String = "UTC"
    var people: [ContactSummary] = []
    var owner: String?
    var moments: [ContactMoment] = []
    /// Which part of the timeline is shown; nil: all.
    var part: CompanyHistory.Part?
    var olderCursor: String?
    var isFirst = true

    static let view = "companies/show"
    static let fields = Fields<CompanyShowPage> { f in
        f.text("name") { $0.company.name }
        f.optionalText("domain") { $0.company.domain }
        f.text("domainShown") { $0.company.domain ?? "—" }
        f.text("phone") { $0.company.phone ?? "—" }
        f.optionalLink("website") { $0.company.website }
        f.text("websiteShown") { $0.websiteShown }
        f.text("owner") { $0.owner ?? "Nobody" }
        f.date("created") { $0.company.createdAt }
        f.date("updated") { $0.company.updatedAt }
        f.list("groups", of: PropertyShownGroup.self) { page in
            PropertyShownGroup.groups(page.definitions, page.company.properties, zone: page.zone)
        }
        f.list("people", of: ContactTableRow.self) { $0.people.map(ContactTableRow.init) }
        f.text("peopleCount") { CountWords.people($0.company.contactCount) }
        f.flag("hasMore") { $0.company.contactCount > $0.people.count }
        f.link("peopleHref") { ContactPaths.index(ContactFilter(company: $0.company.id)) }
        f.list("moments", of: ContactMoment.self) { $0.moments }
        f.flag("isFirst") { $0.isFirst }
        f.list("parts", of: Tab.self) { page in
            [Tab(label: "Everything", href: page.timeline(nil), current: page.part == nil)]
                + CompanyHistory.Part.allCases.map {
                    Tab(label: $0.label, href: page.timeline($0), current: $0 == page.part)
                }
        }
        f.flag("tellsOfSome") { $0.company.contactCount > CompanyHistory.people && $0.part != .company }
        f.number("toldOf") { _ in CompanyHistory.people }
        f.link("newestHref") { $0.timeline($0.part) }
        f.optionalLink("olderHref") { page in page.olderCursor.map { page.timeline(page.part, cursor: $0) } }
        f.link("addHref") { "/contacts/new?company=\($0.company.id)" }
        f.link("editHref") { "\(CompanyPaths.company($0.company.id))/edit" }
        f.link("deleteHref") { "\(CompanyPaths.company($0.company.id))/delete" }
    }

    private func timeline(_ part: CompanyHistory.Part?, cursor: String? = nil) -> String {
        CompanyPaths.company(company.id) + PercentEncoding.query([("show", part?.rawValue), ("cursor", cursor)])
    }

    /// Without what every address has; a long one may break where its parts end.
    private var websiteShown: String {
        var text: Substring = (company.website ?? "—")[...]
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
        return String(text.hasSuffix("/") ? text.dropLast() : text)
    }

    static var previews: [CompanyShowPage] {
        var many: Company = PreviewPeople.company
        many.contactCount = 12_408
        var bare: Company = PreviewPeople.company
        bare.domain = nil
        bare.website = nil
        return [
            CompanyShowPage(company: bare), CompanyShowPage(company: many, part: .people),
            CompanyShowPage(
                company: PreviewPeople.company, definitions: PreviewProperties.all, people: [PreviewPeople.ana],
                owner: "Ana Ruiz", moments: [PreviewPeople.event.moment], olderCursor: "x", isFirst: false),
        ]
    }
}

/// The properties of one group as a page shows them.
struct PropertyShownGroup: ViewRecord {
    let title: String
    let lines: [Line]

    struct Line: ViewRecord {
        let label: String
        let value: String
        let href: String?

        static let fields = Fields<Line> { f in
            f.text("label") { $0.label }
            f.text("value") { $0.value }
            f.optionalLink("href") { $0.href }
        }
        static var viewType: String { "PropertyLine" }
    }

    static let fields = Fields<PropertyShownGroup> { f in
        f.text("title") { $0.title }
        f.list("lines", of: Line.self) { $0.lines }
    }

    /// Only what has a value; groups without any are left out.
    static func groups(
        _ definitions: [PropertyDefinition], _ stored: [String: JSONValue], zone: String
    ) -> [PropertyShownGroup] {
        var groups: [(String, [Line])] = []
        for definition in definitions + PropertyControlGroup.undeclared(definitions, stored) {
            guard let value = stored[definition.name], value != .null else { continue }
            let line = Line(
                label: definition.label, value: PropertyFormat.shown(value, definition, zone: zone),
                href: definition.type == .url ? value.stringValue : nil)
            if let place = groups.firstIndex(where: { $0.0 == definition.group }) {
                groups[place].1.append(line)
            } else {
                groups.append((definition.group, [line]))
            }
        }
        return groups.map { PropertyShownGroup(title: $0.0.isEmpty ? "Properties" : $0.0, lines: $0.1) }
    }
}

/// The form for a new or an existing company.
struct CompanyFormPage: ViewPage {
    var company: Company?
    var form = FormValues()
    var errors = ValidationErrors()
    var definitions: [PropertyDefinition] = []
    var zone: String = "UTC"
    var people: [WorkspacePerson] = []
    var conflicts: [ContactFormPage.Conflict] = []
    var hasNewer = false
    var takenHref: String?

    static let view = "companies/form"
    static let fields = Fields<CompanyFormPage> { f in
        f.text("title") { $0.company.map { "Edit \($0.name)" } ?? "Add company" }
        f.text("saveLabel") { $0.company == nil ? "Add company" : "Save changes" }
        f.link("action") { $0.company.map { CompanyPaths.company($0.id) } ?? "/companies" }
        f.link("backHref") { $0.company.map { CompanyPaths.company($0.id) } ?? "/companies" }
        f.text("revision") { $0.form.raw("revision") ?? $0.company?.revision ?? "" }
        f.text("base") { $0.form.raw("base") ?? $0.base }
        for name in ["name", "domain", "phone", "website"] {
            f.record(name, of: FormField.self) { $0.field(name) }
        }
        f.list("owners", of: SelectOption.self) { $0.owners }
        f.list("groups", of: PropertyControlGroup.self) { $0.groups }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors, $0.groups) }
        f.list("conflicts", of: ContactFormPage.Conflict.self) { $0.conflicts }
        f.flag("hasNewer") { $0.hasNewer }
        f.optionalLink("takenHref") { $0.takenHref }
    }

    private func stored(_ name: String) -> String {
        switch name {
        case "name": company?.name ?? ""
        case "domain": company?.domain ?? ""
        case "phone": company?.phone ?? ""
        case "website": company?.website ?? ""
        case "owner": company?.ownerID?.description ?? ""
        default: ""
        }
    }

    private func field(_ name: String) -> FormField {
        FormField(name, form.raw(name) ?? stored(name), errors)
    }

    private var owners: [SelectOption] {
        let chosen: String = form.raw("owner") ?? stored("owner")
        return [SelectOption(value: "", label: "Nobody", selected: chosen.isEmpty)]
            + people.map {
                SelectOption(value: $0.id.description, label: $0.name, selected: $0.id.description == chosen)
            }
    }

    private var groups: [PropertyControlGroup] {
        PropertyControlGroup.groups(
            definitions, stored: company?.properties ?? [:], form: form, errors: errors, zone: zone)
    }

    private var base: String {
        guard let company else { return "" }
        var pairs: [(String, String)] = ["name", "domain", "phone", "website", "owner"].map { ($0, stored($0)) }
        pairs += PropertyControlGroup.groups(definitions, stored: company.properties, zone: zone)
            .flatMap(\.controls).flatMap(\.pairs)
        return pairs.map { PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
    }

    static var previews: [CompanyFormPage] {
        [
            CompanyFormPage(),
            CompanyFormPage(
                company: PreviewPeople.company, errors: ValidationErrors("name", "Give the company a name."),
                definitions: PreviewProperties.all,
                conflicts: [ContactFormPage.Conflict(field: "name", theirs: "Acme", yours: "Acme Vineyards")],
                hasNewer: true, takenHref: "/companies/1"),
        ]
    }
}
