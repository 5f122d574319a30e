import Accounts
import Core
import FoundationEssentials
import Templates
import Web

struct PersonExportRow: ViewRecord {
    let status: String
    let tone: String
    let created: Date
    let expires: Date?
    let downloads: Int
    let downloadHref: String?
    let link: String?

    static let fields = Fields<PersonExportRow> { f in
        f.text("status") { $0.status }
        f.text("tone") { $0.tone }
        f.date("created") { $0.created }
        f.optionalDate("expires") { $0.expires }
        f.number("downloads") { $0.downloads }
        f.optionalLink("downloadHref") { $0.downloadHref }
        f.optionalText("link") { $0.link }
    }

    init(_ export: PersonExport, link: String, now: Date) {
        let isOpen: Bool = export.status == .done && (export.expiresAt ?? now) > now
        switch export.status {
        case .queued: (status, tone) = ("Being made", "info")
        case .done: (status, tone) = isOpen ? ("Ready", "ok") : ("Expired", "neutral")
        case .failed: (status, tone) = ("Failed", "danger")
        case .expired: (status, tone) = ("Expired", "neutral")
        }
        created = export.createdAt
        expires = export.expiresAt
        downloads = export.downloads
        downloadHref = isOpen ? "/privacy/exports/\(export.id)/download" : nil
        self.link = isOpen ? link : nil
    }
}

/// What can be done about one person's rights.
struct PersonPrivacyPage: ViewPage {
    let id: ContactID
    let name: String
    var exports: [PersonExportRow] = []

    static let view = "contacts/privacy"
    static let fields = Fields<PersonPrivacyPage> { f in
        f.text("name") { $0.name }
        f.link("contactHref") { ContactPaths.contact($0.id) }
        f.link("exportHref") { "\(ContactPaths.contact($0.id))/export" }
        f.link("eraseHref") { "\(ContactPaths.contact($0.id))/erase" }
        f.link("consentHref") { "\(ContactPaths.contact($0.id))/consents" }
        f.list("exports", of: PersonExportRow.self) { $0.exports }
    }
    static var previews: [PersonPrivacyPage] {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        func row(_ status: PersonExport.Status) -> PersonExportRow {
            PersonExportRow(
                PersonExport(
                    id: PersonExportID(UUID()), contact: PreviewPeople.contact.id, status: status, downloads: 1,
                    createdAt: noon, expiresAt: status == .done ? noon.addingTimeInterval(86_400) : nil),
                link: "https://mail.example.com/x", now: noon)
        }
        return [
            PersonPrivacyPage(id: PreviewPeople.contact.id, name: "Ana Ruiz"),
            PersonPrivacyPage(
                id: PreviewPeople.contact.id, name: "Ana Ruiz", exports: [row(.done), row(.queued), row(.expired)]),
        ]
    }
}

/// One table in a preview or a certificate of an erasure.
struct ErasureLine: ViewRecord {
    let title: String
    let fate: String
    let rows: String

    static let fields = Fields<ErasureLine> { f in
        f.text("title") { $0.title }
        f.text("fate") { $0.fate }
        f.text("rows") { $0.rows }
    }
}

/// What erasing a person does, before it is done.
struct ErasurePreviewPage: ViewPage {
    let preview: Erasure.Preview
    var reason: String = ""
    var errors = ValidationErrors()

    static let view = "contacts/erase"
    static let fields = Fields<ErasurePreviewPage> { f in
        f.text("name") { $0.preview.contact.displayName }
        f.link("backHref") { "\(ContactPaths.contact($0.preview.contact.id))/privacy" }
        f.link("action") { "\(ContactPaths.contact($0.preview.contact.id))/erase" }
        f.list("going", of: ErasureLine.self) { $0.lines { $0 == .deleted } }
        f.list("staying", of: ErasureLine.self) { $0.lines { $0 != .deleted } }
        f.record("reason", of: FormField.self) { FormField("reason", $0.reason, $0.errors) }
        f.optionalText("sureError") { $0.errors["sure"] }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }

