import Accounts
import Core
import FoundationEssentials
import Postgres

/// Finds the companies that rows of a file name, and makes those that are not there: by domain, else by name.
///
/// They are made in a transaction of their own before the people: a company without people harms nobody, and two chunks
/// side by side need not wait for each other's end.
struct ImportCompanies: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    /// Whether the workspace has any company, so that people can be matched by the domain of their address.
    func exist() async throws -> Bool {
        try await services.database.read(scope.workspace, keepsPlans: true) { transaction in
            try await transaction.value(
                Bool.self, "contacts.import.hasCompanies",
                """
                SELECT EXISTS (
                    SELECT FROM marketing_companies
                    WHERE workspace_id = \(scope.workspace) AND domain IS NOT NULL AND deleted_at IS NULL)
                """)
        }
    }

    /// The company of each person of a chunk; the nil UUID for those whose row names none. Empty without such columns.
    func found(_ chunk: ImportChunk) async throws -> [CompanyID] {
        guard !chunk.companyPlaces.isEmpty else { return [] }
        let none = CompanyID(.zero)
        guard !chunk.companies.isEmpty else { return chunk.companyPlaces.map { _ in none } }
        let ids: [CompanyID?] = try await findOrMake(chunk.companies)
        return chunk.companyPlaces.map { $0 < 0 ? none : ids[$0] ?? none }
    }

    /// The companies in the order asked for.
    private func findOrMake(_ wanted: [ImportCompany]) async throws -> [CompanyID?] {
        let known = try await services.database.read(scope.workspace, timeout: .seconds(30), keepsPlans: true) {
            transaction in
            try await look(wanted, in: transaction)
        }
        if wanted.allSatisfy({ known.id(of: $0) != nil }) { return wanted.map(known.id) }
        return try await services.database.write(scope.workspace, timeout: .seconds(30), keepsPlans: true) {
            transaction in
            // Names are not unique, so whoever makes companies by name does so one after the other.
            try await transaction.run(
                "contacts.import.companies.turn",
                "SELECT pg_advisory_xact_lock(hashtextextended(\(scope.workspace.description), 7))")
            var known = try await look(wanted, in: transaction)
            var made: [ImportCompany] = []
            var ids: [CompanyID] = []
            for company in wanted where known.id(of: company) == nil {
                let id: CompanyID = services.ids.next()
                known.note(company, id)
                made.append(company)
                ids.append(id)
            }
            let now: Date = services.clock.now
            try await transaction.run(
                "contacts.import.companies.make",
                """
                INSERT INTO marketing_companies (workspace_id, id, name, domain, source, created_at, updated_at)
                SELECT \(scope.workspace), n.id, n.name, nullif(n.domain, ''), 'import', \(now), \(now)
                FROM unnest(
                    \(ids), \(made.map { $0.name ?? $0.domain ?? "" }), \(made.map { $0.domain ?? "" })) AS n(id, name, domain)
                """)
            return wanted.map(known.id)
        }
    }

    private struct Known: Sendable {
        var byDomain: [String: CompanyID] = [:]
        var byName: [String: CompanyID] = [:]

        func id(of company: ImportCompany) -> CompanyID? {
            if let domain = company.domain { return byDomain[domain] }
            return company.name.flatMap { byName[$0.lowercased()] }
        }

        mutating func note(_ company: ImportCompany, _ id: CompanyID) {
            if let domain = company.domain { byDomain[domain] = id }
            if let name = company.name, byName[name.lowercased()] == nil { byName[name.lowercased()] = id }
        }
    }

    private func look(_ wanted: [ImportCompany], in session: some PostgresSession) async throws -> Known {
        let domains: [String] = wanted.compactMap(\.domain)
        let names: [String] = wanted.filter { $0.domain == nil }.compactMap { $0.name?.lowercased() }
        let (byDomain, byName) = try await session.pipeline(
            Query.rows(
                as: (String, CompanyID).self, "contacts.import.companies.byDomain",
                """
                SELECT m.domain, m.id FROM unnest(\(domains)) AS w(domain)
                JOIN marketing_companies m ON m.workspace_id = \(scope.workspace) AND m.domain = w.domain COLLATE "C"
                    AND m.deleted_at IS NULL
                """),
            Query.rows(
                as: (String, CompanyID).self, "contacts.import.companies.byName",
                """
                SELECT w.name, m.id FROM unnest(\(names)) AS w(name)
                JOIN marketing_companies m ON m.workspace_id = \(scope.workspace) AND lower(m.name) = w.name
                    AND m.deleted_at IS NULL
                ORDER BY m.id DESC
                """))
        var known = Known()
        for (domain, id) in byDomain { known.byDomain[domain] = id }
        for (name, id) in byName { known.byName[name] = id }
        return known
    }
}
