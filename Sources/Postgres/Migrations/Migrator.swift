import Core
import Logging

/// Brings a database up to date with the files of `migrations/`. Any number of nodes may start at once: one does the
/// work under an advisory lock, the others wait for it.
package struct Migrator: Sendable {
    private let files: [MigrationFile]
    private let settings: ConnectionSettings
    private let logger: Logger

    /// - Parameter address: of a login that owns the tables; the app's own role is not taken on.
    package init(
        directory: String, address: String, logger: Logger = Logger(label: "portal.migrations")
    ) throws(MigrationError) {
        self.init(files: try MigrationFile.all(in: directory), address: address, logger: logger)
    }

    package init(files: [MigrationFile], address: String, logger: Logger = Logger(label: "portal.migrations")) {
        self.files = files
        settings = .owner(address: address)
        self.logger = logger
    }

    /// "portal_mi" as a number: one lock per database.
    private static let lockKey: Int64 = 0x706F_7274_616C_5F6D

    /// Applies what is missing; answers the names of what was applied, in order.
    @discardableResult
    package func migrate() async throws -> [String] {
        try await PostgresConnection.with(settings) { session in
            try await lock(session)
            try await prepareTable(session)
            let pending = try await pendingFiles(session)
            for file in pending {
                logger.info("Applying migration", metadata: ["migration": "\(file.name)"])
                try await apply(file, session)
            }
            return pending.map(\.name)
        }
    }

    /// The names of the migrations that are not applied yet. Throws when the database belongs to another version.
    package func pending() async throws -> [String] {
        try await PostgresConnection.with(settings) { session in
            let exists: Bool = try await session.value(
                Bool.self, "migrations.exist", "SELECT to_regclass('marketing_migrations') IS NOT NULL")
            return exists ? try await pendingFiles(session).map(\.name) : files.map(\.name)
        }
    }

    /// Asks again and again instead of waiting inside the server: a waiting statement would hold up
    /// `CREATE INDEX CONCURRENTLY` of the one that works.
    private func lock(_ session: PostgresAutocommit) async throws {
        let question: SQL = "SELECT pg_try_advisory_lock(\(Migrator.lockKey))"
        while try await !session.value(Bool.self, "migrations.lock", question) {
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func prepareTable(_ session: PostgresAutocommit) async throws {
        try await session.run(
            "migrations.table",
            """
            CREATE TABLE IF NOT EXISTS marketing_migrations (
                number integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
    }

    private func pendingFiles(_ session: PostgresAutocommit) async throws -> ArraySlice<MigrationFile> {
        let applied: [(String, String)] = try await session.rows(
            as: (String, String).self, "migrations.applied",
            "SELECT name, checksum FROM marketing_migrations ORDER BY number")
        let checksums: [String] = try await checksums(session)
        for (index, (name, checksum)) in applied.enumerated() {
            guard index < files.count else { throw MigrationError.notAPrefix(applied: name, declared: nil) }
            guard files[index].name == name else {
                throw MigrationError.notAPrefix(applied: name, declared: files[index].name)
            }
            if checksums[index] != checksum { throw MigrationError.changed(file: name) }
        }
        return files[applied.count...]
    }

    private func checksums(_ session: PostgresAutocommit) async throws -> [String] {
        let contents: [[UInt8]] = files.map { Array($0.text.utf8) }
        return try await session.values(
            String.self, "migrations.checksums",
            """
            SELECT encode(sha256(content), 'hex') FROM unnest(\(contents)) WITH ORDINALITY AS file (content, place)
            ORDER BY place
            """)
    }

    private func apply(_ file: MigrationFile, _ session: PostgresAutocommit) async throws {
        if file.runsInTransaction { try await session.script("BEGIN", "migrations.begin") }
        for statement in SQLScript(file.text).statements {
            do {
                try await session.script(statement.text, "migrations.apply")
            } catch PostgresError.server(let refusal) {
                let offset: Int =
                    refusal.position.map { statement.text.unicodeScalars.prefix($0 - 1).count { $0 == "\n" } } ?? 0
                throw MigrationError.failed(
                    file: file.name, line: statement.line + offset, statement: Migrator.excerpt(statement.text),
                    refusal: refusal)
            }
        }
        if file.runsInTransaction, try await !session.isInTransaction() {
            throw MigrationError.leftTransaction(file: file.name)
        }
        let text: [UInt8] = Array(file.text.utf8)
        try await session.run(
            "migrations.record",
            """
            INSERT INTO marketing_migrations (number, name, checksum)
            VALUES (\(file.number), \(file.name), encode(sha256(\(text)), 'hex'))
            """)
        if file.runsInTransaction { try await session.script("COMMIT", "migrations.commit") }
    }

    private static func excerpt(_ statement: String) -> String {
        let line: Substring = statement.split(separator: "\n", maxSplits: 1).first ?? ""
        return line.count > 120 ? line.prefix(120) + "…" : String(line)
    }
}
