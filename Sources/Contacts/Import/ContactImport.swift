import Core
import FoundationEssentials
import Postgres

/// How far an import is.
package enum ImportStatus: String, Sendable, Codable {
    /// The file is here; columns and options are still to be chosen.
    case uploaded
    case queued, running, done, failed, cancelled, undoing, undone

    var isActive: Bool { self == .queued || self == .running || self == .undoing }

    var words: String {
        switch self {
        case .uploaded: "Waiting for you"
        case .queued: "Waiting to start"
        case .running: "Running"
        case .done: "Done"
        case .failed: "Failed"
        case .cancelled: "Cancelled"
        case .undoing: "Being undone"
        case .undone: "Undone"
        }
    }

    var tone: String {
        switch self {
        case .done: "ok"
        case .failed: "danger"
        case .cancelled, .undone: "neutral"
        case .uploaded: "warn"
        case .queued, .running, .undoing: "info"
        }
    }
}

extension ImportStatus: PostgresCodable, PostgresArrayElement {}

/// A file of people, its options and how far it is.
package struct ContactImport: Sendable {
    package let id: ContactImportID
    package let status: ImportStatus
    package let fileName: String
    let spoolPath: String?
    package let byteCount: Int
    let encoding: String
    let delimiter: String
    let options: ImportOptions
    let rowsPerChunk: Int
    package let listID: ContactListID?
    let byteOffset: Int
    package let rowNumber: Int
    package let total: Int
    package let created: Int
    package let updated: Int
    package let unchanged: Int
    package let skipped: Int
    package let failed: Int
    package let listed: Int
    package let cancelRequested: Bool
    package let error: String?
    let undoRemoved: Int
    let undoRestored: Int
    let undoKept: Int
    package let createdAt: Date
    package let startedAt: Date?
    package let finishedAt: Date?
    let undoneAt: Date?

    var delimiterByte: UInt8 { delimiter.utf8.first ?? UInt8(ascii: ",") }

    /// Rows per second since the start.
    func rate(at now: Date) -> Int? {
        guard let startedAt, rowNumber > 0 else { return nil }
        let seconds: Double = (finishedAt ?? now).timeIntervalSince(startedAt)
        return seconds > 0.05 ? Int(Double(rowNumber) / seconds) : nil
    }

    /// Seconds until the end at the rate so far.
    func secondsLeft(at now: Date) -> Int? {
        guard status == .running, let startedAt, byteOffset > 0, byteCount > byteOffset else { return nil }
        let seconds: Double = now.timeIntervalSince(startedAt)
        return Int((seconds * Double(byteCount - byteOffset) / Double(byteOffset)).rounded(.up))
    }
}

extension ContactImport: PostgresRow {
    package static let columns: SQL = """
        i.id, i.status, i.file_name, i.spool_path, i.byte_count, i.encoding, i.delimiter, i.options,
        i.rows_per_chunk, i.list_id, i.byte_offset, i.row_number, i.total, i.created, i.updated, i.unchanged, i.skipped,
        i.failed, i.listed, i.cancel_requested, i.error, i.undo_removed, i.undo_restored, i.undo_kept,
        i.created_at, i.started_at, i.finished_at, i.undone_at
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        status = try row.next()
        fileName = try row.next()
        spoolPath = try row.next()
        byteCount = try row.next()
        encoding = try row.next()
        delimiter = try row.next()
        options = try row.next(JSONB<ImportOptions>.self).value
        rowsPerChunk = try row.next()
        listID = try row.next()
        byteOffset = try row.next()
        rowNumber = try row.next()
        total = try row.next()
        created = try row.next()
        updated = try row.next()
        unchanged = try row.next()
        skipped = try row.next()
        failed = try row.next()
        listed = try row.next()
        cancelRequested = try row.next()
        error = try row.next()
        undoRemoved = try row.next()
        undoRestored = try row.next()
        undoKept = try row.next()
        createdAt = try row.next()
        startedAt = try row.next()
        finishedAt = try row.next()
        undoneAt = try row.next()
    }
}

struct ImportQueries: Sendable {
    let scope: WorkspaceScope

    func find(_ id: ContactImportID, in session: some PostgresSession) async throws -> ContactImport? {
        try await session.first(
            ContactImport.self, "contacts.imports.find",
            """
            SELECT \(ContactImport.columns) FROM marketing_contact_imports i
            WHERE i.workspace_id = \(scope.workspace) AND i.id = \(id) LIMIT 1
            """)
    }

    func page(after: [String]?, limit: Int, in session: some PostgresSession) async throws -> ContactPage<ContactImport>
    {
        let before: ContactImportID? = after?.first.flatMap { ContactImportID($0) }
        let position: SQL = before.map { " AND i.id < \($0)" } ?? ""
        let rows: [ContactImport] = try await session.all(
            ContactImport.self, "contacts.imports.page",
            """
            SELECT \(ContactImport.columns) FROM marketing_contact_imports i
            WHERE i.workspace_id = \(scope.workspace)\(position) ORDER BY i.id DESC LIMIT \(limit + 1)
            """)
        return ContactQueries(scope: scope).cut(rows, limit) { [$0.id.description] }
    }

    func failures(
        _ id: ContactImportID, after row: Int = 0, limit: Int, in session: some PostgresSession
    ) async throws -> [ImportFailure] {
        try await session.all(
            ImportFailure.self, "contacts.imports.failures",
            """
            SELECT row_number, reason, line FROM marketing_contact_import_failures
            WHERE workspace_id = \(scope.workspace) AND import_id = \(id) AND row_number > \(row)
            ORDER BY row_number LIMIT \(limit)
            """)
    }

    /// Moves an import on if it stands where the caller thinks it does; false when it does not.
    func move(
        _ id: ContactImportID, from: [ImportStatus], to: ImportStatus, setting changes: SQL = "",
        in session: some PostgresSession
    ) async throws -> Bool {
        try await session.run(
            "contacts.imports.move",
            """
            UPDATE marketing_contact_imports SET status = \(to)\(changes)
            WHERE workspace_id = \(scope.workspace) AND id = \(id) AND status = ANY (\(from))
            """) > 0
    }
}

extension ImportFailure: PostgresRow {
    static let columns: SQL = "row_number, reason, line"

    init(row reader: inout RowReader) throws {
        row = try reader.next()
        reason = try reader.next()
        line = try reader.next()
    }
}

extension ContactImport {
    /// An import for the previews of pages.
    static func preview(_ status: ImportStatus, error: String? = nil) -> ContactImport {
        ContactImport(
            id: ContactImportID(PreviewPeople.run.uuid), status: status, fileName: "people.csv", spoolPath: nil,
            byteCount: 1_000_000, encoding: "UTF-8", delimiter: ",",
            options: ImportOptions(columns: [.email, .property("plan")], headings: ["E-mail", "Plan"]),
            rowsPerChunk: ImportChunk.usualRows,
            listID: ContactListID(PreviewPeople.run.uuid), byteOffset: 400_000, rowNumber: 4000, total: 10_000,
            created: 3900, updated: 90, unchanged: 5, skipped: 0, failed: 10, listed: 3990, cancelRequested: false,
            error: error, undoRemoved: 3900, undoRestored: 85, undoKept: 5, createdAt: PreviewPeople.day,
            startedAt: PreviewPeople.day,
            finishedAt: status == .running ? nil : PreviewPeople.day.addingTimeInterval(2),
            undoneAt: nil)
    }
}
