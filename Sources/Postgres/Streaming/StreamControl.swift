import CLibPQ
import Core

/// COPY and row streams use the connection outside pipeline mode, one at a time, over several operations.
extension PostgresConnection {
    /// Leaves pipeline mode and marks the connection as taken by a stream of this lease.
    func enterStream(_ operation: Operation) throws -> Wire {
        try sendPrelude(operation)
        guard let wire else { throw PostgresError.connectionLost(query: "\(operation.query)", reason: "closed") }
        guard PQexitPipelineMode(wire.handle) == 1 else {
            discard()
            throw PostgresError.connectionLost(query: "\(operation.query)", reason: "out of step")
        }
        streaming = operation.lease.number
        return wire
    }

    /// Which way the rows of a COPY go.
    enum CopyDirection {
        /// `COPY … FROM STDIN`
        case intoServer
        /// `COPY … TO STDOUT`
        case outOfServer

        fileprivate var status: ExecStatusType { self == .intoServer ? PGRES_COPY_IN : PGRES_COPY_OUT }
        fileprivate var opposite: ExecStatusType { self == .intoServer ? PGRES_COPY_OUT : PGRES_COPY_IN }
        fileprivate var words: String { self == .intoServer ? "COPY FROM STDIN" : "COPY TO STDOUT" }
    }

    /// Sends a COPY and waits until the server is ready for its rows.
    func startCopy(_ direction: CopyDirection, _ statement: SQL, _ operation: Operation) throws {
        let wire: Wire = try enterStream(operation)
        do {
            let text: String = try statement.literalText(wire, query: operation.query)
            guard PQsendQuery(wire.handle, text) == 1 else { throw Wire.Interruption.lost(wire.lossReason) }
            wire.flush()
            guard let pointer = try wire.nextResult(operation: operation.number, deadline: operation.deadline) else {
                throw Wire.Interruption.lost("out of step")
            }
            let result = PostgresResult(pointer)
            if result.status == direction.status { return }
            let refusal: PostgresError =
                result.status == PGRES_FATAL_ERROR
                ? error(result, wire, operation.query)
                : .misuse(query: "\(operation.query)", problem: "The statement is no \(direction.words).")
            // A COPY the other way has begun: the connection is given up by the catch below.
            if result.status == direction.opposite { throw refusal }
            try leaveStream(wire, operation, refusal)
        } catch {
            throw streamFailure(error, operation)
        }
    }

    /// The connection of a stream that is under way.
    func streamingWire(_ operation: Operation) throws -> Wire {
        guard let wire, streaming == operation.lease.number else {
            throw PostgresError.connectionLost(query: "\(operation.query)", reason: "the stream was broken off")
        }
        return wire
    }

    /// Reads what is left of the command, goes back to pipeline mode and throws what the server said against it.
    func leaveStream(_ wire: Wire, _ operation: Operation, _ refusal: PostgresError? = nil, wasSingleRow: Bool = false)
        throws
    {
        var refusal: PostgresError? = refusal
        do throws(Wire.Interruption) {
            while let pointer = try wire.nextResult(operation: operation.number, deadline: operation.deadline) {
                let result = PostgresResult(pointer)
                if result.status == PGRES_FATAL_ERROR, refusal == nil { refusal = error(result, wire, operation.query) }
                if !wire.isAlive { break }
            }
            if wasSingleRow, wire.isAlive { try leaveSingleRowMode(wire, operation) }
        } catch {
            breakOff()
            throw error.error(query: "\(operation.query)")
        }
        streaming = nil
        if !wire.isAlive || PQenterPipelineMode(wire.handle) != 1 { discard() }
        if let refusal { throw refusal }
    }

    /// libpq keeps single-row mode until the next query that is sent outside a pipeline; an empty one does.
    private func leaveSingleRowMode(_ wire: Wire, _ operation: Operation) throws(Wire.Interruption) {
        guard PQsendQuery(wire.handle, "") == 1 else { throw .lost(wire.lossReason) }
        wire.flush()
        while let pointer = try wire.nextResult(operation: operation.number, deadline: operation.deadline) {
            PQclear(pointer)
            if !wire.isAlive { return }
        }
    }

    /// What went wrong inside a stream, with the connection left usable or closed.
    func streamFailure(_ error: any Error, _ operation: Operation) -> any Error {
        if streaming == operation.lease.number { breakOff() }
        return (error as? Wire.Interruption)?.error(query: "\(operation.query)") ?? error
    }

    /// Ends a stream that nobody wants any more: the server is told to stop, and the connection is given up, because
    /// rows may be on their way. A transaction on it is rolled back by that.
    func breakOff() {
        guard streaming != nil, let wire else { return }
        let cancel = CancelRequest(wire)
        wire.waitForWake(deadline: .after(.seconds(3))) { cancel.isFinished }
        discard()
    }

    /// `breakOff` for a stream whose consumer has failed; works although the task is cancelled.
    func breakOff(_ lease: PostgresLease) {
        if streaming == lease.number { breakOff() }
        publishCondition()
    }
}

extension SQL {
    /// The text with its values written as literals, for COPY, which takes no parameters.
    func literalText(_ wire: Wire, query: StaticString) throws -> String {
        if let defect { throw PostgresError.encoding(query: "\(query)", problem: defect) }
        var whole: [UInt8] = Array("-- \(query)\n".utf8)
        var copied: Int = 0
        for (index, position) in placeholders.enumerated() {
            whole.append(contentsOf: text[copied..<position])
            whole.append(contentsOf: try literal(binds[index], wire, query).utf8)
            copied = position + 1 + String(index + 1).utf8.count
        }
        whole.append(contentsOf: text[copied...])
        return String(decoding: whole, as: UTF8.self)
    }

    private func literal(_ bind: Bind, _ wire: Wire, _ query: StaticString) throws -> String {
        guard let length = bind.length else { return "NULL" }
        let bytes: [UInt8] = Array(values[bind.start..<bind.start + length])
        return try bytes.withUnsafeBytes { buffer in
            let cell = PostgresCell(type: bind.type, bytes: buffer)
            switch bind.type {
            case .int2, .int4, .int8: return "(\(try Int64(from: cell)))"
            case .bool: return try Bool(from: cell) ? "true" : "false"
            case .float8: return "'\(try Double(from: cell))'::float8"
            case .uuid: return "'\(try Identifier<WorkspaceTag>(from: cell))'::uuid"
            case .timestamptz:
                return "('2000-01-01Z'::timestamptz + \(buffer.bigEndian(Int64.self)) * interval '1 microsecond')"
            case .text:
                let escaped = PQescapeLiteral(
                    wire.handle, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), length)
                guard let escaped else {
                    throw PostgresError.encoding(query: "\(query)", problem: "A text is not UTF-8.")
                }
                defer { PQfreemem(escaped) }
                return String(cString: escaped)
            default:
                throw PostgresError.encoding(
                    query: "\(query)", problem: "COPY takes no value of type \(bind.type.oid).")
            }
        }
    }
}
