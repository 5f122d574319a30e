import Core
import Postgres

/// Imports that wait or run and need a list or a property: neither can be deleted under them.
enum ImportUses {
    static func ofList(
        _ list: ContactListID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        try await running(scope, "AND i.list_id = \(list)", in: transaction).map(use)
    }

    static func ofProperty(
        _ property: PropertyDefinition, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        guard property.object == .contact else { return [] }
        return try await running(scope, "", in: transaction)
            .filter { $0.options.columns.contains(.property(property.name)) }.map(use)
    }

    private static func running(
        _ scope: WorkspaceScope, _ more: SQL, in transaction: PostgresTransaction
    ) async throws -> [ContactImport] {
        try await transaction.all(
            ContactImport.self, "contacts.import.uses",
            """
            SELECT \(ContactImport.columns) FROM marketing_contact_imports i
            WHERE i.workspace_id = \(scope.workspace) AND i.status IN ('queued', 'running') \(more)
            ORDER BY i.id DESC LIMIT 50
            """)
    }

    private static func use(_ file: ContactImport) -> ListUse {
        ListUse(
            name: file.fileName, href: ContactPaths.importPage(file.id), status: "Import", tone: "info",
            isBinding: true)
    }
}
