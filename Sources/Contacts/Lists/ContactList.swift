import Core
import FoundationEssentials
import Postgres
import Web

/// How the people of a list come to be on it.
package enum ContactListKind: String, Sendable, Codable {
    /// By hand, by an import or through the API.
    case `static`
    /// By a rule.
    case segment
}

extension ContactListKind: PostgresCodable {}

/// A list of people: kept by hand, or a segment.
package struct ContactList: Sendable, Equatable {
    package let id: ContactListID
    package let name: String
    package let description: String
    package let kind: ContactListKind
    package let memberCount: Int
    package let createdAt: Date
    package let updatedAt: Date
    /// Grows with each change of name or description; what `If-Match` and the form compare.
    package let version: Int

    package init(
        id: ContactListID, name: String, description: String, kind: ContactListKind = .static, memberCount: Int,
        createdAt: Date, updatedAt: Date, version: Int = 1
    ) {
        self.version = version
        self.id = id
        self.name = name
        self.description = description
        self.kind = kind
        self.memberCount = memberCount
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

extension ContactList: PostgresRow {
    package static let columns: SQL = """
        l.id, l.name, l.description, l.kind, l.member_count, l.created_at, l.updated_at, l.version
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        description = try row.next()
        kind = try row.next()
        memberCount = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
        version = try row.next()
    }
}

/// A list's name and description after they were checked.
struct ContactListForm: Sendable, Equatable {
    let name: String
    let description: String

    init(name: String, description: String) throws(ValidationErrors) {
        var errors = ValidationErrors()
        self.name = name.trimmed
        self.description = description.trimmed
        if self.name.isEmpty { errors.add("name", "Give the list a name.") }
        if self.name.count > 100 { errors.add("name", "The name is longer than 100 characters.") }
        if self.description.count > 1000 {
            errors.add("description", "The description is longer than 1,000 characters.")
        }
        for (field, text) in [("name", self.name), ("description", self.description)]
        where text.unicodeScalars.contains(where: {
            $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\r"
        }) {
            errors.add(field, "There is a control character in the \(field).")
        }
        try errors.throwIfAny()
    }

    /// What a list has now.
    init(_ list: ContactList) throws(ValidationErrors) {
        try self.init(name: list.name, description: list.description)
    }

    static let taken = ValidationErrors("name", "There is a list with this name already.")
}

struct ListQueries: Sendable {
    let scope: WorkspaceScope

    func find(_ id: ContactListID, in session: some PostgresSession) async throws -> ContactList? {
        try await session.first(
            ContactList.self, "contacts.lists.find",
            """
            SELECT \(ContactList.columns) FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.id = \(id) AND l.deleted_at IS NULL LIMIT 1
            """)
    }

    /// All lists by name. Workspaces have dozens, not thousands; the bound keeps a page a page.
    func all(in session: some PostgresSession) async throws -> [ContactList] {
        try await session.all(
            ContactList.self, "contacts.lists.all",
            """
            SELECT \(ContactList.columns) FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL ORDER BY lower(l.name), l.id LIMIT 2000
            """)
    }

    /// A page of lists by name. The keys of its rows are name and id.
    func byName(
        after: [String]?, limit: Int, in session: some PostgresSession
    ) async throws -> ContactPage<ContactList> {
        var position: SQL = ""
        if let after, after.count == 2, let last = ContactListID(after[1]) {
            position = " AND (lower(l.name), l.id) > (lower(\(after[0])), \(last))"
        }
        let rows: [ContactList] = try await session.all(
            ContactList.self, "contacts.lists.by_name",
            """
            SELECT \(ContactList.columns) FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL\(position)
            ORDER BY lower(l.name), l.id LIMIT \(limit + 1)
            """)
        return ContactQueries(scope: scope).cut(rows, limit) { [$0.name, $0.id.description] }
    }

    /// A page of lists, newest first.
    func page(after: [String]?, limit: Int, in session: some PostgresSession) async throws -> ContactPage<ContactList> {
        let before: ContactListID? = after?.first.flatMap { ContactListID($0) }
        let position: SQL = before.map { " AND l.id < \($0)" } ?? ""
        let rows: [ContactList] = try await session.all(
            ContactList.self, "contacts.lists.page",
            """
            SELECT \(ContactList.columns) FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL\(position)
            ORDER BY l.id DESC LIMIT \(limit + 1)
            """)
        return ContactQueries(scope: scope).cut(rows, limit) { [$0.id.description] }
    }

    /// Those that people can be put on by hand.
    func handmade(in session: some PostgresSession) async throws -> [ContactList] {
        try await all(in: session).filter { $0.kind == .static }
    }
}
