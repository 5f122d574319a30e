import Core
import FoundationEssentials
import Postgres

/// Stores batches of events: the ledger's counters and the raw events, in one transaction for each workspace.
struct EmailEventStore: Sendable {
    let database: Database
    let ledger: any EngagementLedger

    func store(_ events: [EmailEvent]) async throws {
        let byWorkspace = Dictionary(grouping: events, by: \.workspace)
        for (workspace, own) in byWorkspace { try await store(own, of: workspace) }
    }

    private func store(_ events: [EmailEvent], of workspace: WorkspaceID) async throws {
        try await database.write(workspace) { transaction in
            let known = try await ledger.record(events.map(\.engagement), workspace: workspace, in: transaction)
            let contacts = Dictionary(known.map { ($0.message, $0.contact) }, uniquingKeysWith: { first, _ in first })
            let found = events.filter { contacts[$0.engagement.message] != nil }
            guard !found.isEmpty else { return }
            try await insert(found, contacts: contacts, workspace, in: transaction)
        }
    }

    private func insert(
        _ events: [EmailEvent], contacts: [MessageID: ContactID], _ workspace: WorkspaceID,
        in transaction: PostgresTransaction
    ) async throws {
        let ids = events.map(\.id)
        let messages = events.map(\.engagement.message)
        let people = events.map { contacts[$0.engagement.message] }
        let kinds = events.map(\.engagement.kind.rawValue)
        let links = events.map(\.linkNumber)
        let urls = events.map(\.url)
        let times = events.map(\.engagement.occurredAt)
        let classes = events.map(\.engagementClass.kind.rawValue)
        let reasons = events.map(\.engagementClass.reason)
        let agents = events.map(\.userAgent)
        let networks = events.map(\.network)
        try await transaction.run(
            "tracking.events.insert",
            """
            INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, link_number, url, occurred_at,
                class, class_reason, user_agent, network)
            SELECT \(workspace), e.* FROM unnest(\(ids), \(messages), \(people), \(kinds), \(links)::smallint[], \(urls),
                \(times), \(classes), \(reasons), \(agents), \(networks)) AS e
            """)
    }
}
