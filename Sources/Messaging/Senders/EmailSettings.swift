import Core
import FoundationEssentials
import Mail
import Postgres

/// Where a workspace's e-mail goes.
package enum EmailProvider: String, Sendable, CaseIterable, Codable {
    /// Kept in the portal for reading, sent nowhere.
    case outbox
    case smtp
}

extension SMTPSettings.Encryption {
    /// How the connection is protected, in the words of the settings page.
    package var label: String {
        switch self {
        case .none: "None"
        case .startTLS: "STARTTLS (usual on port 587)"
        case .implicitTLS: "TLS from the start (usual on port 465)"
        }
    }
}

extension EmailProvider: PostgresCodable {}
extension SMTPSettings.Encryption: PostgresCodable {}

/// A mail server and how to use it.
package struct MailServer: Sendable, Equatable {
    package var host: String
    package var port: Int
    package var encryption: SMTPSettings.Encryption
    package var username: String?
    /// Messages in flight at once.
    package var connections: Int
    /// Nil: as fast as the server takes them.
    package var ratePerSecond: Int?
    /// Certificates in PEM of authorities that signed the server's, where the system does not know them.
    package var certificates: String?

    package init(
        host: String = "", port: Int = 587, encryption: SMTPSettings.Encryption = .startTLS, username: String? = nil,
        connections: Int = 4, ratePerSecond: Int? = nil, certificates: String? = nil
    ) {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.username = username
        self.connections = connections
        self.ratePerSecond = ratePerSecond
        self.certificates = certificates
    }
}

/// A workspace's settings for sending e-mail, without the password.
package struct EmailSettings: Sendable, Equatable {
    package var provider: EmailProvider = .outbox
    package var smtp = MailServer()
    package var hasPassword = false
    package var fromName: String?
    package var fromEmail: String?
    package var replyTo: String?
    package var bounceDomain: String?
    /// Grows with every change; 0 when nothing was ever saved.
    package var version = 0

    package init() {}
}

/// The settings as they are stored, with the sealed password.
struct StoredEmailSettings: PostgresRow {
    static let columns: SQL = """
        provider, host, port, encryption, username, password, connections, rate_per_second, from_name, from_email, reply_to,
        bounce_domain, certificates, version
        """
    let settings: EmailSettings
    let sealedPassword: [UInt8]?

    init(row: inout RowReader) throws {
        var settings = EmailSettings()
        settings.provider = try row.next()
        settings.smtp.host = try row.next(String?.self) ?? ""
        settings.smtp.port = try row.next(Int?.self) ?? 587
        settings.smtp.encryption = try row.next()
        settings.smtp.username = try row.next()
        sealedPassword = try row.next()
        settings.smtp.connections = try row.next()
        settings.smtp.ratePerSecond = try row.next()
        settings.fromName = try row.next()
        settings.fromEmail = try row.next()
        settings.replyTo = try row.next()
        settings.bounceDomain = try row.next()
        settings.smtp.certificates = try row.next()
        settings.version = try row.next()
        settings.hasPassword = sealedPassword != nil
        self.settings = settings
    }
}

/// The stored settings of a workspace.
struct EmailSettingsQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction

    func find() async throws -> StoredEmailSettings? {
        try await tx.first(
            StoredEmailSettings.self, "messaging.email_settings",
            "SELECT \(StoredEmailSettings.columns) FROM marketing_email_settings WHERE workspace_id = \(workspace)")
    }

    /// Puts the same password under another seal, unless it has been changed meanwhile. The settings' version stays:
    /// connections that are open remain good.
    func replace(password old: [UInt8], with new: [UInt8]) async throws {
        try await tx.run(
            "messaging.reseal_password",
            "UPDATE marketing_email_settings SET password = \(new) WHERE workspace_id = \(workspace) AND password = \(old)"
        )
    }

    /// - Parameter password: sealed; nil removes it.
    func save(_ settings: EmailSettings, password: [UInt8]?, now: Date) async throws {
        let smtp: MailServer = settings.smtp
        let host: String? = smtp.host.isEmpty ? nil : smtp.host
        try await tx.run(
            "messaging.save_email_settings",
            """
            INSERT INTO marketing_email_settings (workspace_id, \(StoredEmailSettings.columns), updated_at)
            VALUES (\(workspace), \(settings.provider), \(host), \(smtp.port), \(smtp.encryption), \(smtp.username),
                \(password), \(smtp.connections), \(smtp.ratePerSecond), \(settings.fromName), \(settings.fromEmail),
                \(settings.replyTo), \(settings.bounceDomain), \(smtp.certificates), 1, \(now))
            ON CONFLICT (workspace_id) DO UPDATE
            SET provider = excluded.provider, host = excluded.host, port = excluded.port, encryption = excluded.encryption,
                username = excluded.username, password = excluded.password, connections = excluded.connections,
                rate_per_second = excluded.rate_per_second, from_name = excluded.from_name,
                from_email = excluded.from_email, reply_to = excluded.reply_to, bounce_domain = excluded.bounce_domain,
                certificates = excluded.certificates,
                version = marketing_email_settings.version + 1, updated_at = excluded.updated_at
            """)
    }
}
