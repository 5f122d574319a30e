import Accounts
import Core
import FoundationEssentials
import Postgres

/// What imports did to a person, found when it is asked for: an import writes nothing per person for it.
///
/// Who added the person stands with the person. Whom an import changed stands in its chunks, for undoing it, in arrays
/// without an index; so only persons who have been changed are looked for, only in imports that began between their adding
/// and their last change, and only in the newest that changed half a million people together.
enum ImportMoments {
    private static let depth = 500_000

    struct Row: PostgresRow, Sendable {
        let id: ContactImportID
        let fileName: String
        let at: Date?

        static let columns: SQL = "id, file_name, started_at"

        init(row: inout RowReader) throws {
            id = try row.next()
            fileName = try row.next()
            at = try row.next()
        }
    }

    /// The import that added a person, for a pipeline.
    static func origin(of contact: ContactID, _ scope: WorkspaceScope) -> Query<Row> {
        Query(
            Row.self, "contacts.timeline.import",
            """
            SELECT i.id, i.file_name, i.started_at FROM marketing_contacts c
            JOIN marketing_contact_imports i ON i.workspace_id = c.workspace_id AND i.id = c.import_id
            WHERE c.workspace_id = \(scope.workspace) AND c.id = \(contact)
            """)
    }

    /// - Parameter origin: what the query `origin` found.
    static func find(
        _ contact: Contact, origin: [Row], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ContactMoment] {
        let made: [ContactMoment] = origin.map { moment($0, "Added by importing", at: contact.createdAt) }
        guard contact.version > 1 else { return made }
        let changes: [Row] = try await transaction.all(Row.self, "contacts.timeline.imports", changed(contact, scope))
        return made + changes.map { moment($0, "Updated by importing", at: $0.at ?? contact.updatedAt) }
    }

    private static func changed(_ contact: Contact, _ scope: WorkspaceScope) -> SQL {
        """
        SELECT \(Row.columns)
        FROM (
            SELECT i.id, i.file_name, i.started_at, sum(i.updated) OVER (ORDER BY i.id DESC) - i.updated AS newer
            FROM marketing_contact_imports i
            WHERE i.workspace_id = \(scope.workspace) AND i.updated > 0
                AND i.started_at BETWEEN \(contact.createdAt) AND \(contact.updatedAt)
        ) n
        WHERE n.newer < \(depth) AND EXISTS (
            SELECT FROM marketing_contact_import_chunks k
            WHERE k.workspace_id = \(scope.workspace) AND k.import_id = n.id AND NOT k.undone
                AND \(contact.id) = ANY (k.before_ids))
        ORDER BY n.id DESC
        """
    }

    private static func moment(_ row: Row, _ deed: String, at: Date) -> ContactMoment {
        ContactMoment(
            .importing, title: "\(deed) “\(row.fileName)”", at: at, icon: "import",
            href: ContactPaths.importPage(row.id), key: "\(row.id)")
    }
}
