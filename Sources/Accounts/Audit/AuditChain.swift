import Core
import FoundationEssentials
import Logging
import Metrics
import Postgres

/// The chain over the audit log of each workspace: every entry is hashed (SHA-256) together with the one before it. Deeds
/// are written unchained, so that no writer waits; this chains them soon after, in the order in which it finds them, and
/// looks every night whether all are still what they were. The functions of the database do the hashing
/// (`migrations/0025_audit_chain.sql`).
package struct AuditChain: Sendable {
    let services: AppServices

    private static let batch: Int = 2_000
    private static let part: Int = 10_000

    /// Chains what waits, in all workspaces.
    package func chainWaiting() async throws {
        let workspaces: [WorkspaceID] = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "accounts.audit.waiting", "SELECT DISTINCT workspace_id FROM marketing_audit_waiting")
        }
        for workspace in workspaces { try await chain(workspace) }
    }

    /// Chains what waits in one workspace. Whoever chains, erases or purges there waits for the others; writers do not.
    package func chain(_ workspace: WorkspaceID) async throws {
        while true {
            let done: Int = try await services.workerDatabase.write(workspace) { transaction in
                try await transaction.value(
                    Int.self, "accounts.audit.chain", "SELECT marketing_chain_audit_log(\(Self.batch)::integer)::bigint"
                )
            }
            if done < Self.batch { return }
            try Task.checkCancellation()
        }
    }

    /// Looks at the chains of all workspaces and tells the log and the metrics about broken ones.
    package func verifyAll() async throws {
        var broken: Int = 0
        for workspace in try await workspaces() {
            try await chain(workspace)
            if try await verify(workspace).isBroken { broken += 1 }
            try Task.checkCancellation()
        }
        Gauge(label: "audit_broken_chains").record(broken)
    }

    /// Looks at every entry of one workspace and keeps what it found.
    @discardableResult
    package func verify(_ workspace: WorkspaceID) async throws -> AuditCheck {
        let now: Date = services.clock.now
        let (end, faults) = try await services.workerDatabase.read(workspace, timeout: .seconds(1_800)) { transaction in
            try await look(workspace, in: transaction)
        }
        let intact: Date? = faults.isEmpty ? now : nil
        let check: AuditCheck = try await services.workerDatabase.write(workspace) { transaction in
            try await transaction.first(
                AuditCheck.self, "accounts.audit.checked",
                """
                INSERT INTO marketing_audit_checks AS k (workspace_id, checked_at, entries, intact_at, is_broken, faults)
                VALUES (\(workspace), \(now), \(end.position), \(intact), \(!faults.isEmpty), \(faults.json))
                ON CONFLICT (workspace_id) DO UPDATE
                SET checked_at = excluded.checked_at, entries = excluded.entries,
                    intact_at = coalesce(excluded.intact_at, k.intact_at), is_broken = excluded.is_broken,
                    faults = excluded.faults
                RETURNING \(AuditCheck.columns)
                """) ?? AuditCheck(checkedAt: now, entries: end.position, intactAt: intact, faults: faults)
        }
        let metadata: Logger.Metadata = [
            "workspace": "\(workspace)", "entries": "\(end.position)", "end": "\(Hexadecimal.encode(end.hash))",
        ]
        if check.isBroken {
            services.logger.error("The audit log has been changed from outside.", metadata: metadata)
        } else {
            services.logger.info("The audit log is intact.", metadata: metadata)
        }
        return check
    }

    /// What the last look at a workspace's chain found; nil before the first.
    func lastCheck(_ workspace: WorkspaceID, in transaction: PostgresTransaction) async throws -> AuditCheck? {
        try await transaction.first(
            AuditCheck.self, "accounts.audit.check",
            "SELECT \(AuditCheck.columns) FROM marketing_audit_checks WHERE workspace_id = \(workspace)")
    }

    /// What the last looks found, of all workspaces that were looked at.
    package func lastChecks() async throws -> [AuditCheck] {
        var checks: [AuditCheck] = []
        for workspace in try await workspaces() {
            let check: AuditCheck? = try await services.workerDatabase.read(workspace) { transaction in
                try await lastCheck(workspace, in: transaction)
            }
            if let check { checks.append(check) }
        }
        return checks
    }

    private func workspaces() async throws -> [WorkspaceID] {
        try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "accounts.audit.workspaces", "SELECT id FROM marketing_workspaces")
        }
    }
}

