import Contacts
import Core
import FoundationEssentials
import Templates
import Web

enum SegmentPaths {
    static func segment(_ id: ContactListID) -> String { "/segments/\(id)" }
}

/// All segments.
struct SegmentsIndexPage: ViewPage {
    struct Row: ViewRecord {
        let name: String
        let href: String
        let members: Int
        let sentence: String
        let state: SegmentWords

        static let fields = Fields<Row> { f in
            f.text("name") { $0.name }
            f.link("href") { $0.href }
            f.number("members") { $0.members }
            f.text("sentence") { $0.sentence }
            f.text("state") { $0.state.label }
            f.text("tone") { $0.state.tone }
        }
        static var viewType: String { "SegmentRow" }
    }

    var rows: [Row] = []

    static let view = "segments/index"
    static let fields = Fields<SegmentsIndexPage> { f in
        f.list("rows", of: Row.self) { $0.rows }
    }
    static var previews: [SegmentsIndexPage] {
        [
            SegmentsIndexPage(),
            SegmentsIndexPage(rows: [
                Row(
                    name: "Lapsed", href: "/segments/1", members: 12_408, sentence: "People who never clicked a link.",
                    state: SegmentWords("live"))
            ]),
        ]
    }
}

/// How the membership of a segment is doing, in a word.
struct SegmentWords: Sendable {
    let label: String
    let tone: String

    init(_ state: String) {
        switch state {
        case "live": (label, tone) = ("Up to date", "ok")
        case "broken": (label, tone) = ("Needs attention", "danger")
        default: (label, tone) = ("Filling", "info")
        }
    }
}

/// Somebody of a sample.
struct SegmentPerson: ViewRecord {
    let name: String
    let detail: String?
    let href: String

    init(_ person: ContactSummary) {
        name = person.name ?? person.email ?? person.phone ?? "Nameless contact"
        detail = person.name == nil ? nil : person.email ?? person.phone
        href = "/contacts/\(person.id)"
    }

    init(name: String, detail: String?, href: String) {
        self.name = name
        self.detail = detail
        self.href = href
    }

    static let fields = Fields<SegmentPerson> { f in
        f.text("name") { $0.name }
        f.optionalText("detail") { $0.detail }
        f.link("href") { $0.href }
    }
}

/// A line of an explanation: a condition or a group, with its answer.
struct ExplanationRow: ViewRecord {
    let depth: Int
    let words: String
    let seen: String?
    let holds: Bool

    static let fields = Fields<ExplanationRow> { f in
        f.text("depth") { "\($0.depth)" }
        f.text("words") { $0.words }
        f.optionalText("seen") { $0.seen }
        f.flag("holds") { $0.holds }
    }

    static func rows(_ finding: RuleEvaluator.Finding, depth: Int = 0) -> [ExplanationRow] {
        [ExplanationRow(depth: depth, words: finding.words, seen: finding.seen, holds: finding.holds)]
            + finding.parts.flatMap { rows($0, depth: depth + 1) }
    }
}

/// Whether somebody is in a segment, and why.
struct ExplanationBox: ViewRecord {
    var who = ""
    var title: String?
    var href = "/contacts"
    var rows: [ExplanationRow] = []
    /// Nobody was found.
    var isMissing = false

    static let fields = Fields<ExplanationBox> { f in
        f.text("who") { $0.who }
        f.optionalText("title") { $0.title }
        f.link("href") { $0.href }
        f.list("rows", of: ExplanationRow.self) { $0.rows }
        f.flag("isMissing") { $0.isMissing }
    }

    static var example: ExplanationBox {
        ExplanationBox(
            who: "ana", title: "Ana Ruiz is in it", href: "/contacts/1",
            rows: [
                ExplanationRow(depth: 0, words: "All of these", seen: nil, holds: true),
                ExplanationRow(depth: 1, words: "where Plan is not “free”", seen: "“pro”", holds: true),
                ExplanationRow(depth: 1, words: "who never clicked a link", seen: "once", holds: false),
            ])
    }
}

/// What the rule in the builder finds.
struct PreviewBox: ViewRecord {
    var summary: String = ""
    var sentence: String?
    var problem: String?
    var people: [SegmentPerson] = []
    var sql: String?
    var cost: String?
    var why = ExplanationBox()

    static let fields = Fields<PreviewBox> { f in
        f.text("summary") { $0.summary }
        f.optionalText("sentence") { $0.sentence }
        f.optionalText("problem") { $0.problem }
        f.list("people", of: SegmentPerson.self) { $0.people }
        f.optionalText("sql") { $0.sql }
        f.optionalText("cost") { $0.cost }
        f.record("why", of: ExplanationBox.self) { $0.why }
    }

    static var example: PreviewBox {
        PreviewBox(
            summary: "1,240 people match", sentence: "People where Plan is not “free”.",
            people: [SegmentPerson(name: "Ana Ruiz", detail: "ana@example.com", href: "/contacts/1")],
            sql: "SELECT count(*)", cost: "Answered in 12 ms, by looking at everybody.", why: .example)
    }
}

/// Making and changing a segment.
struct SegmentFormPage: ViewPage {
    var id: ContactListID?
    var title = "New segment"
    var form = FormValues()
    var rows: [BuilderRow] = []
    var preview = PreviewBox()
    var showsQuery = false
    var errors = ValidationErrors()
    /// The state of the segment that the form was made from; empty for a new one.
    var revision: String = ""
    /// Somebody else saved while this form was open.
    var hasNewer: Bool = false
    var conflicts: [ContactConflict] = []