    private func lines(_ isWanted: (PersonalTable.Fate) -> Bool) -> [ErasureLine] {
        var seen: Set<String> = []
        return preview.lines.filter { isWanted($0.fate) && seen.insert($0.title).inserted }.map { line in
            ErasureLine(title: line.title, fate: line.fate.words, rows: line.rows.map(NumberWords.grouped) ?? "—")
        }
    }

    static var previews: [ErasurePreviewPage] {
        let lines: [Erasure.Preview.Line] = [
            .init(table: "marketing_contact_events", title: "History", fate: .deleted, rows: 12),
            .init(table: "marketing_messages", title: "Messages", fate: .anonymised("counts stay right"), rows: 3),
        ]
        let preview = Erasure.Preview(contact: PreviewPeople.contact, lines: lines)
        var errors = ValidationErrors("reason", "Say why.")
        errors.add("sure", "Tick this to go on.")
        return [ErasurePreviewPage(preview: preview), ErasurePreviewPage(preview: preview, errors: errors)]
    }
}

/// An erasure under way, then its certificate.
struct ErasurePage: ViewPage {
    let record: ErasureRecord
    let tables: [PersonalTable]

    static let view = "contacts/erasure"
    static let fields = Fields<ErasurePage> { f in
        f.text("id") { $0.record.id.description }
        f.text("contact") { $0.record.contact.description }
        f.text("reason") { $0.record.reason }
        f.text("actor") { $0.record.actorName ?? "The portal" }
        f.date("requested") { $0.record.requestedAt }
        f.optionalDate("finished") { $0.record.finishedAt }
        f.optionalDate("checked") { $0.record.checkedAt }
        f.list("lines", of: ErasureLine.self) { $0.lines }
        f.list("mentions", of: ListUse.self) { page in
            (page.record.mentions ?? []).map {
                ListUse(name: $0.name, href: $0.href, status: $0.kind, tone: "neutral", isBinding: false)
            }
        }
        f.flag("mentionsUnknown") { $0.record.outcome["mentions"] == .null }
    }

    private var lines: [ErasureLine] {
        var seen: Set<String> = []
        var lines: [ErasureLine] = []
        if case .int(let count)? = record.outcome["marketing_contacts"] {
            lines.append(ErasureLine(title: "The contact", fate: "Deleted", rows: NumberWords.grouped(count)))
        }
        for table in tables where seen.insert(table.name).inserted {
            guard case .int(let count)? = record.outcome[table.name] else { continue }
            lines.append(ErasureLine(title: table.title, fate: table.fate.words, rows: NumberWords.grouped(count)))
        }
        return lines
    }

    static var previews: [ErasurePage] {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        let counts: [String: JSONValue] = ["marketing_contacts": .int(1), "marketing_contact_events": .int(4)]
        let mention: JSONValue = .object([
            "kind": .string("Segment"), "name": .string("Friends of Ana"), "href": .string("/segments/1"),
        ])
        return [JSONValue.array([mention]), .array([]), .null].map { mentions in
            ErasurePage(
                record: ErasureRecord(
                    id: ErasureID(UUID()), contact: PreviewPeople.contact.id, reason: "Asked by letter", at: noon,
                    outcome: counts.merging(["mentions": mentions]) { _, new in new }),
                tables: ContactTables.all)
        }
    }
}

/// How long things are kept.
struct PrivacySettingsPage: ViewPage {
    let rules: [RetentionRule]
    let settings: RetentionSettings
    var erasures: [ErasureRecord] = []
    var form = FormValues()
    var errors = ValidationErrors()

    struct RuleField: ViewRecord {
        let label: String
        let hint: String
        let field: FormField

        static let fields = Fields<RuleField> { f in
            f.text("label") { $0.label }
            f.text("hint") { $0.hint }
            f.record("field", of: FormField.self) { $0.field }
        }
        static var viewType: String { "RetentionRuleField" }
    }

    struct ErasureRow: ViewRecord {
        let record: ErasureRecord

        static let fields = Fields<ErasureRow> { f in
            f.text("reason") { $0.record.reason }
            f.text("status") { $0.record.status == "done" ? "Done" : "Waiting" }
            f.text("tone") { $0.record.status == "done" ? "ok" : "info" }
            f.date("at") { $0.record.requestedAt }
            f.link("href") { "/privacy/erasures/\($0.record.id)" }
        }
        static var viewType: String { "ErasureRow" }
    }

