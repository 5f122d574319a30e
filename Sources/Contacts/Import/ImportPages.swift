import Core
import FoundationEssentials
import Templates
import Web

struct ImportsIndexPage: ViewPage {
    var imports: [ContactImport] = []
    var pager = Pager(summary: "")

    struct Row: ViewRecord {
        let file: ContactImport

        static let fields = Fields<Row> { f in
            f.text("fileName") { $0.file.fileName }
            f.link("href") { ContactPaths.importPage($0.file.id) }
            f.text("status") { $0.file.status.words }
            f.text("tone") { $0.file.status.tone }
            f.number("created") { $0.file.created }
            f.number("updated") { $0.file.updated }
            f.number("skipped") { $0.file.skipped }
            f.number("failed") { $0.file.failed }
            f.date("at") { $0.file.createdAt }
        }
        static var viewType: String { "ImportRow" }
    }

    static let view = "contacts/imports"
    static let fields = Fields<ImportsIndexPage> { f in
        f.list("imports", of: Row.self) { $0.imports.map(Row.init) }
        f.record("pager", of: Pager.self) { $0.pager }
    }
    static var previews: [ImportsIndexPage] {
        [ImportsIndexPage(), ImportsIndexPage(imports: [.preview(.done)], pager: Pager(summary: "1 import"))]
    }
}

struct ImportUploadPage: ViewPage {
    var limitMegabytes: Int = 512
    var errors = ValidationErrors()

    static let view = "contacts/import-upload"
    static let fields = Fields<ImportUploadPage> { f in
        f.text("hint") { "CSV, TSV or another table saved as text, up to \($0.limitMegabytes) MB." }
        f.optionalText("fileError") { $0.errors["file"] }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }
    static var previews: [ImportUploadPage] {
        [ImportUploadPage(), ImportUploadPage(errors: ValidationErrors("file", "Choose a file."))]
    }
}

/// What is in the file and what is to become of it.
struct ImportPreviewPage: ViewPage {
    let file: ContactImport
    var rows: [[String]] = []
    var lists: [ContactList] = []
    var properties: [PropertyDefinition] = []
    var form = FormValues()
    var errors = ValidationErrors()

    struct Example: ViewRecord {
        let text: String
        static let fields = Fields<Example> { f in f.text("text") { $0.text } }
        static var viewType: String { "ImportExample" }
    }

    struct Column: ViewRecord {
        let index: Int
        let heading: String
        let options: [SelectOption]
        let property: String
        let types: [SelectOption]
        let examples: [Example]

        static let fields = Fields<Column> { f in
            f.text("heading") { $0.heading }
            f.text("name") { "column\($0.index)" }
            f.text("propertyName") { "property\($0.index)" }
            f.list("options", of: SelectOption.self) { $0.options }
            f.text("property") { $0.property }
            f.text("typeName") { "type\($0.index)" }
            f.list("types", of: SelectOption.self) { $0.types }
            f.list("examples", of: Example.self) { $0.examples }
        }
        static var viewType: String { "ImportColumn" }
    }

    static let view = "contacts/import-preview"
    static let fields = Fields<ImportPreviewPage> { f in
        f.text("fileName") { $0.file.fileName }
        f.text("summary") { $0.summary }
        f.flag("hasHeader") { $0.hasHeader }
        f.list("columns", of: Column.self) { $0.columns }
        f.list("lists", of: SelectOption.self) { $0.listOptions }
        f.optionalText("listError") { $0.errors["list"] }
        f.record("newList", of: FormField.self) { FormField("newList", $0.newList, $0.errors) }
        f.record("tags", of: FormField.self) { FormField("tags", $0.form.text("tags"), $0.errors) }
        f.list("existing", of: SelectOption.self) { $0.existing }
        f.list("regions", of: SelectOption.self) { $0.regions }
        f.list("consents", of: SelectOption.self) { $0.consents }
        f.optionalText("consentError") { $0.errors["consentBasis"] }
        f.text("startLabel") { "Import about \(CountWords.people($0.file.total))" }
        f.link("action") { "\(ContactPaths.importPage($0.file.id))/start" }
        f.link("cancelHref") { _ in "/contacts/imports" }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }

