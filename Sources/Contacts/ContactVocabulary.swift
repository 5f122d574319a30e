import Core
import FoundationEssentials
import Postgres

/// The names that properties and tags have in a workspace.
package enum ContactVocabulary {
    static func remember(tags names: [String], _ scope: WorkspaceScope, at now: Date) -> Statement {
        Statement(
            "contacts.vocabulary.tags",
            """
            INSERT INTO marketing_contact_tags (workspace_id, name, created_at)
            SELECT \(scope.workspace), n, \(now) FROM unnest(\(names)::text[]) AS n ORDER BY n ON CONFLICT DO NOTHING
            """)
    }

    /// All property names of the workspace, for insert menus and column mapping.
    package static func properties(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> [String] {
        try await session.values(
            String.self, "contacts.vocabulary.listProperties",
            """
            SELECT name FROM marketing_property_definitions
            WHERE workspace_id = \(scope.workspace) AND object = 'contact' ORDER BY name LIMIT 500
            """)
    }

    package static func tags(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> [String] {
        try await session.values(String.self, "contacts.vocabulary.listTags", selectTags(scope))
    }

    static func selectTags(_ scope: WorkspaceScope) -> SQL {
        "SELECT name FROM marketing_contact_tags WHERE workspace_id = \(scope.workspace) ORDER BY name LIMIT 500"
    }
}
