import Accounts
import Core
import FoundationEssentials
import Mail
import Postgres
import Web

/// Reading and changing how a workspace sends, as pages and as JSON.
struct EmailSettingsRoutes: Sendable {
    let services: AppServices
    let messaging: MessagingInterface

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/settings/email", .viewer, show)
        routes.page(.post, "/settings/email", .admin, save)
        routes.page(.post, "/settings/email/test", .admin, test)
        routes.schema("EmailSettings", Self.schema)
        routes.api(.get, "/v1/settings/email", .viewer, Self.readOperation, read)
        routes.api(.put, "/v1/settings/email", .admin, Self.writeOperation, write)
        routes.api(.post, "/v1/settings/email/test", .admin, Self.testOperation, testJSON)
    }

    // MARK: Pages

    private func show(_ request: WebRequest) async throws -> WebResponse {
        .page(try await page(request))
    }

    private func save(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let form = try await request.form()
        let input = EmailSettingsInput(form: form, current: try await current(scope).settings)
        do {
            try input.validate()
        } catch {
            var page = try await page(request)
            page.errors = error
            page.form = form
            return .page(page, status: .unprocessableContent)
        }
        try await store(input, by: scope)
        return .redirect(to: "/settings/email", notice: "The sender settings are saved.")
    }

    private func test(_ request: WebRequest) async throws -> WebResponse {
        let address: String = try await request.form().text("to")
        var page = try await page(request)
        page.testAddress = address
        do {
            page.report = try await sendTest(to: address, scope: try request.scope)
            return .page(page)
        } catch let errors as ValidationErrors {
            page.errors = errors
            return .page(page, status: .unprocessableContent)
        }
    }

    private func page(_ request: WebRequest) async throws -> EmailSettingsPage {
        let member = try request.member
        let (settings, usesSystem): (EmailSettings, Bool) = try await current(try request.scope)
        return EmailSettingsPage(
            settings: settings, canEdit: member.role >= .admin, usesSystemServer: usesSystem, testAddress: member.email)
    }

    // MARK: JSON

    private func read(_ request: WebRequest) async throws -> WebResponse {
        try .json(EmailSettingsOutput(try await current(try request.scope).settings))
    }

    private func write(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let json = try await request.json(EmailSettingsJSON.self)
        let input = EmailSettingsInput(json: json, current: try await current(scope).settings)
        try input.validate(prefix: "smtp/")
        try await store(input, by: scope)
        return try .json(EmailSettingsOutput(try await current(scope).settings))
    }

    private struct TestInput: Decodable {
        let to: String
    }

    private func testJSON(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(TestInput.self)
        let report: TestReport = try await sendTest(to: input.to.trimmed, scope: try request.scope)
        return try .json(TestReportOutput(report))
    }

    // MARK: Both

    private func current(_ scope: WorkspaceScope) async throws -> (settings: EmailSettings, usesSystem: Bool) {
        let stored: StoredEmailSettings? = try await services.database.read(scope.workspace) { tx in
            try await EmailSettingsQueries(workspace: scope.workspace, tx: tx).find()
        }
        if let stored { return (stored.settings, false) }
        guard let system = messaging.senders.systemSender else { return (EmailSettings(), false) }
        return (system.settings, true)
    }

    private func store(_ input: EmailSettingsInput, by scope: WorkspaceScope) async throws {
        try await services.database.write(scope.workspace) { tx in
            let queries = EmailSettingsQueries(workspace: scope.workspace, tx: tx)
            let before: EmailSettings? = try await queries.find()?.settings
            let sealed: [UInt8]? =
                switch input.password {
                case .keep: try await queries.find()?.sealedPassword
                case .remove: nil
                case .set(let password):
                    try services.secrets.seal(password.reveal(), aad: SenderDirectory.seal(of: scope.workspace))
                }
            try await queries.save(input.settings, password: sealed, now: services.clock.now)
            var after: [String: JSONValue] = Self.summary(input.settings)
            if case .keep = input.password {} else { after["password"] = .string("changed") }
            try await services.audit.recordChange(
                "changed the sender settings", href: "/settings/email", from: before.map(Self.summary) ?? [:],
                to: after,
                by: scope, in: tx)
        }
    }

    /// What the audit log says of the settings: all but the password.
    private static func summary(_ settings: EmailSettings) -> [String: JSONValue] {
        let encoded: JSONValue? = try? JSONBody.decode(
            JSONValue.self, from: JSONBody.encode(EmailSettingsOutput(settings)))
        guard case .object(let members)? = encoded else { return ["provider": .string(settings.provider.rawValue)] }
        var summary: [String: JSONValue] = [:]
        for (name, value) in members {
            if case .object(let inner) = value {
                for (part, own) in inner { summary["\(name).\(part)"] = own }
            } else {
                summary[name] = value
            }
        }
        let trusted: [String] = TrustedCertificateRecord.records(settings).map(\.certificate.name)
        if !trusted.isEmpty { summary["smtp.certificates"] = .string(trusted.joined(separator: ", ")) }
        return summary
    }

    private func sendTest(to address: String, scope: WorkspaceScope) async throws -> TestReport {
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let sender = try await services.database.read(scope.workspace) { tx in
            try await messaging.sender(of: workspace, in: tx)
        }
        let content: SendContent = try messaging.settingsTest(from: sender, workspace: workspace)
        return try await messaging.sendTest(content, to: address, contact: nil, workspace: workspace)
    }
}

