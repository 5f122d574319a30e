import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// Looking at suppressions, adding them by hand, lifting them, files in and out.
struct SuppressionRoutes: Sendable {
    let services: AppServices

    private var actions: SuppressionActions { SuppressionActions(services: services) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/suppressions", .viewer, index)
        routes.page(.post, "/suppressions", .editor, create)
        routes.page(.get, "/suppressions/export", .admin, export)
        routes.page(.get, "/suppressions/import", .editor, upload)
        routes.page(.post, "/suppressions/import", .editor, body: .upload, receive)
        routes.page(.get, "/suppressions/imports/{id}", .viewer, result)
        routes.page(.get, "/suppressions/imports/{id}/failures", .viewer, failures)
        routes.page(.get, "/suppressions/{id}/lift", .admin, askToLift)
        routes.page(.post, "/suppressions/{id}/lift", .admin, lift)
        SuppressionAPI(services: services).add(to: &routes)
    }

    // MARK: The list

    static func filter(_ query: FormValues) throws(ValidationErrors) -> SuppressionFilter {
        func choice<Choice: RawRepresentable>(_ name: String, _: Choice.Type) throws(ValidationErrors) -> Choice?
        where Choice.RawValue == String {
            guard let text = query.optional(name) else { return nil }
            guard let value = Choice(rawValue: text) else {
                throw ValidationErrors(name, "There is no \(name) called “\(text.prefix(60))”.")
            }
            return value
        }
        return SuppressionFilter(
            reason: try choice("reason", SuppressionReason.self), kind: try choice("kind", SuppressionKind.self),
            search: query.optional("q").map { $0.filter { $0 != "\0" } }, isLifted: query.optional("state") == "lifted")
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        .page(try await page(request))
    }

    private func page(
        _ request: WebRequest, form: FormValues = FormValues(), errors: ValidationErrors = ValidationErrors()
    ) async throws -> SuppressionsPage {
        let filter: SuppressionFilter = try Self.filter(request.query)
        let (found, next) = try await Self.find(request, filter, services)
        let nextHref: String? = next.map {
            "/suppressions" + PercentEncoding.query(SuppressionsPage.pairs(filter) + [("cursor", $0)])
        }
        return SuppressionsPage(
            rows: found.map(SuppressionRecord.init), filter: filter,
            pager: Pager(summary: found.isEmpty ? "Nothing" : "\(found.count) shown", nextHref: nextHref), form: form,
            errors: errors)
    }

    static func find(
        _ request: WebRequest, _ filter: SuppressionFilter, _ services: AppServices
    ) async throws -> ([Suppression], String?) {
        let asked: PageRequest = try request.pageRequest()
        let after: (Date, SuppressionID)? = asked.after.flatMap { keys in
            guard keys.count == 2, let micros = Int64(keys[0]), let id = SuppressionID(keys[1]) else { return nil }
            return (Date(timeIntervalSince1970: Double(micros) / 1_000_000), id)
        }
        let scope = try request.scope
        var found: [Suppression] = try await services.database.read(scope.workspace) { tx in
            let queries = SuppressionQueries(workspace: scope.workspace, tx: tx)
            let rows: [Suppression] = try await queries.page(filter, after: after, limit: asked.limit + 1)
            guard rows.isEmpty, after == nil, let typed = filter.search, let address = try? EmailAddress(parsing: typed)
            else { return rows }
            // Whoever knows the whole address of an erased person finds its hash.
            let erased = try await ErasedAddresses.load(scope.workspace, services: services, in: tx)
            guard let erased else { return rows }
            return try await queries.active(erased.suppressionKey(address.key)).map { [$0] } ?? rows
        }
        guard found.count > asked.limit else { return (found, nil) }
        found.removeLast()
        guard let last = found.last else { return (found, nil) }
        let micros = Int64((last.createdAt.timeIntervalSince1970 * 1_000_000).rounded())
        return (found, request.cursor(after: [String(micros), last.id.description]))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let input = SuppressionInput(
            target: form.text("target"), note: form.optional("note"), expires: form.optional("expiresAt"),
            source: "member")
        do {
            let new: NewSuppression = try input.read(now: services.clock.now)
            _ = try await actions.add(new, try request.scope)
            let shown: String = SuppressionTarget.shown(new.target.key, new.target.kind)
            return .redirect(to: "/suppressions", notice: "\(shown) will get no more campaigns.")
        } catch let errors as ValidationErrors {
            return .page(try await page(request, form: form, errors: errors), status: .unprocessableContent)
        }
    }

