import CLibPQ

/// A statement with the name it goes by.
package struct Statement: Sendable {
    package let name: StaticString
    package let sql: SQL

    package init(_ name: StaticString, _ sql: SQL) {
        self.name = name
        self.sql = sql
    }

    /// What is sent: the name as a comment in front, so that it shows in `pg_stat_activity` and in the server's log.
    var text: [UInt8] {
        var text: [UInt8] = Array("-- ".utf8)
        name.withUTF8Buffer { text.append(contentsOf: $0) }
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: sql.text)
        text.append(0)
        return text
    }
}

/// What an answer from the server belongs to, in the order sent.
private enum Step {
    case unprepared
    case prepare(StatementCache.Entry)
    case query(Int)
    case sync
}

extension PostgresConnection {
    typealias Receiver = (_ index: Int, _ result: borrowing PostgresResult) throws -> Void

    /// Sends statements in one packet and hands over their results. They are one unit: when one fails, those after it
    /// are not run, and outside a transaction those before it are undone.
    func exchange(_ operation: Operation, _ batch: [Statement], receive: Receiver) throws {
        for statement in batch {
            if let defect = statement.sql.defect {
                throw PostgresError.encoding(query: "\(statement.name)", problem: defect)
            }
        }
        let prelude: [SQL] = try takePrelude(operation)
        var hasReceived: Bool = false
        let receive: Receiver = { index, result in
            hasReceived = true
            try receive(index, result)
        }
        do {
            try exchange(operation, prelude: prelude, batch, receive)
        } catch let error as PostgresError where !hasReceived {
            if error.isStalePlan {
                error.sqlState == "26000" ? statements.reset() : statements.evictAll()
                guard wire?.transactionStatus == PQTRANS_IDLE else { throw error }
                try exchange(operation, prelude: [], batch, receive)
            } else if error.isConnectionLost, operation.lease.isTransaction, !operation.lease.commitsItself,
                !prelude.isEmpty
            {
                // The transaction had only begun: it is gone without a trace, so a new connection may begin it again.
                try exchange(operation, prelude: try restartPrelude(operation), batch, receive)
            } else {
                throw error
            }
        }
    }

    /// Sends what a lease begins with, when nothing else goes along: before a stream.
    func sendPrelude(_ operation: Operation) throws {
        let prelude: [SQL] = try takePrelude(operation)
        if !prelude.isEmpty { try exchange(operation, prelude: prelude, []) { _, _ in } }
    }

    private func exchange(
        _ operation: Operation, prelude: [SQL], _ batch: [Statement], _ receive: Receiver
    ) throws {
        guard let wire else { throw PostgresError.connectionLost(query: "\(operation.query)", reason: "closed") }
        var steps: [Step] = []
        do throws(Wire.Interruption) {
            let evicted: [String] = wire.transactionStatus == PQTRANS_IDLE ? statements.takeEvicted() : []
            for name in evicted {
                try wire.send(unprepared: Array("DEALLOCATE \(name)\0".utf8))
                steps.append(.unprepared)
            }
            if !evicted.isEmpty {
                // What went before would be part of the transaction that begins now, whose isolation level could then no
                // longer be chosen.
                try wire.sendSync()
                steps.append(.sync)
            }
            for sql in prelude {
                try wire.send(unprepared: sql.text + [0])
                steps.append(.unprepared)
            }
            if !prelude.isEmpty, !operation.lease.isTransaction {
                try wire.sendSync()
                steps.append(.sync)
            }
            for (index, statement) in batch.enumerated() {
                let entry = statements.entry(for: statement.sql)
                if !entry.isPrepared {
                    try wire.send(prepare: entry.name, statement)
                    entry.isPrepared = true
                    steps.append(.prepare(entry))
                }
                try wire.send(execute: entry.name, statement.sql)
                steps.append(.query(index))
            }
            try wire.sendSync()
            steps.append(.sync)
        } catch {
            discard()
            throw error.error(query: "\(operation.query)")
        }
        wire.flush()
        try readAnswers(wire, steps, operation, batch, receive)
    }

    private func readAnswers(
        _ wire: Wire, _ steps: [Step], _ operation: Operation, _ batch: [Statement], _ receive: Receiver
    ) throws {
        var answers = AnswerReader(wire: wire, operation: operation)
        var failure: (any Error)?
        var index: Int = 0
        var label: StaticString = batch.first?.name ?? operation.query
        while index < steps.count {
            guard let pointer = try nextAnswer(&answers) else {
                index += 1
                continue
            }
            let result = PostgresResult(pointer)
            if case .query(let number) = steps[index] { label = batch[number].name }
            let status: ExecStatusType = result.status
            switch status {
            case PGRES_PIPELINE_SYNC:
                index += 1
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                guard case .query(let number) = steps[index], failure == nil, !answers.isInterrupted else { break }
                do { try receive(number, result) } catch { failure = error }
            default:
                if case .prepare(let entry) = steps[index] { entry.isPrepared = false }
                if status == PGRES_PIPELINE_ABORTED || failure != nil { break }
                if case .prepare = steps[index], case .query(let number)? = steps[safe: index + 1] {
                    label = batch[number].name
                }
                failure = error(result, wire, label)
                if !wire.isAlive { index = steps.count }
            }
        }
        if !wire.isAlive { discard() }
        try settle(answers)
        if let failure { throw failure }
    }

    /// The server's refusal as the error it stands for.
    func error(_ result: borrowing PostgresResult, _ wire: Wire, _ query: StaticString) -> PostgresError {
        let refusal: ServerRefusal = result.refusal(query: "\(query)")
        let endings: Set<String> = ["57P01", "57P02", "57P03", "57P05", "25P03"]
        if endings.contains(refusal.sqlState) || refusal.sqlState.hasPrefix("08") || !wire.isAlive {
            discard()
            return .connectionLost(query: refusal.query, reason: "SQLSTATE \(refusal.sqlState)")
        }
        if refusal.sqlState == "57014" { return .timedOut(query: refusal.query) }
        return .server(refusal)
    }
}

extension PostgresError {
    /// The tables have changed since the statement was prepared, or somebody dropped it.
    var isStalePlan: Bool {
        guard case .server(let refusal) = self else { return false }
        return refusal.sqlState == "26000"
            || (refusal.sqlState == "0A000" && refusal.message.hasPrefix("cached plan must not"))
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}
