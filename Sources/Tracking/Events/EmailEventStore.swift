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
        for (workspace, own) in byWorkspace { try await store(own, workspace) }
    }

    /// Stores events of one workspace.
    func store(_ events: [EmailEvent], _ workspace: WorkspaceID) async throws {
        let columns = EmailEventColumns(events)
        let latest: Date = columns.times.max() ?? Date()
        try await database.write(
            workspace, "tracking.events.insert",
            """
            WITH given (\(EmailEventColumns.names)) AS (SELECT \(columns.arrays)),
            hits AS MATERIALIZED (SELECT \(EmailEventColumns.events) FROM given),
            \(counting("hits", workspace, fields: Self.changes(events), at: latest))
            \(keeping("hits", workspace))
            """)
    }

    private static func changes(_ events: [EmailEvent]) -> [String] {
        var changes: [String] = []
        if events.contains(where: { $0.engagement.kind == .open }) { changes.append("opened") }
        if events.contains(where: { $0.engagement.kind == .click }) { changes.append("clicked") }
        return changes
    }

    /// Counts events on their messages and notes whom they change: tables for a statement's `WITH`, behind one of events
    /// with the columns of `EmailEventColumns`.
    /// - Parameters:
    ///   - fields: what the events change about people, in the words of segments' conditions.
    ///   - time: when they changed.
    func counting(_ hits: SQL, _ workspace: WorkspaceID, fields: [String], at time: Date) -> SQL {
        """
        \(ledger.recording(hits, workspace: workspace)),
        noted AS (\(AudienceChanges.recording("recorded", fields: fields, workspace, at: time)))
        """
    }

    /// Keeps events that `counting` has counted in the same statement; those of messages that do not exist are left out.
    func keeping(_ hits: SQL, _ workspace: WorkspaceID) -> SQL {
        """
        INSERT INTO marketing_email_events (workspace_id, id, message_id, contact_id, kind, link_number, url, occurred_at,
            class, class_reason, user_agent, network)
        SELECT \(workspace), h.id, h.message_id, r.contact_id, h.kind, h.link::smallint, h.url, h.occurred_at, h.class,
            h.class_reason, h.user_agent, h.network
        FROM \(hits) h JOIN recorded r ON r.id = h.message_id
        """
    }
}
