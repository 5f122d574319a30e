import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

package enum SuppressionImportTag {}
package typealias SuppressionImportID = Identifier<SuppressionImportTag>

/// What became of a file of suppressions.
struct SuppressionImport: PostgresRow, Sendable {
    static let columns: SQL = "id, file_name, added, known, failed, created_at"
    let id: SuppressionImportID
    let fileName: String
    let added: Int
    let known: Int
    let failed: Int
    let createdAt: Date

    init(row: inout RowReader) throws {
        id = try row.next()
        fileName = try row.next()
        added = try row.next()
        known = try row.next()
        failed = try row.next()
        createdAt = try row.next()
    }

    init(id: SuppressionImportID, fileName: String, added: Int, known: Int, failed: Int, createdAt: Date) {
        self.id = id
        self.fileName = fileName
        self.added = added
        self.known = known
        self.failed = failed
        self.createdAt = createdAt
    }
}

/// Suppressions out of a file and into one, in constant memory: rows are read and written a few thousand at a time, each
/// with one statement.
struct SuppressionFiles: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    static let limit: Int = 64 << 20
    private static let chunk: Int = 5_000

    // MARK: In

    /// A row that cannot be used.
    private struct Failure: Sendable {
        let row: Int
        let line: String
        let reason: String
    }

    /// Reads a whole file. The first column, or the one headed `address`, `email`, `domain`, `phone` or `value`, says
    /// what; `note` and `expires_at` are read where they are headed so. Without headings it is the first column that fits.
    /// - Throws: `CSVFile.Refusal` when there are headings and none says where the addresses stand.
    func read(_ file: CSVFile, fileName: String) async throws -> SuppressionImportID {
        let (headed, firstRow) = try Columns.reading(file.header)
        var columns: Columns? = headed
        let id: SuppressionImportID = services.ids.next()
        try await services.database.write(scope.workspace) { tx in
            try await tx.run(
                "messaging.suppression_import",
                """
                INSERT INTO marketing_suppression_imports (workspace_id, id, file_name, created_by, created_at)
                VALUES (\(scope.workspace), \(id), \(fileName), \(scope.actor), \(services.clock.now))
                """)
            try await services.audit.record(
                "imported suppressions", subject: fileName, href: "/suppressions/imports/\(id)", by: scope, in: tx)
        }
        var good: [NewSuppression] = []
        var bad: [Failure] = []
        var waiting: CSVFile.Row? = firstRow
        while let row = try waiting ?? file.next() {
            waiting = nil
            let places: Columns = columns ?? Columns(firstRow: row.cells)
            columns = places
            do throws(ValidationErrors) {
                if let flaw = row.flaw { throw ValidationErrors("row", flaw) }
                good.append(try places.input(row.cells).read(now: services.clock.now))
            } catch {
                let line: String = CSVWriter.line(row.cells, limit: 2_000).trimmed.filter { $0 != "\0" }
                bad.append(Failure(row: row.number, line: line, reason: error.entries.first?.message ?? "Not usable."))
            }
            if good.count + bad.count >= Self.chunk { try await write(&good, &bad, id) }
        }
        try await write(&good, &bad, id)
        return id
    }

    private func write(
        _ good: inout [NewSuppression], _ bad: inout [Failure], _ id: SuppressionImportID
    ) async throws {
        guard !good.isEmpty || !bad.isEmpty else { return }
        let rows: [NewSuppression] = good
        let failures: [Failure] = bad
        try await services.database.write(scope.workspace, timeout: .seconds(30)) { tx in
            let added: Int = try await SuppressionQueries(workspace: scope.workspace, tx: tx)
                .add(rows, ids: services.ids, by: scope.actor, now: services.clock.now)
            try await tx.run([
                Statement(
                    "messaging.suppression_failures",
                    """
                    INSERT INTO marketing_suppression_import_failures (workspace_id, import_id, row_number, line, reason)
                    SELECT \(scope.workspace), \(id), f.* FROM unnest(
                        \(failures.map(\.row)), \(failures.map(\.line)), \(failures.map(\.reason))) AS f
                    """),
                Statement(
                    "messaging.suppression_progress",
                    """
                    UPDATE marketing_suppression_imports
                    SET added = added + \(added), known = known + \(rows.count - added),
                        failed = failed + \(failures.count)
                    WHERE workspace_id = \(scope.workspace) AND id = \(id)
                    """),
            ])
        }
        good.removeAll(keepingCapacity: true)
        bad.removeAll(keepingCapacity: true)
    }

    /// Where in a row what stands.
    struct Columns: Sendable {
        var target: Int = 0
        var note: Int?
        var expires: Int?

        private static let targets: Set<String> = [
            "address", "email", "e-mail", "email address", "e-mail address", "domain", "phone", "value",
        ]

        /// A file without headings: the first cell that can be suppressed shows the column.
        init(firstRow cells: [String]) {
            target = cells.firstIndex { (try? SuppressionTarget(parsing: $0)) != nil } ?? 0
        }

        /// What the headings say; nil when there are none. A list of domains looks like headings and is none.
        static func reading(_ header: [String]?) throws(CSVFile.Refusal) -> (Columns?, CSVFile.Row?) {
            guard let header else { return (nil, nil) }
            if let columns = Columns(header: header) { return (columns, nil) }
            if header.contains(where: { (try? SuppressionTarget(parsing: $0)) != nil }) {
                return (nil, CSVFile.Row(number: 1, cells: header, flaw: nil))
            }
            guard header.count == 1 else {
                throw CSVFile.Refusal(
                    message: "No column is headed address, email, domain, phone or value. Name the one with the "
                        + "addresses so and send the file again.")
            }
            return (Columns(firstRow: []), nil)
        }

        /// Nil when no heading says where the addresses stand.
        private init?(header: [String]) {
            let names: [String] = header.map { $0.trimmed.lowercased() }
            guard let place = names.firstIndex(where: { Self.targets.contains($0) }) else { return nil }
            target = place
            note = names.firstIndex { ["note", "comment"].contains($0) }
            expires = names.firstIndex { ["expires_at", "expires", "until"].contains($0) }
        }

        func input(_ cells: [String]) -> SuppressionInput {
            func cell(_ place: Int?) -> String? { place.flatMap { $0 < cells.count ? cells[$0] : nil } }
            return SuppressionInput(
                target: cell(target) ?? "", note: cell(note), expires: cell(expires), source: "import")
        }
    }

    func find(_ id: SuppressionImportID) async throws -> SuppressionImport? {
        try await services.database.read(scope.workspace) { tx in
            try await tx.first(
                SuppressionImport.self, "messaging.suppression_import_find",
                """
                SELECT \(SuppressionImport.columns) FROM marketing_suppression_imports
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
        }
    }

    /// The rows of a file that could not be used, as CSV.
    func writeFailures(of id: SuppressionImportID, to writer: BodyWriter) async throws {
        var last: Int = 0
        var bytes: [UInt8] = Array("row,reason,line\r\n".utf8)
        while true {
            let after: Int = last
            let rows: [(Int, String, String)] = try await services.database.read(scope.workspace) { tx in
                try await tx.rows(
                    as: (Int, String, String).self, "messaging.suppression_failed_rows",
                    """
                    SELECT row_number, reason, line FROM marketing_suppression_import_failures
                    WHERE workspace_id = \(scope.workspace) AND import_id = \(id) AND row_number > \(after)
                    ORDER BY row_number LIMIT 2000
                    """)
            }
            for row in rows { CSVWriter.append([String(row.0), row.1, row.2], to: &bytes) }
            try await writer.write(bytes)
            bytes.removeAll(keepingCapacity: true)
            guard rows.count == 2_000, let end = rows.last else { return }
            last = end.0
        }
    }

    // MARK: Out

    /// Writes what a filter finds as CSV, the newest first.
    func write(_ filter: SuppressionFilter, to writer: BodyWriter) async throws {
        var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]
        CSVWriter.append(["value", "kind", "reason", "source", "note", "created_at", "expires_at"], to: &bytes)
        var after: (Date, SuppressionID)?
        while true {
            let place: (Date, SuppressionID)? = after
            let rows: [Suppression] = try await services.database.read(scope.workspace) { tx in
                try await SuppressionQueries(workspace: scope.workspace, tx: tx)
                    .page(filter, after: place, limit: 2_000)
            }
            for row in rows {
                CSVWriter.append(
                    [
                        row.kind == .erased ? row.key : row.shown, row.kind.rawValue, row.reason.rawValue, row.source,
                        row.note ?? "", ISO8601.format(row.createdAt), row.expiresAt.map(ISO8601.format) ?? "",
                    ], to: &bytes)
            }
            try await writer.write(bytes)
            bytes.removeAll(keepingCapacity: true)
            guard rows.count == 2_000, let end = rows.last else { return }
            after = (end.createdAt, end.id)
        }
    }
}
