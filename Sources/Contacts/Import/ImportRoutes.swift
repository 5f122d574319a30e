import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages of imports: upload, preview, progress, outcome, undo.
struct ImportRoutes: Sendable {
    let services: AppServices
    let uploadLimit: Int

    private var actions: ImportActions { ImportActions(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts/import", .editor, upload)
        routes.page(.post, "/contacts/import", .editor, body: .upload, receive)
        routes.page(.get, "/contacts/imports", .viewer, index)
        routes.page(.get, "/contacts/imports/{id}", .viewer, show)
        routes.page(.get, "/contacts/imports/{id}/live", .viewer, live)
        routes.page(.post, "/contacts/imports/{id}/start", .editor, start)
        routes.page(.post, "/contacts/imports/{id}/cancel", .editor, cancel)
        routes.page(.get, "/contacts/imports/{id}/failures", .viewer, failures)
        routes.page(.get, "/contacts/imports/{id}/undo", .editor, confirmUndo)
        routes.page(.post, "/contacts/imports/{id}/undo", .editor, undo)
    }

    // MARK: Upload

    private func upload(_ request: WebRequest) async throws -> WebResponse {
        .page(ImportUploadPage(limitMegabytes: uploadLimit >> 20))
    }

    private func receive(_ request: WebRequest) async throws -> WebResponse {
        func refuse(_ message: String) -> WebResponse {
            let page = ImportUploadPage(limitMegabytes: uploadLimit >> 20, errors: ValidationErrors("file", message))
            return .page(page, status: .unprocessableContent)
        }
        do {
            let reader = try await request.multipart()
            while let part = try await reader.nextPart() {
                guard part.name == "file", let fileName = part.fileName, !fileName.isEmpty else { continue }
                let id = try await take(reader, fileName, try request.scope)
                return .redirect(to: ContactPaths.importPage(id))
            }
            return refuse("Choose a file.")
        } catch let refusal as UploadIntake.Refusal {
            return refuse(refusal.message)
        }
    }

    private func take(
        _ reader: MultipartReader, _ fileName: String, _ scope: WorkspaceScope
    ) async throws -> ContactImportID {
        let id: ContactImportID = services.ids.next()
        let intake = try UploadIntake(directory: services.spoolDirectory, name: id.description, limit: uploadLimit)
        while let chunk = try await reader.nextChunk() { try intake.take(chunk) }
        return try await actions.register(try intake.finish(), fileName: fileName, scope)
    }

    // MARK: One import

    private func file(_ request: WebRequest) async throws -> ContactImport {
        let scope = try request.scope
        let id: ContactImportID = try request.id()
        let file = try await services.database.read(scope.workspace) { transaction in
            try await ImportQueries(scope: scope).find(id, in: transaction)
        }
        guard let file else { throw WebError.notFound }
        return file
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let paging = try request.pageRequest()
        let page = try await services.database.read(scope.workspace) { transaction in
            try await ImportQueries(scope: scope).page(after: paging.after, limit: paging.limit, in: transaction)
        }
        let next: String? = page.next.map {
            "/contacts/imports" + PercentEncoding.query([("cursor", request.cursor(after: $0))])
        }
        let pager = Pager(
            summary: "Newest first", previousHref: paging.after == nil ? nil : "/contacts/imports", nextHref: next)
        return .page(ImportsIndexPage(imports: page.rows, pager: pager))
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        if file.status == .uploaded {
            guard try request.member.role >= .editor else { throw WebError.forbidden }
            return .page(try await preview(file, FormValues(), ValidationErrors(), request))
        }
        let scope = try request.scope
        let failures: [ImportFailure] =
            file.failed == 0
            ? []
            : try await services.database.read(scope.workspace) { transaction in
                try await ImportQueries(scope: scope).failures(file.id, limit: 50, in: transaction)
            }
        return .page(ImportShowPage(file: file, now: services.clock.now, failures: failures))
    }

    private func live(_ request: WebRequest) async throws -> WebResponse {
        _ = try await file(request)
        return .live(fragment: "progress") {
            let file = try await file(request)
            guard file.status.isActive else { return nil }
            return LivePart(ImportShowPage(file: file, now: services.clock.now), isLast: false)
        }
    }

    private func preview(
        _ file: ContactImport, _ form: FormValues, _ errors: ValidationErrors, _ request: WebRequest
    ) async throws -> ImportPreviewPage {
        let scope = try request.scope
        let (lists, properties) = try await services.database.read(scope.workspace) { transaction in
            (
                try await ListQueries(scope: scope).handmade(in: transaction),
                try await PropertyQueries(scope: scope).all(.contact, in: transaction)
            )
        }
        return ImportPreviewPage(
            file: file, rows: Self.firstRows(file), lists: lists, properties: properties, form: form, errors: errors)
    }

    /// How much of a file is looked at for its first rows: a line without an end must not be read to it for a page.
    private static let firstBytes = 1 << 20

    /// The first rows of the spooled file; none when it is gone, which starting will say.
    private static func firstRows(_ file: ContactImport) -> [[String]] {
        guard let path = file.spoolPath, let source = try? SpoolFile.openForReading(path) else { return [] }
        var start: [UInt8] = []
        while start.count < firstBytes, (try? source.read(into: &start)) == true {}
        var reader = CSVReader(source: MemorySource(start), delimiter: file.delimiterByte)
        var rows: [[String]] = []
        while rows.count < 21, (try? reader.next()) == true { rows.append(reader.record.texts) }
        return rows
    }

    private func start(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        let form = try await request.form()
        let scope = try request.scope
        guard file.status == .uploaded else { return .redirect(to: ContactPaths.importPage(file.id)) }
        do {
            let options = try ImportForm.options(form, file, headings: Self.firstRows(file).first ?? [])
            let types: [String: NewProperty] = try ImportForm.types(form, options)
            // Last, because it may make one: a mistake elsewhere must not leave a list behind.
            let list = try await self.list(form, scope)
            guard
                try await actions.start(
                    file.id, options, list: list, fileName: file.fileName, types: types, scope)
            else {
                return .redirect(to: ContactPaths.importPage(file.id))
            }
            return .redirect(to: ContactPaths.importPage(file.id))
        } catch let errors as ValidationErrors {
            return .page(try await preview(file, form, errors, request), status: .unprocessableContent)
        }
    }

    /// The list that was chosen, or a new one of the name that was typed.
    private func list(_ form: FormValues, _ scope: WorkspaceScope) async throws -> ContactListID? {
        if let name = form.optional("newList") {
            do {
                let values = try ContactListForm(name: name, description: "")
                return try await ListActions(services: services).create(values, scope).id
            } catch let errors as ValidationErrors {
                throw ValidationErrors("newList", errors.entries.first?.message ?? "The list cannot be made.")
            }
        }
        guard let text = form.optional("list") else { return nil }
        guard let id = ContactListID(text) else { throw ValidationErrors("list", "There is no such list.") }
        let list = try await services.database.read(scope.workspace) { transaction in
            try await ListQueries(scope: scope).find(id, in: transaction)
        }
        guard let list else { throw ValidationErrors("list", "There is no such list.") }
        guard list.kind == .static else {
            throw ValidationErrors("list", "This is a segment: its rule decides who is in it.")
        }
        return id
    }

    private func cancel(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        try await actions.cancel(file.id, try request.scope)
        return .redirect(to: ContactPaths.importPage(file.id), notice: "The import is being cancelled.")
    }

    private func confirmUndo(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        return .page(
            ContactConfirmPage(
                title: "Undo the import of \(file.fileName)?",
                message:
                    "\(CountWords.people(file.created)) that it added will be deleted, \(NumberWords.grouped(file.updated)) "
                    + "that it changed get their earlier values back. Whoever was changed or written to since stays as they are.",
                action: "\(ContactPaths.importPage(file.id))/undo", label: "Undo import", backLabel: file.fileName,
                backHref: ContactPaths.importPage(file.id)))
    }

    private func undo(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        let begun = try await actions.undo(file.id, fileName: file.fileName, try request.scope)
        let path: String = ContactPaths.importPage(file.id)
        return begun ? .redirect(to: path) : .redirect(to: path, alert: "This import cannot be undone now.")
    }

    private func failures(_ request: WebRequest) async throws -> WebResponse {
        let file = try await file(request)
        let export = ImportFailureExport(services: services, scope: try request.scope, file: file)
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "failed-\(file.fileName)") { writer in
            try await export.write(to: writer)
        }
    }
}

