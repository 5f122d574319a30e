import Core
import FoundationEssentials
import Templates

/// Every component in every state, on one page: the place to look at when a component changes.
package struct StyleguidePage: ViewPage {
    let icons: [StyleguideIcon]
    let now: Date

    /// - Parameters:
    ///   - icons: the names of all icons of the sprite.
    ///   - now: the moment that the example times count from.
    package init(icons: [String], now: Date) {
        self.icons = icons.map(StyleguideIcon.init)
        self.now = now
    }

    package static let view = "styleguide/index"

    package static let fields = Fields<StyleguidePage> { f in
        f.list("icons", of: StyleguideIcon.self) { $0.icons }
        f.date("now") { $0.now }
        f.list("tabs", of: Tab.self) { _ in StyleguideExamples.tabs }
        f.list("tiles", of: StatTile.self) { _ in StyleguideExamples.tiles }
        f.list("options", of: SelectOption.self) { _ in StyleguideExamples.options }
        f.list("variables", of: SelectOption.self) { _ in StyleguideExamples.variables }
        f.list("rows", of: StyleguideRow.self) { StyleguideExamples.rows(at: $0.now) }
        f.list("errors", of: ErrorSummaryItem.self) { _ in StyleguideExamples.problems }
        f.record("field", of: FormField.self) { _ in FormField("name", "Summer tasting") }
        f.record("wrong", of: FormField.self) { _ in StyleguideExamples.wrong }
        f.record("note", of: FormField.self) { _ in FormField("note", StyleguideExamples.letter) }
        f.record("sortedBy", of: SortLink.self) { _ in
            SortLink(label: "Name", href: "/styleguide?sort=-name", direction: "ascending")
        }
        f.record("unsorted", of: SortLink.self) { _ in SortLink(label: "Added", href: "/styleguide?sort=added") }
        f.record("pager", of: Pager.self) { _ in
            Pager(summary: "Showing 51–100 of 12,408", previousHref: "/styleguide", nextHref: "/styleguide")
        }
    }

    package static var previews: [StyleguidePage] {
        [StyleguidePage(icons: ["plus"], now: Date(timeIntervalSince1970: 1_790_000_000))]
    }
}

struct StyleguideIcon: ViewRecord {
    let name: String

    static let fields = Fields<StyleguideIcon> { f in
        f.text("name") { $0.name }
    }
}

struct StyleguideRow: ViewRecord {
    let id: String
    let name: String
    let email: String
    let status: String
    let kind: String
    let opens: Int
    let added: Date

    static let fields = Fields<StyleguideRow> { f in
        f.text("id") { $0.id }
        f.text("name") { $0.name }
        f.text("email") { $0.email }
        f.text("status") { $0.status }
        f.text("kind") { $0.kind }
        f.number("opens") { $0.opens }
        f.date("added") { $0.added }
    }
}

/// What the style page shows: usual, empty, overlong, right-to-left.
private enum StyleguideExamples {
    static let problem = "Enter an e-mail address in the format name@example.com"
    static let problems: [ErrorSummaryItem] = [ErrorSummaryItem(message: problem, href: "#email")]
    static let wrong = FormField("email", "ana@", ValidationErrors("email", problem))

    static let tabs: [Tab] = [
        Tab(label: "All", href: "/styleguide", current: true, count: 12_408),
        Tab(label: "Subscribed", href: "/styleguide?tab=2", current: false, count: 11_002),
        Tab(label: "Bounced", href: "/styleguide?tab=3", current: false, count: 21),
    ]

    static let tiles: [StatTile] = [
        StatTile(label: "Recipients", value: "12,408", detail: "of 12,600 on the lists"),
        StatTile(label: "Delivered", value: "12,380", detail: "99.8 % of 12,408"),
        StatTile(label: "Opened", value: "4,312", detail: "34.8 % of 12,380 delivered"),
        StatTile(label: "Clicked", value: "618", detail: "5.0 % of 12,380 delivered"),
        StatTile(label: "Unsubscribed", value: "9", detail: "0.07 %"),
    ]

    static let options: [SelectOption] = [
        SelectOption(value: "update", label: "Update them", selected: true),
        SelectOption(value: "fill", label: "Fill in what is missing"),
        SelectOption(value: "skip", label: "Leave them as they are"),
    ]

    static let variables: [SelectOption] = [
        SelectOption(value: "{{ contact.first_name | default: 'friend' }}", label: "First name"),
        SelectOption(value: "{{ contact.email }}", label: "E-mail address"),
    ]

    static let letter = """
        <h1>Good morning, {{ contact.first_name | default: 'friend' }}</h1>
        <p>The new <strong>summer menu</strong> is here. <a href="https://northwind.example/menu">Read it</a>.</p>
        <ul><li>Cold brew</li><li>Lemon cake</li></ul>

        """

    static func rows(at now: Date) -> [StyleguideRow] {
        func row(_ id: String, _ name: String, _ email: String, _ status: (String, String), _ opens: Int)
            -> StyleguideRow
        {
            StyleguideRow(
                id: id, name: name, email: email, status: status.0, kind: status.1, opens: opens,
                added: now.addingTimeInterval(-86_400))
        }
        return [
            row("row-1", "Ana Kovač", "ana.kovac@example.com", ("Active", "ok"), 12),
            row(
                "row-2", "Maximiliane Oberhuber-Schwarzenegger von und zu Altenburg-Hohenstein",
                "maximiliane.oberhuber@a-rather-long-company-name.example.com", ("Unsubscribed", "neutral"), 1_204),
            row("row-3", "نورة الخطيب", "noura@example.com", ("Bounced", "danger"), 0),
            row("row-4", "🎉 Party Person", "party@example.com", ("Unconfirmed", "warn"), 7),
        ]
    }
}