    static let view = "contacts/privacy-settings"
    static let fields = Fields<PrivacySettingsPage> { f in
        f.list("rules", of: RuleField.self) { $0.ruleFields }
        f.record("reason", of: FormField.self) { FormField("reason", $0.settings.reason, $0.errors) }
        f.flag("held") { $0.settings.holdReason != nil }
        f.record("holdReason", of: FormField.self) {
            FormField("holdReason", $0.form.raw("holdReason") ?? $0.settings.holdReason ?? "", $0.errors)
        }
        f.text("version") { String($0.settings.version) }
        f.list("erasures", of: ErasureRow.self) { page in page.erasures.map { ErasureRow(record: $0) } }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }

    private var ruleFields: [RuleField] {
        let exports = RuleField(
            label: "Files of personal data, in days", hint: "At most \(PersonExports.longestDays).",
            field: field("days-exports", settings.exportDays))
        return rules.map { rule in
            RuleField(
                label: "\(rule.title), in days",
                hint: "\(NumberWords.grouped(rule.standard)) unless you say otherwise.",
                field: field("days-\(rule.key)", settings.days(rule)))
        } + [exports]
    }

    private func field(_ name: String, _ days: Int) -> FormField {
        FormField(name, form.raw(name) ?? String(days), errors)
    }

    static var previews: [PrivacySettingsPage] {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        let erasure = ErasureRecord(
            id: ErasureID(UUID()), contact: PreviewPeople.contact.id, reason: "Asked", at: noon, outcome: [:])
        return [
            PrivacySettingsPage(rules: ContactTables.retention, settings: RetentionSettings()),
            PrivacySettingsPage(
                rules: ContactTables.retention, settings: RetentionSettings(holdReason: "A lawsuit"),
                erasures: [erasure],
                errors: ValidationErrors("reason", "Say why.")),
        ]
    }
}

struct PurgeLine: ViewRecord {
    let title: String
    let days: Int
    let due: Int

    static let fields = Fields<PurgeLine> { f in
        f.text("title") { $0.title }
        f.number("days") { $0.days }
        f.number("due") { $0.due }
    }

    init(_ line: RetentionActions.Line) {
        title = line.rule.title
        days = line.days
        due = line.due
    }

    fileprivate init(title: String, days: Int, due: Int) {
        self.title = title
        self.days = days
        self.due = due
    }
}

struct PurgeRunRow: ViewRecord {
    let at: Date
    let words: String

    static let fields = Fields<PurgeRunRow> { f in
        f.date("at") { $0.at }
        f.text("words") { $0.words }
    }

    init(at date: Date, counts: JSONValue, rules: [RetentionRule]) {
        at = date
        let removed: [String] = rules.compactMap { rule in
            guard case .int(let count)? = counts[rule.key] else { return nil }
            return "\(rule.title): \(NumberWords.grouped(count))"
        }
        words = removed.isEmpty ? "Nothing was due." : removed.joined(separator: " · ")
    }
}

/// What the next purge would remove, and what the last ones did.
struct PurgePreviewPage: ViewPage {
    let lines: [PurgeLine]
    let isHeld: Bool
    var runs: [PurgeRunRow] = []

    static let view = "contacts/purge"
    static let fields = Fields<PurgePreviewPage> { f in
        f.list("lines", of: PurgeLine.self) { $0.lines }
        f.flag("held") { $0.isHeld }
        f.list("runs", of: PurgeRunRow.self) { $0.runs }
    }
    static var previews: [PurgePreviewPage] {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        return [
            PurgePreviewPage(lines: [PurgeLine(title: "Audit log", days: 730, due: 12)], isHeld: false),
            PurgePreviewPage(
                lines: [PurgeLine(title: "Audit log", days: 730, due: 12)], isHeld: true,
                runs: [PurgeRunRow(at: noon, counts: .object(["audit": .int(3)]), rules: ContactTables.retention)]),
        ]
    }
}
