import Accounts
import Core
import FoundationEssentials
import Postgres

/// What the audit log says about contacts, companies and lists, in words: properties by their labels and options, ids by
/// names.
package enum AuditWords {
    package static let source: AuditVocabulary.Source = { mentions, zone, scope, transaction in
        var vocabulary = AuditVocabulary()
        if !mentions.ids.isEmpty {
            vocabulary.names = try await names(Array(mentions.ids), scope, in: transaction)
        }
        var definitions: [String: PropertyDefinition] = [:]
        if mentions.properties {
            let queries = PropertyQueries(scope: scope)
            let (people, companies) = try await transaction.pipeline(queries.all(.contact), queries.all(.company))
            for one in people { definitions["contacts." + one.name] = one }
            for one in companies { definitions["companies." + one.name] = one }
        }
        let known: [String: PropertyDefinition] = definitions
        vocabulary.label = { area, field in
            definition(area, field, known)?.label ?? ContactFormPage.Conflict.labels[field]
        }
        vocabulary.words = { area, field, value in
            if let definition = definition(area, field, known) {
                return PropertyFormat.shown(value, definition, zone: zone)
            }
            guard let text = value.stringValue else { return nil }
            switch field {
            case "emailStatus": return EmailStatus(rawValue: text)?.words
            case "action" where area == .contacts: return ConsentAction(rawValue: text)?.words
            default: return nil
            }
        }
        return vocabulary
    }

    private static func definition(
        _ area: AuditArea, _ field: String, _ known: [String: PropertyDefinition]
    ) -> PropertyDefinition? {
        guard field.hasPrefix("properties.") else { return nil }
        return known[(area == .companies ? "companies." : "contacts.") + field.dropFirst(11)]
    }

    /// What ids stand for: lists, companies, contacts, members.
    static func names(
        _ ids: [UUID], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [UUID: String] {
        let found: [(UUID, String)] = try await transaction.rows(
            as: (UUID, String).self, "contacts.audit.names",
            """
            SELECT id, name FROM marketing_lists WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids))
            UNION ALL
            SELECT id, name FROM marketing_companies WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids))
            UNION ALL
            SELECT id, coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email, phone, 'a person')
            FROM marketing_contacts WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids))
            UNION ALL
            SELECT u.id, u.name FROM marketing_users u
            JOIN marketing_memberships m ON m.user_id = u.id AND m.workspace_id = \(scope.workspace)
            WHERE u.id = ANY (\(ids))
            """)
        return Dictionary(found) { first, _ in first }
    }
}
