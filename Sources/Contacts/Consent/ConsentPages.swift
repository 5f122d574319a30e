import Core
import FoundationEssentials
import Templates
import Web

/// How somebody stands in one channel, for the panel on the contact's page.
struct ConsentLine: ViewRecord {
    let label: String
    let state: String
    let tone: String
    let detail: String?
    let since: Date?

    static let fields = Fields<ConsentLine> { f in
        f.text("label") { $0.label }
        f.text("state") { $0.state }
        f.text("tone") { $0.tone }
        f.optionalText("detail") { $0.detail }
        f.optionalDate("since") { $0.since }
    }

    init(_ records: [ConsentRecord], _ channel: ConsentChannel, purpose: String = ConsentDecision.marketing) {
        let standing = ConsentStanding(records, channel, purpose: purpose)
        label = purpose == ConsentDecision.marketing ? channel.words : "\(channel.words): \(purpose)"
        state = standing.decision?.decision.action.words ?? "Nothing on record"
        tone = standing.decision?.decision.action.tone ?? "neutral"
        detail = standing.decision.map { SourceWords.of($0.decision.source) }
        since = standing.decision?.occurredAt
    }
}

/// The consent of one person in short: `{% render "contacts/_consent", panel: consent %}`.
struct ConsentPanel: ViewRecord {
    let lines: [ConsentLine]
    let historyHref: String
    let privacyHref: String

    static let fields = Fields<ConsentPanel> { f in
        f.list("lines", of: ConsentLine.self) { $0.lines }
        f.link("historyHref") { $0.historyHref }
        f.link("privacyHref") { $0.privacyHref }
    }

    /// - Parameter records: all decisions of the person (`ConsentQueries`).
    init(_ contact: ContactID, _ records: [ConsentRecord]) {
        lines = Self.lines(records)
        historyHref = "\(ContactPaths.contact(contact))/consents"
        privacyHref = "\(ContactPaths.contact(contact))/privacy"
    }

    /// E-mail always, other channels and topics where something was decided.
    static func lines(_ records: [ConsentRecord]) -> [ConsentLine] {
        var lines: [ConsentLine] = []
        for channel in ConsentChannel.allCases {
            let own: [ConsentRecord] = records.filter { $0.decision.channel == channel }
            if channel == .email || own.contains(where: { $0.decision.purpose == ConsentDecision.marketing }) {
                lines.append(ConsentLine(records, channel))
            }
            for topic in Set(own.map(\.decision.purpose)).subtracting([ConsentDecision.marketing]).sorted() {
                lines.append(ConsentLine(records, channel, purpose: topic))
            }
        }
        return lines
    }
}

/// One decision as pages show it.
struct ConsentRow: ViewRecord {
    let record: ConsentRecord

    static let fields = Fields<ConsentRow> { f in
        f.text("label") { $0.record.decision.words }
        f.text("action") { $0.record.decision.action.words }
        f.text("tone") { $0.record.decision.action.tone }
        f.text("source") { SourceWords.of($0.record.decision.source) }
        f.text("actor") { $0.record.decision.actor.words }
        f.optionalText("basis") { row in row.record.decision.basis.map(ConsentWords.basis) }
        f.optionalText("wording") { $0.record.decision.wording }
        f.optionalText("evidence") { $0.evidence }
        f.date("at") { $0.record.occurredAt }
        f.optionalDate("expires") { $0.record.decision.expiresAt }
    }

    private var evidence: String? {
        // Ids are for the proof; people read the rest.
        let members: [String: JSONValue] = record.decision.evidence.filter {
            $0.value.stringValue.flatMap { UUID(canonical: $0) } == nil
        }
        guard !members.isEmpty else { return nil }
        return members.keys.sorted().map { "\($0): \(PropertyFormat.shown(members[$0], nil))" }.joined(
            separator: " · ")
    }
}

/// The words for what the ledger keeps as codes.
enum ConsentWords {
    static let bases: [(value: String, words: String)] = [
        ("consent_express", "They said so"), ("consent_implied", "Implied, for a time"),
        ("soft_opt_in", "Customers, similar goods"), ("contract", "A contract"),
        ("legitimate_interest", "Legitimate interest"),
    ]

    static func basis(_ basis: String) -> String {
        if let known = ConsentBasis(rawValue: basis) { return known.words }
        return bases.first { $0.value == basis }?.words ?? basis
    }
}

/// All that a person decided, and the form for recording what they told somebody.
struct ConsentHistoryPage: ViewPage {
    let contact: Contact
    let records: [ConsentRecord]
    var form = FormValues()
    var errors = ValidationErrors()

