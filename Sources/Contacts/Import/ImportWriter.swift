import Accounts
import Core
import FoundationEssentials
import Postgres

/// Brings chunks into the database.
actor ImportWriter {
    private let services: AppServices
    private let scope: WorkspaceScope
    private let file: ContactImport
    private let defaults: [String: JSONValue]
    /// Whether the last chunk had nobody who was known already: then the next is tried the fast way first.
    private var expectsOnlyNewPeople: Bool = true

    init(services: AppServices, file: ContactImport, defaults: [String: JSONValue] = [:], scope: WorkspaceScope) {
        self.services = services
        self.file = file
        self.defaults = defaults
        self.scope = scope
    }

    private static let limit: Duration = .seconds(120)

    func write(_ chunk: ImportChunk) async throws {
        let companies = ImportCompanies(services: services, scope: scope)
        var statements = ImportStatements(
            scope: scope, importID: file.id, listID: file.listID, options: file.options, now: services.clock.now,
            defaults: defaults, matchesCompanies: try await companies.exist(),
            companies: try await companies.found(chunk))
        statements.asksFormer = try await ImportAliases(scope: scope).exist(services)
        if expectsOnlyNewPeople, !chunk.hasPeopleWithoutEmail, chunk.personCount > 0 {
            do {
                return try await insert(chunk, statements)
            } catch let error as PostgresError where error.isUniqueViolation(constraint: "marketing_contacts_email_key")
            {
                expectsOnlyNewPeople = false
            } catch is Missed {
                expectsOnlyNewPeople = false
            }
        }
        for attempt in 1...5 {
            statements.asksFormer = try await ImportAliases(scope: scope).exist(services)
            do {
                return try await merge(chunk, statements)
            } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.chunkKey) {
                // Another worker, which took over this import, was quicker.
                throw CancellationError()
            } catch is Missed where attempt < 5 {
                continue
            }
        }
        throw ImportFault.contended
    }

    private static let chunkKey: String = "marketing_contact_import_chunks_pkey"

    /// Somebody in the chunk was added, changed or merged between the look-up and the change.
    private struct Missed: Error {}

    private func insert(_ chunk: ImportChunk, _ statements: ImportStatements) async throws {
        let listed: Int = file.listID == nil ? 0 : chunk.personCount
        let outcome = ChunkOutcome(created: chunk.personCount, listed: listed)
        try await services.database.write(scope.workspace, timeout: Self.limit, keepsPlans: true) { transaction in
            try await transaction.run(statements.insert(chunk))
            guard try await ImportAliases(scope: scope).agree(chunk, in: transaction) else { throw Missed() }
            var all: [Statement] = [statements.chunkOfNewPeople(chunk)]
            if !chunk.failures.isEmpty { all.append(statements.failures(chunk)) }
            try await transaction.run(all + statements.settle(chunk, outcome))
        }
    }

    private func merge(_ chunk: ImportChunk, _ statements: ImportStatements) async throws {
        let outcome: ChunkOutcome = try await services.database.write(
            scope.workspace, timeout: Self.limit, keepsPlans: true
        ) {
            transaction in
            // The change by place in the table has no statistics to plan with; only the nested loop is right for it.
            try await transaction.run([
                Statement("contacts.import.plan1", "SET LOCAL enable_hashjoin = off"),
                Statement("contacts.import.plan2", "SET LOCAL enable_mergejoin = off"),
                Statement("contacts.import.plan3", "SET LOCAL jit = off"),
            ])
            let row: (Int, Int, Int, Int, Int, Int) = try await transaction.rows(
                as: (Int, Int, Int, Int, Int, Int).self, "contacts.import.merge", statements.merge(chunk))[0]
            let outcome = ChunkOutcome(
                created: row.0, existing: row.1, changed: row.3, listed: row.4, silent: row.5)
            guard row.2 == row.3, row.0 + row.1 == chunk.personCount,
                try await ImportAliases(scope: scope).agree(chunk, in: transaction)
            else { throw Missed() }
            var all: [Statement] = chunk.failures.isEmpty ? [] : [statements.failures(chunk)]
            if outcome.silent > 0 { all += statements.consentOfKnownPeople(chunk) }
            all += statements.settle(chunk, outcome)
            try await transaction.run(all)
            return outcome
        }
        expectsOnlyNewPeople = outcome.existing == 0
    }
}
