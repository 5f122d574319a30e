import Accounts
import Core
import FoundationEssentials
import Postgres

package enum SyncRunTag {}
package typealias SyncRunID = Identifier<SyncRunTag>

/// One batch that a host product sent, and what it became.
struct SyncRun: Sendable, PostgresRow {
    enum Kind: String, Sendable {
        case contacts, companies, events

        var words: String {
            switch self {
            case .contacts: "Contacts"
            case .companies: "Companies"
            case .events: "Events"
            }
        }
    }

    struct Counts: Sendable, Equatable {
        var received: Int = 0
        var created: Int = 0
        var updated: Int = 0
        var unchanged: Int = 0
        var stale: Int = 0
        var deleted: Int = 0
        var failed: Int = 0
    }

    let id: SyncRunID
    let kind: Kind
    let caller: String
    var counts = Counts()
    let milliseconds: Int
    let receivedAt: Date
    let replayOf: SyncRunID?

    static let columns: SQL = """
        id, kind, caller, received, created, updated, unchanged, stale, deleted, failed, milliseconds, received_at, replay_of
        """

    init(row: inout RowReader) throws {
        id = try row.next()
        kind = Kind(rawValue: try row.next()) ?? .contacts
        caller = try row.next()
        counts.received = try row.next()
        counts.created = try row.next()
        counts.updated = try row.next()
        counts.unchanged = try row.next()
        counts.stale = try row.next()
        counts.deleted = try row.next()
        counts.failed = try row.next()
        milliseconds = try row.next()
        receivedAt = try row.next()
        replayOf = try row.next()
    }

    init(
        id: SyncRunID, kind: Kind, caller: String, counts: Counts, milliseconds: Int, receivedAt: Date,
        replayOf: SyncRunID? = nil
    ) {
        self.id = id
        self.kind = kind
        self.caller = caller
        self.counts = counts
        self.milliseconds = milliseconds
        self.receivedAt = receivedAt
        self.replayOf = replayOf
    }
}

/// A row that failed, with what was sent.
struct SyncFailure: Sendable, PostgresRow {
    let row: Int
    let sourceType: String
    let sourceID: String
    let reason: String
    let payload: JSONValue?
    let replayedAt: Date?

    static let columns: SQL = "row_number, source_type, source_id, reason, payload, replayed_at"

    init(row reader: inout RowReader) throws {
        row = try reader.next()
        sourceType = try reader.next()
        sourceID = try reader.next()
        reason = try reader.next()
        payload = try reader.next()
        replayedAt = try reader.next()
    }

    init(row: Int, sourceType: String, sourceID: String, reason: String, payload: JSONValue?) {
        self.row = row
        self.sourceType = sourceType
        self.sourceID = sourceID
        self.reason = reason
        self.payload = payload
        replayedAt = nil
    }
}

/// What host products sent, for people who want to know: every batch of contacts and companies, and batches of events in
/// which something failed.
struct SyncLog: Sendable {
    let services: AppServices

    /// Bytes of a failed row that is kept.
    static let largestPayload: Int = 16 * 1024
    /// How long batches are kept, and failed rows as they came, in seconds.
    static let lifetime: TimeInterval = 30 * 86_400
    static let payloadLifetime: TimeInterval = 14 * 86_400
    /// Batches of a workspace that are kept at most.
    static let capacity: Int = 20_000

    func record(_ run: SyncRun, _ failures: [SyncFailure], _ scope: WorkspaceScope) async throws {
        let counts: SyncRun.Counts = run.counts
        let rows: SQL = """
            unnest(\(failures.map(\.row)), \(failures.map { String($0.sourceType.prefix(100)) }),
                \(failures.map { String($0.sourceID.prefix(200)) }), \(failures.map { String($0.reason.prefix(1000)) }),
                \(failures.map { $0.payload.flatMap(Self.kept) })) AS f(row_number, source_type, source_id, reason, payload)
            """
        try await services.database.write(
            scope.workspace, "connectors.sync.record",
            """
            WITH run AS (
                INSERT INTO marketing_sync_runs (workspace_id, id, kind, caller, received, created, updated, unchanged, stale,
                    deleted, failed, milliseconds, received_at, replay_of)
                SELECT \(scope.workspace), \(run.id), \(run.kind.rawValue), \(run.caller), \(counts.received)::int,
                    \(counts.created)::int, \(counts.updated)::int, \(counts.unchanged)::int, \(counts.stale)::int,
                    \(counts.deleted)::int, \(counts.failed)::int, \(run.milliseconds)::int, \(run.receivedAt),
                    \(run.replayOf)
            )
            INSERT INTO marketing_sync_failures (workspace_id, run_id, row_number, source_type, source_id, reason, payload)
            SELECT \(scope.workspace), \(run.id), f.row_number::int, f.source_type, f.source_id, f.reason, f.payload
            FROM \(rows)
            """)
    }

