import Core
import Logging
import Postgres

/// Writing down results that the database may refuse for good: a value it does not take, a rule of a table, a schema that
/// does not fit. Repeating that is no use, and one bad message must not hold up the others.
extension SettlementWriter {
    /// Writes results down, however long it takes. What is refused for good is taken apart until the messages that are
    /// to blame are found; those are parked, all others are written.
    /// - Returns: what cannot be written at all, not even parked.
    func bring(_ results: [LaneResult]) async -> [LaneResult] {
        guard !results.isEmpty else { return [] }
        do {
            try await persistently { try await write(results) }
            return []
        } catch {
            return await salvage(results, after: error)
        }
    }

    /// Tries again and again while the database is away.
    /// - Throws: what the database refuses for good.
    private func persistently(_ write: () async throws -> Void) async throws {
        var attempt = 0
        while true {
            do {
                return try await write()
            } catch let error where SettlementFlaw.isPermanent(error) {
                throw error
            } catch {
                attempt += 1
                logger.warning(
                    "Results of a send cannot be written yet",
                    metadata: ["send": "\(run.send)", "attempt": "\(attempt)", "error": "\(error)"])
                await pause.wait(seconds: min(5, 0.1 * Double(1 << min(attempt, 6))))
            }
        }
    }

    private func salvage(_ results: [LaneResult], after error: any Error) async -> [LaneResult] {
        guard let (first, second) = halves(of: results) else { return await park(results, after: error) }
        let rest: [LaneResult] = await bring(first)
        // Where not even one message can be parked, the others would fare no better.
        return rest.isEmpty ? await bring(second) : rest + second
    }

    /// Nil when there is only one message left to be written. Messages that stay as they are go with the second half:
    /// it decides what becomes of the batch.
    private func halves(of results: [LaneResult]) -> ([LaneResult], [LaneResult])? {
        guard results.count <= 1, let result = results.first else {
            let middle: Int = results.count / 2
            return results.isEmpty ? nil : (Array(results[..<middle]), Array(results[middle...]))
        }
        let settled = result.messages.filter { isSettled($0) }
        guard settled.count > 1 else { return nil }
        let middle: Int = settled.count / 2
        let open = result.messages.filter { !isSettled($0) }
        return (
            [result.with(Array(settled[..<middle]), isPartial: true)],
            [result.with(settled[middle...] + open, isPartial: result.isPartial)]
        )
    }

    private func isSettled(_ message: HandedMessage) -> Bool {
        rules.entry(for: message.outcome, attempt: message.attempt) != nil
    }

    /// Parks one message with what is certainly acceptable, and without what else would follow from its outcome.
    private func park(_ results: [LaneResult], after error: any Error) async -> [LaneResult] {
        do {
            for result in results {
                let parked: BatchSettlement = parking(result, after: error)
                try await persistently {
                    try await database.write(run.workspace, timeout: .seconds(30), keepsPlans: true) { tx in
                        _ = try await SettlementQueries(workspace: run.workspace, send: run.send, tx: tx)
                            .settle([parked], now: clock.now)
                    }
                    carrier.forget(parked.messages.map(\.id))
                    if !result.isPartial { try journal?.settled(tag: result.tag) }
                }
                logger.error(
                    "The database refuses the result of a message; the message is parked",
                    metadata: [
                        "send": "\(run.send)", "message": "\(parked.messages.first.map { "\($0.id)" } ?? "none")",
                        "error": "\(error)",
                    ])
            }
            return []
        } catch {
            logger.error(
                "The database takes no results of a send; they are kept and tried again when the send goes on",
                metadata: ["send": "\(run.send)", "error": "\(error)"])
            return results
        }
    }

    private func parking(_ result: LaneResult, after error: any Error) -> BatchSettlement {
        let words: String = SettlementFlaw.words(for: error)
        var messages: [HandedMessage] = result.messages
        for place in messages.indices where isSettled(messages[place]) {
            switch messages[place].outcome {
            case .skipped, .unrenderable, .cancelled: messages[place].outcome = .unrenderable(words)
            default: messages[place].outcome = .uncertain(.notRecorded, words)
            }
        }
        let settlement: BatchSettlement = settlement(for: result.with(messages, isPartial: result.isPartial))
        return BatchSettlement(
            batch: settlement.batch, fence: settlement.fence, next: settlement.next,
            messages: settlement.messages.map {
                BatchSettlement.Message(id: $0.id, contact: $0.contact, email: nil, entry: $0.entry)
            })
    }
}

/// Tells what the database refuses for good from what passes.
enum SettlementFlaw {
    /// Classes of SQLSTATE (PostgreSQL manual, appendix A): cardinality, data, integrity, syntax and access rules, checks of
    /// views, unsupported features, raised by a trigger, limits of the program. All others, such as a lost
    /// connection, a full disk, a server that shuts down or only reads, may pass.
    private static let permanent: Set<String> = ["21", "22", "23", "42", "44", "0A", "P0", "54"]

    /// What is shown of a parked message.
    static func words(for error: any Error) -> String {
        let state: String = (error as? PostgresError)?.sqlState.map { " (SQLSTATE \($0))" } ?? ""
        return "The database refused the result of this message\(state)."
    }

    static func isPermanent(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        switch error {
        case .server(let refusal): return permanent.contains(String(refusal.sqlState.prefix(2)))
        case .noRow, .decoding, .encoding, .misuse, .poolClosed: return true
        case .connectionLost, .timedOut, .cancelled, .poolExhausted: return false
        }
    }
}
