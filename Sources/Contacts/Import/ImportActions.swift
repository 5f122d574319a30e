import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// A property that a file brings in.
struct NewProperty: Sendable {
    let type: PropertyType
    var options: [PropertyOption] = []

    /// Told by the cells of a column that were seen.
    init(guessedFrom cells: [String]) {
        type = PropertyGuess.type(ofColumn: cells)
    }

    init(type: PropertyType, options: [PropertyOption] = []) {
        self.type = type
        self.options = options
    }
}

/// Starting, cancelling and undoing imports.
struct ImportActions: Sendable {
    let services: AppServices

    /// Notes an uploaded file. It waits for its options unless they are given.
    func register(_ upload: SpooledUpload, fileName: String, _ scope: WorkspaceScope) async throws -> ContactImportID {
        let id: ContactImportID = services.ids.next()
        let guess = ImportOptions(
            columns: ColumnGuess.targets(header: upload.header, samples: upload.samples),
            hasHeader: upload.dialect.hasHeader,
            headings: upload.header ?? [])
        _ = try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.imports.create",
                """
                INSERT INTO marketing_contact_imports (
                    workspace_id, id, status, file_name, spool_path, byte_count, encoding, delimiter, options, total,
                    rows_per_chunk, created_by, created_at)
                VALUES (\(scope.workspace), \(id), 'uploaded', \(String(fileName.visible.prefix(200))), \(upload.path),
                    \(upload.byteCount), \(upload.encoding.rawValue),
                    \(String(decoding: [upload.dialect.delimiter], as: UTF8.self)), \(JSONB(guess)), \(upload.rowEstimate),
                    \(ImportChunk.usualRows), \(scope.actor), \(services.clock.now))
                """)
        }
        return id
    }

    /// Starts an uploaded import with its options; false when it has been started already.
    /// - Parameter types: of the properties that the file brings in; texts unless told.
    func start(
        _ id: ContactImportID, _ options: ImportOptions, list: ContactListID?, fileName: String,
        types: [String: NewProperty] = [:], _ scope: WorkspaceScope
    ) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            let moved: Bool = try await ImportQueries(scope: scope).move(
                id, from: [.uploaded], to: .queued, setting: ", options = \(JSONB(options)), list_id = \(list)",
                in: transaction)
            guard moved else { return false }
            var catalog = try await PropertyCatalog.load(
                .contact, scope, ids: services.ids, at: services.clock.now, in: transaction)
            for (_, name) in options.properties {
                do throws(PropertyValue.Flaw) {
                    let new: NewProperty = types[name] ?? NewProperty(type: .text)
                    try catalog.declare(name, new.type, options: new.options)
                } catch {
                    throw ValidationErrors("file", error.message)
                }
            }
            try await transaction.run(
                catalog.declaration(scope) + [
                    ContactVocabulary.remember(tags: options.tags, scope, at: services.clock.now)
                ])
            try await services.jobs.enqueue(
                ContactImportJob(importID: id, actor: scope.actor), workspace: scope.workspace, key: "import-\(id)",
                in: transaction)
            try await services.audit.record(
                "started an import of contacts", subject: fileName, href: "/contacts/imports/\(id)", by: scope,
                in: transaction)
            return true
        }
    }

    /// Asks a running import to stop after the chunks under way; one that has not begun is cancelled at once.
    func cancel(_ id: ContactImportID, _ scope: WorkspaceScope) async throws {
        let path: String? = try await services.database.write(scope.workspace) { transaction in
            let queries = ImportQueries(scope: scope)
            let file: ContactImport? = try await queries.find(id, in: transaction)
            let wasWaiting: Bool = try await queries.move(
                id, from: [.uploaded, .queued], to: .cancelled,
                setting: ", spool_path = NULL, finished_at = \(services.clock.now)", in: transaction)
            try await transaction.run(
                "contacts.imports.cancel",
                """
                UPDATE marketing_contact_imports SET cancel_requested = true
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND status = 'running'
                """)
            return wasWaiting ? file?.spoolPath : nil
        }
        if let path { SpoolFile.remove(path) }
    }

    /// Starts undoing; false when the import is not in a state to be undone.
    func undo(_ id: ContactImportID, fileName: String, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            let moved: Bool = try await ImportQueries(scope: scope).move(
                id, from: [.done, .cancelled, .failed], to: .undoing, in: transaction)
            guard moved else { return false }
            try await services.jobs.enqueue(
                ContactImportUndoJob(importID: id, actor: scope.actor), workspace: scope.workspace,
                key: "import-undo-\(id)", in: transaction)
            try await services.audit.record(
                "began to undo an import of contacts", subject: fileName, href: "/contacts/imports/\(id)", by: scope,
                in: transaction)
            return true
        }
    }

    // MARK: What the jobs do

    /// Runs an import to its end and settles its state. The file goes away with it.
    package func perform(
        _ id: ContactImportID, _ scope: WorkspaceScope, isCancelled: @Sendable () -> Bool = { false },
        progress: (@Sendable (Int) -> Void)? = nil
    ) async throws {
        let queries = ImportQueries(scope: scope)
        let begun: Bool = try await services.database.write(scope.workspace) { transaction in
            try await queries.move(
                id, from: [.queued, .running], to: .running,
                setting: ", started_at = coalesce(started_at, \(services.clock.now))", in: transaction)
        }
        guard begun else { return }
        let runner = ImportRunner(services: services, scope: scope, importID: id)
        do {
            let ending = try await runner.run(isCancelled: isCancelled, progress: progress)
            try await finish(id, ending == .finished ? .done : .cancelled, error: nil, scope)
        } catch let fault as ImportFault {
            try await finish(id, .failed, error: fault.description, scope)
        } catch let error as SpoolError {
            services.logger.error("The file of an import could not be read", metadata: ["error": "\(error)"])
            try await finish(id, .failed, error: ImportFault.fileGone.description, scope)
        }
    }

    /// Settles an import that went wrong once too often. What was imported stays and can be undone.
    func giveUp(_ id: ContactImportID, _ scope: WorkspaceScope) async throws {
        try await finish(
            id, .failed, error: "The import went wrong again and again. Try once more, or ask for help.", scope)
    }

    private func finish(
        _ id: ContactImportID, _ status: ImportStatus, error: String?, _ scope: WorkspaceScope
    ) async throws {
        let now: Date = services.clock.now
        let path: String? = try await services.database.write(scope.workspace) { transaction in
            let path: String? = try await transaction.value(
                String?.self, "contacts.imports.path",
                """
                SELECT spool_path FROM marketing_contact_imports
                WHERE workspace_id = \(scope.workspace) AND id = \(id) FOR UPDATE
                """)
            try await transaction.run([
                Statement(
                    "contacts.imports.finish",
                    """
                    UPDATE marketing_contact_imports
                    SET status = \(status), error = \(error), finished_at = \(now), total = row_number, spool_path = NULL
                    WHERE workspace_id = \(scope.workspace) AND id = \(id) AND status = 'running'
                    """),
                Statement(
                    "contacts.imports.unindexed",
                    """
                    UPDATE marketing_contact_totals SET unindexed_count = unindexed_count + (
                        SELECT coalesce(sum(created + changed), 0) FROM marketing_contact_import_chunks
                        WHERE workspace_id = \(scope.workspace) AND import_id = \(id) AND NOT indexed)
                    WHERE workspace_id = \(scope.workspace)
                    """),
            ])
            try await services.jobs.enqueue(
                ContactIndexJob(importID: id), workspace: scope.workspace, key: "import-index-\(id)", in: transaction)
            return path
        }
        if let path { SpoolFile.remove(path) }
    }

    /// Brings the search table up to date, chunk by chunk.
    func index(_ id: ContactImportID, _ scope: WorkspaceScope) async throws {
        while true {
            try Task.checkCancellation()
            let more: Bool = try await services.database.write(scope.workspace, timeout: .seconds(120)) { transaction in
                let next: [(Int, Int)] = try await transaction.rows(
                    as: (Int, Int).self, "contacts.index.next",
                    """
                    SELECT number, created + changed FROM marketing_contact_import_chunks
                    WHERE workspace_id = \(scope.workspace) AND import_id = \(id) AND NOT indexed
                    ORDER BY number LIMIT 1 FOR UPDATE
                    """)
                guard let (number, count) = next.first else { return false }
                try await ContactSearchIndex.refresh(chunk: number, of: id, scope, in: transaction)
                try await transaction.run([
                    Statement(
                        "contacts.index.mark",
                        """
                        UPDATE marketing_contact_import_chunks SET indexed = true
                        WHERE workspace_id = \(scope.workspace) AND import_id = \(id) AND number = \(number)
                        """),
                    Statement(
                        "contacts.index.count",
                        """
                        UPDATE marketing_contact_totals
                        SET unindexed_count = greatest(0, unindexed_count - \(count)), revision = revision + 1
                        WHERE workspace_id = \(scope.workspace)
                        """),
                ])
                return true
            }
            try await ContactSearchIndex.flush(services.database)
            if !more { return }
        }
    }
}
