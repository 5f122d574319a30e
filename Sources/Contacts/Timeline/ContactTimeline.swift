import Accounts
import Core
import FoundationEssentials
import Postgres

/// What happened to people. Higher slices record their own kinds; the text that pages show is found by kind.
package struct ContactTimeline: Sendable {
    private let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    /// A kind of event: `campaign.sent`, `email.opened`. Stored by its name.
    package struct Kind: Sendable, Hashable, ExpressibleByStringLiteral {
        package let name: String

        package init(_ name: String) {
            self.name = name
        }

        package init(stringLiteral value: String) {
            name = value
        }

        package static let created: Kind = "contact.created"
        package static let updated: Kind = "contact.updated"
        package static let synced: Kind = "contact.synced"
        package static let deleted: Kind = "contact.deleted"
        package static let restored: Kind = "contact.restored"
        package static let listed: Kind = "list.added"
        package static let unlisted: Kind = "list.removed"
        package static let tagged: Kind = "contact.tagged"
        package static let statusChanged: Kind = "email.status"
        package static let noted: Kind = "contact.noted"
        package static let taskDone: Kind = "task.done"

        /// What another system told through the activities API: `activity.call`, `activity.meeting`.
        package static let activityPrefix: String = "activity."
    }

    /// Records one event of one person.
    /// - Parameter data: what explains it; `title` and `href`, if given, are shown as they are.
    package func record(
        _ kind: Kind, _ contact: ContactID, _ data: [String: JSONValue] = [:], _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        try await record(kind, [contact], data, scope, in: transaction)
    }

    /// Records the same event of many people.
    package func record(
        _ kind: Kind, _ contacts: [ContactID], _ data: [String: JSONValue] = [:], _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        guard !contacts.isEmpty else { return }
        var details: [String: JSONValue] = data
        if let actor = scope.actor { details["actorId"] = .string(actor.description) }
        let ids: [Identifier<ContactEventTag>] = contacts.map { _ in services.ids.next() }
        try await transaction.run(
            "contacts.timeline.record",
            """
            INSERT INTO marketing_contact_events (workspace_id, id, contact_id, kind, occurred_at, data)
            SELECT \(scope.workspace), e.id, e.contact_id, \(kind.name), \(services.clock.now), \(JSONValue.object(details))
            FROM unnest(\(ids), \(contacts)) AS e(id, contact_id)
            """)
    }

    /// The newest events of a person, or those after a place in their timeline.
    /// - Parameter kind: changes only, activities only, or both.
    static func select(
        _ contact: ContactID, _ kind: ContactMoment.Kind? = nil, after: MomentPosition?, limit: Int,
        _ scope: WorkspaceScope
    ) -> SQL {
        var kinds: SQL = ""
        if kind == .change { kinds = " AND NOT starts_with(kind, 'activity.')" }
        if kind == .activity { kinds = " AND starts_with(kind, 'activity.')" }
        let position: SQL =
            after.map { $0.condition(for: .change, time: "occurred_at", key: "id::text COLLATE \"C\"") } ?? ""
        return """
            SELECT \(ContactEvent.columns) FROM marketing_contact_events
            WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact)\(kinds)\(position)
            ORDER BY occurred_at DESC, id DESC LIMIT \(limit)
            """
    }
}

package enum ContactEventTag {}

/// One thing that happened to a person.
package struct ContactEvent: Sendable, PostgresRow {
    package let id: Identifier<ContactEventTag>
    package let kind: ContactTimeline.Kind
    package let occurredAt: Date
    package let data: JSONValue

    package static let columns: SQL = "id, kind, occurred_at, data"

    package init(row: inout RowReader) throws {
        id = try row.next()
        kind = ContactTimeline.Kind(try row.next(String.self))
        occurredAt = try row.next()
        data = try row.next()
    }

    package init(id: Identifier<ContactEventTag>, kind: ContactTimeline.Kind, occurredAt: Date, data: JSONValue) {
        self.id = id
        self.kind = kind
        self.occurredAt = occurredAt
        self.data = data
    }

    /// What happened, in words.
    package var title: String {
        if let title = data["title"]?.stringValue { return title }
        switch kind {
        case .created:
            switch data["source"]?.stringValue {
            case "api": return "Added through the API"
            case "form": return "Added through a form"
            case "sync": return "Added by a connected system"
            case "event": return "Added with an event"
            default: return "Added by hand"
            }
        case .updated: return "Details changed"
        case .synced: return "Changed by a connected system"
        case .deleted: return "Deleted"
        case .restored: return "Brought back"
        case .listed: return "Put on the list “\(data["list"]?.stringValue ?? "")”"
        case .unlisted: return "Taken off the list “\(data["list"]?.stringValue ?? "")”"
        case .tagged: return "Tagged “\(data["tag"]?.stringValue ?? "")”"
        case .noted: return "A note was written"
        case .taskDone: return "A task was done"
        case .statusChanged:
            let status: EmailStatus? = data["status"]?.stringValue.flatMap(EmailStatus.init)
            return "E-mail status is now “\(status?.words ?? "unknown")”"
        default: return kind.name
        }
    }

    /// What explains it: the fields that changed, or the reason.
    package var detail: String? {
        if let detail = data["detail"]?.stringValue { return detail }
        return ChangeWords().words(changes)
    }

    /// Fields that changed, with the values before and after.
    private var changes: [String: JSONValue] {
        guard data["detail"] == nil, kind == .updated || kind == .synced, case .object(let members) = data else {
            return [:]
        }
        return members.filter { _, value in
            if case .array(let values) = value { values.count == 2 } else { false }
        }
    }

    package var href: String? { data["href"]?.stringValue }

    var moment: ContactMoment {
        var moment = ContactMoment(
            kind.name.hasPrefix(ContactTimeline.Kind.activityPrefix) ? .activity : .change, title: title,
            at: occurredAt, icon: icon, detail: detail, href: href, key: id.description)
        moment.changes = changes
        return moment
    }

    private var icon: String {
        switch kind {
        case .created: "plus"
        case .updated: "edit"
        case .synced: "refresh"
        case .deleted: "trash"
        case .restored: "undo"
        case .listed, .unlisted: "list"
        case .tagged: "tag"
        case .statusChanged: "mail"
        case .noted: "edit"
        case .taskDone: "check"
        case "activity.call": "phone"
        case "activity.meeting": "calendar"
        case "activity.email": "mail"
        default: "info"
        }
    }
}