    static let view = "segments/form"
    static let fields = Fields<SegmentFormPage> { f in
        f.text("title") { $0.title }
        f.link("action") { $0.id.map(SegmentPaths.segment) ?? "/segments" }
        f.link("backHref") { $0.id.map(SegmentPaths.segment) ?? "/segments" }
        f.text("saveLabel") { $0.id == nil ? "Create segment" : "Save segment" }
        f.record("name", of: FormField.self) { FormField("name", $0.form.raw("name") ?? "", $0.errors) }
        f.record("description", of: FormField.self) {
            FormField("description", $0.form.raw("description") ?? "", $0.errors)
        }
        f.record("who", of: FormField.self) { FormField("who", $0.form.raw("who") ?? "") }
        f.flag("showsQuery") { $0.showsQuery }
        f.text("revision") { $0.revision }
        f.flag("hasNewer") { $0.hasNewer }
        f.list("conflicts", of: ContactConflict.self) { $0.conflicts }
        f.list("rows", of: BuilderRow.self) { $0.rows }
        f.record("preview", of: PreviewBox.self) { $0.preview }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.placed) }
    }

    /// Mistakes of the rule lead to the conditions; each of those shows its own.
    private var placed: ValidationErrors {
        var placed = ValidationErrors()
        for entry in errors.entries {
            placed.add(entry.field.hasPrefix("filterRules") ? "rules" : entry.field, entry.message)
        }
        return placed
    }

    static var previews: [SegmentFormPage] {
        var leaf = DraftLeaf()
        leaf.subject = "email"
        leaf.comparison = "contains"
        var deed = DraftLeaf()
        deed.subject = "did.opened"
        deed.inputs = ["within": ["dates"]]
        var several = DraftLeaf()
        several.subject = "emailStatus"
        several.comparison = "in"
        var lines = DraftLeaf()
        lines.subject = "company"
        lines.comparison = "in"
        let group = DraftGroup(match: .any, nodes: [.leaf(several), .leaf(lines)])
        let draft = DraftGroup(nodes: [.leaf(leaf), .leaf(deed), .group(group), .leaf(DraftLeaf())])
        var errors = ValidationErrors("filterRules.all[0].value", "This is required.")
        errors.add("filterRules.all[1]", "This is no condition.")
        errors.add("name", "Give the list a name.")
        let rows = BuilderRows(vocabulary: BuilderVocabulary(), errors: errors).rows(draft)
        return [
            SegmentFormPage(
                rows: rows, preview: .example, showsQuery: true, errors: errors),
            SegmentFormPage(
                rows: BuilderRows(vocabulary: BuilderVocabulary(), errors: ValidationErrors()).rows(.empty),
                preview: PreviewBox(problem: "Finish the conditions.", why: ExplanationBox(who: "x", isMissing: true))),
        ]
    }
}

/// A segment: who is in it, in words and by name, and how it is doing.
struct SegmentShowPage: ViewPage {
    var id: ContactListID?
    var name = ""
    var description = ""
    var sentence = ""
    var members = 0
    var state = SegmentWords("live")
    var problem: String?
    var checked: String?
    var checkedAt: Date?
    var filledAt: Date?
    var people: [SegmentPerson] = []
    var why = ExplanationBox()

    private var href: String { id.map(SegmentPaths.segment) ?? "/segments" }

    static let view = "segments/show"
    static let fields = Fields<SegmentShowPage> { f in
        f.text("name") { $0.name }
        f.optionalText("description") { $0.description.isEmpty ? nil : $0.description }
        f.text("sentence") { $0.sentence }
        f.number("members") { $0.members }
        f.text("state") { $0.state.label }
        f.text("tone") { $0.state.tone }
        f.optionalText("problem") { $0.problem }
        f.optionalText("checked") { $0.checked }
        f.optionalDate("checkedAt") { $0.checkedAt }
        f.optionalDate("filledAt") { $0.filledAt }
        f.list("people", of: SegmentPerson.self) { $0.people }
        f.record("why", of: ExplanationBox.self) { $0.why }
        f.record("who", of: FormField.self) { FormField("who", $0.why.who) }
        f.link("href") { $0.href }
        f.link("editHref") { "\($0.href)/edit" }
        f.link("recalculateHref") { "\($0.href)/recalculate" }
        f.link("deleteHref") { "\($0.href)/delete" }
        f.link("membersHref") { "/contacts?list=\($0.id?.description ?? "")" }
        f.link("exportHref") { "/contacts/export?list=\($0.id?.description ?? "")" }
    }

    static var previews: [SegmentShowPage] {
        [
            SegmentShowPage(name: "Lapsed", sentence: "People who never clicked a link.", members: 2, people: []),
            SegmentShowPage(
                name: "Lapsed", description: "For the spring letter", sentence: "People who never clicked a link.",
                members: 1, state: SegmentWords("broken"), problem: "There is no field called “plan”.",
                checked: "The last nightly check looked at everybody in 240 ms and found nobody on the wrong side.",
                checkedAt: Date(timeIntervalSince1970: 1_768_469_400),
                filledAt: Date(timeIntervalSince1970: 1_768_469_400),
                people: [SegmentPerson(name: "Ana Ruiz", detail: "ana@example.com", href: "/contacts/1")], why: .example
            ),
            SegmentShowPage(name: "Lapsed", sentence: "People.", why: ExplanationBox(who: "x", isMissing: true)),
        ]
    }
}
