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

    /// Segments whose rules, name or description name a person who is erased.
    package static func naming(
        _ person: PersonMentions, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let found: [(ContactListID, String)] = try await transaction.rows(
            as: (ContactListID, String).self, "segments.mentions",
            """
            SELECT l.id, l.name FROM marketing_segments s
            JOIN marketing_lists l ON l.workspace_id = s.workspace_id AND l.id = s.list_id AND l.deleted_at IS NULL
            WHERE s.workspace_id = \(scope.workspace)
                AND \(person.isNamed(in: "concat_ws(' ', l.name, l.description, s.rules::text)"))
            ORDER BY l.id LIMIT \(PersonMentions.limit)
            """)
        return found.map { id, name in
            ListUse(name: name, href: "/segments/\(id)", status: "Segment", tone: "info", isBinding: false)
        }
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
