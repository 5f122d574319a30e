import Core

/// The handle every slice holds: opens sessions and transactions on a pool.
///
/// Closures run where the caller runs; only the queries themselves go to the connection's thread. A session or
/// transaction refuses use after its closure has ended.
package struct Database: Sendable {
    package let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    /// Connections that `readBeside` could have now.
    package var spareConnections: Int { pool.spare }

    /// How long a statement may take.
    package var statementLimit: Duration { pool.settings.statementTimeout }

    /// Statements that commit one by one, on global tables (users, sessions, the job queue).
    /// - Parameter timeout: for the whole closure; without it each statement has the pool's limit.
    package func session<Value>(
        timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresAutocommit) async throws -> Value
    ) async throws -> Value {
        let connection = try await pool.lease()
        defer { pool.release(connection) }
        let limit: Duration = pool.settings.statementTimeout
        var prelude: [SQL] = []
        if let timeout, timeout > limit {
            prelude.append(SQL(trusted: "SET statement_timeout = \(timeout.milliseconds)"))
        }
        let lease = PostgresLease(
            connection, prelude: prelude, isTransaction: false, timeout: timeout,
            statementLimit: max(limit, timeout ?? .zero))
        defer { lease.end() }
        return try await body(PostgresAutocommit(lease: lease))
    }

    /// A transaction on global tables; it sees no workspace. Tried again, at most three times in all, when another
    /// transaction was in the way (40001, 40P01), so the closure must have no effect outside the database.
    package func transaction<Value>(
        isolation level: IsolationLevel = .readCommitted, timeout: Duration? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await retrying(timeout, [SQL(trusted: "BEGIN ISOLATION LEVEL \(level.rawValue)")], body: body)
    }

    /// A read-only transaction in a workspace. `BEGIN`, the workspace and the first query travel together, so a page
    /// with one query costs two round trips.
    /// - Parameter keepsPlans: whether statements are planned once for all values, and again every five seconds, instead
    ///   of for those at hand. For look-ups by key, which take a tenth of the time of their planning (PostgreSQL manual
    ///   20.7.4, `plan_cache_mode`). Unless it asks for more time, such a read counts as quick, and only some of the pool's
    ///   connections are for those (see `PostgresPool.Limits`): it must not be made within another.
    package func read<Value>(
        _ workspace: WorkspaceID, isolation level: IsolationLevel = .readCommitted, timeout: Duration? = nil,
        keepsPlans: Bool = false, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let opening: [SQL] = [.beginReading(level), .enter(workspace)]
        return try await once(
            timeout, opening, planLife: keepsPlans ? .seconds(5) : nil, isQuick: keepsPlans && timeout == nil,
            body: body)
    }

    /// A read-only transaction in a workspace that sees what another one sees, which has to last as long, on a connection
    /// that nobody else needs now. Where there is none, nil, at once.
    package func readBeside<Value>(
        _ workspace: WorkspaceID, seeing snapshot: Snapshot, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value? {
        guard let connection = await pool.leaseSpare() else { return nil }
        defer { pool.release(connection) }
        let opening: [SQL] = [.beginReading(.repeatableRead), .see(snapshot), .enter(workspace)]
        return try await run(opening, on: connection, timeout: nil, planLife: nil, body: body)
    }

    /// A transaction in a workspace. Tried again like `transaction`.
    /// - Parameter keepsPlans: as in `read`, but planned again every second. For what is done by key to many rows of a
    ///   workspace that PostgreSQL may not have counted yet: planned for its id, which no statistics know, it may take
    ///   any index for the best. And tables may grow from nothing while such work lasts.
    package func write<Value>(
        _ workspace: WorkspaceID, isolation level: IsolationLevel = .readCommitted, timeout: Duration? = nil,
        keepsPlans: Bool = false, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let opening: [SQL] = [SQL(trusted: "BEGIN ISOLATION LEVEL \(level.rawValue)"), .enter(workspace)]
        return try await retrying(timeout, opening, planLife: keepsPlans ? Self.shortLife : nil, body: body)
    }

    /// A transaction of one statement in a workspace; answers how many rows it changed. Everything from `BEGIN` to `COMMIT`
    /// travels together: one round trip. Plans are kept, as by `write(…, keepsPlans: true)`. Tried again like `transaction`.
    @discardableResult
    package func write(
        _ workspace: WorkspaceID, _ name: StaticString, _ sql: SQL, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Int {
        try await retrying { () async throws -> Int in
            let connection = try await pool.lease()
            defer { pool.release(connection) }
            let lease = PostgresLease(
                connection, prelude: [SQL(trusted: "BEGIN"), .enter(workspace)], isTransaction: true,
                commitsItself: true, planLife: Self.shortLife, timeout: nil,
                statementLimit: pool.settings.statementTimeout)
            defer { lease.end() }
            do {
                return try await lease.runAndCommit(Statement(name, sql))
            } catch {
                await lease.rollBack()
                throw error
            }
        }
    }

    private static let attempts: Int = 3
    private static let shortLife: Duration = .seconds(1)

    private func retrying<Value>(
        _ timeout: Duration?, _ opening: [SQL], planLife: Duration? = nil,
        isolation: isolated (any Actor)? = #isolation, body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await retrying { try await once(timeout, opening, planLife: planLife, body: body) }
    }

    private func retrying<Value>(
        isolation: isolated (any Actor)? = #isolation, _ attemptOnce: () async throws -> Value
    ) async throws -> Value {
        var attempt: Int = 1
        while true {
            do {
                return try await attemptOnce()
            } catch let error as PostgresError where attempt < Database.attempts && error.isRetryable {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(10 * attempt))))
                attempt += 1
            }
        }
    }

    private func once<Value>(
        _ timeout: Duration?, _ opening: [SQL], planLife: Duration?, isQuick: Bool = false,
        isolation: isolated (any Actor)? = #isolation, body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let connection = try await pool.lease(isQuick: isQuick)
        defer { pool.release(connection, isQuick: isQuick) }
        return try await run(opening, on: connection, timeout: timeout, planLife: planLife, body: body)
    }

    private func run<Value>(
        _ opening: [SQL], on connection: PostgresConnection, timeout: Duration?, planLife: Duration?,
        isolation: isolated (any Actor)? = #isolation, body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        let limit: Duration = pool.settings.statementTimeout
        var prelude: [SQL] = opening
        if let timeout, timeout > limit {
            prelude.append(SQL(trusted: "SET LOCAL statement_timeout = \(timeout.milliseconds)"))
        }
        let lease = PostgresLease(
            connection, prelude: prelude, isTransaction: true, planLife: planLife, timeout: timeout,
            statementLimit: max(limit, timeout ?? .zero))
        defer { lease.end() }
        let value: Value
        do {
            value = try await body(PostgresTransaction(lease: lease))
        } catch {
            await lease.rollBack()
            throw error
        }
        try await lease.commit()
        return value
    }
}

