import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates

/// Who is on the lists of a campaign, as SQL: the snapshot of a send selects from it.
package enum AudienceQuery {
    /// The columns of the rows, in order: `id uuid, email text, email_key text, email_status text, first_name text,
    /// last_name text, phone text, properties jsonb, tags text[], tracking_allowed boolean`.
    package static let columns: SQL = """
        c.id, c.email, c.email_key, c.email_status, c.first_name, c.last_name, c.phone, c.properties, c.tags,
        c.tracking_allowed
        """

    /// A `SELECT` of everybody who is on at least one of the lists, each person once, in the order of ids, deleted people
    /// left out. People on an excluded list are there with `on_excluded_list` true, so that the ledger can say why they
    /// get nothing. Use it as a subquery: `FROM (\(AudienceQuery.contacts(…))) a`.
    package static func contacts(
        inLists lists: [ContactListID], notInLists excluded: [ContactListID] = [], _ scope: WorkspaceScope
    ) -> SQL {
        """
        SELECT \(columns), EXISTS (
            SELECT FROM marketing_list_members x
            WHERE x.workspace_id = \(scope.workspace) AND x.list_id = ANY (\(excluded)) AND x.contact_id = c.id
        ) AS on_excluded_list
        FROM (
            SELECT DISTINCT m.contact_id FROM marketing_list_members m
            JOIN marketing_lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id AND l.deleted_at IS NULL
            WHERE m.workspace_id = \(scope.workspace) AND m.list_id = ANY (\(lists))
        ) m
        JOIN marketing_contacts c ON c.workspace_id = \(scope.workspace) AND c.id = m.contact_id AND c.deleted_at IS NULL
        """
    }

    /// How many people stand on the lists together, each once, excluded ones left out.
    package static func count(
        inLists lists: [ContactListID], notInLists excluded: [ContactListID] = [], _ scope: WorkspaceScope,
        in session: some PostgresSession
    ) async throws -> Int {
        try await session.value(
            Int.self, "contacts.audience.count",
            """
            SELECT count(DISTINCT m.contact_id) FROM marketing_list_members m
            JOIN marketing_lists l ON l.workspace_id = m.workspace_id AND l.id = m.list_id AND l.deleted_at IS NULL
            WHERE m.workspace_id = \(scope.workspace) AND m.list_id = ANY (\(lists)) AND NOT EXISTS (
                SELECT FROM marketing_list_members x
                WHERE x.workspace_id = \(scope.workspace) AND x.list_id = ANY (\(excluded))
                    AND x.contact_id = m.contact_id)
            """)
    }
}