    /// The row as it is kept; nil when it is too large.
    private static func kept(_ payload: JSONValue) -> JSONValue? {
        size(payload) <= largestPayload ? payload : nil
    }

    private static func size(_ value: JSONValue) -> Int {
        switch value {
        case .string(let text): text.utf8.count + 2
        case .array(let values): values.reduce(2) { $0 + size($1) + 1 }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + 4 + size($1.value) }
        default: 8
        }
    }

    func page(_ scope: WorkspaceScope, before: SyncRunID?, limit: Int) async throws -> [SyncRun] {
        let position: SQL = before.map { " AND id < \($0)" } ?? ""
        return try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(
                SyncRun.self, "connectors.sync.page",
                """
                SELECT \(SyncRun.columns) FROM marketing_sync_runs
                WHERE workspace_id = \(scope.workspace)\(position) ORDER BY id DESC LIMIT \(limit)
                """)
        }
    }

    func find(_ id: SyncRunID, _ scope: WorkspaceScope) async throws -> (run: SyncRun, failures: [SyncFailure])? {
        let (runs, failures) = try await services.database.read(scope.workspace) { transaction in
            try await transaction.pipeline(
                Query(
                    SyncRun.self, "connectors.sync.find",
                    """
                    SELECT \(SyncRun.columns) FROM marketing_sync_runs
                    WHERE workspace_id = \(scope.workspace) AND id = \(id) LIMIT 1
                    """),
                Query(
                    SyncFailure.self, "connectors.sync.failures",
                    """
                    SELECT \(SyncFailure.columns) FROM marketing_sync_failures
                    WHERE workspace_id = \(scope.workspace) AND run_id = \(id) ORDER BY row_number LIMIT 1000
                    """))
        }
        return runs.first.map { ($0, failures) }
    }

    /// Takes the failed rows of a batch for trying them again; each is taken once.
    func take(_ id: SyncRunID, _ scope: WorkspaceScope) async throws -> [SyncFailure] {
        try await services.database.write(scope.workspace) { transaction in
            try await transaction.all(
                SyncFailure.self, "connectors.sync.take",
                """
                UPDATE marketing_sync_failures SET replayed_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND run_id = \(id) AND payload IS NOT NULL AND replayed_at IS NULL
                RETURNING \(SyncFailure.columns)
                """
            ).sorted { $0.row < $1.row }
        }
    }

    /// Forgets what is old or too much, workspace by workspace, because the wall lets nobody see them all.
    func sweep() async throws {
        let now: Date = services.clock.now
        let workspaces = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "connectors.sync.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces { try await sweep(workspace, now) }
    }

    private func sweep(_ workspace: WorkspaceID, _ now: Date) async throws {
        _ = try await services.workerDatabase.write(workspace) { transaction in
            try await transaction.run([
                Statement(
                    "connectors.sync.sweepRuns",
                    """
                    DELETE FROM marketing_sync_runs
                    WHERE workspace_id = \(workspace) AND (received_at < \(now.addingTimeInterval(-Self.lifetime))
                        OR id < (SELECT id FROM marketing_sync_runs WHERE workspace_id = \(workspace)
                            ORDER BY id DESC OFFSET \(Self.capacity) LIMIT 1))
                    """),
                Statement(
                    "connectors.sync.sweepFailures",
                    """
                    DELETE FROM marketing_sync_failures f
                    WHERE f.workspace_id = \(workspace) AND NOT EXISTS (
                        SELECT FROM marketing_sync_runs r WHERE r.workspace_id = \(workspace) AND r.id = f.run_id)
                    """),
                Statement(
                    "connectors.sync.sweepPayloads",
                    """
                    UPDATE marketing_sync_failures f SET payload = NULL
                    FROM marketing_sync_runs r
                    WHERE f.workspace_id = \(workspace) AND f.payload IS NOT NULL AND r.workspace_id = f.workspace_id
                        AND r.id = f.run_id AND r.received_at < \(now.addingTimeInterval(-Self.payloadLifetime))
                    """),
            ])
        }
    }
}
