import Contacts
import Core
import FoundationEssentials
import Postgres

/// Writes the audience of a send into the ledger, chunk by chunk.
struct SnapshotQueries {
    let workspace: WorkspaceID
    let tx: PostgresTransaction
    /// The hashes of erased addresses; nil when nobody was erased.
    var erased: ErasedAddresses?

    /// How far a snapshot has come.
    struct Progress: PostgresRow {
        static let columns: SQL = "after_contact, next_position, complete"
        let afterContact: ContactID
        let nextPosition: Int
        let isComplete: Bool

        init(row: inout RowReader) throws {
            afterContact = try row.next()
            nextPosition = try row.next()
            isComplete = try row.next()
        }
    }

    /// What a chunk wrote.
    struct Chunk: PostgresRow {
        static let columns: SQL = "people, decided, written, skipped, last"
        /// People of the audience that were looked at; 0 when the audience is at its end.
        let people: Int
        /// Positions used.
        let decided: Int
        let written: Int
        let skipped: Int
        let last: ContactID?

        init(row: inout RowReader) throws {
            people = try row.next()
            decided = try row.next()
            written = try row.next()
            skipped = try row.next()
            last = try row.next()
        }
    }

    /// The progress, locked: a second snapshot of the same send waits here, then goes on from where the first one got to.
    func lockedProgress(of send: SendID) async throws -> Progress? {
        try await tx.first(
            Progress.self, "messaging.snapshot_progress",
            """
            SELECT \(Progress.columns) FROM marketing_send_snapshots
            WHERE workspace_id = \(workspace) AND send_id = \(send) FOR UPDATE
            """)
    }

    /// Writes the next people of the audience: one ledger row each, with the decision, and the batches to send.
    /// A person who is in the ledger of this send already stays as they are (the unique key).
    /// - Parameters:
    ///   - limit: how many people at most.
    ///   - batchSize: how many messages one dispatcher takes at a time.
    func writeChunk(
        of send: SendID, audience: SendAudience, from progress: Progress, routingKey: Int32, now: Date, limit: Int,
        batchSize: Int
    ) async throws -> Chunk? {
        let people: SQL = SendDecision.people(
            of: audience, in: workspace, after: progress.afterContact, limit: limit)
        let reason: SQL = SendDecision.reason(in: workspace, at: now, erased: erased)
        let milliseconds = Int(now.timeIntervalSince1970 * 1000)
        return try await tx.first(
            Chunk.self, "messaging.snapshot_chunk",
            """
            WITH people AS MATERIALIZED (\(people)),
            decided AS (
                SELECT p.contact_id, c.email, \(reason) AS reason,
                    marketing_message_id(\(milliseconds), \(Int(routingKey)),
                        \(progress.nextPosition) + row_number() OVER (ORDER BY p.contact_id) - 1,
                        floor(random() * 1024)::bigint) AS id
                FROM people p \(SendDecision.joins(in: workspace, at: now, isFewOfMany: true))
            ),
            written AS (
                INSERT INTO marketing_messages (workspace_id, id, send_id, contact_id, created_at, state, email, reason)
                SELECT \(workspace), d.id, \(send), d.contact_id, \(now),
                    CASE WHEN d.reason IS NULL THEN 'pending' ELSE 'skipped' END, d.email, d.reason
                FROM decided d ORDER BY d.id
                ON CONFLICT ON CONSTRAINT marketing_messages_once DO NOTHING
                RETURNING id, state
            ),
            placed AS (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / \(batchSize) AS batch FROM written WHERE state = 'pending'
            ),
            batches AS (
                INSERT INTO marketing_send_batches (workspace_id, send_id, id, first_id, last_id, size)
                SELECT \(workspace), \(send), min(id::text)::uuid, min(id::text)::uuid, max(id::text)::uuid, count(*)
                FROM placed GROUP BY batch
            )
            SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM decided), (SELECT count(*) FROM written),
                (SELECT count(*) FROM written WHERE state = 'skipped'),
                (SELECT contact_id FROM people ORDER BY contact_id DESC LIMIT 1)
            """)
    }

    func save(_ send: SendID, after contact: ContactID?, nextPosition: Int, isComplete: Bool) async throws {
        try await tx.run(
            "messaging.snapshot_save",
            """
            UPDATE marketing_send_snapshots
            SET after_contact = coalesce(\(contact), after_contact), next_position = \(nextPosition), complete = \(isComplete)
            WHERE workspace_id = \(workspace) AND send_id = \(send)
            """)
    }

    /// Adds a chunk to the totals. Last in its transaction: settlements wait for this row.
    func count(_ send: SendID, written: Int, skipped: Int, isComplete: Bool) async throws {
        try await tx.run(
            "messaging.snapshot_count",
            """
            UPDATE marketing_sends
            SET recipients = recipients + \(written - skipped), skipped = skipped + \(skipped),
                snapshot_complete = \(isComplete)
            WHERE workspace_id = \(workspace) AND id = \(send)
            """)
    }

    /// Counts what the snapshot would decide now.
    func forecast(_ audience: SendAudience, at now: Date) async throws -> AudienceForecast {
        let reason: SQL = SendDecision.reason(in: workspace, at: now, erased: erased)
        let people: SQL = SendDecision.people(of: audience, in: workspace, after: nil, limit: nil)
        let rows = try await tx.all(
            ForecastRow.self, "messaging.forecast",
            """
            SELECT reason, count(*) FROM (
                SELECT \(reason) AS reason FROM (\(people)) p \(SendDecision.joins(in: workspace, at: now))
            ) decided
            GROUP BY reason
            """)
        let refusals: [AudienceForecast.Refusal] = rows.compactMap { row in
            row.reason.map { AudienceForecast.Refusal(reason: $0, count: row.count) }
        }
        return AudienceForecast(
            people: rows.reduce(0) { $0 + $1.count },
            recipients: rows.first { $0.reason == nil }?.count ?? 0,
            refusals: refusals.sorted { ($1.count, $0.reason.rawValue) < ($0.count, $1.reason.rawValue) })
    }

    private struct ForecastRow: PostgresRow {
        static let columns: SQL = "reason, count(*)"
        let reason: MessageReason?
        let count: Int

        init(row: inout RowReader) throws {
            reason = try row.next()
            count = try row.next()
        }
    }
}
