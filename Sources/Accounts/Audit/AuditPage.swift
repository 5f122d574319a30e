import Core
import FoundationEssentials
import Templates
import Web

/// A deed as the page shows it.
struct AuditRow: ViewRecord {
    let at: Date
    let actor: String
    let action: String
    let subject: String?
    let href: String?
    let changes: [AuditEntry.Change]
    let origin: String?

    struct ChangeRow: ViewRecord {
        let change: AuditEntry.Change

        static let fields = Fields<ChangeRow> { f in
            f.text("field") { $0.change.field }
            f.optionalText("before") { $0.change.before }
            f.optionalText("after") { $0.change.after }
        }
        static var viewType: String { "AuditChange" }
    }

    static let fields = Fields<AuditRow> { f in
        f.date("at") { $0.at }
        f.text("actor") { $0.actor }
        f.text("action") { $0.action }
        f.optionalText("subject") { $0.subject }
        f.optionalLink("href") { $0.href }
        f.list("changes", of: ChangeRow.self) { row in row.changes.map { ChangeRow(change: $0) } }
        f.optionalText("origin") { $0.origin }
    }

    init(_ entry: AuditEntry, _ speech: AuditSpeech) {
        at = entry.occurredAt
        actor = entry.actor
        action = entry.action
        subject = entry.subject
        href = entry.href
        changes = entry.changes(speech)
        origin = entry.request.map { "Request \($0)" + (entry.network.map { $0.isEmpty ? "" : " from \($0)" } ?? "") }
    }

    private init(example subject: String, changes: [AuditEntry.Change]) {
        at = Date(timeIntervalSince1970: 1_768_469_400)
        actor = "Ana Ruiz"
        action = "changed"
        self.subject = subject
        href = changes.isEmpty ? nil : "/settings"
        self.changes = changes
        origin = changes.isEmpty ? nil : "Request 1f from 192.0.2.0/24"
    }

    static let examples: [AuditRow] = [
        AuditRow(
            example: "Acme",
            changes: [
                AuditEntry.Change(field: "Name", before: "Acme Inc.", after: "Acme"),
                AuditEntry.Change(field: "Note", before: nil, after: "moved"),
            ]),
        AuditRow(example: "a list", changes: []),
    ]
}

struct AuditPage: ViewPage {
    let entries: [AuditRow]
    let pager: Pager
    var filter = AuditFilter()
    var people: [(UserID, String)] = []
    var query = FormValues()
    var errors = ValidationErrors()
    var check: AuditCheck?

    static let view = "accounts/audit"
    static let fields = Fields<AuditPage> { f in
        f.list("entries", of: AuditRow.self) { $0.entries }
        f.record("pager", of: Pager.self) { $0.pager }
        f.list("people", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Anybody")]
                + page.people.map {
                    SelectOption(value: $0.0.description, label: $0.1, selected: $0.0 == page.filter.actor)
                }
        }
        f.list("areas", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Everything")]
                + AuditArea.allCases.map {
                    SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == page.filter.area)
                }
        }
        f.text("text") { $0.query.text("q") }
        f.text("since") { $0.query.text("since") }
        f.text("until") { $0.query.text("until") }
        f.flag("filtered") { $0.filter != AuditFilter() }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.flag("verified") { $0.check?.isBroken == false }
        f.flag("broken") { $0.check?.isBroken == true }
        f.optionalDate("checkedAt") { $0.check?.checkedAt }
        f.optionalDate("intactAt") { $0.check?.intactAt }
        f.optionalDate("firstAt") { $0.check?.faults.firstAt }
        f.number("checkedEntries") { $0.check?.entries ?? 0 }
        f.texts("faults") { $0.check?.faults.words ?? [] }
        f.link("exportHref") { AuditRoutes.path + "/export" + PercentEncoding.query($0.filter.pairs) }
    }

    static var previews: [AuditPage] {
        var filter = AuditFilter()
        filter.area = .settings
        let moment = Date(timeIntervalSince1970: 1_768_469_400)
        let intact = AuditCheck(
            checkedAt: moment, entries: 1_204, intactAt: moment, faults: AuditCheck.Faults())
        var faults = AuditCheck.Faults()
        faults.changed = 2
        let broken = AuditCheck(checkedAt: moment, entries: 1_204, intactAt: nil, faults: faults)
        faults.note(moment)
        let brokenLately = AuditCheck(
            checkedAt: moment, entries: 1_204, intactAt: moment, faults: faults)
        return [
            AuditPage(entries: [], pager: Pager(summary: "Nothing here")),
            AuditPage(entries: AuditRow.examples, pager: Pager(summary: "Newest first"), check: intact),
            AuditPage(entries: AuditRow.examples, pager: Pager(summary: "Newest first"), check: broken),
            AuditPage(entries: AuditRow.examples, pager: Pager(summary: "Newest first"), check: brokenLately),
            AuditPage(
                entries: AuditRow.examples, pager: Pager(summary: "Newest first"), filter: filter,
                people: [(UserID(UUID()), "Ana Ruiz")], errors: ValidationErrors("since", "Give a day like 2026-01-15.")
            ),
        ]
    }
}