    // MARK: Lifting

    private func suppression(_ request: WebRequest) async throws -> Suppression {
        let id: SuppressionID = try request.id()
        let scope = try request.scope
        let found = try await services.database.read(scope.workspace) { tx in
            try await SuppressionQueries(workspace: scope.workspace, tx: tx).find(id)
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    private func askToLift(_ request: WebRequest) async throws -> WebResponse {
        let found = try await suppression(request)
        return .page(
            SuppressionLiftPage(id: found.id.description, shown: found.shown, reason: found.reason.label))
    }

    private func lift(_ request: WebRequest) async throws -> WebResponse {
        let words: String = try await request.form().text("words").trimmed
        let found = try await suppression(request)
        guard !words.isEmpty, words.count <= 500, !words.utf8.contains(0) else {
            let error = ValidationErrors("words", "Say why, in up to 500 characters.")
            let page = SuppressionLiftPage(
                id: found.id.description, shown: found.shown, reason: found.reason.label,
                words: FormField("words", words, error))
            return .page(page, status: .unprocessableContent)
        }
        guard let lifted = try await actions.lift(found.id, reason: words, try request.scope) else {
            throw WebError.notFound
        }
        return .redirect(to: "/suppressions", notice: "\(lifted.shown) can be sent to again.")
    }

    // MARK: Files

    private func files(_ request: WebRequest) throws -> SuppressionFiles {
        SuppressionFiles(services: services, scope: try request.scope)
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let files = try files(request)
        let filter: SuppressionFilter = try Self.filter(request.query)
        try await services.database.write(files.scope.workspace) { tx in
            try await services.audit.record(
                "exported the do-not-send list", href: "/suppressions", by: files.scope, in: tx)
        }
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "suppressions.csv") { writer in
            try await files.write(filter, to: writer)
        }
    }

    private func upload(_: WebRequest) async throws -> WebResponse {
        .page(SuppressionImportPage())
    }

    private func receive(_ request: WebRequest) async throws -> WebResponse {
        do {
            let reader = try await request.multipart()
            while let part = try await reader.nextPart() {
                guard part.name == "file", let fileName = part.fileName, !fileName.isEmpty else { continue }
                let name: String = services.ids.next(SuppressionImportID.self).description
                let file = try await CSVFile(
                    directory: services.spoolDirectory, name: name, limit: SuppressionFiles.limit
                ) { try await reader.nextChunk() }
                let id = try await files(request).read(file, fileName: String(fileName.prefix(200)))
                return .redirect(to: "/suppressions/imports/\(id)")
            }
            throw CSVFile.Refusal(message: "Choose a file.")
        } catch let refusal as CSVFile.Refusal {
            let page = SuppressionImportPage(errors: ValidationErrors("file", refusal.message))
            return .page(page, status: .unprocessableContent)
        }
    }

    private func result(_ request: WebRequest) async throws -> WebResponse {
        guard let found = try await files(request).find(try request.id()) else { throw WebError.notFound }
        return .page(SuppressionImportResultPage(result: found))
    }

    private func failures(_ request: WebRequest) async throws -> WebResponse {
        let files = try files(request)
        let id: SuppressionImportID = try request.id()
        guard try await files.find(id) != nil else { throw WebError.notFound }
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "failed-suppressions.csv") { writer in
            try await files.writeFailures(of: id, to: writer)
        }
    }
}
