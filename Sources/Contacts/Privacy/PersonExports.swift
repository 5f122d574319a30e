import Accounts
import Core
import Cryptography
import FoundationEssentials
import Jobs
import Postgres
import Templates
import Web

package enum PersonExportTag {}
package typealias PersonExportID = Identifier<PersonExportTag>

struct PersonExportJob: Job {
    static let kind = "contacts.personExport"
    static let lane: JobLane = .transactional
    let exportID: PersonExportID
    let actor: UserID?
}

/// A person's data in a file: asked for, made, fetched, gone.
struct PersonExport: PostgresRow, Sendable {
    enum Status: String, Sendable { case queued, done, failed, expired }

    static let columns: SQL = """
        id, contact_id, status, byte_count, sha256, downloads, created_at, finished_at, expires_at
        """
    let id: PersonExportID
    let contact: ContactID
    let status: Status
    let byteCount: Int
    let sha256: String?
    let downloads: Int
    let createdAt: Date
    let finishedAt: Date?
    let expiresAt: Date?

    init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        status = Status(rawValue: try row.next()) ?? .failed
        byteCount = try row.next()
        sha256 = try row.next([UInt8]?.self).map { Hexadecimal.encode($0) }
        downloads = try row.next()
        createdAt = try row.next()
        finishedAt = try row.next()
        expiresAt = try row.next()
    }

    init(id: PersonExportID, contact: ContactID, status: Status, downloads: Int, createdAt: Date, expiresAt: Date?) {
        self.id = id
        self.contact = contact
        self.status = status
        byteCount = 2_048
        sha256 = nil
        self.downloads = downloads
        self.createdAt = createdAt
        finishedAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// Making files of personal data, handing them out, and removing them.
struct PersonExports: Sendable {
    let services: AppServices
    let tables: [PersonalTable]

    /// Days that a link works; a workspace may choose fewer.
    static let longestDays: Int = 7

    private var folder: String { "\(services.varDirectory)/person-exports" }
    private func path(_ id: PersonExportID) -> String { "\(folder)/\(id).zip" }

    // MARK: Asking and making

    /// Nil when there is no such contact. Deleted ones count: their data is still here.
    func request(_ contact: ContactID, _ scope: WorkspaceScope) async throws -> PersonExportID? {
        let id: PersonExportID = services.ids.next()
        return try await services.database.write(scope.workspace) { transaction in
            guard let person = try await ContactQueries(scope: scope).findAny(contact, in: transaction) else {
                return nil
            }
            try await transaction.run(
                "contacts.privacy.requestExport",
                """
                INSERT INTO marketing_person_exports
                    (workspace_id, id, contact_id, status, requested_by, created_at)
                VALUES (\(scope.workspace), \(id), \(contact), 'queued', \(scope.actor), \(services.clock.now))
                """)
            try await services.jobs.enqueue(
                PersonExportJob(exportID: id, actor: scope.actor), workspace: scope.workspace, key: "export:\(id)",
                in: transaction)
            try await services.audit.record(
                "asked for the personal data of", subject: person.displayName, href: ContactPaths.contact(contact),
                by: scope, in: transaction)
            return id
        }
    }

    /// - Parameter views: the views of this moment, for the readable form.
    func make(
        _ id: PersonExportID, _ scope: WorkspaceScope, views: @Sendable () throws -> ViewLibrary
    ) async throws {
        guard let export = try await find(id, scope), export.status == .queued else { return }
        let data = try await PersonalData.read(export.contact, tables: tables, services: services, scope)
        guard let data else { return try await fail(id, scope) }
        let bytes: [UInt8] = try data.archive(try views())
        try SpoolFile.makeDirectory(folder)
        SpoolFile.remove(path(id))
        let file = try SpoolFile.create(path(id))
        try file.write(bytes)
        try file.flush()
        let retention = try await RetentionSettings.load(scope.workspace, in: services.workerDatabase)
        let days: Int = min(Self.longestDays, retention.exportDays)
        let now: Date = services.clock.now
        _ = try await services.workerDatabase.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.privacy.exportMade",
                """
                UPDATE marketing_person_exports
                SET status = 'done', file_name = \("\(id).zip"), byte_count = \(bytes.count),
                    sha256 = \(SHA256.hash(bytes)), finished_at = \(now),
                    expires_at = \(now.addingTimeInterval(Double(days) * 86_400))
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND status = 'queued'
                """)
        }
    }

    func fail(_ id: PersonExportID, _ scope: WorkspaceScope) async throws {
        _ = try await services.workerDatabase.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.privacy.exportFailed",
                """
                UPDATE marketing_person_exports SET status = 'failed', finished_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND status = 'queued'
                """)
        }
    }

    func find(_ id: PersonExportID, _ scope: WorkspaceScope) async throws -> PersonExport? {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.first(
                PersonExport.self, "contacts.privacy.export",
                """
                SELECT \(PersonExport.columns) FROM marketing_person_exports
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
        }
    }

    func list(of contact: ContactID, _ scope: WorkspaceScope) async throws -> [PersonExport] {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(
                PersonExport.self, "contacts.privacy.exports",
                """
                SELECT \(PersonExport.columns) FROM marketing_person_exports
                WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact) ORDER BY id DESC LIMIT 20
                """)
        }
    }

    // MARK: Handing out

    /// The file, when it is there and its time is not over. Counts the download and writes it down.
    func fetch(_ id: PersonExportID, by who: String, _ scope: WorkspaceScope) async throws -> [UInt8]? {
        guard let export = try await find(id, scope), export.status == .done, let end = export.expiresAt,
            end > services.clock.now
        else { return nil }
        let source = try SpoolFile.openForReading(path(id))
        var bytes: [UInt8] = []
        while try source.read(into: &bytes) {}
        try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.privacy.downloaded",
                """
                UPDATE marketing_person_exports SET downloads = downloads + 1
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            try await services.audit.record(
                "downloaded the personal data of", subject: "a contact",
                href: "\(ContactPaths.contact(export.contact))/privacy",
                details: ["by": .string(who)], by: scope, in: transaction)
        }
        return bytes
    }

    private var tokens: SignedToken {
        SignedToken(
            key: services.keys.key(for: "personal data links"),
            earlier: services.keys.earlierKeys(for: "personal data links"), purpose: "p1")
    }

    /// A link that opens without signing in, for handing to the person.
    func link(_ id: PersonExportID, _ scope: WorkspaceScope) -> String {
        let token: String = tokens.token(for: Array("\(scope.workspace) \(id)".utf8))
        return services.urls.publicBase + "/v1/public/personal-data?token=" + token
    }

    /// What a link stands for; nil for one that is not ours.
    func open(_ token: String) -> (WorkspaceScope, PersonExportID)? {
        guard let payload = tokens.open(token) else { return nil }
        let words: [Substring] = String(decoding: payload, as: UTF8.self).split(separator: " ")
        guard words.count == 2, let workspace = WorkspaceID(String(words[0])), let id = PersonExportID(String(words[1]))
        else { return nil }
        return (WorkspaceScope(workspace: workspace), id)
    }

    // MARK: Removing

    /// Removes the files whose time is over.
    func sweep(_ workspace: WorkspaceID) async throws {
        let over: [PersonExportID] = try await services.workerDatabase.read(workspace) { transaction in
            try await transaction.values(
                PersonExportID.self, "contacts.privacy.overdue",
                """
                SELECT id FROM marketing_person_exports
                WHERE workspace_id = \(workspace) AND status = 'done' AND expires_at <= \(services.clock.now)
                """)
        }
        guard !over.isEmpty else { return }
        for id in over { remove(id) }
        _ = try await services.workerDatabase.write(workspace) { transaction in
            try await transaction.run(
                "contacts.privacy.expired",
                """
                UPDATE marketing_person_exports SET status = 'expired'
                WHERE workspace_id = \(workspace) AND id = ANY (\(over))
                """)
        }
    }

    func remove(_ id: PersonExportID) {
        SpoolFile.remove(path(id))
    }
}
