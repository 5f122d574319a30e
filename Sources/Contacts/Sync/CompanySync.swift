import Accounts
import Core
import FoundationEssentials
import Postgres

/// Brings companies into step with another system, like `ContactSync` does people.
package struct CompanySync: Sendable {
    private let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    struct Record: Sendable, Equatable, PostgresRow {
        let id: UUID
        var name: String
        var domain: String?
        var phone: String?
        var website: String?
        var properties: [String: JSONValue] = [:]

        static let columns: SQL = "m.id, m.name, m.domain, m.phone, m.website, m.properties"

        init(id: UUID) {
            self.id = id
            name = ""
        }

        init(row: inout RowReader) throws {
            id = try row.next()
            name = try row.next()
            domain = try row.next()
            phone = try row.next()
            website = try row.next()
            if case .object(let members) = try row.next(JSONValue.self) { properties = members }
        }

        func fieldsChanged(since old: Record) -> Set<String> {
            var fields: Set<String> = []
            if name != old.name { fields.insert("company.name") }
            if domain != old.domain { fields.insert("company.domain") }
            if phone != old.phone { fields.insert("company.phone") }
            if website != old.website { fields.insert("company.website") }
            for name in Set(properties.keys).union(old.properties.keys) where properties[name] != old.properties[name] {
                fields.insert("company.properties.\(name)")
            }
            return fields
        }
    }

    /// What became of each record, in order.
    package func apply(_ rows: [SyncedCompany], _ scope: WorkspaceScope) async throws -> [SyncOutcome] {
        guard !rows.isEmpty else { return [] }
        for _ in 0..<2 {
            do {
                return try await attempt(rows, scope)
            } catch let error as PostgresError
                where error.isUniqueViolation(constraint: "marketing_companies_domain")
            {
                continue
            }
        }
        return try await attempt(rows, scope)
    }

    private func attempt(_ rows: [SyncedCompany], _ scope: WorkspaceScope) async throws -> [SyncOutcome] {
        try await services.database.write(scope.workspace, timeout: .seconds(60), keepsPlans: true) { transaction in
            try await transaction.run([IdentityQueries(scope: scope).lock])
            let links = SyncLinks(kind: .companies, scope: scope)
            let known = try await links.find(Array(Set(rows.map(\.key))), in: transaction)
            let ids: [UUID] = Array(Set(known.values.map(\.target)))
            let domains: [String] = rows.compactMap { if case .set(let domain) = $0.domain { domain } else { nil } }
            let records = try await transaction.all(
                Record.self, "contacts.sync.companies",
                """
                SELECT \(Record.columns) FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.deleted_at IS NULL AND m.id = ANY (\(ids))
                UNION
                SELECT \(Record.columns) FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.deleted_at IS NULL AND m.domain = ANY (\(domains))
                """)
            let book = SyncLinkBook(known, living: try await links.living(of: ids, in: transaction))
            var run = CompanySyncRun(services: services, scope: scope, records: records, links: book)
            run.catalog = try await PropertyCatalog.load(
                .company, scope, ids: services.ids, at: services.clock.now, in: transaction)
            let outcomes: [SyncOutcome] = rows.map { run.settle($0) }
            try await transaction.run(run.statements())
            return outcomes
        }
    }
}
