import Core
import FoundationEssentials
import Templates
import Web

/// The list of what must not be sent to.
struct SuppressionsPage: ViewPage {
    let rows: [SuppressionRecord]
    var filter = SuppressionFilter()
    let pager: Pager
    var form = FormValues()
    var errors = ValidationErrors()

    static let view = "messaging/suppressions"
    static let fields = Fields<SuppressionsPage> { f in
        f.list("rows", of: SuppressionRecord.self) { $0.rows }
        f.list("tabs", of: Tab.self) { $0.tabs }
        f.list("kinds", of: SelectOption.self) { $0.kinds }
        f.text("query") { $0.filter.search ?? "" }
        f.optionalText("reason") { $0.filter.reason?.rawValue }
        f.flag("lifted") { $0.filter.isLifted }
        f.flag("filtered") { $0.filter != SuppressionFilter() }
        f.record("pager", of: Pager.self) { $0.pager }
        f.record("target", of: FormField.self) { FormField("target", $0.form.raw("target") ?? "", $0.targetErrors) }
        f.record("note", of: FormField.self) { FormField("note", $0.form.raw("note") ?? "", $0.errors) }
        f.record("expiresAt", of: FormField.self) { FormField("expiresAt", $0.form.raw("expiresAt") ?? "", $0.errors) }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.shownErrors) }
        f.link("exportHref") { "/suppressions/export" + PercentEncoding.query(Self.pairs($0.filter)) }
    }

    /// Whatever is wrong with the address, domain or number stands at its one field.
    private var targetErrors: ValidationErrors {
        var errors = ValidationErrors()
        for entry in shownErrors.entries where entry.field == "target" { errors.add("target", entry.message) }
        return errors
    }

    private var shownErrors: ValidationErrors {
        var shown = ValidationErrors()
        for entry in errors.entries {
            shown.add(["email", "domain", "phone"].contains(entry.field) ? "target" : entry.field, entry.message)
        }
        return shown
    }

    static func pairs(_ filter: SuppressionFilter) -> [(String, String?)] {
        [
            ("reason", filter.reason?.rawValue), ("kind", filter.kind?.rawValue), ("q", filter.search),
            ("state", filter.isLifted ? "lifted" : nil),
        ]
    }

    private var tabs: [Tab] {
        func tab(_ label: String, _ reason: SuppressionReason?, isLifted: Bool = false) -> Tab {
            var other = filter
            other.reason = reason
            other.isLifted = isLifted
            return Tab(
                label: label, href: "/suppressions" + PercentEncoding.query(Self.pairs(other)),
                current: filter.reason == reason && filter.isLifted == isLifted)
        }
        return [tab("All", nil)] + SuppressionReason.allCases.map { tab($0.label, $0) }
            + [tab("Lifted", nil, isLifted: true)]
    }

    private var kinds: [SelectOption] {
        [SelectOption(value: "", label: "Everything")]
            + SuppressionKind.allCases.map {
                SelectOption(value: $0.rawValue, label: $0.label, selected: $0 == filter.kind)
            }
    }

    static var previews: [SuppressionsPage] {
        let error = ValidationErrors("domain", "This is no domain. Write it like example.com.")
        return [
            SuppressionsPage(rows: [], pager: Pager(summary: "Nothing"), errors: error),
            SuppressionsPage(
                rows: SuppressionRecord.examples,
                filter: SuppressionFilter(reason: .manual, kind: .domain, search: "a"),
                pager: Pager(summary: "2 shown")),
            SuppressionsPage(
                rows: SuppressionRecord.examples, filter: SuppressionFilter(isLifted: true),
                pager: Pager(summary: "2 shown")),
        ]
    }
}

struct SuppressionRecord: ViewRecord {
    let id: String
    let shown: String
    let kind: String
    let isAddress: Bool
    let reason: String
    let tone: String
    let note: String?
    let contactHref: String?
    let since: Date
    let expires: Date?
    let lifted: Date?

    static let fields = Fields<SuppressionRecord> { f in
        f.text("shown") { $0.shown }
        f.text("kind") { $0.kind }
        f.flag("isAddress") { $0.isAddress }
        f.text("reason") { $0.reason }
        f.text("tone") { $0.tone }
        f.optionalText("note") { $0.note }
        f.optionalLink("contactHref") { $0.contactHref }
        f.date("since") { $0.since }
        f.optionalDate("expires") { $0.expires }
        f.optionalDate("lifted") { $0.lifted }
        f.link("liftHref") { "/suppressions/\($0.id)/lift" }
    }