    /// In a workspace without lists one of the file's name is offered: a campaign needs one to go to.
    private var newList: String {
        guard form.names.isEmpty, lists.isEmpty else { return form.text("newList") }
        let name: Substring = file.fileName.prefix { $0 != "." }
        let words: String = name.split { $0 == "_" || $0 == "-" || $0.isWhitespace }.joined(separator: " ")
        return String((words.prefix(1).uppercased() + words.dropFirst()).prefix(80))
    }

    private var hasHeader: Bool { form.names.isEmpty ? file.options.hasHeader : form.flag("hasHeader") }

    private var summary: String {
        "Step 2 of 2: about \(CountWords.people(file.total)) in \(file.fileName), \(file.encoding), \(delimiterWords)."
    }

    private var delimiterWords: String {
        switch file.delimiter {
        case ";": "separated by semicolons"
        case "\t": "separated by tabs"
        case "|": "separated by bars"
        default: "separated by commas"
        }
    }

    private var columns: [Column] {
        let body: ArraySlice<[String]> = hasHeader ? rows.dropFirst() : rows[...]
        return file.options.columns.indices.map { index in
            let heading: String = hasHeader ? rows.first.flatMap { index < $0.count ? $0[index] : nil } ?? "" : ""
            let cells: [String] = body.compactMap { row in
                index < row.count && !row[index].isEmpty ? row[index] : nil
            }
            let examples: [Example] = cells.prefix(3).map { Example(text: String($0.prefix(60))) }
            let target: ColumnTarget = chosen(index)
            var property: String = form.text("property\(index)")
            if property.isEmpty, case .property(let name) = target { property = name }
            return Column(
                index: index, heading: heading.isEmpty ? "Column \(index + 1)" : String(heading.prefix(60)),
                options: options(target), property: property, types: types(index, cells), examples: examples)
        }
    }

    private func chosen(_ index: Int) -> ColumnTarget {
        if let text = form.optional("column\(index)") {
            if text == "newProperty" { return .property(PropertyName(form.text("property\(index)"))?.text ?? "") }
            return ColumnTarget(text) ?? .ignore
        }
        return file.options.columns[index]
    }

    /// The type of a new property, guessed from the cells; choices need options, so they are made in Settings.
    private func types(_ index: Int, _ cells: [String]) -> [SelectOption] {
        let chosen: PropertyType =
            PropertyType(rawValue: form.text("type\(index)")) ?? PropertyGuess.type(ofColumn: cells)
        return PropertyType.allCases.filter { $0 != .singleSelect && $0 != .multiSelect }.map {
            SelectOption(value: $0.rawValue, label: $0.words, selected: $0 == chosen)
        }
    }

    private func options(_ target: ColumnTarget) -> [SelectOption] {
        let fixed: [(ColumnTarget, String)] = [
            (.ignore, "Do not import"), (.email, "E-mail address"), (.firstName, "First name"),
            (.lastName, "Last name"),
            (.fullName, "Full name, to be split"), (.phone, "Phone number"), (.tags, "Tags"),
            (.companyName, "Company’s name"), (.companyDomain, "Company’s domain or website"),
        ]
        var options: [SelectOption] = fixed.map { known, label in
            SelectOption(value: known.text, label: label, selected: known == target)
        }
        options += properties.map { property in
            SelectOption(
                value: "property:\(property.name)", label: "Property: \(property.label)",
                selected: target == .property(property.name))
        }
        var isNew: Bool = false
        if case .property(let name) = target, !properties.contains(where: { $0.name == name }) { isNew = true }
        options.append(SelectOption(value: "newProperty", label: "New property", selected: isNew))
        return options
    }

