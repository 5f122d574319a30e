import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The pages about people's rights and about how long things are kept.
struct PrivacyRoutes: Sendable {
    let services: AppServices
    let tables: [PersonalTable]
    let rules: [RetentionRule]

    private var exports: PersonExports { PersonExports(services: services, tables: tables) }
    private var erasure: Erasure { Erasure(services: services, tables: tables) }
    private var retention: RetentionActions { RetentionActions(services: services, rules: rules) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/contacts/{id}/privacy", .admin, show)
        routes.page(.post, "/contacts/{id}/export", .admin, export)
        routes.page(.get, "/privacy/exports/{id}/download", .admin, download)
        routes.page(.get, "/contacts/{id}/erase", .admin, preview)
        routes.page(.post, "/contacts/{id}/erase", .admin, erase)
        routes.page(.get, "/privacy/erasures/{id}", .admin, certificate)
        routes.page(.get, "/settings/privacy", .admin, settings)
        routes.page(.post, "/settings/privacy", .admin, saveSettings)
        routes.page(.get, "/settings/privacy/purge", .admin, purgePreview)
        routes.open(
            .get, "/v1/public/personal-data",
            operation: APIOperation(
                id: "fetchPersonalData", tag: "Privacy", summary: "The file behind a link to personal data",
                query: [.init("token", .string, "The token of the link.", required: true)], response: .string,
                responseType: "application/zip", problems: [404]), fetch)
        PrivacyAPI(services: services, exports: exports, erasure: erasure).add(to: &routes)
    }

    // MARK: One person's data

    private func contact(_ request: WebRequest) async throws -> Contact {
        let scope = try request.scope
        let id: ContactID = try request.id()
        let found = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).findAny(id, in: transaction)
        }
        guard let found else { throw WebError.notFound }
        return found
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let contact = try await contact(request)
        let made = try await exports.list(of: contact.id, scope)
        return .page(
            PersonPrivacyPage(
                id: contact.id, name: contact.displayName,
                exports: made.map { PersonExportRow($0, link: exports.link($0.id, scope), now: services.clock.now) }))
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        guard try await exports.request(id, try request.scope) != nil else { throw WebError.notFound }
        return .redirect(
            to: "\(ContactPaths.contact(id))/privacy",
            notice: "The file is being made. Reload this page in a moment.")
    }

    private func download(_ request: WebRequest) async throws -> WebResponse {
        let bytes = try await exports.fetch(try request.id(), by: "a member", try request.scope)
        guard let bytes else { throw WebError.notFound }
        return Self.file(bytes)
    }

    private func fetch(_ request: WebRequest) async throws -> WebResponse {
        guard let (scope, id) = exports.open(request.query.text("token")),
            let bytes = try await exports.fetch(id, by: "the link", scope)
        else { throw WebError.notFound }
        return Self.file(bytes)
    }

    private static func file(_ bytes: [UInt8]) -> WebResponse {
        .bytes(
            bytes, contentType: "application/zip",
            headers: [.contentDisposition: "attachment; filename=\"personal-data.zip\""]
        ).header(.cacheControl, "no-store").header(.referrerPolicy, "no-referrer").header(.robots, "noindex")
    }

    // MARK: Erasing

    private func preview(_ request: WebRequest) async throws -> WebResponse {
        guard let preview = try await erasure.preview(try request.id(), try request.scope) else {
            throw WebError.notFound
        }
        return .page(ErasurePreviewPage(preview: preview))
    }

    private func erase(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let scope = try request.scope
        let form = try await request.form()
        let reason: String = form.text("reason").trimmed
        var errors = ValidationErrors()
        if reason.isEmpty || reason.count > 500 || reason.utf8.contains(0) {
            errors.add("reason", "Say why, in up to 500 characters, without naming the person.")
        }
        if !form.flag("sure") { errors.add("sure", "Tick this to go on.") }
        guard errors.isEmpty else {
            guard let preview = try await erasure.preview(id, scope) else { throw WebError.notFound }
            return .page(
                ErasurePreviewPage(preview: preview, reason: reason, errors: errors), status: .unprocessableContent)
        }
        guard let made = try await erasure.request(id, reason: reason, scope) else { throw WebError.notFound }
        return .redirect(to: "/privacy/erasures/\(made)")
    }

    private func certificate(_ request: WebRequest) async throws -> WebResponse {
        guard let record = try await erasure.find(try request.id(), try request.scope) else { throw WebError.notFound }
        return .page(ErasurePage(record: record, tables: tables))
    }

    // MARK: Keeping times

    private func settings(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let current = try await RetentionSettings.load(scope.workspace, in: services.database)
        return .page(
            PrivacySettingsPage(rules: rules, settings: current, erasures: try await erasure.latest(scope)))
    }

    private func saveSettings(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let form = try await request.form()
        var wanted = RetentionSettings(
            reason: form.text("reason").trimmed, holdReason: form.flag("hold") ? form.text("holdReason").trimmed : nil,
            version: Int(form.text("version")) ?? 0)
        for key in rules.map(\.key) + [RetentionSettings.exportRule] {
            guard let typed = form.optional("days-\(key)") else { continue }
            wanted.days[key] = Int(typed.trimmed) ?? -1
        }
        for rule in rules where wanted.days[rule.key] == rule.standard { wanted.days[rule.key] = nil }
        func answer(_ errors: ValidationErrors, _ status: HTTPResponse.Status) async throws -> WebResponse {
            let erasures = try await erasure.latest(scope)
            return .page(
                PrivacySettingsPage(rules: rules, settings: wanted, erasures: erasures, form: form, errors: errors),
                status: status)
        }
        do {
            guard try await retention.save(wanted, scope) else {
                let theirs = try await RetentionSettings.load(scope.workspace, in: services.database)
                wanted.version = theirs.version
                return try await answer(
                    ValidationErrors("version", "Somebody else changed this meanwhile. Save again to overwrite it."),
                    .conflict)
            }
        } catch let errors as ValidationErrors {
            return try await answer(errors, .unprocessableContent)
        }
        return .redirect(to: "/settings/privacy", notice: "The settings are saved.")
    }

    private func purgePreview(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let (current, lines) = try await retention.preview(scope)
        return .page(
            PurgePreviewPage(
                lines: lines.map(PurgeLine.init), isHeld: current.holdReason != nil,
                runs: try await retention.runs(scope).map { PurgeRunRow(at: $0.0, counts: $0.1, rules: rules) }))
    }
}