/// The failed rows as CSV: row number, reason, then the row as it stood in the file, to be mended and imported again.
struct ImportFailureExport: Sendable {
    let services: AppServices
    let scope: WorkspaceScope
    let file: ContactImport

    func write(to writer: BodyWriter) async throws {
        var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
        CSVWriter.append(["row", "reason"] + file.options.headings, to: &bytes)
        var last: Int = 0
        while true {
            let failures: [ImportFailure] = try await services.database.read(scope.workspace) { transaction in
                try await ImportQueries(scope: scope).failures(file.id, after: last, limit: 2_000, in: transaction)
            }
            for failure in failures {
                bytes.append(contentsOf: "\(failure.row),".utf8)
                var reason: String = CSVWriter.line([failure.reason])
                reason.removeLast()
                bytes.append(contentsOf: reason.utf8)
                bytes.append(UInt8(ascii: ","))
                bytes.append(contentsOf: failure.line.utf8)
            }
            try await writer.write(bytes)
            bytes.removeAll(keepingCapacity: true)
            guard failures.count == 2_000, let end = failures.last else { return }
            last = end.row
        }
    }
}

/// The form of the preview page.
enum ImportForm {
    static func options(
        _ form: FormValues, _ file: ContactImport, headings: [String]
    ) throws(ValidationErrors) -> ImportOptions {
        var errors = ValidationErrors()
        var columns: [ColumnTarget] = []
        for index in file.options.columns.indices { columns.append(target(form, index, &errors)) }
        check(columns, &errors)
        if form.optional("consentBasis").flatMap(ConsentBasis.init) == nil {
            errors.add("consentBasis", "Say why you may write to these people.")
        }
        let tags: [String] = ContactInput.tags(in: form.text("tags"))
        if tags.contains(where: { $0.count > 60 }) { errors.add("tags", "A tag has at most 60 characters.") }
        try errors.throwIfAny()
        return ImportOptions(
            columns: columns, hasHeader: form.flag("hasHeader"), tags: tags,
            onExisting: form.optional("onExisting").flatMap(ExistingPeople.init) ?? .update,
            consentBasis: form.optional("consentBasis"), region: form.optional("region"),
            headings: form.flag("hasHeader") ? headings : [])
    }

