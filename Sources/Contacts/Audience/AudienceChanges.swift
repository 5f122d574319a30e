import Core
import FoundationEssentials
import Postgres

/// The note of which people changed in what. Segments read it to check again only those people against only those rules
/// that mention what changed; whatever changes people writes it in the same transaction.
package enum AudienceChanges {
    /// Notes that something about people changed.
    ///
    /// - Parameters:
    ///   - contacts: the people; nil when anybody may have changed.
    ///   - fields: what changed, in the words of conditions (`email`, `tags`, `properties.plan`, `company`, `list`,
    ///     `consent`, `sent`, `opened`, `clicked`, `event.<name>`); empty when anything may have changed.
    package static func record(
        _ contacts: [ContactID]?, fields: [String], _ workspace: WorkspaceID, at now: Date
    ) -> Statement {
        Statement(
            "contacts.audience.record",
            """
            INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
            VALUES (\(workspace), \(contacts), \(fields), \(now))
            """)
    }

    /// The same as part of a larger statement, for its `WITH`: an `INSERT` of the people that a table of the same `WITH`
    /// names in its column `contact_id`; nothing when it names nobody.
    package static func recording(
        _ people: SQL, fields: [String], _ workspace: WorkspaceID, at now: Date
    ) -> SQL {
        """
        INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
        SELECT \(workspace), array_agg(DISTINCT who.contact_id), \(fields), \(now) FROM \(people) who
        HAVING count(*) > 0
        """
    }
}
