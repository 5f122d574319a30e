import CLibPQ

extension PostgresTransaction {
    /// Several queries and the commit in one round trip: for a page that asks nothing more. The transaction has ended
    /// when this returns and refuses further use.
    package func last<each Element: Sendable>(
        _ queries: repeat Query<each Element>
    ) async throws -> (repeat [each Element]) {
        var pending: [PendingQuery] = []
        let boxes = (repeat ResultBox<each Element>())
        repeat pending.append(PendingQuery(each queries, into: each boxes))
        pending.append(PendingQuery(Query<Int>.run("commit", "COMMIT"), into: ResultBox<Int>()))
        try await lease.run(pending, pending[0].statement.name)
        lease.markCommitted()
        return (repeat (each boxes).elements)
    }
}

extension PostgresLease {
    /// Runs queries as one packet and leaves their rows in their boxes.
    func run(_ queue: [PendingQuery], _ name: StaticString) async throws {
        try await operate(name) { connection, operation in
            try connection.exchange(operation, queue.map(\.statement)) { index, result in
                try queue[index].receive(result)
            }
        }
    }
}

extension PostgresLease {
    /// Commits. Not interrupted by the task's cancellation, so that the outcome is known.
    func commit() async throws {
        guard hasBegun else { return }
        try await connection.run(Operation(lease: self, query: "commit")) { connection, operation in
            var tag: String = ""
            try connection.exchange(operation, [Statement("commit", "COMMIT")]) { _, result in tag = result.commandTag }
            if tag != "COMMIT" {
                throw PostgresError.misuse(
                    query: "commit", problem: "A statement had failed, so the transaction was rolled back.")
            }
        }
    }

    /// Runs the transaction's only statement and commits in the same round trip; answers how many rows it changed. Not
    /// interrupted by the task's cancellation, so that the outcome is known.
    func runAndCommit(_ statement: Statement) async throws -> Int {
        let batch: [Statement] = [statement, Statement("commit", "COMMIT")]
        return try await connection.run(Operation(lease: self, query: statement.name)) { connection, operation in
            var affected: Int = 0
            try connection.exchange(operation, batch) { index, result in
                if index == 0 { affected = result.affectedRows }
            }
            return affected
        }
    }

    /// Rolls back, even when the task is cancelled or the time is over. A connection on which that fails is closed,
    /// which rolls back as well.
    func rollBack() async {
        guard hasBegun else { return }
        await connection.rollBack(self)
    }
}

extension PostgresConnection {
    fileprivate func rollBack(_ lease: PostgresLease) {
        defer { publishCondition() }
        guard let wire, wire.isAlive, wire.transactionStatus != PQTRANS_IDLE else { return }
        guard streaming == nil, wire.isInPipeline else { return discard() }
        do {
            try endTransaction(wire, lease)
        } catch {
            discard()
        }
    }

    private func endTransaction(_ wire: Wire, _ lease: PostgresLease) throws {
        try wire.send(unprepared: Array("ROLLBACK\0".utf8))
        try wire.sendSync()
        wire.flush()
        let deadline: Deadline = .after(.seconds(3))
        for _ in 0..<8 {
            guard let pointer = try wire.nextResult(operation: 0, deadline: deadline) else { continue }
            let result = PostgresResult(pointer)
            let status: ExecStatusType = result.status
            if status == PGRES_PIPELINE_SYNC { return }
            if status != PGRES_COMMAND_OK || !wire.isAlive { throw Wire.Interruption.lost("rollback refused") }
        }
        throw Wire.Interruption.lost("out of step")
    }
}
