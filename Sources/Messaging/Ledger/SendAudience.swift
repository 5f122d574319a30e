import Contacts
import Core
import FoundationEssentials
import Postgres

/// Who a send goes to: the people on any of the lists, without those on any of the excluded ones.
package struct SendAudience: Codable, Sendable, Equatable {
    package var listIds: [ContactListID]
    package var excludeListIds: [ContactListID]

    package init(listIds: [ContactListID] = [], excludeListIds: [ContactListID] = []) {
        self.listIds = listIds
        self.excludeListIds = excludeListIds
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        listIds = try container.decodeIfPresent([ContactListID].self, forKey: .listIds) ?? []
        excludeListIds = try container.decodeIfPresent([ContactListID].self, forKey: .excludeListIds) ?? []
    }

    private enum CodingKeys: String, CodingKey { case listIds, excludeListIds }
}

/// The one place that decides who of an audience gets a message and why somebody does not. The forecast on the review page
/// and the snapshot both use it, so what was promised is what happens.
enum SendDecision {
    /// The people of an audience in the order of their ids, as `contact_id, excluded`. Each list is read along its primary
    /// key from where the last chunk ended, so a chunk costs the same at the start and at the end of a million.
    static func people(of audience: SendAudience, in workspace: WorkspaceID, after: ContactID?, limit: Int?) -> SQL {
        let included: [ContactListID] = audience.listIds
        let excluded: [ContactListID] = audience.excludeListIds
        let from: SQL = after.map { "AND m.contact_id > \($0)" } ?? ""
        let count: SQL = limit.map { "LIMIT \($0)" } ?? ""
        return """
            SELECT chosen.contact_id, EXISTS (
                SELECT 1 FROM marketing_list_members x
                WHERE x.workspace_id = \(workspace) AND x.contact_id = chosen.contact_id AND x.list_id = ANY (\(excluded))
            ) AS excluded
            FROM (
                SELECT DISTINCT member.contact_id
                FROM marketing_lists list CROSS JOIN LATERAL (
                    SELECT m.contact_id FROM marketing_list_members m
                    WHERE m.workspace_id = \(workspace) AND m.list_id = list.id \(from)
                    ORDER BY m.contact_id \(count)
                ) member
                WHERE list.workspace_id = \(workspace) AND list.id = ANY (\(included)) AND list.deleted_at IS NULL
                ORDER BY member.contact_id \(count)
            ) chosen
            """
    }

    /// What else the decision needs: `people` is the relation above, named `p`. A suppression that has come to its end
    /// counts no more.
    /// - Parameter isFewOfMany: each person is looked up by their key (`LIMIT` keeps the planner to that). Otherwise it
    ///   decides, and for a chunk of some thousand people it likes to read all people of the workspace, for each chunk again.
    static func joins(in workspace: WorkspaceID, at now: Date, isFewOfMany: Bool = false) -> SQL {
        let contact: SQL =
            isFewOfMany
            ? """
            JOIN LATERAL (
                SELECT * FROM marketing_contacts c
                WHERE c.workspace_id = \(workspace) AND c.id = p.contact_id AND c.deleted_at IS NULL LIMIT 1
            ) c ON true
            """
            : """
            JOIN marketing_contacts c
                ON c.workspace_id = \(workspace) AND c.id = p.contact_id AND c.deleted_at IS NULL
            """
        return """
            \(contact)
            LEFT JOIN marketing_suppressions s
                ON s.workspace_id = \(workspace) AND s.email_key = c.email_key AND s.lifted_at IS NULL
                    AND (s.expires_at IS NULL OR s.expires_at > \(now))
            """
    }

    /// The reason for not sending to `p`, or NULL. The order is the order in which a person would name the reasons.
    static func reason(in workspace: WorkspaceID, at now: Date, erased: ErasedAddresses?) -> SQL {
        "CASE WHEN p.excluded THEN 'on_excluded_list' ELSE \(contactReason(in: workspace, at: now, erased: erased)) END"
    }

    /// The part that is asked again right before the hand-over. Whether the workspace suppresses any domain is asked once
    /// per statement (a subquery without a reference to `c`), so those that suppress none pay one look at an empty index.
    static func contactReason(in workspace: WorkspaceID, at now: Date, erased: ErasedAddresses?) -> SQL {
        var sql: SQL = """
            CASE
                WHEN c.email_key IS NULL THEN 'no_email'
                WHEN s.reason = 'complaint' OR c.email_status = 'complained' THEN 'suppressed_complaint'
                WHEN s.reason IN ('hard_bounce', 'soft_bounce') OR c.email_status = 'bounced' THEN 'suppressed_bounce'
                WHEN s.reason = 'manual' THEN 'suppressed_manual'
                WHEN s.reason IS NOT NULL OR c.email_status = 'unsubscribed' THEN 'suppressed_unsubscribed'
                WHEN c.email_opt_in = false THEN 'consent_withdrawn'
                WHEN c.email_status = 'unconfirmed' THEN 'not_confirmed'
                WHEN (
                    SELECT EXISTS (
                        SELECT FROM marketing_suppressions d
                        WHERE d.workspace_id = \(workspace) AND d.lifted_at IS NULL AND d.kind = 'domain')
                ) AND EXISTS (
                    SELECT FROM marketing_suppressions d
                    WHERE d.workspace_id = \(workspace) AND d.lifted_at IS NULL
                        AND d.email_key = '@' || split_part(c.email_key, '@', -1)
                        AND (d.expires_at IS NULL OR d.expires_at > \(now))
                ) THEN 'suppressed_domain'
            """
        if let erased {
            sql += """

                    WHEN EXISTS (
                        SELECT FROM marketing_suppressions d
                        WHERE d.workspace_id = \(workspace) AND d.lifted_at IS NULL
                            AND d.email_key = '#' || encode(\(erased.hash(of: "c.email_key")), 'hex')
                    ) THEN 'suppressed_erased'
                """
        }
        return sql + "\nEND"
    }
}

/// How many people of an audience get a message, and why the others do not.
package struct AudienceForecast: Sendable, Equatable {
    package struct Refusal: Sendable, Equatable {
        package let reason: MessageReason
        package let count: Int

        package init(reason: MessageReason, count: Int) {
            self.reason = reason
            self.count = count
        }
    }

    /// Everybody on the lists, each counted once.
    package let people: Int
    package let recipients: Int
    /// Largest first.
    package let refusals: [Refusal]

    package init(people: Int, recipients: Int, refusals: [Refusal]) {
        self.people = people
        self.recipients = recipients
        self.refusals = refusals
    }
}

extension MessageState: PostgresCodable, PostgresArrayElement {}
extension MessageReason: PostgresCodable, PostgresArrayElement {}
extension SendState: PostgresCodable {}