    private var listOptions: [SelectOption] {
        [SelectOption(value: "", label: "No list")]
            + lists.map { list in
                let id: String = list.id.description
                return SelectOption(value: id, label: list.name, selected: form.text("list") == id)
            }
    }

    private var existing: [SelectOption] {
        let words: [(ExistingPeople, String)] = [
            (.update, "Update them with what the file says"), (.fill, "Only fill what is blank"),
            (.skip, "Leave them as they are"),
        ]
        let current: ExistingPeople = form.optional("onExisting").flatMap(ExistingPeople.init) ?? .update
        return words.map { SelectOption(value: $0.rawValue, label: $1, selected: $0 == current) }
    }

    private var consents: [SelectOption] {
        ConsentBasis.allCases.map { basis in
            SelectOption(
                value: basis.rawValue, label: basis.words, selected: form.text("consentBasis") == basis.rawValue)
        }
    }

    private var regions: [SelectOption] {
        [SelectOption(value: "", label: "Not said; such numbers stay a property")]
            + ImportRegions.all.map { code, name in
                SelectOption(value: code, label: name, selected: form.text("region") == code)
            }
    }

    static var previews: [ImportPreviewPage] {
        let rows: [[String]] = [["E-mail", "Plan"], ["ana@example.com", "pro"]]
        return [
            ImportPreviewPage(file: .preview(.uploaded), rows: rows),
            ImportPreviewPage(
                file: .preview(.uploaded), rows: rows, lists: [PreviewPeople.list],
                properties: [PreviewProperties.plan],
                errors: ValidationErrors("consentBasis", "Say why you may write to these people.")),
        ]
    }
}

/// An import that is waiting, running or over.
struct ImportShowPage: ViewPage {
    let file: ContactImport
    let now: Date
    var failures: [ImportFailure] = []

    struct Failure: ViewRecord {
        let failure: ImportFailure

        static let fields = Fields<Failure> { f in
            f.number("row") { $0.failure.row }
            f.text("reason") { $0.failure.reason }
            f.text("line") { $0.failure.line }
        }
        static var viewType: String { "ImportFailureRow" }
    }

    static let view = "contacts/import-show"
    static let fields = Fields<ImportShowPage> { f in
        f.text("fileName") { $0.file.fileName }
        f.optionalText("description") { $0.description }
        f.text("status") { $0.file.status.words }
        f.text("tone") { $0.file.status.tone }
        f.flag("active") { $0.file.status.isActive }
        f.number("done") { $0.file.byteOffset }
        f.number("size") { max(1, $0.file.byteCount) }
        f.text("percent") { $0.percent }
        f.text("progressLabel") { $0.file.status == .undoing ? "Undoing" : "Importing" }
        f.text("progressText") { $0.progressText }
        f.list("tiles", of: StatTile.self) { $0.tiles }
        f.flag("canCancel") { $0.file.status == .queued || $0.file.status == .running }
        f.flag("canUndo") { $0.canUndo }
        f.optionalText("error") { $0.file.error }
        f.optionalText("undoText") { $0.undoText }
        f.list("failures", of: Failure.self) { $0.failures.map(Failure.init) }
        f.link("failuresHref") { "\(ContactPaths.importPage($0.file.id))/failures" }
        f.link("cancelHref") { "\(ContactPaths.importPage($0.file.id))/cancel" }
        f.link("undoHref") { "\(ContactPaths.importPage($0.file.id))/undo" }
        f.link("liveHref") { "\(ContactPaths.importPage($0.file.id))/live" }
        f.optionalLink("listHref") { $0.file.status.isActive ? nil : $0.file.listID.map(ContactPaths.list) }
    }

    private var canUndo: Bool {
        let over: Bool = [.done, .cancelled, .failed].contains(file.status)
        return over && file.created + file.updated + file.listed > 0
    }

