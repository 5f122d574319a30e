import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Something that another system tells of a person: a call, a meeting, an order.
package struct ContactActivityInput: Sendable {
    /// One word: `call`, `meeting`, `email`, or the other system's own.
    package var type: String
    package var title: String
    package var body: String?
    package var url: String?
    /// Nil: now.
    package var occurredAt: Date?
    /// The other system's id: told twice, it is the same activity.
    package var sourceEventID: String?

    package init(
        type: String, title: String, body: String? = nil, url: String? = nil, occurredAt: Date? = nil,
        sourceEventID: String? = nil
    ) {
        self.type = type
        self.title = title
        self.body = body
        self.url = url
        self.occurredAt = occurredAt
        self.sourceEventID = sourceEventID
    }

    /// Refuses what cannot be kept.
    package func check() throws(ValidationErrors) {
        var errors = ValidationErrors()
        let isWord: Bool = type.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || [0x2D, 0x2E, 0x5F].contains(byte)
        }
        if type.isEmpty || type.utf8.count > 60 || !isWord {
            errors.add("type", "One word of letters, digits, dots, dashes: call, meeting, order.")
        }
        let hasControl: Bool = title.unicodeScalars.contains { $0.properties.generalCategory == .control }
        if title.trimmed.isEmpty || title.count > 300 || hasControl {
            errors.add("title", "Say what happened, in one line of at most 300 characters.")
        }
        if let body, body.count > 10_000 || body.utf8.contains(0) { errors.add("body", "At most 10,000 characters.") }
        if let url, (try? PropertyValue(type: .url).normalized(.string(url))) == nil {
            errors.add("url", "This must be a web address that begins with https:// or http://.")
        }
        if let id = sourceEventID, id.trimmed.isEmpty || id.utf8.count > 200 || id.utf8.contains(0) {
            errors.add("sourceEventId", "The id has 1 to 200 characters.")
        }
        try errors.throwIfAny()
    }
}

/// Keeping activities. They stand in the person's history.
package struct ContactActivities: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    package init(services: AppServices, scope: WorkspaceScope) {
        self.services = services
        self.scope = scope
    }

    /// What became of telling an activity.
    package enum Outcome: Sendable {
        case added(ContactEvent)
        /// It had been told before; this is how it was kept.
        case known(ContactEvent)
        /// There is no such person.
        case missing
    }

    package func add(_ input: ContactActivityInput, to contact: ContactID) async throws -> Outcome {
        try input.check()
        return try await services.database.write(scope.workspace) { transaction in
            guard try await ContactQueries(scope: scope).find(contact, in: transaction) != nil else { return .missing }
            let id: Identifier<ContactEventTag> = services.ids.next()
            var data: [String: JSONValue] = ["title": .string(input.title.trimmed)]
            if let body = input.body?.trimmed, !body.isEmpty { data["detail"] = .string(body) }
            if let url = input.url { data["href"] = .string(url) }
            if let actor = scope.actor { data["actorId"] = .string(actor.description) }
            let added: Int = try await transaction.run(
                "contacts.activities.add",
                """
                INSERT INTO marketing_contact_events (
                    workspace_id, id, contact_id, kind, occurred_at, data, source_event_id)
                VALUES (\(scope.workspace), \(id), \(contact), \(ContactTimeline.Kind.activityPrefix + input.type),
                    \(input.occurredAt ?? services.clock.now), \(JSONValue.object(data)), \(input.sourceEventID))
                ON CONFLICT (workspace_id, source_event_id) WHERE source_event_id IS NOT NULL DO NOTHING
                """)
            let condition: SQL =
                added > 0 ? "contact_id = \(contact) AND id = \(id)" : "source_event_id = \(input.sourceEventID)"
            let event: ContactEvent? = try await transaction.first(
                ContactEvent.self, "contacts.activities.find",
                """
                SELECT \(ContactEvent.columns) FROM marketing_contact_events
                WHERE workspace_id = \(scope.workspace) AND \(condition) LIMIT 1
                """)
            guard let event else { return .missing }
            return added > 0 ? .added(event) : .known(event)
        }
    }
}
