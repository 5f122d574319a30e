import Core
import FoundationEssentials
import Postgres

/// The table that people are searched and sorted by, filled from the people.
enum ContactSearchIndex {
    private static let columns: SQL = """
        c.workspace_id, c.id,
        coalesce(nullif(btrim(lower(concat_ws(' ', c.last_name, c.first_name))), ''), c.email_key, ''),
        \(ContactSearch.text), c.tags
        """

    private static let conflict: SQL = """
        ON CONFLICT (workspace_id, contact_id) DO UPDATE 
            SET name_key = EXCLUDED.name_key, text = EXCLUDED.text, tags = EXCLUDED.tags
        WHERE (s.name_key, s.text, s.tags) IS DISTINCT FROM (EXCLUDED.name_key, EXCLUDED.text, EXCLUDED.tags)
        """

    /// Merges what waits in the index of pieces, so that searches need not read it entry by entry.
    static func flush(_ database: Database) async throws {
        _ = try await database.session(timeout: .seconds(120)) { session in
            try await session.run("contacts.search.flush", "SELECT marketing_flush_contact_search()")
        }
    }

    /// Brings these people's rows up to date.
    static func refresh(_ ids: [ContactID], _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.search.refresh",
            """
            INSERT INTO marketing_contact_search AS s (workspace_id, contact_id, name_key, text, tags)
            SELECT \(columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(ids)) AND c.deleted_at IS NULL
            \(conflict)
            """)
    }

    /// Brings the rows of an import's chunk up to date: the new people of its id range and the changed ones.
    static func refresh(
        chunk number: Int, of importID: ContactImportID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run([
            Statement(
                "contacts.search.new",
                """
                INSERT INTO marketing_contact_search AS s (workspace_id, contact_id, name_key, text, tags)
                SELECT \(columns)
                FROM marketing_contact_import_chunks k JOIN marketing_contacts c
                    ON c.workspace_id = k.workspace_id AND c.id BETWEEN k.first_id AND k.last_id
                WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(number)
                    AND c.import_id = \(importID) AND c.deleted_at IS NULL
                \(conflict)
                """),
            Statement(
                "contacts.search.changed",
                """
                INSERT INTO marketing_contact_search AS s (workspace_id, contact_id, name_key, text, tags)
                SELECT \(columns)
                FROM (
                    SELECT DISTINCT unnest(before_ids) AS id FROM marketing_contact_import_chunks
                    WHERE workspace_id = \(scope.workspace) AND import_id = \(importID) AND number = \(number)
                ) b CROSS JOIN LATERAL (
                    SELECT * FROM marketing_contacts p
                    WHERE p.workspace_id = \(scope.workspace) AND p.id = b.id AND p.deleted_at IS NULL LIMIT 1
                ) c
                \(conflict)
                """),
        ])
    }
}