/// The settings as JSON goes out: never with the password.
struct EmailSettingsOutput: Encodable {
    struct SMTP: Encodable {
        let host: String
        let port: Int
        let encryption: SMTPSettings.Encryption
        let username: String?
        let hasPassword: Bool
        let connections: Int
        let ratePerSecond: Int?
        let certificates: String?
    }

    let provider: EmailProvider
    let smtp: SMTP
    let fromName: String?
    let fromEmail: String?
    let replyTo: String?
    let bounceDomain: String?

    init(_ settings: EmailSettings) {
        provider = settings.provider
        smtp = SMTP(
            host: settings.smtp.host, port: settings.smtp.port, encryption: settings.smtp.encryption,
            username: settings.smtp.username, hasPassword: settings.hasPassword, connections: settings.smtp.connections,
            ratePerSecond: settings.smtp.ratePerSecond, certificates: settings.smtp.certificates)
        fromName = settings.fromName
        fromEmail = settings.fromEmail
        replyTo = settings.replyTo
        bounceDomain = settings.bounceDomain
    }
}

/// A test as JSON.
package struct TestReportOutput: Encodable, Sendable {
    struct Line: Encodable {
        let side: String
        let text: String
    }

    let to: String
    let accepted: Bool
    let message: String
    let dialogue: [Line]
    let outboxMessageId: MessageID?

    package init(_ report: TestReport) {
        to = report.recipient
        accepted = report.isAccepted
        message = report.summary
        dialogue = report.lines.map { Line(side: $0.side, text: $0.text) }
        outboxMessageId = report.outboxMessage
    }

    package static let schema = APISchema.object(
        [
            ("to", .email), ("accepted", .boolean), ("message", .string),
            (
                "dialogue",
                .array(
                    of: .object(
                        [("side", .string(oneOf: ["client", "server", "note"])), ("text", .string)],
                        required: ["side", "text"]))
            ),
            ("outboxMessageId", .nullable(.id)),
        ],
        required: ["to", "accepted", "message", "dialogue"])
}

extension EmailSettingsRoutes {
    private static let server = APISchema.object([
        ("host", .string), ("port", .integer(minimum: 1, maximum: 65_535)),
        ("encryption", .string(oneOf: ["none", "starttls", "tls"])), ("username", .nullable(.string)),
        ("password", .nullable(.string)), ("hasPassword", .boolean), ("connections", .integer(minimum: 1, maximum: 64)),
        ("ratePerSecond", .nullable(.integer(minimum: 1))), ("certificates", .nullable(.string)),
    ])
    private static let schema = APISchema.object(
        [
            ("provider", .string(oneOf: ["outbox", "smtp"])), ("smtp", server), ("fromName", .nullable(.string)),
            ("fromEmail", .nullable(.email)), ("replyTo", .nullable(.email)), ("bounceDomain", .nullable(.string)),
        ])
    private static let readOperation = APIOperation(
        id: "readEmailSettings", tag: "Settings", summary: "How this workspace sends e-mail",
        details: """
            The password is never answered; `hasPassword` says whether one is saved. `certificates` are those of authorities \
            of your own that signed the server’s certificate, in PEM, one after the other.
            """,
        response: .ref("EmailSettings"))
    private static let writeOperation = APIOperation(
        id: "writeEmailSettings", tag: "Settings", summary: "Change how this workspace sends e-mail",
        details: "Members that are absent stay as they are; `null` removes.", body: .ref("EmailSettings"),
        response: .ref("EmailSettings"))
    private static let testOperation = APIOperation(
        id: "testEmailSettings", tag: "Settings", summary: "Send a test and see what the mail server says",
        body: .object([("to", .email)], required: ["to"]), response: TestReportOutput.schema)
}