    static let view = "contacts/consents"
    static let fields = Fields<ConsentHistoryPage> { f in
        f.text("name") { $0.contact.displayName }
        f.link("contactHref") { ContactPaths.contact($0.contact.id) }
        f.list("lines", of: ConsentLine.self) { ConsentPanel.lines($0.records) }
        f.list("rows", of: ConsentRow.self) { page in page.records.map { ConsentRow(record: $0) } }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.list("channels", of: SelectOption.self) { page in
            ConsentChannel.allCases.map { page.option("channel", $0.rawValue, $0.words) }
        }
        f.list("actions", of: SelectOption.self) { page in
            ConsentForm.actions.map { page.option("action", $0.rawValue, $0.words) }
        }
        f.list("bases", of: SelectOption.self) { page in
            [SelectOption(value: "", label: "Not stated")]
                + ConsentWords.bases.map { page.option("basis", $0.value, $0.words) }
        }
        f.record("purpose", of: FormField.self) { $0.field("purpose") }
        f.record("wording", of: FormField.self) { $0.field("wording") }
        f.record("source", of: FormField.self) { $0.field("source") }
        f.optionalText("channelError") { $0.errors["channel"] }
        f.optionalText("actionError") { $0.errors["action"] }
        f.optionalText("basisError") { $0.errors["basis"] }
        f.link("action") { "\(ContactPaths.contact($0.contact.id))/consents" }
        f.link("evidenceHref") { "\(ContactPaths.contact($0.contact.id))/consents/evidence" }
        f.link("evidenceJSONHref") { "\(ContactPaths.contact($0.contact.id))/consents/evidence.json" }
    }

    private func option(_ name: String, _ value: String, _ label: String) -> SelectOption {
        SelectOption(value: value, label: label, selected: form.text(name) == value)
    }

    private func field(_ name: String) -> FormField {
        FormField(name, form.raw(name) ?? "", errors)
    }

    static let exampleRecords: [ConsentRecord] = {
        let noon = Date(timeIntervalSince1970: 1_768_469_400)
        let agreed = ConsentDecision(
            .granted, basis: "consent_express", wording: "Yes, send me the newsletter.", source: "Spring fair",
            by: .staff,
            evidence: ["ip": .string("192.0.2.7")], expiresAt: noon.addingTimeInterval(86_400))
        let withdrawn = ConsentDecision(.withdrawn, source: "one_click", by: .contact)
        return [
            ConsentRecord(id: ConsentID(UUID()), withdrawn, at: noon.addingTimeInterval(60)),
            ConsentRecord(id: ConsentID(UUID()), agreed, at: noon),
        ]
    }()

    static var previews: [ConsentHistoryPage] {
        [
            ConsentHistoryPage(contact: PreviewPeople.contact, records: []),
            ConsentHistoryPage(
                contact: PreviewPeople.contact, records: exampleRecords,
                errors: ValidationErrors("source", "A source has 1 to 200 characters.")),
        ]
    }
}

/// The proof of consent to read and print.
struct ConsentEvidencePage: ViewPage {
    let evidence: ConsentEvidence
    let contact: Contact
    let records: [ConsentRecord]

    struct Row: ViewRecord {
        let row: ConsentRow
        let entry: ConsentEvidence.Entry

        static let fields = Fields<Row> { f in
            f.record("row", of: ConsentRow.self) { $0.row }
            f.text("sha256") { $0.entry.sha256 }
            f.optionalText("wordingSha256") { $0.entry.wordingSha256 }
        }
        static var viewType: String { "ConsentEvidenceRow" }
    }

    static let view = "contacts/consent-evidence"
    static let fields = Fields<ConsentEvidencePage> { f in
        f.text("name") { $0.contact.displayName }
        f.text("email") { $0.contact.email ?? "—" }
        f.text("id") { $0.contact.id.description }
        f.text("workspace") { $0.evidence.content.workspace }
        f.date("made") { $0.evidence.content.madeAt }
        f.text("digest") { $0.evidence.digest }
        f.list("lines", of: ConsentLine.self) { ConsentPanel.lines($0.records) }
        f.list("rows", of: Row.self) { page in
            zip(page.records, page.evidence.content.decisions).map { Row(row: ConsentRow(record: $0), entry: $1) }
        }
        f.link("historyHref") { "\(ContactPaths.contact($0.contact.id))/consents" }
        f.link("jsonHref") { "\(ContactPaths.contact($0.contact.id))/consents/evidence.json" }
    }

    static var previews: [ConsentEvidencePage] {
        let records = ConsentHistoryPage.exampleRecords
        let date = Date(timeIntervalSince1970: 1_768_469_400)
        guard
            let evidence = try? ConsentEvidence(PreviewPeople.contact, records, workspace: "Acme", at: date)
        else { return [] }
        return [ConsentEvidencePage(evidence: evidence, contact: PreviewPeople.contact, records: records)]
    }
}
