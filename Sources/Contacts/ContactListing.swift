import Core
import Web

/// Puts what was found into the shape of the list's page: chips, heads that sort, the way on.
struct ContactListing: Sendable {
    let request: WebRequest
    let filter: ContactFilter
    let sort: ContactSort
    let isFirst: Bool
    let listing: ContactListReader.Listing

    var indexPage: ContactsIndexPage {
        let canEdit: Bool = (request.principal?.role ?? .viewer) >= .editor
        let table = ContactTable(
            rows: listing.page.rows.map(ContactTableRow.init), filter: filter, sorts: sorts,
            lists: choices.lists.map { SelectOption(value: $0.id.description, label: $0.name) },
            back: ContactPaths.index(filter, sort: sort),
            allLabel: "All \(CountWords.people(listing.count)) that match",
            canEdit: canEdit)
        return ContactsIndexPage(
            table: table, filter: filter, sort: sort, total: choices.state.count, unindexed: choices.state.unindexed,
            lists: listOptions, tags: choices.tags, properties: listing.properties, chips: chips, pager: pager)
    }

    private var choices: ContactFilterChoices { listing.choices }

    private var sorts: [SortLink] {
        func link(_ label: String, _ value: ContactSort) -> SortLink {
            // A second press goes back to the newest first.
            let next: ContactSort = sort == value ? .newest : value
            return SortLink(
                label: label, href: ContactPaths.index(filter, sort: next), direction: sort == value ? "ascending" : nil
            )
        }
        return [link("Name", .name), link("E-mail", .email)]
    }

    private var pager: Pager {
        let next: String? = listing.page.next.map { keys in
            ContactPaths.index(filter, sort: sort, cursor: request.cursor(after: keys))
        }
        let first: String? = isFirst ? nil : ContactPaths.index(filter, sort: sort)
        return Pager(summary: summary, previousHref: first, nextHref: next)
    }

    private var summary: String {
        let words: String = CountWords.people(listing.count)
        return words.prefix(1).uppercased() + words.dropFirst()
    }

    private var listOptions: [SelectOption] {
        [SelectOption(value: "", label: "Any list")]
            + choices.lists.map { list in
                SelectOption(value: list.id.description, label: list.name, selected: list.id == filter.list)
            }
    }

    private var chips: [LabelledLink] {
        var chips: [LabelledLink] = []
        func chip(_ label: String, _ without: (inout ContactFilter) -> Void) {
            var rest = filter
            without(&rest)
            chips.append(LabelledLink(label: label, href: ContactPaths.index(rest, sort: sort)))
        }
        if let query = filter.query { chip("Search: \(query)") { $0.query = nil } }
        if let list = filter.list {
            let name: String = choices.lists.first { $0.id == list }?.name ?? "a list that is gone"
            chip("List: \(name)") { $0.list = nil }
        }
        if let status = filter.status { chip("Status: \(status.words)") { $0.status = nil } }
        if let tag = filter.tag { chip("Tag: \(tag)") { $0.tag = nil } }
        if filter.isInactive == true { chip("Inactive") { $0.isInactive = nil } }
        if filter.company != nil {
            chip("Company: \(choices.company ?? "one that is gone")") { $0.company = nil }
        }
        if let property = filter.property {
            let definition: PropertyDefinition? = listing.properties.first { $0.name == property }
            let value: String = filter.value.map { "is \($0)" } ?? "has a value"
            chip("\(definition?.label ?? property) \(value)") {
                $0.property = nil
                $0.value = nil
            }
        }
        if let since = filter.since { chip("Added since \(since)") { $0.since = nil } }
        return chips
    }
}