/// How much transactions see of each other (PostgreSQL manual 13.2).
package enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

/// What a transaction sees, for others to see the same (PostgreSQL manual 9.27.5). `pg_export_snapshot()` names it, which
/// the transaction must not ask before `REPEATABLE READ` holds it to one moment.
package struct Snapshot: Sendable {
    fileprivate let name: String

    /// - Parameter name: as `pg_export_snapshot()` gave it; nil for anything else.
    package init?(name: String) {
        guard !name.isEmpty,
            name.utf8.allSatisfy({ UInt8(ascii: "-") == $0 || Character(UnicodeScalar($0)).isHexDigit })
        else { return nil }
        self.name = name
    }
}

extension SQL {
    /// Every page begins so: what PostgreSQL assumes anyway is not sent.
    static func beginReading(_ level: IsolationLevel) -> SQL {
        level == .readCommitted
            ? SQL(trusted: "BEGIN READ ONLY") : SQL(trusted: "BEGIN ISOLATION LEVEL \(level.rawValue) READ ONLY")
    }

    static func see(_ snapshot: Snapshot) -> SQL {
        SQL(trusted: "SET TRANSACTION SNAPSHOT '\(snapshot.name)'")
    }

    /// Lets the transaction see one workspace. `SET LOCAL` and not `set_config()`, so that Citus can follow.
    static func enter(_ workspace: WorkspaceID) -> SQL {
        SQL(trusted: "SET LOCAL app.workspace_id = '\(workspace)'")
    }

    /// Has the transaction's statements planned once for all values instead of for those at hand.
    static let keepPlans = SQL(trusted: "SET LOCAL plan_cache_mode = force_generic_plan")
    /// Has statements planned anew, for tables as they are now: a plan for an empty table is slow on a full one.
    static let forgetPlans = SQL(trusted: "DISCARD PLANS")
}
