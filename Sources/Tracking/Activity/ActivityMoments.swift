import Contacts
import Core
import FoundationEssentials
import Postgres

/// What a contact's timeline tells of events.
package enum ActivityMoments {
    private struct Row: PostgresRow {
        let id: UUID
        let name: String
        let properties: JSONValue
        let source: String
        let at: Date

        static let columns: SQL = "e.id, e.name, e.properties, e.source, e.occurred_at"

        init(row: inout RowReader) throws {
            id = try row.next()
            name = try row.next()
            properties = try row.next()
            source = try row.next()
            at = try row.next()
        }

        var moment: ContactMoment {
            ContactMoment(.event, title: name, at: at, icon: "clock", detail: detail, key: id.lowercased)
        }

        /// The first few properties in words.
        private var detail: String? {
            guard case .object(let members) = properties, !members.isEmpty else { return nil }
            let shown: [String] = members.keys.sorted().prefix(6).map { name in
                "\(name): \(Self.words(members[name] ?? .null))"
            }
            return shown.joined(separator: " · ") + (members.count > 6 ? " · …" : "")
        }

        private static func words(_ value: JSONValue) -> String {
            switch value {
            case .null: "nothing"
            case .bool(let flag): flag ? "yes" : "no"
            case .int(let number): String(number)
            case .double(let number): String(number)
            case .string(let text): text.count > 80 ? "\(text.prefix(80))…" : text
            case .array(let items): "\(items.count) items"
            case .object: "…"
            }
        }
    }

    /// The newest events of a person, month by month through the index by contact.
    package static func moments(
        of contact: ContactID, after: MomentPosition?, limit: Int, _ scope: WorkspaceScope
    ) -> Query<ContactMoment> {
        let key: SQL = "e.id::text COLLATE \"C\""
        let position: SQL = after.map { $0.condition(for: .event, time: "e.occurred_at", key: key) } ?? ""
        return Query(
            Row.self, "tracking.activity.moments",
            """
            SELECT \(Row.columns) FROM marketing_events e
            WHERE e.workspace_id = \(scope.workspace) AND e.contact_id = \(contact)\(position)
            ORDER BY e.occurred_at DESC, \(key) DESC LIMIT \(limit)
            """
        ).map(\.moment)
    }

    private struct PersonRow: PostgresRow {
        let contact: ContactID
        let name: String
        let row: Row

        static let columns: SQL = "p.id, p.name, \(Row.columns)"

        init(row: inout RowReader) throws {
            contact = try row.next()
            name = try row.next()
            self.row = try Row(row: &row)
        }
    }

    /// The newest events of several people.
    /// - Parameter people: a row set `(id, name)`.
    package static func ofPeople(
        _ people: SQL, after: MomentPosition?, limit: Int, _ scope: WorkspaceScope
    ) -> Query<ContactMoment> {
        let key: SQL = "e.id::text COLLATE \"C\""
        let position: SQL = after.map { $0.condition(for: .event, time: "e.occurred_at", key: key) } ?? ""
        return Query(
            PersonRow.self, "tracking.activity.ofPeople",
            """
            SELECT \(PersonRow.columns) FROM (\(people)) p CROSS JOIN LATERAL (
                SELECT e.id, e.name, e.properties, e.source, e.occurred_at FROM marketing_events e
                WHERE e.workspace_id = \(scope.workspace) AND e.contact_id = p.id\(position)
                ORDER BY e.occurred_at DESC, \(key) DESC LIMIT \(limit)
            ) e
            ORDER BY e.occurred_at DESC, \(key) DESC LIMIT \(limit)
            """
        ).map { $0.row.moment.told(of: $0.name, $0.contact) }
    }
}
