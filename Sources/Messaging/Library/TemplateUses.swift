import Contacts
import Core
import Postgres

/// Templates of the library that say a property, as far as their newest version goes.
package enum TemplateUses {
    /// A property that is gone leaves a blank; nothing is kept from being deleted for it.
    package static func ofProperty(
        _ property: PropertyDefinition, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        guard property.object == .contact else { return [] }
        let words: [String] = [ContactLiquid.path(of: property.name), "properties['\(property.name)']"]
        let found: [(LibraryTemplateID, String)] = try await transaction.rows(
            as: (LibraryTemplateID, String).self, "messaging.templates.saying",
            """
            SELECT t.id, t.name FROM marketing_templates t JOIN marketing_template_versions v
                ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.number = t.version
            WHERE t.workspace_id = \(scope.workspace) AND t.deleted_at IS NULL AND EXISTS (
                SELECT FROM unnest(\(words)) AS w
                WHERE strpos(v.subject, w) > 0 OR strpos(v.preview_text, w) > 0 OR strpos(v.body, w) > 0)
            ORDER BY t.name LIMIT 50
            """)
        return found.map { id, name in
            ListUse(name: name, href: "/templates/\(id)", status: "Template", tone: "info", isBinding: false)
        }
    }

    /// Templates that name a person who is erased, in any version: earlier ones can be brought back.
    package static func naming(
        _ person: PersonMentions, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ListUse] {
        let texts: SQL = "concat_ws(' ', t.name, t.description, v.subject, v.preview_text, v.body, v.note)"
        let found: [(LibraryTemplateID, String)] = try await transaction.rows(
            as: (LibraryTemplateID, String).self, "messaging.templates.mentions",
            """
            SELECT DISTINCT t.id, t.name FROM marketing_templates t JOIN marketing_template_versions v
                ON v.workspace_id = t.workspace_id AND v.template_id = t.id
            WHERE t.workspace_id = \(scope.workspace) AND t.deleted_at IS NULL AND \(person.isNamed(in: texts))
            ORDER BY t.id LIMIT \(PersonMentions.limit)
            """)
        return found.map { id, name in
            ListUse(name: name, href: "/templates/\(id)", status: "Template", tone: "info", isBinding: false)
        }
    }
}
