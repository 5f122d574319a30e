import Accounts
import Core
import FoundationEssentials
import Mail
import Postgres
import Synchronization

/// What a workspace sends with: its own settings, or the system-wide mail server, or the Outbox.
struct Sender: Sendable {
    let settings: EmailSettings
    let password: Secret<String>?

    var provider: EmailProvider { settings.provider }
    var rate: Double? { provider == .smtp ? settings.smtp.ratePerSecond.map(Double.init) : nil }
}

/// Finds a workspace's sender and keeps its connections.
package struct SenderDirectory: Sendable {
    let services: AppServices
    private let carriers: SenderCarriers

    package init(services: AppServices) {
        self.services = services
        carriers = SenderCarriers()
    }

    /// - Throws: `SecretBox.Flaw` when the saved password cannot be opened with this installation's key.
    func sender(of workspace: WorkspaceID, in tx: PostgresTransaction) async throws -> Sender {
        guard let stored = try await EmailSettingsQueries(workspace: workspace, tx: tx).find() else {
            return systemSender ?? Sender(settings: EmailSettings(), password: nil)
        }
        let password: Secret<String>? = try stored.sealedPassword.map {
            try services.secrets.openText($0, aad: Self.seal(of: workspace))
        }
        return Sender(settings: stored.settings, password: password)
    }

    /// The seal of a password holds only in its own workspace's row.
    static func seal(of workspace: WorkspaceID) -> String {
        "workspace:\(workspace)|table:marketing_email_settings|column:password"
    }

    /// The mail server that the whole installation uses by default (`MARKETING_SMTP_URL`).
    var systemSender: Sender? {
        services.systemSMTP.flatMap { SystemSMTPAddress.sender($0) }
    }

    /// The connections of a workspace's sender, shared by all its sends.
    func carrier(for sender: Sender, workspace: WorkspaceID) throws -> any MessageCarrier {
        try carriers.carrier(for: sender, workspace: workspace, services: services)
    }

    package func closeAll() {
        carriers.closeAll()
    }
}

/// The carriers in use, one per workspace and version of its settings.
private final class SenderCarriers: Sendable {
    private struct Key: Hashable {
        let workspace: WorkspaceID
        let version: Int
        let provider: EmailProvider
    }

    private let carriers = Mutex<[Key: any MessageCarrier]>([:])

    func carrier(for sender: Sender, workspace: WorkspaceID, services: AppServices) throws -> any MessageCarrier {
        let key = Key(workspace: workspace, version: sender.settings.version, provider: sender.provider)
        return try carriers.withLock { carriers in
            if let known = carriers[key] { return known }
            let made: any MessageCarrier =
                switch sender.provider {
                case .outbox: OutboxCarrier(clock: services.clock)
                case .smtp: try SMTPCarrier(sender, helloName: HelloName.of(services.urls))
                }
            // Older versions of the same workspace's settings are not needed any more.
            carriers = carriers.filter { $0.key.workspace != workspace }
            carriers[key] = made
            return made
        }
    }

    func closeAll() {
        carriers.withLock { $0 = [:] }
    }
}

/// Reads `smtp://user:password@host:port` or `smtps://…`. Beside `?encryption=` it may say `?connections=`, `?rate=` (messages
/// a second) and `?from=` (the address that e-mails come from unless a workspace says otherwise).
package enum SystemSMTPAddress {
    static func sender(_ address: Secret<String>) -> Sender? {
        guard let server = try? SMTPSettings(url: address.reveal()) else { return nil }
        let items: [URLQueryItem] = URLComponents(string: address.reveal())?.queryItems ?? []
        let query: [String: String] = Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        var settings = EmailSettings()
        settings.provider = .smtp
        settings.smtp = MailServer(
            host: server.host, port: server.port, encryption: server.encryption, username: server.username,
            connections: min(64, max(1, query["connections"].flatMap { Int($0) } ?? 4)),
            ratePerSecond: query["rate"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil })
        settings.fromEmail = query["from"]
        return Sender(settings: settings, password: server.password)
    }
}

/// The name that we give ourselves to mail servers: the host of our public address.
enum HelloName {
    static func of(_ urls: PortalURLs) -> String {
        guard let host = URLComponents(string: urls.publicBase)?.host, !host.isEmpty else { return "localhost" }
        return host
    }
}
