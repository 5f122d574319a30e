import Core
import FoundationEssentials
import Templates
import Web

/// A suggested pair as a row.
struct DuplicateRow: ViewRecord {
    let pair: DuplicatePair

    private static func title(_ person: ContactSummary) -> String {
        person.name ?? person.email ?? person.phone ?? "Nameless contact"
    }

    private static func detail(_ person: ContactSummary) -> String {
        [person.email, person.phone].compactMap { $0 }.joined(separator: ", ")
    }

    static let fields = Fields<DuplicateRow> { f in
        f.text("firstId") { "\($0.pair.first.id)" }
        f.text("secondId") { "\($0.pair.second.id)" }
        f.text("first") { title($0.pair.first) }
        f.text("second") { title($0.pair.second) }
        f.text("firstDetail") { detail($0.pair.first) }
        f.text("secondDetail") { detail($0.pair.second) }
        f.link("firstHref") { ContactPaths.contact($0.pair.first.id) }
        f.link("secondHref") { ContactPaths.contact($0.pair.second.id) }
        f.text("reason") { $0.pair.words }
        f.number("score") { $0.pair.score }
        f.link("compareHref") { MergePaths.compare($0.pair.first.id, $0.pair.second.id) }
    }
}

/// People who may be one.
struct DuplicatesPage: ViewPage {
    var rows: [DuplicateRow] = []
    var pager = Pager(summary: "")

    static let view = "contacts/duplicates"
    static let fields = Fields<DuplicatesPage> { f in
        f.list("rows", of: DuplicateRow.self) { $0.rows }
        f.record("pager", of: Pager.self) { $0.pager }
    }
    static var previews: [DuplicatesPage] {
        let pair = DuplicatePair(
            first: PreviewPeople.ana, second: PreviewPeople.nameless, reason: "phone", score: 85)
        return [
            DuplicatesPage(),
            DuplicatesPage(rows: [DuplicateRow(pair: pair)], pager: Pager(summary: "The surest first")),
        ]
    }
}

/// One field of two people beside each other.
struct MergeFieldRow: ViewRecord {
    let name: String
    let label: String
    let first: String?
    let second: String?
    /// Whether the second person's value is chosen.
    let takesSecond: Bool

    static let fields = Fields<MergeFieldRow> { f in
        f.text("name") { $0.name }
        f.text("label") { $0.label }
        f.text("first") { $0.first ?? "—" }
        f.text("second") { $0.second ?? "—" }
        f.flag("isChoice") { $0.first != nil && $0.second != nil && $0.first != $0.second }
        f.flag("takesFirst") { !$0.takesSecond }
        f.flag("takesSecond") { $0.takesSecond }
    }

    /// What two people say of each field; those that neither has are left out.
    static func rows(
        _ one: MergeFields, _ other: MergeFields, companies: [UUID: String], _ definitions: [PropertyDefinition],
        zone: String, takesSecond: Set<String>
    ) -> [MergeFieldRow] {
        func company(_ fields: MergeFields) -> String? { fields.company.map { companies[$0] ?? "A company" } }
        var all: [MergeFieldRow] = []
        func add(_ name: String, _ label: String, _ left: String?, _ right: String?) {
            guard left != nil || right != nil else { return }
            all.append(
                MergeFieldRow(
                    name: name, label: label, first: left, second: right, takesSecond: takesSecond.contains(name)))
        }
        add("email", "E-mail", one.email, other.email)
        add("phone", "Phone", one.phone, other.phone)
        add("firstName", "First name", one.firstName, other.firstName)
        add("lastName", "Last name", one.lastName, other.lastName)
        add("company", "Company", company(one), company(other))
        for name in Set(one.properties.keys).union(other.properties.keys).sorted() {
            let definition: PropertyDefinition? = definitions.first { $0.name == name }
            add(
                "properties.\(name)", definition?.label ?? name,
                one.properties[name].map { PropertyFormat.shown($0, definition, zone: zone) },
                other.properties[name].map { PropertyFormat.shown($0, definition, zone: zone) })
        }
        return all
    }
}

/// Choosing whom somebody is to be merged with.
struct MergePickPage: ViewPage {
    let contact: ContactID
    let name: String
    var query: String = ""
    var options: [SelectOption] = []

