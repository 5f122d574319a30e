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

    private struct Row: PostgresRow, Sendable {
        let id: ContactImportID
        let fileName: String
        let at: Date

        static let columns: SQL = "id, file_name, at"

        init(row: inout RowReader) throws {
            id = try row.next()
            fileName = try row.next()
            at = try row.next()
        }

        func moment(_ deed: String) -> ContactMoment {
            ContactMoment(
                .importing, title: "\(deed) “\(fileName)”", at: at, icon: "import", href: ContactPaths.importPage(id),
                key: "\(id)")
        }
    }

    /// The import that added a person, for a pipeline.
    static func origin(of contact: ContactID, _ scope: WorkspaceScope) -> Query<ContactMoment> {
        Query(
            Row.self, "contacts.timeline.import",
            """
            SELECT i.id, i.file_name, c.created_at FROM marketing_contacts c
            JOIN marketing_contact_imports i ON i.workspace_id = c.workspace_id AND i.id = c.import_id
            WHERE c.workspace_id = \(scope.workspace) AND c.id = \(contact)
            """
        ).map { $0.moment("Added by importing") }
    }

    /// The imports that changed a person, for a pipeline. Costs nothing for people who were never changed.
    static func changes(of contact: ContactID, _ scope: WorkspaceScope) -> Query<ContactMoment> {
        Query(
            Row.self, "contacts.timeline.imports",
            """
            SELECT n.id, n.file_name, coalesce(n.started_at, c.updated_at)
            FROM marketing_contacts c CROSS JOIN LATERAL (
                SELECT i.id, i.file_name, i.started_at, sum(i.updated) OVER (ORDER BY i.id DESC) - i.updated AS newer
                FROM marketing_contact_imports i
                WHERE i.workspace_id = \(scope.workspace) AND i.updated > 0
                    AND i.started_at BETWEEN c.created_at AND c.updated_at
            ) n
            WHERE c.workspace_id = \(scope.workspace) AND c.id = \(contact) AND c.version > 1 AND n.newer < \(depth)
                AND EXISTS (
                    SELECT FROM marketing_contact_import_chunks k
                    WHERE k.workspace_id = \(scope.workspace) AND k.import_id = n.id AND NOT k.undone
                        AND \(contact) = ANY (k.before_ids))
            ORDER BY n.id DESC
            """
        ).map { $0.moment("Updated by importing") }
    }
}
