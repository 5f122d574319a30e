import Accounts
import Core
import FoundationEssentials
import Postgres

/// Brings people into step with another system, up to a thousand at once: a fixed number of statements, and all or
/// nothing. Sending the same records again changes nothing.
package struct ContactSync: Sendable {
    private let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    /// What became of each record, in order.
    package func apply(_ rows: [SyncedContact], _ scope: WorkspaceScope) async throws -> [SyncOutcome] {
        guard !rows.isEmpty else { return [] }
        return try await IdentityResolver.retryingTakenAddress(services, scope, timeout: .seconds(60)) { transaction in
            try await apply(rows, scope, in: transaction)
        }
    }

    private func apply(
        _ rows: [SyncedContact], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [SyncOutcome] {
        let queries = IdentityQueries(scope: scope)
        let links = SyncLinks(kind: .contacts, scope: scope)
        try await transaction.run([queries.lock])
        let known = try await links.find(Array(Set(rows.map(\.key))), in: transaction)
        let (book, people) = try await queries.book(for: rows.map(\.clues), locks: true, in: transaction)
        let gone: [UUID] = rows.filter(\.isDeleted).compactMap { known[$0.key]?.target }
        var run = ContactSyncRun(
            services: services, scope: scope, book: book, people: people,
            links: SyncLinkBook(known, living: try await links.living(of: gone, in: transaction)))
        run.companies = try await companies(rows, scope, in: transaction)
        run.companiesByDomain = try await companiesByDomain(rows, scope, in: transaction)
        run.catalog = try await PropertyCatalog.load(
            .contact, scope, ids: services.ids, at: services.clock.now, in: transaction)
        let outcomes: [SyncOutcome] = rows.map { run.settle($0) }
        try await run.write(in: transaction)
        return outcomes
    }

    /// The companies that the people's addresses tell, where the domain is not one where anybody can have an address.
    private func companiesByDomain(
        _ rows: [SyncedContact], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [String: UUID] {
        let domains: Set<String> = rows.reduce(into: []) { domains, row in
            if case .set(let email) = row.email, let domain = CompanyDomain(ofAddress: email) {
                domains.insert(domain.text)
            }
        }
        guard !domains.isEmpty else { return [:] }
        let found = try await transaction.rows(
            as: (String, UUID).self, "contacts.sync.domains",
            """
            SELECT m.domain, m.id FROM marketing_companies m
            WHERE m.workspace_id = \(scope.workspace) AND m.domain = ANY (\(Array(domains))) AND m.deleted_at IS NULL
            """)
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    private func companies(
        _ rows: [SyncedContact], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ExternalIdentity: UUID] {
        let keys: Set<ExternalIdentity> = rows.reduce(into: []) { keys, row in
            if case .set(let key) = row.company { keys.insert(key) }
        }
        guard !keys.isEmpty else { return [:] }
        return try await SyncLinks(kind: .companies, scope: scope).find(Array(keys), in: transaction)
            .filter { !$0.value.isDeleted }.mapValues(\.target)
    }
}
