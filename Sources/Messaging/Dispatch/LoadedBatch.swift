import Contacts
import Core
import FoundationEssentials
import Postgres
import Templates

/// A message of a claimed batch, with its person as they are now.
struct LoadedMessage: Sendable {
    let id: MessageID
    let contact: ContactID
    let attempt: Int
    /// The address in the ledger.
    let ledgerEmail: String?
    let person: ContactSnapshot?
    /// Why not to send it after all: asked again right before the hand-over.
    let refusal: MessageReason?

    init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        attempt = try row.next()
        ledgerEmail = try row.next()
        let exists: Bool = try row.next()
        refusal = try row.next()
        person = exists ? try ContactSnapshot(row: &row) : nil
    }
}

extension LoadedMessage: PostgresRow {
    static let columns: SQL = "m.id, m.contact_id, m.attempt, m.email, c.id IS NOT NULL, refusal"
}

/// A claimed batch with its messages, ready to be worked on.
struct LoadedBatch: Sendable {
    let claim: ClaimedBatch
    let messages: [LoadedMessage]
    /// The batch's tag in the journal.
    let tag: UInt32
}

extension BatchQueries {
    /// The messages of a batch that still wait. Suppressions, consent, deletion and merges are looked at again here.
    /// - Parameter erased: the hashes of erased addresses; nil when nobody was erased.
    func messages(
        of claim: ClaimedBatch, withProperties: Bool, erased: ErasedAddresses? = nil, at now: Date
    ) async throws -> [LoadedMessage] {
        let mine: SQL =
            claim.ids.map { "m.id = ANY (\($0)) AND m.state = 'retry'" }
            ?? "m.id BETWEEN \(claim.first) AND \(claim.last) AND m.state = 'pending'"
        let person: SQL = withProperties ? ContactSnapshot.columns : ContactSnapshot.columnsWithoutProperties
        return try await tx.all(
            LoadedMessage.self, "messaging.load_batch",
            """
            SELECT m.id, m.contact_id, m.attempt, m.email, c.id IS NOT NULL, CASE WHEN c.id IS NULL THEN 'deleted'
                ELSE coalesce(\(SendDecision.contactReason(in: workspace, at: now, erased: erased)),
                    \(MergedCopies.reason(send: send, in: workspace))) END, \(person)
            FROM marketing_messages m
            LEFT JOIN marketing_contacts c
                ON c.workspace_id = \(workspace) AND c.id = m.contact_id AND c.deleted_at IS NULL
            LEFT JOIN marketing_suppressions s
                ON s.workspace_id = \(workspace) AND s.email_key = c.email_key AND s.lifted_at IS NULL
                    AND (s.expires_at IS NULL OR s.expires_at > \(now))
            WHERE m.workspace_id = \(workspace) AND m.send_id = \(send) AND \(mine)
            ORDER BY m.id
            """)
    }
}

/// What a message needs to know of its person.
struct ContactSnapshot: Sendable {
    static let columns: SQL = "c.email, c.phone, c.first_name, c.last_name, c.tracking_allowed, c.properties, c.tags"
    static let columnsWithoutProperties: SQL =
        "c.email, c.phone, c.first_name, c.last_name, c.tracking_allowed, NULL::jsonb, NULL::text[]"

    let email: String?
    let phone: String?
    let firstName: String?
    let lastName: String?
    let allowsTracking: Bool
    /// Read only when the e-mail uses them, like the tags.
    let properties: JSONMembers?
    let tags: [String]?

    init(row: inout RowReader) throws {
        email = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        allowsTracking = try row.next()
        properties = try row.next()
        tags = try row.next()
    }

    init(
        email: String?, phone: String? = nil, firstName: String? = nil, lastName: String? = nil,
        allowsTracking: Bool = true,
        properties: JSONMembers? = nil, tags: [String]? = nil
    ) {
        self.email = email
        self.phone = phone
        self.firstName = firstName
        self.lastName = lastName
        self.allowsTracking = allowsTracking
        self.properties = properties
        self.tags = tags
    }

    /// Both names as they are written together.
    var name: String {
        switch (firstName, lastName) {
        case (let first?, let last?): "\(first) \(last)"
        case (let first?, nil): first
        case (nil, let last?): last
        case (nil, nil): ""
        }
    }
}
