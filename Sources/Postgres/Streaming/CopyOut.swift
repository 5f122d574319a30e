import CLibPQ

extension PostgresSession {
    /// Reads the data of a `COPY … TO STDOUT` in chunks of some 64 KB. The server waits while a chunk is dealt with.
    /// When the closure throws, the connection is closed, and with it the transaction rolled back.
    package func copyOut(
        _ name: StaticString, _ statement: SQL, isolation: isolated (any Actor)? = #isolation,
        _ receive: ([UInt8]) async throws -> Void
    ) async throws {
        try await lease.operate(name) { connection, operation in
            try connection.startCopy(.outOfServer, statement, operation)
        }
        do {
            var isLast: Bool = false
            while !isLast {
                let answer: (chunk: [UInt8], isLast: Bool) = try await lease.operate(name) { connection, operation in
                    try connection.getCopyData(operation)
                }
                isLast = answer.isLast
                if !answer.chunk.isEmpty { try await receive(answer.chunk) }
            }
        } catch {
            await lease.connection.breakOff(lease)
            throw error
        }
    }

    /// Calls the closure with each row while they arrive, for exports: memory does not grow with the result. The
    /// server waits while the closure works; the session cannot be used for anything else meanwhile.
    /// When the closure throws, the connection is closed, and with it the transaction rolled back.
    package func forEach<Row: PostgresRow>(
        _: Row.Type, _ name: StaticString, _ sql: SQL, isolation: isolated (any Actor)? = #isolation,
        _ body: (Row) async throws -> Void
    ) async throws {
        try await forEachBatch(Row.self, name, sql) { rows in
            for row in rows { try await body(row) }
        }
    }

    /// Like `forEach`, with up to 256 rows at a time: cheaper when the work per row is small.
    package func forEachBatch<Row: PostgresRow>(
        _: Row.Type, _ name: StaticString, _ sql: SQL, isolation: isolated (any Actor)? = #isolation,
        _ body: ([Row]) async throws -> Void
    ) async throws {
        try await lease.operate(name) { connection, operation in
            try connection.startRows(Statement(name, sql), operation)
        }
        do {
            var isLast: Bool = false
            while !isLast {
                let batch: (rows: [Row], isLast: Bool) = try await lease.operate(name) { connection, operation in
                    try connection.nextRows(256, operation)
                }
                isLast = batch.isLast
                if !batch.rows.isEmpty { try await body(batch.rows) }
            }
        } catch {
            await lease.connection.breakOff(lease)
            throw error
        }
    }
}

extension PostgresConnection {
    fileprivate func getCopyData(_ operation: Operation) throws -> (chunk: [UInt8], isLast: Bool) {
        let wire: Wire = try streamingWire(operation)
        var chunk: [UInt8] = []
        do {
            while chunk.count < 65_536 {
                var piece: UnsafeMutablePointer<CChar>?
                let length: Int32 = PQgetCopyData(wire.handle, &piece, 1)
                defer { PQfreemem(piece) }
                switch length {
                case 1...: chunk.append(contentsOf: UnsafeRawBufferPointer(start: piece, count: Int(length)))
                case 0:
                    if !chunk.isEmpty { return (chunk, false) }
                    try wire.waitForServer(operation: operation.number, deadline: operation.deadline)
                case -1:
                    try leaveStream(wire, operation)
                    return (chunk, true)
                default: throw Wire.Interruption.lost(wire.lossReason)
                }
            }
            return (chunk, false)
        } catch {
            throw streamFailure(error, operation)
        }
    }

    fileprivate func startRows(_ statement: Statement, _ operation: Operation) throws {
        if let defect = statement.sql.defect {
            throw PostgresError.encoding(query: "\(operation.query)", problem: defect)
        }
        let wire: Wire = try enterStream(operation)
        do {
            try wire.send(direct: statement)
            guard PQsetSingleRowMode(wire.handle) == 1 else { throw Wire.Interruption.lost("out of step") }
            wire.flush()
        } catch {
            throw streamFailure(error, operation)
        }
    }

    fileprivate func nextRows<Row: PostgresRow>(
        _ limit: Int, _ operation: Operation
    ) throws -> (rows: [Row], isLast: Bool) {
        let wire: Wire = try streamingWire(operation)
        var rows: [Row] = []
        do {
            while rows.count < limit {
                guard let pointer = try wire.nextResult(operation: operation.number, deadline: operation.deadline)
                else { throw Wire.Interruption.lost("out of step") }
                let result = PostgresResult(pointer)
                let status: ExecStatusType = result.status
                guard status == PGRES_SINGLE_TUPLE else {
                    let refusal: PostgresError? =
                        status == PGRES_FATAL_ERROR ? error(result, wire, operation.query) : nil
                    try leaveStream(wire, operation, refusal, wasSingleRow: true)
                    return (rows, true)
                }
                var reader = RowReader(result, row: 0, query: operation.query)
                rows.append(try Row(row: &reader))
            }
            return (rows, false)
        } catch {
            throw streamFailure(error, operation)
        }
    }
}
