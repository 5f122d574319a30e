import Synchronization

/// The right to use a connection for a while: for the length of a session's or a transaction's closure.
package final class PostgresLease: Sendable {
    let connection: PostgresConnection
    let number: UInt64
    /// Statements that go out in front of the first query, in the same packet: `BEGIN`, `SET LOCAL …`.
    let prelude: [SQL]
    /// Whether `prelude` opens a transaction.
    let isTransaction: Bool
    /// Whether the commit goes out with the first statement, so that a lost connection leaves open what became of it.
    let commitsItself: Bool
    /// How old plans may be that were made for all values; nil: each statement is planned for those at hand, where
    /// PostgreSQL expects to gain by it.
    let planLife: Duration?
    /// When the whole closure must be done.
    let deadline: Deadline?
    /// How long one statement may take on the server.
    let statementLimit: Duration
    private let ended = Atomic<Bool>(false)
    private let begun = Atomic<Bool>(false)

    init(
        _ connection: PostgresConnection, prelude: [SQL], isTransaction: Bool, commitsItself: Bool = false,
        planLife: Duration? = nil, timeout: Duration?, statementLimit: Duration
    ) {
        self.connection = connection
        number = connection.signal.nextOperation()
        self.prelude = prelude
        self.isTransaction = isTransaction
        self.commitsItself = commitsItself
        self.planLife = planLife
        deadline = timeout.map { .after($0) }
        self.statementLimit = statementLimit
    }

    var hasEnded: Bool { ended.load(ordering: .acquiring) }
    /// Something has been sent.
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func markBegun() { begun.store(true, ordering: .releasing) }
    /// The commit went along with the last query: nothing is left to end, and nothing may follow.
    func markCommitted() {
        begun.store(false, ordering: .releasing)
        end()
    }

    func end() { ended.store(true, ordering: .releasing) }

    /// Runs one operation on the connection's thread; when the task is cancelled meanwhile, so is the operation.
    func operate<Value: Sendable>(
        _ query: StaticString,
        _ body: @Sendable (isolated PostgresConnection, Operation) throws -> Value
    ) async throws -> Value {
        let operation = Operation(lease: self, query: query)
        let connection = self.connection
        return try await withTaskCancellationHandler {
            try await connection.run(operation, body)
        } onCancel: {
            connection.signal.cancel(operation.number)
        }
    }
}

/// One request of a session to its connection.
struct Operation: Sendable {
    let lease: PostgresLease
    let number: UInt64
    let query: StaticString
    /// When to give up waiting for the server: a little after the server itself should have given up.
    let deadline: Deadline

    init(lease: PostgresLease, query: StaticString) {
        self.lease = lease
        number = lease.connection.signal.nextOperation()
        self.query = query
        let limit: Deadline = .after(lease.statementLimit + .seconds(1))
        deadline = min(lease.deadline ?? limit, limit)
    }
}