    /// What the new properties of the columns are to hold.
    static func types(_ form: FormValues, _ options: ImportOptions) throws(ValidationErrors) -> [String: NewProperty] {
        var types: [String: NewProperty] = [:]
        var errors = ValidationErrors()
        for (column, name) in options.properties where form.text("column\(column)") == "newProperty" {
            guard let type = PropertyType(rawValue: form.optional("type\(column)") ?? "text") else {
                errors.add("type\(column)", "Choose what the new property of column \(column + 1) holds.")
                continue
            }
            if type == .singleSelect || type == .multiSelect {
                errors.add("type\(column)", "Make choices in Settings first, with their options.")
            }
            types[name] = NewProperty(type: type)
        }
        try errors.throwIfAny()
        return types
    }

    private static func target(_ form: FormValues, _ index: Int, _ errors: inout ValidationErrors) -> ColumnTarget {
        let text: String = form.text("column\(index)")
        if text == "newProperty" {
            guard let name = PropertyName(form.text("property\(index)")) else {
                errors.add("column\(index)", "Name the new property of column \(index + 1).")
                return .ignore
            }
            return .property(name.text)
        }
        guard let target = ColumnTarget(text) else {
            errors.add("column\(index)", "Choose what column \(index + 1) becomes.")
            return .ignore
        }
        return target
    }

    /// Two columns must not become the same thing, and one must say who the person is.
    static func check(_ columns: [ColumnTarget], _ errors: inout ValidationErrors) {
        var seen: Set<ColumnTarget> = []
        for (index, column) in columns.enumerated() where column != .ignore && !seen.insert(column).inserted {
            errors.add("column\(index)", "Two columns become the same: column \(index + 1) and one before it.")
        }
        if !seen.contains(.email), !seen.contains(.phone) {
            errors.add("column0", ImportFault.noIdentity.description)
        }
    }
}
