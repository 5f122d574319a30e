import Contacts
import Core
import FoundationEssentials
import Postgres

/// Stores batches of events: the ledger's counters and the raw events, in one statement and one round trip for each
/// workspace.
struct EmailEventStore: Sendable {
    let database: Database
    let ledger: any EngagementLedger

    func store(_ events: [EmailEvent]) async throws {
        let byWorkspace = Dictionary(grouping: events, by: \.workspace)
        for (workspace, own) in byWorkspace {
            try await database.write(workspace, "tracking.events.insert", statement(own, workspace))
        }
    }

    private static func changes(_ events: [EmailEvent]) -> [String] {
        var changes: [String] = []
        if events.contains(where: { $0.engagement.kind == .open }) { changes.append("opened") }
        if events.contains(where: { $0.engagement.kind == .click }) { changes.append("clicked") }
        return changes
    }

    private func statement(_ events: [EmailEvent], _ workspace: WorkspaceID) -> SQL {
        let ids = events.map(\.id)
        let messages = events.map(\.engagement.message)
        let kinds = events.map(\.engagement.kind.rawValue)
        let links = events.map(\.linkNumber)
        let urls = events.map(\.url)
        let times = events.map(\.engagement.occurredAt)
        let classes = events.map(\.engagementClass.kind.rawValue)
        let reasons = events.map(\.engagementClass.reason)
        let agents = events.map(\.userAgent)
        let networks = events.map(\.network)
        let latest: Date = times.max() ?? Date()
        let humans = events.map(\.engagement.isHuman)
        return """
            WITH hits AS (
                SELECT * FROM unnest(\(ids), \(messages), \(kinds), \(links), \(urls), \(times), \(classes), \(reasons),
                    \(agents), \(networks), \(humans))
                    AS hit (id, message_id, kind, link, url, occurred_at, class, class_reason, user_agent, network, human)
            ),
            \(ledger.recording("hits", workspace: workspace)),
            noted AS (\(AudienceChanges.recording("recorded", fields: Self.changes(events), workspace, at: latest)))
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, link_number, url, occurred_at,
                class, class_reason, user_agent, network)
            SELECT \(workspace), h.id, h.message_id, r.contact_id, h.kind, h.link::smallint, h.url, h.occurred_at, h.class,
                h.class_reason, h.user_agent, h.network
            FROM hits h JOIN recorded r ON r.id = h.message_id
            """
    }
}