    init(_ suppression: Suppression) {
        id = suppression.id.description
        shown = suppression.shown
        kind = suppression.kind.label
        isAddress = suppression.kind == .email
        reason = suppression.reason.label
        tone = suppression.reason == .complaint ? "danger" : "neutral"
        note = suppression.liftedAt == nil ? suppression.note : suppression.liftReason
        contactHref = suppression.contact.map { "/contacts/\($0)" }
        since = suppression.createdAt
        expires = suppression.expiresAt
        lifted = suppression.liftedAt
    }

    private init(shown: String, kind: SuppressionKind, note: String?, isOver: Bool) {
        id = "1"
        self.shown = shown
        self.kind = kind.label
        isAddress = kind == .email
        reason = SuppressionReason.manual.label
        tone = "neutral"
        self.note = note
        contactHref = kind == .email ? "/contacts/1" : nil
        since = Date(timeIntervalSince1970: 1_768_469_400)
        expires = isOver ? since.addingTimeInterval(86_400) : nil
        lifted = isOver ? since.addingTimeInterval(86_400) : nil
    }

    static var examples: [SuppressionRecord] {
        [
            SuppressionRecord(shown: "ana@example.com", kind: .email, note: nil, isOver: true),
            SuppressionRecord(shown: "example.com", kind: .domain, note: "A competitor", isOver: false),
        ]
    }
}

/// Asks why before sending is allowed again.
struct SuppressionLiftPage: ViewPage {
    let id: String
    let shown: String
    let reason: String
    var words = FormField("words")

    static let view = "messaging/suppression-lift"
    static let fields = Fields<SuppressionLiftPage> { f in
        f.text("title") { "Allow sending to \($0.shown) again?" }
        f.text("message") { "It is on the list because of this: \($0.reason.lowercased())." }
        f.link("action") { "/suppressions/\($0.id)/lift" }
        f.record("words", of: FormField.self) { $0.words }
        f.flag("hasError") { $0.words.error != nil }
    }
    static var previews: [SuppressionLiftPage] {
        [
            SuppressionLiftPage(id: "1", shown: "ana@example.com", reason: "Bounced"),
            SuppressionLiftPage(
                id: "1", shown: "ana@example.com", reason: "Bounced",
                words: FormField("words", "", ValidationErrors("words", "Say why."))),
        ]
    }
}

/// Bringing in a file of suppressions.
struct SuppressionImportPage: ViewPage {
    var errors = ValidationErrors()

    static let view = "messaging/suppression-import"
    static let fields = Fields<SuppressionImportPage> { f in
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.optionalText("fileError") { $0.errors["file"] }
        f.text("hint") { _ in
            "CSV, up to \(SuppressionFiles.limit >> 20) MB. The column “address” holds addresses, domains or numbers; “note” and “expires_at” are optional."
        }
    }
    static var previews: [SuppressionImportPage] {
        [SuppressionImportPage(), SuppressionImportPage(errors: ValidationErrors("file", "Choose a file."))]
    }
}

/// What became of a file of suppressions.
struct SuppressionImportResultPage: ViewPage {
    let result: SuppressionImport

    static let view = "messaging/suppression-import-result"
    static let fields = Fields<SuppressionImportResultPage> { f in
        f.text("fileName") { $0.result.fileName }
        f.list("tiles", of: StatTile.self) { page in
            [
                StatTile(label: "Added", value: NumberWords.grouped(page.result.added)),
                StatTile(label: "On the list already", value: NumberWords.grouped(page.result.known)),
                StatTile(label: "Failed", value: NumberWords.grouped(page.result.failed)),
            ]
        }
        f.flag("hasFailures") { $0.result.failed > 0 }
        f.link("failuresHref") { "/suppressions/imports/\($0.result.id)/failures" }
    }
    static var previews: [SuppressionImportResultPage] {
        let result = SuppressionImport(
            id: SuppressionImportID(UUID()), fileName: "blocked.csv", added: 12, known: 3, failed: 1,
            createdAt: Date(timeIntervalSince1970: 1_768_469_400))
        return [SuppressionImportResultPage(result: result)]
    }
}
