import Core
import Cryptography
import FoundationEssentials
import Jobs
import Logging
import Postgres

/// What every slice is given: the database, the queue, the clock and the keys.
package struct AppServices: Sendable {
    /// For pages and API: small time limits.
    package let database: Database
    /// For jobs: a pool of its own, so that busy workers cannot starve pages.
    package let workerDatabase: Database
    package let jobs: JobQueue
    package let clock: WallClock
    package let ids: IdentifierSource
    package let randomness: Randomness
    /// Seals what must be readable again, such as SMTP passwords.
    package let secrets: SecretBox
    package let keys: SigningKeys
    package let urls: PortalURLs
    package let directory: WorkspaceDirectory
    package private(set) var audit: AuditLog
    package let passwords: PasswordHasher
    /// Where uploads and journals are kept (`MARKETING_VAR_DIR`).
    package let varDirectory: String
    /// The system-wide default sender (`MARKETING_SMTP_URL`), if one is set.
    package let systemSMTP: Secret<String>?
    package let logger: Logger

    package init(
        database: Database, workerDatabase: Database? = nil, jobs: JobQueue, clock: WallClock = .system,
        randomness: Randomness = .system,
        secrets: SecretBox, keys: SigningKeys, urls: PortalURLs, passwords: PasswordHasher, varDirectory: String,
        systemSMTP: Secret<String>? = nil, logger: Logger
    ) {
        let ids = IdentifierSource(clock: clock, randomness: randomness)
        self.database = database
        self.workerDatabase = workerDatabase ?? database
        self.jobs = jobs
        self.clock = clock
        self.ids = ids
        self.randomness = randomness
        self.secrets = secrets
        self.keys = keys
        self.urls = urls
        self.passwords = passwords
        self.varDirectory = varDirectory
        self.systemSMTP = systemSMTP
        self.logger = logger
        directory = WorkspaceDirectory(database: database, clock: clock)
        audit = AuditLog(clock: clock, ids: ids)
    }

    /// The same services at another moment: what they write bears its time. For examples that look lived in. The audit log
    /// alone keeps the real clock: it says when something was done.
    package func at(_ date: Date) -> AppServices {
        var services = AppServices(
            database: database, workerDatabase: workerDatabase, jobs: jobs, clock: .fixed(date), randomness: randomness,
            secrets: secrets, keys: keys, urls: urls, passwords: passwords, varDirectory: varDirectory,
            systemSMTP: systemSMTP, logger: logger)
        services.audit = audit
        return services
    }

    /// The folder for uploads on their way in.
    package var spoolDirectory: String { "\(varDirectory)/spool" }
}
