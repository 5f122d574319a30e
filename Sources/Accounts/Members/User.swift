import Core
import FoundationEssentials
import Postgres

/// A person who can sign in.
struct User: PostgresRow {
    let id: UserID
    let email: String
    let name: String
    let passwordHash: String

    static let columns: SQL = "id, email, name, password_hash"

    init(row: inout RowReader) throws {
        id = try row.next()
        email = try row.next()
        name = try row.next()
        passwordHash = try row.next()
    }
}

/// A person's place in a workspace.
struct Member: PostgresRow {
    let user: UserID
    let name: String
    let email: String
    let role: Role
    let joinedAt: Date
    let lastSeenAt: Date?

    static let columns: SQL = "u.id, u.name, u.email, m.role, m.created_at, u.last_seen_at"

    init(row: inout RowReader) throws {
        user = try row.next()
        name = try row.next()
        email = try row.next()
        role = try row.next()
        joinedAt = try row.next()
        lastSeenAt = try row.next()
    }
}

extension Role {
    /// The role's name in words.
    package var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }

    /// Roles that may be handed out: ownership is passed on, not given by invitation.
    static let assignable: [Role] = [.admin, .editor, .viewer]
}
