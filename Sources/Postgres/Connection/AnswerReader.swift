import CLibPQ

/// Reads the answers of one exchange. When the task is cancelled or the deadline passes it asks the server to stop
/// and goes on reading, so that the connection stays in step.
struct AnswerReader {
    let wire: Wire
    let operation: Operation
    fileprivate var interruption: Wire.Interruption?
    fileprivate var cancel: CancelRequest?
    fileprivate var limit: Deadline
    fileprivate var emptyAnswers: Int = 0

    init(wire: Wire, operation: Operation) {
        self.wire = wire
        self.operation = operation
        limit = operation.deadline
    }

    var isInterrupted: Bool { interruption != nil }
    /// After the cancel the reader must not be interrupted by the same cancellation again.
    fileprivate var watched: UInt64 { isInterrupted ? 0 : operation.number }
    /// How long the server may take to obey a cancel before the connection is given up.
    fileprivate static let drainLimit: Duration = .seconds(3)
}

extension PostgresConnection {
    /// The next result; nil at the end of a command's results.
    func nextAnswer(_ answers: inout AnswerReader) throws -> OpaquePointer? {
        while true {
            do throws(Wire.Interruption) {
                let pointer = try answers.wire.nextResult(operation: answers.watched, deadline: answers.limit)
                answers.emptyAnswers = pointer == nil ? answers.emptyAnswers + 1 : 0
                if answers.emptyAnswers > 3 { throw .lost("out of step") }
                return pointer
            } catch {
                if case .lost = error { throw giveUp(answers, error) }
                if answers.isInterrupted { throw giveUp(answers, error) }
                answers.interruption = error
                answers.cancel = CancelRequest(answers.wire)
                answers.limit = .after(AnswerReader.drainLimit)
            }
        }
    }

    /// After everything has been read: when there was a cancel, makes sure that it cannot hit the next statement, and
    /// throws.
    func settle(_ answers: AnswerReader) throws {
        guard let interruption = answers.interruption, let cancel = answers.cancel else { return }
        answers.wire.waitForWake(deadline: answers.limit) { cancel.isFinished }
        if !cancel.isFinished || !answers.wire.isAlive || !isInStep(answers) { discard() }
        throw interruption.error(query: "\(answers.operation.query)")
    }

    /// One empty round trip. A cancel that arrives late finds the server idle and is dropped by it.
    private func isInStep(_ answers: AnswerReader) -> Bool {
        let wire: Wire = answers.wire
        guard wire.isInPipeline else { return true }
        do {
            try wire.sendSync()
            wire.flush()
            for _ in 0..<4 {
                guard let pointer = try wire.nextResult(operation: 0, deadline: answers.limit) else { continue }
                let result = PostgresResult(pointer)
                if result.status == PGRES_PIPELINE_SYNC { return wire.isAlive }
            }
            return false
        } catch {
            return false
        }
    }

    private func giveUp(_ answers: AnswerReader, _ reason: Wire.Interruption) -> PostgresError {
        discard()
        return (answers.interruption ?? reason).error(query: "\(answers.operation.query)")
    }
}
