import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Making, changing and filling lists. Counts are settled by the statement that changes the members.
struct ListActions: Sendable {
    let services: AppServices
    /// What uses a list, asked of the slices above before one is deleted.
    var uses: ListUse.Finder = { _, _, _ in [] }
    /// Who keeps the rules of segments.
    var segments: (any SegmentRules)?

    enum Deletion: Sendable {
        case done
        case missing
        /// Something goes out to the list now or soon; what.
        case inUse([ListUse])
    }

    func create(_ form: ContactListForm, _ scope: WorkspaceScope) async throws -> ContactList {
        try await refusingTakenName {
            try await services.database.write(scope.workspace) { transaction in
                try await create(form, scope, in: transaction)
            }
        }
    }

    func create(
        _ form: ContactListForm, kind: ContactListKind = .static, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws -> ContactList {
        let id: ContactListID = services.ids.next()
        let now: Date = services.clock.now
        try await transaction.run(
            "contacts.lists.create",
            """
            INSERT INTO marketing_lists (workspace_id, id, name, description, kind, created_at, updated_at)
            VALUES (\(scope.workspace), \(id), \(form.name), \(form.description), \(kind), \(now), \(now))
            """)
        let word: String = kind == .segment ? "segment" : "list"
        try await services.audit.record(
            "created the \(word)", subject: form.name, href: "/\(word)s/\(id)", by: scope, in: transaction)
        return ContactList(
            id: id, name: form.name, description: form.description, kind: kind, memberCount: 0, createdAt: now,
            updatedAt: now)
    }

    /// What became of saving a list.
    enum Saving: Sendable {
        case saved
        /// Somebody else changed it since: how it stands now.
        case changedMeanwhile(ContactList)
        case missing
    }

    /// - Parameter version: the state that the change was made on; nil to change whatever is there.
    func update(
        _ id: ContactListID, _ form: ContactListForm, version: Int? = nil, _ scope: WorkspaceScope
    ) async throws -> Saving {
        try await refusingTakenName {
            try await services.database.write(scope.workspace) { transaction in
                let condition: SQL = version.map { " AND version = \($0)" } ?? ""
                let count: Int = try await transaction.run(
                    "contacts.lists.update",
                    """
                    UPDATE marketing_lists
                    SET name = \(form.name), description = \(form.description), updated_at = \(services.clock.now),
                        version = version + 1
                    WHERE workspace_id = \(scope.workspace) AND id = \(id) AND deleted_at IS NULL\(condition)
                    """)
                if count > 0 { return .saved }
                let now: ContactList? = try await ListQueries(scope: scope).find(id, in: transaction)
                return now.map(Saving.changedMeanwhile) ?? .missing
            }
        }
    }

    /// What `WebError` says to whoever wants to change the members of a segment by hand.
    static let byRule = WebError.conflict(
        "This is a segment: its rule decides who is in it. Change the rule, or put the people on a list.",
        code: "list_is_segment")

    func refusingTakenName<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUniqueViolation(constraint: "marketing_lists_name") {
            throw ContactListForm.taken
        }
    }

    /// Deletes a list; the people stay. Refused while a campaign that is scheduled or being sent needs it.
    func delete(_ id: ContactListID, _ scope: WorkspaceScope) async throws -> Deletion {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let found: [ListUse] = try await uses(id, scope, transaction)
            if found.contains(where: \.isBinding) { return .inUse(found) }
            let deleted: (String, ContactListKind)? = try await transaction.rows(
                as: (String, ContactListKind).self, "contacts.lists.delete",
                """
                UPDATE marketing_lists SET deleted_at = \(services.clock.now), member_count = 0
                WHERE workspace_id = \(scope.workspace) AND id = \(id) AND deleted_at IS NULL RETURNING name, kind
                """
            ).first
            guard let (name, kind) = deleted else { return .missing }
            try await transaction.run([
                Statement(
                    "contacts.lists.delete.members",
                    """
                    DELETE FROM marketing_list_members
                    WHERE workspace_id = \(scope.workspace) AND list_id = \(id)
                    """),
                ContactTotals.adding(0, scope),
                // Who was on it is on it no more: rules that ask for it have to be looked at as a whole.
                AudienceChanges.record(nil, fields: ["list"], scope.workspace, at: services.clock.now),
            ])
            try await segments?.forget(id, scope, in: transaction)
            try await services.audit.record(
                kind == .segment ? "deleted the segment" : "deleted the list", subject: name, by: scope,
                in: transaction)
            return .done
        }
    }

    /// Puts people on a list; answers how many were not on it. Ids of other workspaces and of deleted people are passed
    /// over.
    func add(_ contacts: [ContactID], to list: ContactList, _ scope: WorkspaceScope) async throws -> Int {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await add(contacts, to: list, scope, in: transaction)
        }
    }

    func add(
        _ contacts: [ContactID], to list: ContactList, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Int {
        guard list.kind == .static else { throw Self.byRule }
        let added: [ContactID] = try await transaction.values(
            ContactID.self, "contacts.lists.add",
            """
            INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
            SELECT \(scope.workspace), l.id, c.id, \(services.clock.now)
            FROM unnest(\(contacts)) AS g(id)
            JOIN marketing_contacts c ON c.workspace_id = \(scope.workspace) AND c.id = g.id AND c.deleted_at IS NULL
            JOIN marketing_lists l ON l.workspace_id = \(scope.workspace) AND l.id = \(list.id) AND l.deleted_at IS NULL
            ORDER BY c.id ON CONFLICT DO NOTHING RETURNING contact_id
            """)
        try await settle(list, added.count, added, scope, in: transaction)
        try await ContactTimeline(services).record(
            .listed, added, ["list": .string(list.name), "href": .string("/lists/\(list.id)")], scope, in: transaction)
        return added.count
    }

    /// Takes people off a list; answers how many were on it.
    func remove(_ contacts: [ContactID], from list: ContactList, _ scope: WorkspaceScope) async throws -> Int {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await remove(contacts, from: list, scope, in: transaction)
        }
    }

    func remove(
        _ contacts: [ContactID], from list: ContactList, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Int {
        guard list.kind == .static else { throw Self.byRule }
        let removed: [ContactID] = try await transaction.values(
            ContactID.self, "contacts.lists.remove",
            """
            DELETE FROM marketing_list_members
            WHERE workspace_id = \(scope.workspace) AND list_id = \(list.id) AND contact_id = ANY (\(contacts))
            RETURNING contact_id
            """)
        try await settle(list, -removed.count, removed, scope, in: transaction)
        try await ContactTimeline(services).record(
            .unlisted, removed, ["list": .string(list.name), "href": .string("/lists/\(list.id)")], scope,
            in: transaction)
        return removed.count
    }

    private func settle(
        _ list: ContactList, _ count: Int, _ people: [ContactID], _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        guard count != 0 else { return }
        try await transaction.run([
            Statement(
                "contacts.lists.settle",
                """
                UPDATE marketing_lists SET member_count = member_count + \(count)::int, updated_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(list.id)
                """),
            ContactTotals.adding(0, scope),
            AudienceChanges.record(people, fields: ["list"], scope.workspace, at: services.clock.now),
        ])
    }
}
