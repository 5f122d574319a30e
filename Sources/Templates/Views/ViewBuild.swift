/// From sources to checked files: parses all, declares all, then checks each against the others.
struct ViewBuild {
    private var world: ViewWorld
    private let pages: [any ViewPage.Type]
    private var files: [String: ViewFile] = [:]
    private var checked: [String: ViewCheckedFile] = [:]
    private var contexts: [String: [String: ViewMarkup]] = [:]
    private var visiting: Set<String> = []
    private var errors: [TemplateError] = []

    init(pages: [any ViewPage.Type], records: [any ViewRecord.Type], chrome: any ViewRecord.Type) {
        world = ViewWorld(pages: pages, records: records, chrome: chrome)
        self.pages = pages
    }

    mutating func check(
        _ sources: [String: String], _ assets: ViewAssets
    ) throws(ViewErrors) -> [String: ViewCheckedFile] {
        for (path, text) in sources {
            let name: String = path.hasSuffix(".html") ? String(path.dropLast(5)) : path
            let source = TemplateSource(text, name: "Views/\(path)")
            let (file, problems) = ViewParser.parse(source, name: name, assets: assets)
            files[name] = file
            errors += problems
        }
        for file in files.values { errors += world.declare(file) }
        checkPages()
        checkTables()
        ViewCycles.find(files) { errors.append($0) }
        for name in files.keys.sorted() { check(name) }
        if !errors.isEmpty { throw ViewErrors(errors) }
        return checked
    }

    private mutating func check(_ name: String) {
        guard checked[name] == nil, let file = files[name], visiting.insert(name).inserted else { return }
        var offered: [String: ViewMarkup] = [:]
        if let layout = file.layout {
            check(file.resolve(layout.name))
            offered = contexts[file.resolve(layout.name)] ?? [:]
        }
        var checker = ViewChecker(file, world: world)
        let result: ViewCheckedFile = checker.check(contexts: offered)
        errors += checker.errors
        checked[name] = result
        var places: [String: ViewMarkup] = offered.filter { result.blocks[$0.key] == nil }
        places.merge(checker.places) { $1 }
        contexts[name] = places
    }

    /// Every page has its view, and every view that names a page is that page's.
    private mutating func checkPages() {
        for page in pages where files[page.view] == nil && files[page.view + ".txt"] == nil {
            errors.append(
                TemplateError(
                    name: "Views/\(page.view).html", line: 1, column: 1,
                    message: "\(page.viewType) has no view: this file is missing",
                    sourceLine: ""))
        }
        for file in files.values {
            let owner: (any ViewPage.Type)? = pages.first { $0.view == file.name || $0.view + ".txt" == file.name }
            guard let named = file.page else {
                if let owner {
                    errors.append(
                        TemplateError("a page begins with {% page \(owner.viewType) %}", at: 0, in: file.source))
                }
                continue
            }
            if world.pages[named.name] == nil {
                let hint: String = ViewHint.meant(named.name, among: world.pages.keys.sorted())
                errors.append(
                    TemplateError("unknown page type '\(named.name)'\(hint)", at: named.offset, in: file.source))
            } else if owner?.viewType != named.name {
                errors.append(
                    TemplateError(
                        "\(named.name) belongs to another view: this is '\(file.name)'", at: named.offset,
                        in: file.source))
            }
        }
    }

    /// No record type has two fields of one name.
    private mutating func checkTables() {
        for record in world.records.values {
            var seen: Set<String> = []
            for field in record.shape.fields where !seen.insert(field.name).inserted {
                errors.append(
                    TemplateError(
                        name: nil, line: 1, column: 1,
                        message: "\(record.name) declares the field '\(field.name)' twice",
                        sourceLine: ""))
            }
        }
    }
}

/// Finds views that render themselves, directly or through others.
enum ViewCycles {
    static func find(_ files: [String: ViewFile], _ report: (TemplateError) -> Void) {
        var done: Set<String> = []
        for name in files.keys.sorted() { visit(name, [], files, &done, report) }
    }

    private static func visit(
        _ name: String, _ chain: [String], _ files: [String: ViewFile], _ done: inout Set<String>,
        _ report: (TemplateError) -> Void
    ) {
        guard !done.contains(name), let file = files[name] else { return }
        let chain: [String] = chain + [name]
        var calls: [ViewCall] = file.layout.map { [$0] } ?? []
        collect(file.body, into: &calls)
        for call in calls {
            let target: String = file.resolve(call.name)
            if let start = chain.firstIndex(of: target) {
                let circle: String = (chain[start...] + [target]).joined(separator: " → ")
                report(TemplateError("this goes round in a circle: \(circle)", at: call.offset, in: file.source))
            } else {
                visit(target, chain, files, &done, report)
            }
        }
        done.insert(name)
    }

    private static func collect(_ nodes: [ViewNode], into calls: inout [ViewCall]) {
        for node in nodes {
            switch node {
            case .render(let call):
                calls.append(call)
                for inner in call.slots.values { collect(inner, into: &calls) }
            case .branch(let branches, _): for branch in branches { collect(branch.body, into: &calls) }
            case .loop(let loop): collect(loop.body + loop.otherwise, into: &calls)
            case .block(_, let inner, _), .fragment(_, let inner, _), .slot(_, let inner, _):
                collect(inner, into: &calls)
            case .text, .markup, .output, .content, .yield: break
            }
        }
    }
}