    private var percent: String {
        guard file.byteCount > 0 else { return "0 %" }
        return "\(min(100, file.byteOffset * 100 / file.byteCount)) %"
    }

    private var description: String? {
        guard file.status == .done, let rate = file.rate(at: now), let start = file.startedAt, let end = file.finishedAt
        else { return nil }
        let rows: String = NumberWords.counted(file.rowNumber, "row", "rows")
        let seconds: TimeInterval = end.timeIntervalSince(start)
        // A rate that was held for less than a second says nothing.
        if seconds < 1 { return "\(rows) in less than a second" }
        return "\(rows) in \(CountWords.duration(Int(seconds.rounded()))), \(NumberWords.grouped(rate)) a second"
    }

    private var progressText: String {
        if file.status == .queued { return "Waiting for a free worker." }
        var text: String =
            "\(NumberWords.grouped(file.rowNumber)) of about \(NumberWords.grouped(max(file.total, file.rowNumber))) rows"
        if let rate = file.rate(at: now) { text += ", \(NumberWords.grouped(rate)) a second" }
        if let seconds = file.secondsLeft(at: now) { text += ", about \(CountWords.duration(seconds)) left" }
        return text
    }

    private var tiles: [StatTile] {
        func tile(_ label: String, _ count: Int, _ detail: String? = nil) -> StatTile {
            StatTile(label: label, value: NumberWords.grouped(count), detail: detail)
        }
        let unchanged: String? =
            file.unchanged > 0 ? "\(NumberWords.grouped(file.unchanged)) were the same already" : nil
        return [
            tile("Created", file.created), tile("Updated", file.updated, unchanged), tile("Skipped", file.skipped),
            tile("Failed", file.failed),
        ]
    }

    private var undoText: String? {
        guard file.status == .undone else { return nil }
        var text: String =
            "Undone: \(CountWords.people(file.undoRemoved)) deleted, \(NumberWords.grouped(file.undoRestored)) restored."
        if file.undoKept > 0 {
            text += " \(CountWords.people(file.undoKept)) had been changed or written to since and stayed as they are."
        }
        return text
    }

    static var previews: [ImportShowPage] {
        let failure = ImportFailure(row: 7, reason: "An e-mail address has no spaces.", line: "ana ruiz,pro")
        return [
            ImportShowPage(file: .preview(.running), now: PreviewPeople.day),
            ImportShowPage(file: .preview(.done), now: PreviewPeople.day, failures: [failure]),
            ImportShowPage(file: .preview(.failed, error: ImportFault.fileGone.description), now: PreviewPeople.day),
            ImportShowPage(file: .preview(.undone), now: PreviewPeople.day),
        ]
    }
}

/// The countries that the phone number choice offers.
enum ImportRegions {
    static let all: [(String, String)] = [
        ("AU", "Australia"), ("AT", "Austria"), ("BE", "Belgium"), ("BR", "Brazil"), ("CA", "Canada"),
        ("CZ", "Czechia"),
        ("DK", "Denmark"), ("FI", "Finland"), ("FR", "France"), ("DE", "Germany"), ("GR", "Greece"), ("HU", "Hungary"),
        ("IN", "India"), ("IE", "Ireland"), ("IL", "Israel"), ("IT", "Italy"), ("JP", "Japan"), ("MX", "Mexico"),
        ("NL", "Netherlands"), ("NZ", "New Zealand"), ("NO", "Norway"), ("PL", "Poland"), ("PT", "Portugal"),
        ("RO", "Romania"), ("SG", "Singapore"), ("ZA", "South Africa"), ("KR", "South Korea"), ("ES", "Spain"),
        ("SE", "Sweden"), ("CH", "Switzerland"), ("TR", "Türkiye"), ("UA", "Ukraine"), ("AE", "United Arab Emirates"),
        ("GB", "United Kingdom"), ("US", "United States"),
    ]
}
