import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres

/// Where rules of segments use something, asked before it is deleted.
package enum SegmentUses {
    /// Segments whose rules ask for a list.
    package static func ofList(
        _ list: ContactListID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await uses(scope, transaction) { $0.lists.contains(list) }
    }

    /// Segments whose rules name a property.
    package static func ofProperty(
        _ name: String, ofCompanies: Bool, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let path: String = ofCompanies ? "company.properties.\(name)" : "properties.\(name)"
        return try await uses(scope, transaction) { $0.changes.contains(path) }
    }

    /// Segments whose rules ask for a company.
    package static func ofCompany(
        _ company: UUID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await uses(scope, transaction) { $0.ids(of: .company).contains(company) }
    }

    private static func uses(
        _ scope: WorkspaceScope, _ transaction: PostgresTransaction, _ isUse: (RuleGroup) -> Bool
    ) async throws -> [ListUse] {
        let catalog = try await FieldCatalog.load(scope.workspace, in: transaction)
        return try await SegmentQueries(workspace: scope.workspace).all(in: transaction).compactMap { segment in
            guard let rule = try? RuleParser.parse(segment.rules, catalog), isUse(rule) else { return nil }
            return ListUse(
                name: segment.name, href: "/segments/\(segment.list)", status: "Segment", tone: "info", isBinding: false
            )
        }
    }
}
