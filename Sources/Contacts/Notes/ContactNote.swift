import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

package enum ContactNoteTag {}
package typealias ContactNoteID = Identifier<ContactNoteTag>

/// What somebody at work noted about a person. A private note is its author's alone.
struct ContactNote: Sendable, Equatable, PostgresRow {
    let id: ContactNoteID
    let authorID: UserID?
    let author: String
    let body: String
    let isPinned: Bool
    let isPrivate: Bool
    let createdAt: Date
    let updatedAt: Date

    static let columns: SQL =
        "n.id, n.author_id, n.author_name, n.body, n.pinned, n.private, n.created_at, n.updated_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        authorID = try row.next()
        author = try row.next()
        body = try row.next()
        isPinned = try row.next()
        isPrivate = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
    }

    init(
        id: ContactNoteID, authorID: UserID? = nil, author: String, body: String, isPinned: Bool = false,
        isPrivate: Bool = false, createdAt: Date
    ) {
        self.id = id
        self.authorID = authorID
        self.author = author
        self.body = body
        self.isPinned = isPinned
        self.isPrivate = isPrivate
        self.createdAt = createdAt
        updatedAt = createdAt
    }
}

/// What a form or an API call says of a note. Nil stays as it is.
struct ContactNoteInput: Sendable {
    var body: String?
    var isPinned: Bool?
    var isPrivate: Bool?

    static let limit: Int = 10_000

    /// - Parameter isNew: whether there must be a text.
    func checked(isNew: Bool) throws(ValidationErrors) -> ContactNoteInput {
        var input = self
        input.body = body?.trimmed
        if input.body?.isEmpty ?? isNew { throw ValidationErrors("body", "Write something.") }
        if let text = input.body, text.count > Self.limit || text.utf8.contains(0) {
            throw ValidationErrors("body", "A note has at most \(NumberWords.grouped(Self.limit)) characters.")
        }
        return input
    }
}

/// Writing, changing and deleting notes. Private ones exist for their author only.
struct ContactNoteActions: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    /// Notes of a person that the actor may see: pinned ones first, then the newest, for a pipeline.
    static func all(_ contact: ContactID, limit: Int = 200, _ scope: WorkspaceScope) -> Query<ContactNote> {
        Query(
            ContactNote.self, "contacts.notes.all",
            """
            SELECT \(ContactNote.columns) FROM marketing_contact_notes n
            WHERE n.workspace_id = \(scope.workspace) AND n.contact_id = \(contact) AND \(visible(scope))
            ORDER BY n.pinned DESC, n.id DESC LIMIT \(limit)
            """)
    }

    private static func visible(_ scope: WorkspaceScope) -> SQL {
        "(NOT n.private OR n.author_id = \(scope.actor))"
    }

    /// Nil when there is no such person.
    func add(_ given: ContactNoteInput, to contact: ContactID, by author: Principal) async throws -> ContactNote? {
        let input: ContactNoteInput = try given.checked(isNew: true)
        let id: ContactNoteID = services.ids.next()
        let now: Date = services.clock.now
        return try await services.database.write(scope.workspace) { transaction in
            guard try await ContactQueries(scope: scope).find(contact, in: transaction) != nil else { return nil }
            try await transaction.run(
                "contacts.notes.add",
                """
                INSERT INTO marketing_contact_notes (
                    workspace_id, id, contact_id, author_id, author_name, body, pinned, private, created_at, updated_at)
                VALUES (\(scope.workspace), \(id), \(contact), \(author.user), \(author.name), \(input.body ?? ""),
                    \(input.isPinned ?? false), \(input.isPrivate ?? false), \(now), \(now))
                """)
            if input.isPrivate != true {
                try await ContactTimeline(services).record(.noted, contact, [:], scope, in: transaction)
            }
            return try await find(id, contact, in: transaction)
        }
    }

    private func find(
        _ id: ContactNoteID, _ contact: ContactID, in session: some PostgresSession
    ) async throws -> ContactNote? {
        try await session.first(
            ContactNote.self, "contacts.notes.find",
            """
            SELECT \(ContactNote.columns) FROM marketing_contact_notes n
            WHERE n.workspace_id = \(scope.workspace) AND n.contact_id = \(contact) AND n.id = \(id)
                AND \(Self.visible(scope)) LIMIT 1
            """)
    }

    /// Nil when there is no such note, or it is somebody else's private one. Only the author makes it private.
    func change(
        _ id: ContactNoteID, of contact: ContactID, _ given: ContactNoteInput
    ) async throws -> ContactNote? {
        let input: ContactNoteInput = try given.checked(isNew: false)
        return try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.notes.change",
                """
                UPDATE marketing_contact_notes n
                SET body = coalesce(\(input.body), n.body), pinned = coalesce(\(input.isPinned), n.pinned),
                    private = CASE WHEN n.author_id = \(scope.actor) THEN coalesce(\(input.isPrivate), n.private)
                        ELSE n.private END, updated_at = \(services.clock.now)
                WHERE n.workspace_id = \(scope.workspace) AND n.contact_id = \(contact) AND n.id = \(id)
                    AND \(Self.visible(scope))
                """)
            return try await find(id, contact, in: transaction)
        }
    }

    /// False when there is no such note.
    func delete(_ id: ContactNoteID, of contact: ContactID) async throws -> Bool {
        try await services.database.write(
            scope.workspace, "contacts.notes.delete",
            """
            DELETE FROM marketing_contact_notes n
            WHERE n.workspace_id = \(scope.workspace) AND n.contact_id = \(contact) AND n.id = \(id)
                AND \(Self.visible(scope))
            """) > 0
    }
}
