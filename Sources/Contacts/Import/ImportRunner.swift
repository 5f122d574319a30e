import Accounts
import Core
import FoundationEssentials
import Postgres

/// Runs an import from where it stands to its end.
///
/// While the database works on one or two chunks, the next is read and checked. Each chunk commits together with its row
/// in `marketing_contact_import_chunks`, so after a crash the chunks that are there are passed over and no row is lost
/// or counted twice. Two chunks that have a person in common never run side by side: the later one waits, so that the
/// file's order decides.
struct ImportRunner: Sendable {
    let services: AppServices
    let scope: WorkspaceScope
    let importID: ContactImportID

    /// How many chunks may be with the database at once.
    static let lanes: Int = 2

    enum Ending: Sendable, Equatable { case finished, cancelled }

    /// - Parameter progress: called after each commit, with the rows done since the start of this run.
    func run(
        isCancelled: @Sendable () -> Bool = { false }, progress: (@Sendable (Int) -> Void)? = nil
    ) async throws -> Ending {
        let queries = ImportQueries(scope: scope)
        let found: ContactImport? = try await services.database.read(scope.workspace) { transaction in
            try await queries.find(importID, in: transaction)
        }
        guard let file = found, let path = file.spoolPath else { throw ImportFault.fileGone }
        let marks: [ChunkMark] = try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(ChunkMark.self, "contacts.import.marks", ChunkMark.select(scope, importID))
        }
        let catalog: PropertyCatalog = try await services.database.read(scope.workspace) { transaction in
            try await PropertyCatalog.load(
                .contact, scope, ids: services.ids, at: services.clock.now, in: transaction)
        }
        var feed = try ImportFeed(
            file: file, path: path, done: marks, properties: catalog.definitions, seed: services.randomness.next())
        let writer = ImportWriter(services: services, file: file, defaults: catalog.defaults, scope: scope)
        return try await pump(&feed, into: writer, isCancelled, progress)
    }

    private func pump(
        _ feed: inout ImportFeed, into writer: ImportWriter, _ isCancelled: @Sendable () -> Bool,
        _ progress: (@Sendable (Int) -> Void)?
    ) async throws -> Ending {
        let now: WallClock = services.clock
        var ending: Ending = .finished
        var done: Int = 0
        try await withThrowingTaskGroup(of: ImportChunk.self) { group in
            var running: [ImportChunk] = []
            func settleOne() async throws {
                guard let chunk = try await group.next() else { return }
                running.removeAll { $0.number == chunk.number }
                done += chunk.rowCount
                progress?(done)
            }
            while let chunk = try feed.next(at: now.now) {
                while running.count >= Self.lanes || running.contains(where: { $0.overlaps(chunk) }) {
                    try await settleOne()
                }
                try Task.checkCancellation()
                if try await isStopped(isCancelled) {
                    ending = .cancelled
                    break
                }
                running.append(chunk)
                group.addTask {
                    try await writer.write(chunk)
                    return chunk
                }
            }
            while !running.isEmpty { try await settleOne() }
        }
        return ending
    }

    /// Somebody pressed “Cancel”, or the worker is to stop.
    private func isStopped(_ isCancelled: @Sendable () -> Bool) async throws -> Bool {
        if isCancelled() { throw CancellationError() }
        return try await services.database.read(scope.workspace) { transaction in
            try await transaction.value(
                Bool?.self, "contacts.import.isCancelled",
                """
                SELECT cancel_requested FROM marketing_contact_imports
                WHERE workspace_id = \(scope.workspace) AND id = \(importID) LIMIT 1
                """) ?? true
        }
    }
}

/// Why an import cannot go on, in words for its page.
enum ImportFault: Error, Sendable, CustomStringConvertible {
    case fileGone
    case tooManyColumns
    case noIdentity
    case contended

    var description: String {
        switch self {
        case .fileGone: "The uploaded file is no longer there. Upload it again."
        case .tooManyColumns: "The file has more than \(CSVReader.maximumColumns) columns."
        case .noIdentity: "No column holds e-mail addresses or phone numbers."
        case .contended: "The same people were changed by something else all the time. Try again later."
        }
    }
}

/// Where a committed chunk ended.
struct ChunkMark: Sendable, Equatable, PostgresRow {
    let number: Int
    let endOffset: Int
    let endRow: Int

    static let columns: SQL = "number, end_offset, end_row"

    init(number: Int, endOffset: Int, endRow: Int) {
        self.number = number
        self.endOffset = endOffset
        self.endRow = endRow
    }

    init(row: inout RowReader) throws {
        number = try row.next()
        endOffset = try row.next()
        endRow = try row.next()
    }

    static func select(_ scope: WorkspaceScope, _ importID: ContactImportID) -> SQL {
        """
        SELECT \(columns) FROM marketing_contact_import_chunks
        WHERE workspace_id = \(scope.workspace) AND import_id = \(importID) ORDER BY number
        """
    }
}

/// Cuts a file into chunks, beginning behind those that are done.
struct ImportFeed {
    private var reader: CSVReader
    private var builder: ImportChunkBuilder
    private var number: Int
    private var row: Int
    private let done: Set<Int>
    private let hasHeader: Bool

    init(
        file: ContactImport, path: String, done marks: [ChunkMark], properties: [String: PropertyDefinition] = [:],
        seed: UInt64
    ) throws {
        // The unbroken run of chunks from the first on; those behind a gap are recognised by their number.
        var last: ChunkMark?
        for mark in marks where mark.number == (last?.number ?? -1) + 1 { last = mark }
        let offset: Int = last?.endOffset ?? 0
        reader = CSVReader(
            source: try SpoolFile.openForReading(path, at: offset), delimiter: file.delimiterByte, offset: offset)
        builder = ImportChunkBuilder(
            options: file.options, rowsPerChunk: file.rowsPerChunk, properties: properties, seed: seed)
        number = (last?.number ?? -1) + 1
        row = last?.endRow ?? 0
        done = Set(marks.map(\.number))
        hasHeader = file.options.hasHeader
    }

    mutating func next(at date: Date) throws -> ImportChunk? {
        while true {
            builder.begin(number: number, at: date)
            while !builder.isFull, try reader.next() {
                let isFirst: Bool = row == 0
                row += 1 + reader.blankLines
                if isFirst, hasHeader { continue }
                builder.add(reader.record, row: row)
            }
            if builder.isEmpty { return nil }
            let chunk: ImportChunk = builder.finish(endOffset: reader.offset, endRow: row)
            number += 1
            if !done.contains(chunk.number) { return chunk }
        }
    }
}
