import Core
import FoundationEssentials
import Postgres
import Web

/// Keys of requests and the answers they got, each workspace's behind its wall.
struct IdempotencyRecords: Sendable {
    let database: Database
    let clock: WallClock

    /// How long a key is remembered at least, in seconds.
    static let lifetime: TimeInterval = 86_400

    private struct Row: PostgresRow {
        let found: IdempotencyStore.Found

        static let columns: SQL = "target, created_at, body_hash, body_length, status::bigint, headers, body"

        init(row: inout RowReader) throws {
            let target: String = try row.next()
            let since: Date = try row.next()
            let hash: [UInt8]? = try row.next()
            let length: Int? = try row.next()
            let status: Int? = try row.next()
            let headers: [String]? = try row.next()
            let body: [UInt8]? = try row.next()
            guard let hash, let length, let status, let headers, let body else {
                found = .unanswered(target: target, since: since)
                return
            }
            let pairs = stride(from: 0, to: headers.count - 1, by: 2).map {
                (name: headers[$0], value: headers[$0 + 1])
            }
            found = .answered(
                target: target,
                IdempotentAnswer(
                    requestHash: hash, requestLength: length, status: status, headers: pairs, body: body))
        }
    }

    func claim(_ claim: IdempotencyClaim) async throws -> IdempotencyStore.Found {
        let now = clock.now
        return try await database.write(claim.workspace) { transaction in
            let taken = try await transaction.run(
                "accounts.idempotency.claim",
                """
                INSERT INTO marketing_idempotency_keys (workspace_id, route, key, target, created_at)
                VALUES (\(claim.workspace), \(claim.route), \(claim.key), \(claim.target), \(now))
                ON CONFLICT (workspace_id, route, key) DO NOTHING
                """)
            if taken > 0 { return .new }
            let row = try await transaction.first(
                Row.self, "accounts.idempotency.find",
                "SELECT \(Row.columns) FROM marketing_idempotency_keys WHERE \(Self.matches(claim))")
            // Given up between the two statements: it will be free when the client comes again.
            return row?.found ?? .unanswered(target: claim.target, since: now)
        }
    }

    func keep(_ answer: IdempotentAnswer, for claim: IdempotencyClaim) async throws {
        let headers: [String] = answer.headers.flatMap { [$0.name, $0.value] }
        _ = try await database.write(claim.workspace) { transaction in
            try await transaction.run(
                "accounts.idempotency.keep",
                """
                UPDATE marketing_idempotency_keys SET body_hash = \(answer.requestHash),
                    body_length = \(answer.requestLength), status = \(answer.status)::integer, headers = \(headers),
                    body = \(answer.body)
                WHERE \(Self.matches(claim))
                """)
        }
    }

    func release(_ claim: IdempotencyClaim) async throws {
        _ = try await database.write(claim.workspace) { transaction in
            try await transaction.run(
                "accounts.idempotency.release",
                "DELETE FROM marketing_idempotency_keys WHERE \(Self.matches(claim)) AND status IS NULL")
        }
    }

    /// Forgets keys whose time is over, workspace by workspace, because the wall lets nobody see them all.
    func sweep() async throws {
        let before = clock.now.addingTimeInterval(-Self.lifetime)
        let workspaces = try await database.session { session in
            try await session.rows(
                as: WorkspaceID.self, "accounts.idempotency.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces {
            _ = try await database.write(workspace) { transaction in
                try await transaction.run(
                    "accounts.idempotency.sweep",
                    """
                    DELETE FROM marketing_idempotency_keys
                    WHERE workspace_id = \(workspace) AND created_at < \(before)
                    """)
            }
        }
    }

    private static func matches(_ claim: IdempotencyClaim) -> SQL {
        "workspace_id = \(claim.workspace) AND route = \(claim.route) AND key = \(claim.key)"
    }
}
