import Core
import FoundationEssentials
import Postgres
import Web

/// How a list of companies is ordered.
package enum CompanySort: String, Sendable, CaseIterable {
    case name, newest, people

    package init(_ values: FormValues) throws(ValidationErrors) {
        guard let text = values.optional("sort") else {
            self = .name
            return
        }
        guard let sort = CompanySort(rawValue: text) else {
            throw ValidationErrors("sort", "Sort by name, newest or people.")
        }
        self = sort
    }
}

/// All reading of companies.
package struct CompanyQueries: Sendable {
    let scope: WorkspaceScope

    package init(scope: WorkspaceScope) {
        self.scope = scope
    }

    package func find(_ id: CompanyID, in session: some PostgresSession) async throws -> Company? {
        try await session.first(Company.self, "contacts.companies.find", select(id))
    }

    func select(_ id: CompanyID?) -> SQL {
        """
        SELECT \(Company.columns) FROM marketing_companies m
        WHERE m.workspace_id = \(scope.workspace) AND m.id = \(id) AND m.deleted_at IS NULL LIMIT 1
        """
    }

    /// The company of a person, for a pipeline.
    func ofContact(_ id: ContactID) -> Query<Company> {
        Query(
            Company.self, "contacts.companies.ofContact",
            """
            SELECT \(Company.columns) FROM marketing_contacts c
            JOIN marketing_companies m ON m.workspace_id = c.workspace_id AND m.id = c.company_id AND m.deleted_at IS NULL
            WHERE c.workspace_id = \(scope.workspace) AND c.id = \(id)
            """)
    }

    package func find(domain: CompanyDomain, in session: some PostgresSession) async throws -> Company? {
        try await session.first(
            Company.self, "contacts.companies.findByDomain",
            """
            SELECT \(Company.columns) FROM marketing_companies m
            WHERE m.workspace_id = \(scope.workspace) AND m.domain = \(domain.text) AND m.domain IS NOT NULL
                AND m.deleted_at IS NULL LIMIT 1
            """)
    }

    private func conditions(_ query: String?) -> SQL {
        var sql: SQL = "m.workspace_id = \(scope.workspace) AND m.deleted_at IS NULL"
        if let query {
            let words: String = query.lowercased()
            sql += " AND (position(\(words) IN lower(m.name)) > 0 OR position(\(words) IN m.domain) > 0)"
        }
        return sql
    }

    /// A page of companies whose name or domain has the words.
    package func page(
        matching query: String?, sort: CompanySort, after: [String]?, limit: Int, in session: some PostgresSession
    ) async throws -> ContactPage<Company> {
        let rows: [Company] = try await session.all(
            Company.self, "contacts.companies.page", page(query, sort, after, limit))
        return ContactQueries(scope: scope).cut(rows, limit) { company in
            switch sort {
            case .name: [company.name.lowercased(), company.id.description]
            case .newest: [company.id.description]
            case .people: [String(company.contactCount), company.id.description]
            }
        }
    }

    private func page(_ query: String?, _ sort: CompanySort, _ after: [String]?, _ limit: Int) -> SQL {
        var position: SQL = ""
        let last: CompanyID? = after?.last.flatMap { CompanyID($0) }
        let order: SQL
        switch sort {
        case .name:
            order = "lower(m.name), m.id"
            if let last, let name = after?.first, after?.count == 2 {
                position = " AND (lower(m.name), m.id) > (\(name)::text, \(last)::uuid)"
            }
        case .newest:
            order = "m.id DESC"
            if let last { position = " AND m.id < \(last)" }
        case .people:
            order = "m.contact_count DESC, m.id DESC"
            if let last, let count = after?.first.flatMap({ Int($0) }), after?.count == 2 {
                position = " AND (m.contact_count, m.id) < (\(count)::bigint, \(last)::uuid)"
            }
        }
        return """
            SELECT \(Company.columns) FROM marketing_companies m
            WHERE \(conditions(query))\(position) ORDER BY \(order) LIMIT \(limit + 1)
            """
    }

    /// How many companies there are, for a pipeline.
    func count(matching query: String?) -> Query<Int> {
        Query.values(
            Int.self, "contacts.companies.count",
            "SELECT count(*) FROM (SELECT FROM marketing_companies m WHERE \(conditions(query)) LIMIT 100000) c")
    }
}
