import Core
import FoundationEssentials
import Templates
import Web

/// A label that leads somewhere: a tag, a filter's chip, a list.
struct LabelledLink: ViewRecord {
    let label: String
    let href: String

    static let fields = Fields<LabelledLink> { f in
        f.text("label") { $0.label }
        f.link("href") { $0.href }
    }
}

/// A person in a table.
struct ContactTableRow: ViewRecord {
    let contact: ContactSummary
    let title: String
    private let initials: String

    init(contact: ContactSummary) {
        self.contact = contact
        title = contact.name ?? contact.email ?? contact.phone ?? "Nameless contact"
        initials = Self.initials(of: title)
    }

    static let fields = Fields<ContactTableRow> { f in
        f.text("id") { $0.contact.id.description }
        f.link("href") { "/contacts/\($0.contact.id)" }
        f.text("title") { $0.title }
        f.text("initials") { $0.initials }
        f.optionalText("email") { $0.contact.email }
        // Beneath the name where there is no room for a column; who has no name is called by the address.
        f.optionalText("address") { $0.contact.hasName ? $0.contact.email : nil }
        f.optionalText("phone") { $0.contact.phone }
        f.text("status") { $0.contact.emailStatus.words }
        f.text("tone") { $0.contact.emailStatus.tone }
        f.list("tags", of: LabelledLink.self) { row in row.contact.tags.prefix(3).map(ContactTable.link(toTag:)) }
        f.date("added") { $0.contact.createdAt }
    }

    private static func initials(of title: String) -> String {
        var letters: String = ""
        if let first = title.first { letters.append(first) }
        if let space = title.utf8.lastIndex(of: UInt8(ascii: " ")), let last = title[space...].dropFirst().first {
            letters.append(last)
        }
        return letters.uppercased()
    }
}

/// The table of people with its ticks and the bar of deeds, on the page of all people and on that of a list.
struct ContactTable: ViewRecord {
    var rows: [ContactTableRow] = []
    var filter = ContactFilter()
    var sorts: [SortLink] = []
    var lists: [SelectOption] = []
    var back: String = "/contacts"
    var allLabel: String = "Everybody who matches"
    var canEdit: Bool = false
    /// On a list's page: the only deed is to take people off it.
    var removesFromList: Bool = false

    static let fields = Fields<ContactTable> { f in
        f.list("rows", of: ContactTableRow.self) { $0.rows }
        f.optionalText("query") { $0.filter.query }
        f.optionalText("listId") { $0.filter.list?.description }
        f.optionalText("status") { $0.filter.status?.rawValue }
        f.optionalText("tag") { $0.filter.tag }
        f.optionalText("since") { $0.filter.since }
        f.optionalText("inactive") { $0.filter.isInactive == true ? "true" : nil }
        f.optionalText("company") { $0.filter.company?.description }
        f.optionalText("property") { $0.filter.property }
        f.optionalText("value") { $0.filter.value }
        f.list("sorts", of: SortLink.self) { $0.sorts }
        f.list("lists", of: SelectOption.self) { $0.lists }
        f.text("back") { $0.back }
        f.text("allLabel") { $0.allLabel }
        f.flag("canEdit") { $0.canEdit }
        f.flag("removesFromList") { $0.removesFromList }
    }

    static func link(toTag tag: String) -> LabelledLink {
        LabelledLink(label: tag, href: ContactPaths.index(ContactFilter(tag: tag)))
    }
}

/// The addresses of the pages about people.
enum ContactPaths {
    static func index(_ filter: ContactFilter, sort: ContactSort = .newest, cursor: String? = nil) -> String {
        let more: [(String, String?)] = [("sort", sort == .newest ? nil : sort.rawValue), ("cursor", cursor)]
        return "/contacts" + PercentEncoding.query(filter.pairs + more)
    }

    static func export(_ filter: ContactFilter) -> String {
        "/contacts/export" + PercentEncoding.query(filter.pairs)
    }

    static func contact(_ id: ContactID) -> String { "/contacts/\(id)" }
    static func list(_ id: ContactListID) -> String { "/lists/\(id)" }
    static func segment(_ id: ContactListID) -> String { "/segments/\(id)" }
    static func importPage(_ id: ContactImportID) -> String { "/contacts/imports/\(id)" }

    /// A path to go back to, if it is one of ours.
    static func back(_ text: String?) -> String {
        guard let text, text.hasPrefix("/contacts") || text.hasPrefix("/lists") || text.hasPrefix("/companies") else {
            return "/contacts"
        }
        guard !text.contains("\\"), !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            return "/contacts"
        }
        return text
    }
}
