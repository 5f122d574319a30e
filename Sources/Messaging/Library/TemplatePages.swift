import Core
import FoundationEssentials
import Templates
import Web

struct TemplateRow: ViewRecord {
    let template: LibraryTemplate

    static let fields = Fields<TemplateRow> { f in
        f.text("name") { $0.template.content.name }
        f.text("description") { $0.template.content.description }
        f.text("kind") { $0.template.kind.label }
        f.number("version") { $0.template.version }
        f.date("updated") { $0.template.updatedAt }
        f.link("href") { "/templates/\($0.template.id)" }
    }
}

/// All templates.
struct TemplatesPage: ViewPage {
    let rows: [TemplateRow]
    var kind: TemplateKind?
    var query: String = ""
    let pager: Pager

    static let view = "templates/index"
    static let fields = Fields<TemplatesPage> { f in
        f.list("rows", of: TemplateRow.self) { $0.rows }
        f.list("tabs", of: Tab.self) { page in
            [Tab(label: "All", href: "/templates", current: page.kind == nil)]
                + TemplateKind.allCases.map {
                    Tab(label: $0.label, href: "/templates?kind=\($0.rawValue)", current: page.kind == $0)
                }
        }
        f.text("query") { $0.query }
        f.optionalText("kind") { $0.kind?.rawValue }
        f.flag("filtered") { !$0.query.isEmpty || $0.kind != nil }
        f.record("pager", of: Pager.self) { $0.pager }
    }

    static var example: LibraryTemplate {
        LibraryTemplate(
            id: LibraryTemplateID(UUID()), kind: .email, version: 2,
            content: TemplateContent(name: "Monthly news", description: "With the long header", subject: "News"),
            at: Date(timeIntervalSince1970: 1_768_469_400))
    }

    static var previews: [TemplatesPage] {
        [
            TemplatesPage(rows: [], pager: Pager(summary: "Nothing")),
            TemplatesPage(rows: [], kind: .sms, pager: Pager(summary: "Nothing")),
            TemplatesPage(rows: [TemplateRow(template: example)], pager: Pager(summary: "1 template")),
        ]
    }
}

struct TemplateVersionRow: ViewRecord {
    let version: TemplateVersion
    let newest: Int
    let template: LibraryTemplateID

    static let fields = Fields<TemplateVersionRow> { f in
        f.number("number") { $0.version.number }
        f.text("note") { $0.version.note }
        f.text("author") { $0.version.author ?? "The portal" }
        f.date("at") { $0.version.createdAt }
        f.flag("newest") { $0.version.number == $0.newest }
        f.link("compareHref") { "/templates/\($0.template)/compare?from=\($0.version.number)&to=\($0.newest)" }
        f.link("restoreHref") { "/templates/\($0.template)/restore" }
        f.text("numberText") { String($0.version.number) }
    }
}

/// The editor of a template, with its versions.
struct TemplateEditPage: ViewPage {
    var id: LibraryTemplateID?
    let kind: TemplateKind
    let content: TemplateContent
    var version: Int = 0
    var versions: [TemplateVersion] = []
    var theirs: TemplateContent?
    var errors = ValidationErrors()

    static let view = "templates/edit"
    static let fields = Fields<TemplateEditPage> { f in
        f.text("heading") { $0.id == nil ? "New template" : $0.content.name }
        f.text("kindLabel") { $0.kind.label }
        f.text("kindValue") { $0.kind.rawValue }
        f.flag("isEmail") { $0.kind == .email }
        f.flag("isRich") { $0.kind == .email && $0.content.bodyMode == "rich" }
        f.flag("exists") { $0.id != nil }
        f.link("action") { $0.id.map { "/templates/\($0)" } ?? "/templates" }
        f.link("previewHref") { $0.id.map { "/templates/\($0)/preview" } ?? "/templates" }
        f.link("useHref") { $0.id.map { "/templates/\($0)/use" } ?? "/templates" }
        f.link("deleteHref") { $0.id.map { "/templates/\($0)/delete" } ?? "/templates" }
        f.text("version") { String($0.version) }
        f.record("name", of: FormField.self) { FormField("name", $0.content.name, $0.errors) }
        f.record("description", of: FormField.self) { FormField("description", $0.content.description, $0.errors) }
        f.record("subject", of: FormField.self) { FormField("subject", $0.content.subject, $0.errors) }
        f.record("previewText", of: FormField.self) { FormField("previewText", $0.content.previewText, $0.errors) }
        f.record("body", of: FormField.self) { FormField("body", $0.content.body, $0.errors) }
        f.list("modes", of: SelectOption.self) { page in
            [("rich", "The editor"), ("html", "HTML"), ("markdown", "Markdown")].map {
                SelectOption(value: $0.0, label: $0.1, selected: $0.0 == page.content.bodyMode)
            }
        }
        f.list("versions", of: TemplateVersionRow.self) { page in
            guard let id = page.id else { return [] }
            return page.versions.map { TemplateVersionRow(version: $0, newest: page.version, template: id) }
        }
        f.optionalText("theirBody") { $0.theirs?.body }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
    }

    static var previews: [TemplateEditPage] {
        let example = TemplatesPage.example
        let versions: [TemplateVersion] = [
            TemplateVersion(number: 2, note: "Shorter", author: "Ana Ruiz", createdAt: example.updatedAt),
            TemplateVersion(number: 1, note: "", author: nil, createdAt: example.updatedAt),
        ]
        return [
            TemplateEditPage(kind: .email, content: TemplateContent()),
            TemplateEditPage(kind: .sms, content: TemplateContent(bodyMode: "text")),
            TemplateEditPage(
                id: example.id, kind: .email, content: TemplateContent(name: "News", bodyMode: "html"), version: 2,
                versions: versions, theirs: example.content,
                errors: ValidationErrors("name", "Give the template a name.")),
        ]
    }
}

/// Two versions of a template, line by line.
struct TemplateComparePage: ViewPage {
    let template: LibraryTemplate
    let from: Int
    let to: Int
    let subject: LineDifference
    let body: LineDifference

    struct LineRow: ViewRecord {
        let line: LineDifference.Line

        static let fields = Fields<LineRow> { f in
            f.flag("removed") { $0.line.kind == .removed }
            f.flag("added") { $0.line.kind == .added }
            f.text("text") { $0.line.text }
        }
        static var viewType: String { "TemplateLine" }
    }

    static let view = "templates/compare"
    static let fields = Fields<TemplateComparePage> { f in
        f.text("name") { $0.template.content.name }
        f.link("backHref") { "/templates/\($0.template.id)" }
        f.text("title") { "Version \($0.from) and version \($0.to)" }
        f.list("subject", of: LineRow.self) { page in page.subject.lines.map { LineRow(line: $0) } }
        f.list("body", of: LineRow.self) { page in page.body.lines.map { LineRow(line: $0) } }
    }
    static var previews: [TemplateComparePage] {
        [
            TemplateComparePage(
                template: TemplatesPage.example, from: 1, to: 2, subject: LineDifference("News", "More news"),
                body: LineDifference("one\ntwo", "one\nthree"))
        ]
    }
}

/// Asks before a template goes.
struct TemplateDeletePage: ViewPage {
    let id: String
    let name: String

    static let view = "templates/delete"
    static let fields = Fields<TemplateDeletePage> { f in
        f.text("title") { "Delete “\($0.name)”?" }
        f.link("action") { "/templates/\($0.id)/delete" }
        f.link("backHref") { "/templates/\($0.id)" }
    }
    static var previews: [TemplateDeletePage] { [TemplateDeletePage(id: "1", name: "Monthly news")] }
}
