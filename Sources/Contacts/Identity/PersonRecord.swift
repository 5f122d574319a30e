import Core
import FoundationEssentials
import Postgres

/// A person as batches read and write them: what others may tell of them.
struct PersonRecord: Sendable, Equatable, PostgresRow {
    let id: ContactID
    var email: String?
    var emailKey: String?
    var phone: String?
    var firstName: String?
    var lastName: String?
    var properties: [String: JSONValue] = [:]
    var tags: [String] = []
    var company: UUID?

    init(id: ContactID) {
        self.id = id
    }

    static let columns: SQL = """
        c.id, c.email, c.email_key, c.phone, c.first_name, c.last_name, c.properties, c.tags, c.company_id
        """

    init(row: inout RowReader) throws {
        id = try row.next()
        email = try row.next()
        emailKey = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        if case .object(let members) = try row.next(JSONValue.self) { properties = members }
        tags = try row.next()
        company = try row.next()
    }

    /// Those of these people who are not deleted, in the order in which everybody locks them.
    static func select(_ ids: [ContactID], locks: Bool, _ scope: WorkspaceScope) -> SQL {
        let sql: SQL = """
            SELECT \(columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(ids)) AND c.deleted_at IS NULL ORDER BY c.id
            """
        return locks ? "\(sql) FOR UPDATE" : sql
    }

    /// The names of the conditions that a change touches, as segments know them.
    func fieldsChanged(since old: PersonRecord) -> [String] {
        var fields: [String] = []
        if email != old.email { fields.append("email") }
        if phone != old.phone { fields.append("phone") }
        if firstName != old.firstName { fields.append("firstName") }
        if lastName != old.lastName { fields.append("lastName") }
        if tags != old.tags { fields.append("tags") }
        if company != old.company { fields.append("company") }
        if properties != old.properties {
            let names = Set(properties.keys).union(old.properties.keys)
            fields += names.filter { properties[$0] != old.properties[$0] }.sorted().map { "properties.\($0)" }
        }
        return fields
    }
}