extension AuditChain {
    private struct Head: PostgresRow {
        let position: Int
        let hash: [UInt8]
        let isComplete: Bool

        static let columns: SQL = "position, hash, is_complete"

        init(row: inout RowReader) throws {
            position = try row.next()
            hash = try row.next()
            isComplete = try row.next()
        }
    }

    private struct Part: PostgresRow {
        let links: Int
        let position: Int?
        let hash: [UInt8]?
        let changed: Int
        let removed: Int
        let unlinked: Int
        let firstAt: Date?

        static let columns: SQL = "links, last_position, last_hash, changed, removed, unlinked, first_at"

        init(row: inout RowReader) throws {
            links = try row.next()
            position = try row.next()
            hash = try row.next()
            changed = try row.next()
            removed = try row.next()
            unlinked = try row.next()
            firstAt = try row.next()
        }
    }

    private typealias End = (position: Int, hash: [UInt8])

    /// The end is read first: what is chained meanwhile lies beyond it.
    private func look(
        _ workspace: WorkspaceID, in transaction: PostgresTransaction
    ) async throws -> (End, AuditCheck.Faults) {
        var faults = AuditCheck.Faults()
        let head: Head? = try await transaction.first(
            Head.self, "accounts.audit.head",
            "SELECT \(Head.columns) FROM marketing_audit_heads WHERE workspace_id = \(workspace)")
        var end: End = (0, [UInt8](repeating: 0, count: 32))
        while true {
            let from: End = end
            let part: Part? = try await transaction.first(
                Part.self, "accounts.audit.part",
                """
                SELECT \(Part.columns)
                FROM marketing_audit_chain_part(\(from.position)::bigint, \(from.hash), \(Self.part)::integer)
                """)
            guard let part, part.links > 0, let position = part.position, let hash = part.hash else { break }
            faults.changed += part.changed
            faults.removed += part.removed
            faults.unlinked += part.unlinked
            faults.note(part.firstAt)
            end = (position, hash)
            if part.links < Self.part { break }
            try Task.checkCancellation()
        }
        try await lookAtEnd(head, end, &faults, workspace, in: transaction)
        return (end, faults)
    }

    /// Whether links are missing at the end, entries came in past the portal, or went before they were chained.
    private func lookAtEnd(
        _ head: Head?, _ end: End, _ faults: inout AuditCheck.Faults, _ workspace: WorkspaceID,
        in transaction: PostgresTransaction
    ) async throws {
        if let head, head.position > end.position {
            faults.removed += head.position - end.position
        } else if let head, head.position == end.position, head.hash != end.hash {
            faults.unlinked += 1
        }
        if head == nil, end.position > 0 { faults.unlinked += 1 }
        guard head?.isComplete == true else { return }
        let strangers: [(Int, Date?)] = try await transaction.rows(
            as: (Int, Date?).self, "accounts.audit.strangers",
            """
            SELECT count(*), min(l.occurred_at) FROM marketing_audit_log l
            WHERE l.workspace_id = \(workspace) AND NOT EXISTS (
                    SELECT FROM marketing_audit_chain c WHERE c.workspace_id = \(workspace) AND c.entry_id = l.id)
                AND NOT EXISTS (
                    SELECT FROM marketing_audit_waiting w WHERE w.workspace_id = \(workspace) AND w.entry_id = l.id)
            """)
        faults.added += strangers.first?.0 ?? 0
        faults.note(strangers.first?.1)
        faults.removed += try await transaction.value(
            Int.self, "accounts.audit.lost",
            """
            SELECT count(*) FROM marketing_audit_waiting w
            WHERE w.workspace_id = \(workspace) AND NOT EXISTS (
                SELECT FROM marketing_audit_log l WHERE l.workspace_id = \(workspace) AND l.id = w.entry_id)
            """)
    }
}
