import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// What happened with a company and with its people, as one list, the newest first: the company's own changes, and what
/// other systems tell of its people: activities and events.
///
/// Messages to its people and changes of their details are left to the people's own pages: one campaign, or one sync, to a
/// company of a thousand would bury everything else.
struct CompanyHistory: Sendable {
    static let pageSize = 25
    /// Of so many people is told, those who were added last.
    static let people = 200

    /// Which part is wanted, as addresses say it.
    enum Part: String, Sendable, CaseIterable {
        case company, people

        var label: String {
            switch self {
            case .company: "The company"
            case .people: "Its people"
            }
        }
    }

    let company: CompanyID
    let events: ContactMoment.PeopleSource
    let scope: WorkspaceScope
    /// Nil: everything.
    let part: Part?
    /// What follows this place; nil: from the newest on.
    let after: MomentPosition?

    /// Some people with their names, as a row set `(id, name)`.
    private var people: SQL {
        """
        SELECT c.id, coalesce(nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.email, c.phone, 'Nameless contact')
            AS name
        FROM marketing_contacts c
        WHERE c.workspace_id = \(scope.workspace) AND c.company_id = \(company) AND c.deleted_at IS NULL
        ORDER BY c.id DESC LIMIT \(Self.people)
        """
    }

    private var limit: Int { Self.pageSize + 1 }
    private static let key: SQL = "id::text COLLATE \"C\""

    /// The company's own changes.
    var own: Query<ContactMoment> {
        let position: SQL = after.map { $0.condition(for: .change, time: "occurred_at", key: Self.key) } ?? ""
        return Query(
            CompanyEvent.self, "contacts.companies.events",
            """
            SELECT \(CompanyEvent.columns) FROM marketing_company_events
            WHERE workspace_id = \(scope.workspace) AND company_id = \(company)\(position)
            ORDER BY occurred_at DESC, \(Self.key) DESC LIMIT \(part == .people ? 0 : limit)
            """
        ).map(\.moment)
    }

    private struct Told: PostgresRow {
        let contact: ContactID
        let name: String
        let event: ContactEvent

        init(row: inout RowReader) throws {
            contact = try row.next()
            name = try row.next()
            event = try ContactEvent(row: &row)
        }

        static let columns: SQL = "p.id, p.name, e.id, e.kind, e.occurred_at, e.data"
    }

    /// What other systems tell of its people.
    var activities: Query<ContactMoment> {
        let position: SQL = after.map { $0.condition(for: .activity, time: "occurred_at", key: Self.key) } ?? ""
        return Query(
            Told.self, "contacts.companies.activities",
            """
            SELECT \(Told.columns) FROM (\(people)) p CROSS JOIN LATERAL (
                SELECT \(ContactEvent.columns) FROM marketing_contact_events
                WHERE workspace_id = \(scope.workspace) AND contact_id = p.id AND starts_with(kind, 'activity.')\(position)
                ORDER BY occurred_at DESC, id DESC LIMIT \(limit)
            ) e
            ORDER BY e.occurred_at DESC, e.id DESC LIMIT \(part == .company ? 0 : limit)
            """
        ).map { $0.event.moment.told(of: $0.name, $0.contact) }
    }

    /// What its people did elsewhere.
    var deeds: Query<ContactMoment> {
        events(people, after, part == .company ? 0 : limit, scope)
    }

    /// The page out of what the queries found, and the keys of a cursor to what is older; nil at the end.
    func page(_ found: [ContactMoment]) -> (moments: [ContactMoment], next: [String]?) {
        let moments: [ContactMoment] = found.sorted { $0.position < $1.position }
        let shown = Array(moments.prefix(Self.pageSize))
        return (shown, moments.count > shown.count ? shown.last?.position.keys : nil)
    }
}

extension ContactMoment {
    /// What happened to several people, the newest first, as one query: a row set `(id, name)` says whom, a line says it
    /// with their name.
    package typealias PeopleSource =
        @Sendable (
            _ people: SQL, _ after: MomentPosition?, _ limit: Int, _ scope: WorkspaceScope
        ) -> Query<ContactMoment>

    /// A source without anything.
    package static func nothing(
        _: SQL, _: MomentPosition?, _: Int, _ scope: WorkspaceScope
    ) -> Query<ContactMoment> {
        nothing(ContactID(scope.workspace.uuid), nil, 0, scope)
    }

    /// The same moment where it stands among other people's: with the name, and leading to the person.
    package func told(of name: String, _ contact: ContactID) -> ContactMoment {
        ContactMoment(
            kind, title: "\(name): \(title)", at: at, icon: icon, detail: detail, href: ContactPaths.contact(contact),
            key: key)
    }
}