/// One person, for slices above.
package enum ContactLookup {
    /// Nil for a person that is deleted or of another workspace.
    package static func contact(
        _ id: ContactID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> Contact? {
        try await ContactQueries(scope: scope).find(id, in: session)
    }

    package static func contact(
        email: EmailAddress, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> Contact? {
        let queries = ContactQueries(scope: scope)
        guard let id = try await queries.find(emailKey: email.key, in: session) else { return nil }
        return try await queries.find(id, in: session)
    }

    /// Those of these people who are there and not deleted.
    package static func existing(
        _ ids: [ContactID], _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> [ContactID] {
        guard !ids.isEmpty else { return [] }
        return try await session.values(
            ContactID.self, "contacts.existing",
            """
            SELECT c.id FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(ids)) AND c.deleted_at IS NULL
            """)
    }

    /// The newest people of a list, for a preview's picker; of the whole workspace without a list.
    package static func newest(
        inList list: ContactListID? = nil, matching query: String? = nil, limit: Int, _ scope: WorkspaceScope,
        in session: some PostgresSession
    ) async throws -> [Contact] {
        try await ContactQueries(scope: scope).page(
            Contact.self, ContactFilter(query: query, list: list), sort: .newest, after: nil, limit: limit, in: session
        ).rows
    }
}

/// Lists, for pickers of slices above.
package enum ContactLists {
    package static func all(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> [ContactList] {
        try await ListQueries(scope: scope).all(in: session)
    }

    package static func find(
        _ id: ContactListID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> ContactList? {
        try await ListQueries(scope: scope).find(id, in: session)
    }
}

/// What templates may say of a person: `{{ contact.firstName }}`, `{{ contact.properties.plan }}`. Names are there in both
/// spellings, and properties also directly, so that `{{ contact.plan }}` works.
package enum ContactLiquid {
    package static func value(_ contact: Contact) -> LiquidValue {
        value(
            email: contact.email, firstName: contact.firstName, lastName: contact.lastName, phone: contact.phone,
            properties: contact.properties, tags: contact.tags, id: contact.id)
    }

    package static func value(
        email: String?, firstName: String?, lastName: String?, phone: String?, properties: [String: JSONValue],
        tags: [String], id: ContactID
    ) -> LiquidValue {
        var members: [String: LiquidValue] = [:]
        var own: [String: LiquidValue] = [:]
        for (name, value) in properties {
            own[name] = LiquidValue(PropertyFormat.sayable(value))
            members[name] = own[name]
        }
        let name: String = [firstName, lastName].compactMap { $0 }.joined(separator: " ")
        func text(_ value: String?) -> LiquidValue { value.map(LiquidValue.string) ?? .null }
        members["id"] = .string(id.description)
        members["email"] = text(email)
        members["phone"] = text(phone)
        members["name"] = text(name.isEmpty ? nil : name)
        for key in ["firstName", "first_name"] { members[key] = text(firstName) }
        for key in ["lastName", "last_name"] { members[key] = text(lastName) }
        for key in ["fullName", "full_name"] { members[key] = members["name"] }
        members["tags"] = .array(tags.map(LiquidValue.string))
        members["properties"] = .object(LiquidObject(own.map { ($0.key, $0.value) }))
        return .object(LiquidObject(members.map { ($0.key, $0.value) }))
    }

    /// The variables that the insert menu offers, with the words for them.
    package static func variables(properties: [PropertyDefinition]) -> [(path: String, label: String)] {
        let fixed: [(String, String)] = [
            ("contact.firstName", "First name"), ("contact.lastName", "Last name"), ("contact.name", "Full name"),
            ("contact.email", "E-mail address"), ("contact.phone", "Phone number"),
        ]
        return fixed + properties.map { (path(of: $0.name), $0.label) }
    }

    /// How templates say a property: `contact.properties.plan`, `contact.properties["last order"]`.
    package static func path(of name: String) -> String {
        let isWord: Bool = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return isWord ? "contact.properties.\(name)" : "contact.properties[\"\(name)\"]"
    }
}

/// Changes of whether e-mails may go to people, made by unsubscribing, bouncing, complaining.
package enum ContactEmailStatus {
    /// Sets the status of people and records why; answers who really changed.
    /// - Parameter data: shown on the timeline: `detail`, `href`.
    @discardableResult
    package static func set(
        _ status: EmailStatus, of contacts: [ContactID], data: [String: JSONValue] = [:], _ scope: WorkspaceScope,
        services: AppServices, in transaction: PostgresTransaction
    ) async throws -> [ContactID] {
        let changed: [ContactID] = try await transaction.values(
            ContactID.self, "contacts.emailStatus.set",
            """
            UPDATE marketing_contacts
            SET email_status = \(status), updated_at = \(services.clock.now), version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = ANY (\(contacts)) AND email_status <> \(status)
            RETURNING id
            """)
        guard !changed.isEmpty else { return [] }
        var details: [String: JSONValue] = data
        details["status"] = .string(status.rawValue)
        try await ContactTimeline(services).record(.statusChanged, changed, details, scope, in: transaction)
        try await transaction.run([
            ContactTotals.adding(0, scope),
            AudienceChanges.record(changed, fields: ["emailStatus"], scope.workspace, at: services.clock.now),
        ])
        return changed
    }

    /// The same for everybody with this address; there is one at most.
    @discardableResult
    package static func set(
        _ status: EmailStatus, ofAddress emailKey: String, data: [String: JSONValue] = [:], _ scope: WorkspaceScope,
        services: AppServices, in transaction: PostgresTransaction
    ) async throws -> ContactID? {
        guard let id = try await ContactQueries(scope: scope).find(emailKey: emailKey, in: transaction) else {
            return nil
        }
        try await set(status, of: [id], data: data, scope, services: services, in: transaction)
        return id
    }
}
