import Core
import FoundationEssentials
import Postgres

/// A stretch of the ledger that this process holds.
struct ClaimedBatch: PostgresRow, Equatable {
    static let columns: SQL = "b.id, b.first_id, b.last_id, b.ids, b.fence"
    let id: BatchID
    let first: MessageID
    let last: MessageID
    /// The messages of a batch of retries.
    let ids: [MessageID]?
    let fence: Int64

    init(row: inout RowReader) throws {
        id = try row.next()
        first = try row.next()
        last = try row.next()
        ids = try row.next()
        fence = try row.next()
    }
}

/// Claims of batches: who holds which, until when.
struct BatchQueries {
    let workspace: WorkspaceID
    let send: SendID
    let tx: PostgresTransaction

    /// How long a claim holds without being renewed.
    static let leaseSeconds = 60

    /// Takes free batches that are due, at most `count`: as a plain subquery they might be chosen again for every row
    /// that a plan looks at, and more would be taken. Each claim raises the fence, so that whoever held the batch before cannot settle it.
    func claim(_ count: Int, by name: String, now: Date) async throws -> [ClaimedBatch] {
        try await tx.all(
            ClaimedBatch.self, "messaging.claim",
            """
            WITH free AS MATERIALIZED (
                SELECT id FROM marketing_send_batches
                WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'ready'
                    AND (not_before IS NULL OR not_before <= \(now))
                ORDER BY id LIMIT \(count) FOR UPDATE SKIP LOCKED
            )
            UPDATE marketing_send_batches b
            SET state = 'claimed', fence = b.fence + 1, claimed_by = \(name),
                leased_until = \(now.addingTimeInterval(Double(Self.leaseSeconds)))
            FROM free
            WHERE b.workspace_id = \(workspace) AND b.send_id = \(send) AND b.id = free.id
            RETURNING \(ClaimedBatch.columns)
            """)
    }

    /// Keeps the claims of a process alive.
    func renew(by name: String, now: Date) async throws {
        try await tx.run(
            "messaging.renew",
            """
            UPDATE marketing_send_batches
            SET leased_until = \(now.addingTimeInterval(Double(Self.leaseSeconds)))
            WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'claimed' AND claimed_by = \(name)
            """)
    }

    /// Gives back claims of a process that it knows nothing of: it lost the answer to its claim. Nothing of them was begun.
    func returnUnknown(claimedBy name: String, except known: [BatchID]) async throws {
        try await tx.run(
            "messaging.return_unknown",
            """
            UPDATE marketing_send_batches SET state = 'ready', claimed_by = NULL, leased_until = NULL
            WHERE workspace_id = \(workspace) AND send_id = \(send) AND state = 'claimed' AND claimed_by = \(name)
                AND NOT (id = ANY (\(known)))
            """)
    }

    /// Claims whose holder has not been heard of in time.
    func expired(now: Date) async throws -> [ExpiredClaim] {
        try await tx.all(
            ExpiredClaim.self, "messaging.expired",
            """
            SELECT \(ExpiredClaim.columns) FROM marketing_send_batches b
            WHERE b.workspace_id = \(workspace) AND b.send_id = \(send) AND b.state = 'claimed'
                AND b.leased_until < \(now)
            ORDER BY b.id LIMIT 1000
            """)
    }

    /// Where the batches of the send stand.
    func tally() async throws -> BatchTally {
        try await tx.first(
            BatchTally.self, "messaging.tally",
            """
            SELECT \(BatchTally.columns) FROM marketing_send_batches
            WHERE workspace_id = \(workspace) AND send_id = \(send) AND state <> 'done'
            """) ?? BatchTally()
    }
}

struct ExpiredClaim: PostgresRow {
    static let columns: SQL = "b.claimed_by, \(ClaimedBatch.columns)"
    let claimedBy: String?
    let batch: ClaimedBatch

    init(row: inout RowReader) throws {
        claimedBy = try row.next()
        batch = try ClaimedBatch(row: &row)
    }
}

struct BatchTally: PostgresRow {
    static let columns: SQL = """
        count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'claimed'),
        min(not_before) FILTER (WHERE state = 'ready'),
        count(*) FILTER (WHERE state = 'ready' AND not_before IS NULL)
        """
    let ready: Int
    let claimed: Int
    /// When the first batch of retries is due.
    let nextDue: Date?
    /// Ready and due at once.
    let unconditional: Int

    init() {
        ready = 0
        claimed = 0
        nextDue = nil
        unconditional = 0
    }

    init(row: inout RowReader) throws {
        ready = try row.next()
        claimed = try row.next()
        nextDue = try row.next()
        unconditional = try row.next()
    }
}
