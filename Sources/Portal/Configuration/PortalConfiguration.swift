import Core
import FoundationEssentials
import Logging
import Messaging

/// Everything the portal is told from outside, read once at start and checked strictly: a mistake stops the start and
/// names the variable.
package struct PortalConfiguration: Sendable {
    /// What is wrong with the environment, all of it at once.
    package struct Flaws: Error, CustomStringConvertible {
        package let messages: [String]
        package var description: String { messages.joined(separator: "\n") }
    }

    /// Nil: the portal keeps a PostgreSQL of its own under the var directory.
    package var databaseURL: Secret<String>?
    package var host: String
    package var portalPort: Int
    package var apiPort: Int
    /// Where a node that only works through the queue answers `/healthz`, `/readyz` and `/metrics`.
    package var workerPort: Int
    package var publicURL: String
    package var portalURL: String
    package var corsOrigins: Set<String>
    package var trustedProxies: Set<String>
    package var systemSMTP: Secret<String>?
    /// What the Outbox of a workspace keeps.
    package var outbox: OutboxLimits
    package var varDirectory: String
    package var jwtSecret: Secret<String>?
    /// Secrets that were in force before `jwtSecret`; what they signed still holds.
    package var earlierJWTSecrets: [Secret<String>]
    package var encryptionKeys: [Secret<[UInt8]>]
    package var serviceAPIKey: Secret<String>?
    package var logLevel: Logger.Level
    /// Where `Views`, `Public` and `migrations` lie.
    package var resources: String
    package var webConnections: Int
    package var workerConnections: Int

    package var isEmbedded: Bool { databaseURL == nil }

    /// Where a node of this role listens.
    func ports(of role: PortalRuntime.NodeRole) -> [Int] {
        if role == .worker { return [workerPort] }
        return portalPort == apiPort && portalPort != 0 ? [portalPort] : [portalPort, apiPort]
    }

    /// The names of all variables that the product knows; `.env.example` lists the same.
    package static let variables: [String] = [
        "DATABASE_URL", "MARKETING_DATABASE_URL", "MARKETING_JWT_SECRET", "MARKETING_JWT_EARLIER_SECRETS",
        "MARKETING_SERVICE_API_KEY",
        "MARKETING_API_PORT",
        "MARKETING_PORTAL_PORT", "MARKETING_WORKER_PORT", "MARKETING_API_PUBLIC_URL", "MARKETING_PORTAL_PUBLIC_URL",
        "MARKETING_CORS_ORIGIN",
        "MARKETING_SMTP_URL", "MAILGUN_API_KEY", "MAILGUN_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY", "MARKETING_VAR_DIR",
        "MARKETING_HOST", "MARKETING_TRUSTED_PROXIES", "MARKETING_ENCRYPTION_KEY", "MARKETING_LOG_LEVEL",
        "MARKETING_RESOURCES_DIR", "MARKETING_OUTBOX_DAYS", "MARKETING_OUTBOX_MESSAGES", "MARKETING_WEB_CONNECTIONS",
        "MARKETING_WORKER_CONNECTIONS",
    ]

    /// - Throws: `Flaws`.
    package init(environment: [String: String], currentDirectory: String) throws(Flaws) {
        var reader = EnvironmentReader(environment)
        databaseURL = (reader.text("MARKETING_DATABASE_URL") ?? reader.text("DATABASE_URL")).map(Secret.init)
        host = reader.text("MARKETING_HOST") ?? "127.0.0.1"
        portalPort = reader.number("MARKETING_PORTAL_PORT", 0...65_535) ?? 5178
        apiPort = reader.number("MARKETING_API_PORT", 0...65_535) ?? 4002
        workerPort = reader.number("MARKETING_WORKER_PORT", 0...65_535) ?? 4003
        portalURL = reader.url("MARKETING_PORTAL_PUBLIC_URL") ?? "http://localhost:\(portalPort)"
        publicURL = reader.url("MARKETING_API_PUBLIC_URL") ?? "http://localhost:\(apiPort)"
        corsOrigins = reader.list("MARKETING_CORS_ORIGIN")
        trustedProxies = reader.list("MARKETING_TRUSTED_PROXIES")
        systemSMTP = reader.text("MARKETING_SMTP_URL").map(Secret.init)
        outbox = OutboxLimits(
            days: reader.number("MARKETING_OUTBOX_DAYS", 1...3_650) ?? 30,
            messages: reader.number("MARKETING_OUTBOX_MESSAGES", 1...1_000_000) ?? 20_000)
        let directory = reader.text("MARKETING_VAR_DIR") ?? "var"
        varDirectory = directory.hasPrefix("/") ? directory : "\(currentDirectory)/\(directory)"
        jwtSecret = reader.secret("MARKETING_JWT_SECRET", minimumLength: 32)
        earlierJWTSecrets = reader.secrets("MARKETING_JWT_EARLIER_SECRETS", minimumLength: 32)
        encryptionKeys = reader.keys("MARKETING_ENCRYPTION_KEY")
        serviceAPIKey = reader.secret("MARKETING_SERVICE_API_KEY", minimumLength: 16)
        logLevel = reader.choice("MARKETING_LOG_LEVEL", Logger.Level.init(rawValue:)) ?? .info
        resources = reader.text("MARKETING_RESOURCES_DIR") ?? ResourceDirectory.find(from: currentDirectory)
        webConnections = reader.number("MARKETING_WEB_CONNECTIONS", 1...200) ?? 8
        workerConnections = reader.number("MARKETING_WORKER_CONNECTIONS", 2...200) ?? 8
        if let smtp = systemSMTP?.reveal(), !smtp.hasPrefix("smtp://"), !smtp.hasPrefix("smtps://") {
            reader.flaw("MARKETING_SMTP_URL must look like smtp://user:password@host:port.")
        }
        if let url = databaseURL?.reveal(), !url.hasPrefix("postgres://"), !url.hasPrefix("postgresql://") {
            reader.flaw("The database URL must look like postgresql://user:password@host:5432/name.")
        }
        guard reader.flaws.isEmpty else { throw Flaws(messages: reader.flaws) }
    }

    /// The process's environment with `.env` of the current directory beneath it.
    package static func load(_ process: [String: String], currentDirectory: String) throws(Flaws) -> PortalConfiguration
    {
        var environment: [String: String] = [:]
        if let data = FileManager.default.contents(atPath: "\(currentDirectory)/.env") {
            environment = DotEnv.parse(String(decoding: data, as: UTF8.self))
        }
        environment.merge(process) { _, own in own }
        return try PortalConfiguration(environment: environment, currentDirectory: currentDirectory)
    }
}

/// Finds the files that belong to the program: beside where it was started, or above the executable.
enum ResourceDirectory {
    static func find(from current: String) -> String {
        var candidates = [current]
        if let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            var directory = executable
            for _ in 0..<5 {
                guard let slash = directory.lastIndex(of: "/"), slash != directory.startIndex else { break }
                directory = String(directory[..<slash])
                candidates.append(directory)
            }
        }
        return candidates.first { FileManager.default.fileExists(atPath: "\($0)/migrations/0001_foundation.sql") }
            ?? current
    }
}
