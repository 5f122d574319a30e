import Core
import FoundationEssentials
import Postgres

/// Which company a person belongs to. The number of people of each company is settled by the database itself, whatever
/// changes a person's company (migration 0014).
package enum CompanyLinks {
    /// The company that has the domain of an e-mail address, for a pipeline; nothing for addresses that say nothing.
    package static func matching(_ email: String?, _ scope: WorkspaceScope) -> Query<CompanyID> {
        let domain: String? = email.flatMap { try? EmailAddress(parsing: $0) }
            .flatMap { CompanyDomain(ofAddress: $0) }?.text
        return Query.values(
            CompanyID.self, "contacts.companies.byDomain",
            """
            SELECT m.id FROM marketing_companies m
            WHERE m.workspace_id = \(scope.workspace) AND m.domain = \(domain) AND m.deleted_at IS NULL LIMIT 1
            """)
    }

    /// The company that was chosen for a person; nil when none was.
    /// - Throws: `ValidationErrors` when there is no such company.
    static func chosen(
        _ id: CompanyID?, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Company? {
        guard let id else { return nil }
        guard let company = try await CompanyQueries(scope: scope).find(id, in: transaction) else {
            throw ValidationErrors("companyId", "There is no such company.")
        }
        return company
    }

    /// The names of both companies, for the timeline.
    static func change(
        from old: CompanyID?, to new: CompanyID?, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> JSONValue {
        let before: Company?
        if let old { before = try await CompanyQueries(scope: scope).find(old, in: transaction) } else { before = nil }
        let after: Company? = try await chosen(new, scope, in: transaction)
        return .array([before.map { .string($0.name) } ?? .null, after.map { .string($0.name) } ?? .null])
    }
}
