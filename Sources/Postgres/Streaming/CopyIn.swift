import CLibPQ

/// Takes the data of a `COPY … FROM STDIN`. Chunks of some 64 KB are best; each is sent before `write` returns, so a
/// slow server slows its producer down.
package struct CopyWriter: Sendable {
    fileprivate let lease: PostgresLease
    fileprivate let name: StaticString

    package func write(_ chunk: [UInt8]) async throws {
        guard !chunk.isEmpty else { return }
        try await lease.operate(name) { connection, operation in try connection.putCopyData(chunk, operation) }
    }
}

extension PostgresSession {
    /// Loads rows with `COPY … FROM STDIN`; answers how many. When the closure throws, nothing is loaded. The
    /// statement's time limit holds for the whole load.
    @discardableResult
    package func copyIn(
        _ name: StaticString, _ statement: SQL, isolation: isolated (any Actor)? = #isolation,
        _ produce: (CopyWriter) async throws -> Void
    ) async throws -> Int {
        try await lease.operate(name) { connection, operation in
            try connection.startCopy(.intoServer, statement, operation)
        }
        do {
            try await produce(CopyWriter(lease: lease, name: name))
        } catch {
            await lease.connection.abortCopyIn(Operation(lease: lease, query: name))
            throw error
        }
        return try await lease.operate(name) { connection, operation in try connection.finishCopyIn(operation) }
    }

    /// Loads rows from a sequence of chunks.
    @discardableResult
    package func copyIn<Chunks: AsyncSequence>(
        _ name: StaticString, _ statement: SQL, chunks: Chunks, isolation: isolated (any Actor)? = #isolation
    ) async throws -> Int where Chunks.Element == [UInt8] {
        try await copyIn(name, statement) { writer in
            var iterator = chunks.makeAsyncIterator()
            while let chunk = try await iterator.next(isolation: isolation) { try await writer.write(chunk) }
        }
    }
}

extension PostgresConnection {
    fileprivate func putCopyData(_ chunk: [UInt8], _ operation: Operation) throws {
        let wire: Wire = try streamingWire(operation)
        do {
            var offset: Int = 0
            while offset < chunk.count {
                let length: Int = min(chunk.count - offset, 1 << 20)
                let status: Int32 = chunk.withUnsafeBytes { bytes in
                    let start = bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
                    return PQputCopyData(wire.handle, start, Int32(length))
                }
                if status < 0 { throw Wire.Interruption.lost(wire.lossReason) }
                if status == 1 { offset += length }
                try wire.flushAll(operation: operation.number, deadline: operation.deadline)
            }
        } catch {
            throw streamFailure(error, operation)
        }
    }

    fileprivate func finishCopyIn(_ operation: Operation) throws -> Int {
        let wire: Wire = try streamingWire(operation)
        do {
            try endCopyIn(wire, because: nil, operation)
            guard let pointer = try wire.nextResult(operation: operation.number, deadline: operation.deadline) else {
                throw Wire.Interruption.lost("out of step")
            }
            let result = PostgresResult(pointer)
            let refusal: PostgresError? =
                result.status == PGRES_FATAL_ERROR ? error(result, wire, operation.query) : nil
            let affected: Int = result.affectedRows
            try leaveStream(wire, operation, refusal)
            return affected
        } catch {
            throw streamFailure(error, operation)
        }
    }

    /// The producer has failed: the server forgets what it got. The connection stays in step.
    fileprivate func abortCopyIn(_ operation: Operation) {
        defer { publishCondition() }
        guard let wire, streaming == operation.lease.number else { return }
        do {
            try endCopyIn(wire, because: "broken off", operation)
            try leaveStream(wire, operation)
        } catch {
            // The server's answer to a broken off COPY is an error; anything worse has closed the connection.
            if streaming != nil { discard() }
        }
    }

    private func endCopyIn(_ wire: Wire, because reason: String?, _ operation: Operation) throws(Wire.Interruption) {
        while true {
            let status: Int32 = PQputCopyEnd(wire.handle, reason)
            if status < 0 { throw .lost(wire.lossReason) }
            try wire.flushAll(operation: operation.number, deadline: operation.deadline)
            if status == 1 { return }
        }
    }
}
