import Core
import FoundationEssentials
import Postgres
import Templates
import Web

/// A list that a person is on, and why: put there on a day, or found by the rules of a segment.
struct ContactMembership: Sendable, PostgresRow {
    let id: ContactListID
    let name: String
    let isSegment: Bool
    let since: Date

    static let columns: SQL = "l.id, l.name, l.kind = 'segment', m.added_at"

    init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        isSegment = try row.next()
        since = try row.next()
    }

    init(id: ContactListID, name: String, isSegment: Bool, since: Date) {
        self.id = id
        self.name = name
        self.isSegment = isSegment
        self.since = since
    }

    /// Lists that people can be put on by hand: all but segments.
    static func fillable(_ scope: WorkspaceScope) -> Query<ContactList> {
        Query(
            ContactList.self, "contacts.lists.fillable",
            """
            SELECT \(ContactList.columns) FROM marketing_lists l
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL AND l.kind = 'static'
            ORDER BY lower(l.name)
            """)
    }

    /// The lists of a person by name, for a pipeline. Each list is probed by its key, one after the other.
    static func all(of contact: ContactID, _ scope: WorkspaceScope) -> Query<ContactMembership> {
        Query(
            ContactMembership.self, "contacts.lists.ofContact",
            """
            SELECT \(columns) FROM marketing_lists l CROSS JOIN LATERAL (
                SELECT p.added_at FROM marketing_list_members p
                WHERE p.workspace_id = \(scope.workspace) AND p.list_id = l.id AND p.contact_id = \(contact) LIMIT 1
            ) m
            WHERE l.workspace_id = \(scope.workspace) AND l.deleted_at IS NULL ORDER BY lower(l.name), l.id
            """)
    }
}

/// The same as the page shows it.
struct ContactMembershipLine: ViewRecord {
    let membership: ContactMembership
    let contact: Contact

    static let fields = Fields<ContactMembershipLine> { f in
        f.text("name") { $0.membership.name }
        f.link("href") { ContactPaths.list($0.membership.id) }
        f.flag("isSegment") { $0.membership.isSegment }
        f.date("since") { $0.membership.since }
        f.link("whyHref") { line in
            "/segments/\(line.membership.id)"
                + PercentEncoding.query([("who", line.contact.email ?? line.contact.phone ?? line.contact.displayName)])
        }
    }
}
