import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

package enum ContactTaskTag {}
package typealias ContactTaskID = Identifier<ContactTaskTag>

/// Something that somebody at work is to do about a person.
struct ContactTask: Sendable, Equatable, PostgresRow {
    let id: ContactTaskID
    let title: String
    /// `2026-01-15`, in the workspace's time zone.
    let dueOn: String?
    let assigneeID: UserID?
    let assignee: String?
    let createdAt: Date
    let doneAt: Date?

    static let columns: SQL = "t.id, t.title, t.due_on::text, t.assignee_id, u.name, t.created_at, t.done_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        title = try row.next()
        dueOn = try row.next()
        assigneeID = try row.next()
        assignee = try row.next()
        createdAt = try row.next()
        doneAt = try row.next()
    }

    init(
        id: ContactTaskID, title: String, dueOn: String? = nil, assignee: String? = nil, createdAt: Date,
        doneAt: Date? = nil
    ) {
        self.id = id
        self.title = title
        self.dueOn = dueOn
        assigneeID = nil
        self.assignee = assignee
        self.createdAt = createdAt
        self.doneAt = doneAt
    }
}

/// What a form or an API call says of a task.
struct ContactTaskInput: Sendable {
    typealias Field = ContactInput.Field

    var title: Field<String> = .unchanged
    var dueOn: Field<String> = .unchanged
    var assignee: Field<UserID> = .unchanged
    var isDone: Bool?

    /// - Parameter isNew: whether there must be a title.
    func checked(isNew: Bool) throws(ValidationErrors) -> ContactTaskInput {
        var errors = ValidationErrors()
        var input = self
        switch title {
        case .unchanged: if isNew { errors.add("title", "Say what is to be done.") }
        case .clear: errors.add("title", "Say what is to be done.")
        case .set(let text):
            input.title = .set(text.trimmed)
            let hasControl: Bool = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
            if text.trimmed.isEmpty { errors.add("title", "Say what is to be done.") }
            if text.count > 300 || hasControl { errors.add("title", "One line of at most 300 characters.") }
        }
        if case .set(let day) = dueOn {
            do throws(PropertyValue.Flaw) {
                let day: JSONValue = try PropertyValue(type: .date).normalized(.string(day))
                input.dueOn = day.stringValue.map { .set($0) } ?? .clear
            } catch {
                errors.add("dueOn", error.message)
            }
        }
        try errors.throwIfAny()
        return input
    }
}

/// Writing, changing and finishing tasks.
struct ContactTaskActions: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    private static let source: SQL = "marketing_contact_tasks t LEFT JOIN marketing_users u ON u.id = t.assignee_id"

    /// Tasks of a person: the open ones by the day they are due, then what was done last, for a pipeline.
    static func all(_ contact: ContactID, limit: Int = 100, _ scope: WorkspaceScope) -> Query<ContactTask> {
        Query(
            ContactTask.self, "contacts.tasks.all",
            """
            SELECT \(ContactTask.columns) FROM \(source)
            WHERE t.workspace_id = \(scope.workspace) AND t.contact_id = \(contact)
            ORDER BY t.done_at IS NOT NULL, CASE WHEN t.done_at IS NULL THEN t.due_on END, t.done_at DESC, t.id
            LIMIT \(limit)
            """)
    }

    private func find(
        _ id: ContactTaskID, _ contact: ContactID, in session: some PostgresSession
    ) async throws -> ContactTask? {
        try await session.first(
            ContactTask.self, "contacts.tasks.find",
            """
            SELECT \(ContactTask.columns) FROM \(Self.source)
            WHERE t.workspace_id = \(scope.workspace) AND t.contact_id = \(contact) AND t.id = \(id) LIMIT 1
            """)
    }

    private func check(_ assignee: UserID?, in transaction: PostgresTransaction) async throws {
        guard let assignee else { return }
        let people: [WorkspacePerson] = try await transaction.pipeline(WorkspacePeople.all(scope))
        guard people.contains(where: { $0.id == assignee }) else {
            throw ValidationErrors("assigneeId", "There is no such person in this workspace.")
        }
    }

    /// Nil when there is no such person.
    func add(_ given: ContactTaskInput, to contact: ContactID) async throws -> ContactTask? {
        let input: ContactTaskInput = try given.checked(isNew: true)
        let id: ContactTaskID = services.ids.next()
        let now: Date = services.clock.now
        let title: String = input.title.applied(to: nil) ?? ""
        let assignee: UserID? = input.assignee.applied(to: nil)
        return try await services.database.write(scope.workspace) { transaction in
            guard try await ContactQueries(scope: scope).find(contact, in: transaction) != nil else { return nil }
            try await check(assignee, in: transaction)
            try await transaction.run(
                "contacts.tasks.add",
                """
                INSERT INTO marketing_contact_tasks (
                    workspace_id, id, contact_id, title, due_on, assignee_id, created_by, created_at, done_at)
                VALUES (\(scope.workspace), \(id), \(contact), \(title), \(input.dueOn.applied(to: nil))::text::date,
                    \(assignee), \(scope.actor), \(now), \(input.isDone == true ? now : nil))
                """)
            return try await find(id, contact, in: transaction)
        }
    }

    /// Nil when there is no such task. Finishing one goes into the person's history.
    func change(_ id: ContactTaskID, of contact: ContactID, _ given: ContactTaskInput) async throws -> ContactTask? {
        let input: ContactTaskInput = try given.checked(isNew: false)
        return try await services.database.write(scope.workspace) { transaction in
            guard let old = try await find(id, contact, in: transaction) else { return nil }
            let assignee: UserID? = input.assignee.applied(to: old.assigneeID)
            if assignee != old.assigneeID { try await check(assignee, in: transaction) }
            var doneAt: Date? = old.doneAt
            if let isDone = input.isDone { doneAt = isDone ? old.doneAt ?? services.clock.now : nil }
            try await transaction.run(
                "contacts.tasks.change",
                """
                UPDATE marketing_contact_tasks
                SET title = \(input.title.applied(to: old.title)), due_on = \(input.dueOn.applied(to: old.dueOn))::text::date,
                    assignee_id = \(assignee), done_at = \(doneAt)
                WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact) AND id = \(id)
                """)
            if doneAt != nil, old.doneAt == nil {
                try await ContactTimeline(services).record(
                    .taskDone, contact, ["detail": .string(old.title)], scope, in: transaction)
            }
            return try await find(id, contact, in: transaction)
        }
    }

    /// False when there is no such task.
    func delete(_ id: ContactTaskID, of contact: ContactID) async throws -> Bool {
        try await services.database.write(
            scope.workspace, "contacts.tasks.delete",
            """
            DELETE FROM marketing_contact_tasks
            WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact) AND id = \(id)
            """) > 0
    }
}