    static let view = "contacts/merge-pick"
    static let fields = Fields<MergePickPage> { f in
        f.text("name") { $0.name }
        f.link("contactHref") { ContactPaths.contact($0.contact) }
        f.link("action") { "\(ContactPaths.contact($0.contact))/merge" }
        f.text("query") { $0.query }
        f.list("options", of: SelectOption.self) { $0.options }
    }
    static var previews: [MergePickPage] {
        [
            MergePickPage(
                contact: PreviewPeople.ana.id, name: "Ana Ruiz", query: "ana",
                options: [SelectOption(value: "1", label: "Anna Ruiz, anna@example.com")])
        ]
    }
}

/// Two people side by side: who stays, and whose value each field takes.
struct MergeComparePage: ViewPage {
    let firstID: String
    let secondID: String
    let first: MergeFields
    let second: MergeFields
    var companies: [UUID: String] = [:]
    var definitions: [PropertyDefinition] = []
    /// The workspace's time zone, for moments.
    var zone: String = "UTC"
    /// What was chosen before, when the form comes back.
    var keepsSecond = false
    var takesSecond: Set<String> = []
    /// Why it comes back.
    var problem: String?

    static let view = "contacts/merge"
    static let fields = Fields<MergeComparePage> { f in
        f.text("firstId") { $0.firstID }
        f.text("secondId") { $0.secondID }
        f.text("first") { $0.first.title }
        f.text("second") { $0.second.title }
        f.link("firstHref") { "/contacts/\($0.firstID)" }
        f.link("secondHref") { "/contacts/\($0.secondID)" }
        f.link("action") { "/contacts/\($0.firstID)/merge/\($0.secondID)" }
        f.flag("keepsFirst") { !$0.keepsSecond }
        f.flag("keepsSecond") { $0.keepsSecond }
        f.optionalText("problem") { $0.problem }
        f.list("rows", of: MergeFieldRow.self) { page in
            MergeFieldRow.rows(
                page.first, page.second, companies: page.companies, page.definitions, zone: page.zone,
                takesSecond: page.takesSecond)
        }
        f.optionalText("tags") { page in
            let tags: [String] = page.first.tags + page.second.tags.filter { !page.first.tags.contains($0) }
            return tags.isEmpty ? nil : tags.joined(separator: ", ")
        }
        f.text("status") { page in
            MergePlan(winner: page.first, loser: page.second, choices: MergeChoices()).result.emailStatus.words
        }
    }
    static var previews: [MergeComparePage] {
        var ana = MergeFields()
        ana.email = "ana@example.com"
        ana.firstName = "Ana"
        ana.tags = ["vip"]
        ana.properties = ["plan": .string("pro")]
        var other = MergeFields()
        other.email = "ana@exmaple.com"
        other.phone = "+14155552671"
        other.firstName = "Ana"
        return [
            MergeComparePage(firstID: "1", secondID: "2", first: ana, second: other),
            MergeComparePage(firstID: "1", secondID: "2", first: other, second: other),
            MergeComparePage(
                firstID: "1", secondID: "2", first: ana, second: other, keepsSecond: true, takesSecond: ["email"],
                problem: "Try again in a minute."),
        ]
    }
}

/// A merge that was done: what undoing it would come to.
struct MergeShowPage: ViewPage {
    let id: String
    let winnerID: String
    let winner: String
    let loser: String
    let mergedAt: Date
    var obstacle: String?
    var notes: [String] = []

    static let view = "contacts/merge-done"
    static let fields = Fields<MergeShowPage> { f in
        f.text("winner") { $0.winner }
        f.text("loser") { $0.loser }
        f.date("mergedAt") { $0.mergedAt }
        f.link("winnerHref") { "/contacts/\($0.winnerID)" }
        f.link("action") { "/contacts/merges/\($0.id)/undo" }
        f.optionalText("obstacle") { $0.obstacle }
        f.texts("notes") { $0.notes }
    }
    static var previews: [MergeShowPage] {
        let date = Date(timeIntervalSince1970: 1_768_469_400)
        return [
            MergeShowPage(id: "1", winnerID: "2", winner: "Ana Ruiz", loser: "A. Ruiz", mergedAt: date),
            MergeShowPage(
                id: "1", winnerID: "2", winner: "Ana Ruiz", loser: "A. Ruiz", mergedAt: date,
                notes: ["“Phone” was changed since the merge and stays as it is."]),
            MergeShowPage(
                id: "1", winnerID: "2", winner: "Ana Ruiz", loser: "A. Ruiz", mergedAt: date,
                obstacle: "This merge was taken back already."),
        ]
    }
}
