import CLibPQ

extension PostgresConnection {
    /// A connection outside any pool for the length of a closure: migrations, the embedded server, tests.
    package static func with<Value>(
        _ settings: ConnectionSettings, isolation: isolated (any Actor)? = #isolation,
        _ body: (PostgresAutocommit) async throws -> Value
    ) async throws -> Value {
        let connection = try PostgresConnection(settings)
        try await connection.open()
        let lease = PostgresLease(
            connection, prelude: [], isTransaction: false, timeout: nil, statementLimit: settings.statementTimeout)
        do {
            let value = try await body(PostgresAutocommit(lease: lease))
            lease.end()
            await connection.close()
            return value
        } catch {
            lease.end()
            await connection.close()
            throw error
        }
    }

    /// Runs text with the simple protocol: what cannot be prepared, such as `CREATE DATABASE`.
    func runScript(_ text: String, _ operation: Operation) throws {
        _ = try takePrelude(operation)
        guard let wire else { throw PostgresError.connectionLost(query: "\(operation.query)", reason: "closed") }
        do {
            guard PQexitPipelineMode(wire.handle) == 1 else { throw Wire.Interruption.lost(wire.lossReason) }
            defer { PQenterPipelineMode(wire.handle) }
            try script(text, query: operation.query, operation: operation.number, deadline: operation.deadline)
        } catch let interruption as Wire.Interruption {
            // No way to tell what the server has done: a fresh connection is safest.
            discard()
            throw interruption.error(query: "\(operation.query)")
        }
    }
}

extension PostgresAutocommit {
    /// Text of this room or of a migration file, run as it stands.
    func script(_ text: String, _ name: StaticString) async throws {
        try await lease.operate(name) { connection, operation in try connection.runScript(text, operation) }
    }

    /// A statement that may not run inside a transaction, not even an implicit one: `CREATE DATABASE`, `VACUUM`.
    package func command(_ name: StaticString, _ sql: SQL) async throws {
        guard sql.binds.isEmpty, sql.defect == nil else {
            throw PostgresError.encoding(query: "\(name)", problem: sql.defect ?? "A command takes no values.")
        }
        try await script(String(decoding: sql.text, as: UTF8.self), name)
    }

    func isInTransaction() async throws -> Bool {
        try await lease.operate("transaction status") { connection, _ in
            connection.wire?.transactionStatus == PQTRANS_INTRANS
        }
    }
}
