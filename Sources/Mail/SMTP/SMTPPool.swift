import Core
import Synchronization

/// Several kept connections to one server, each on a thread of its own.
///
/// A batch goes to one connection and is worked off there without any hop between messages. Make a pool when a send
/// begins
/// and stop it when it ended: connections are opened by the first message, and closed by ``stop()``.
package final class SMTPPool: Sendable {
    /// What may interfere with a batch while it is worked off. Both closures run on the connection's thread: keep
    /// them short.
    package struct Hooks: Sendable {
        /// Asked before each message; false leaves it and the rest of the batch unsent.
        package var shouldSend: @Sendable (_ index: Int) -> Bool
        /// Told right after each message.
        package var didSend: @Sendable (_ index: Int, _ outcome: SMTPOutcome) -> Void

        package init(
            shouldSend: @escaping @Sendable (Int) -> Bool = { _ in true },
            didSend: @escaping @Sendable (Int, SMTPOutcome) -> Void = { _, _ in }
        ) {
            self.shouldSend = shouldSend
            self.didSend = didSend
        }
    }

    private let threads: BlockingThreads<SMTPClient>
    private let isStopping = Atomic<Bool>(false)

    /// - Parameters:
    ///   - connections: how many messages travel at once.
    ///   - waitingLimit: how many batches may wait for a connection.
    package init(settings: SMTPSettings, connections: Int, waitingLimit: Int = 256) {
        threads = BlockingThreads(name: "smtp", count: connections, waitingLimit: waitingLimit) {
            SMTPClient(settings: settings)
        }
    }

    /// Hands over a batch and answers with one outcome per message, in the batch's order.
    ///
    /// When the server cannot be reached or used, the rest of the batch is not tried and has the same outcome.
    package func deliver(_ batch: SMTPBatch, hooks: Hooks = Hooks()) async -> [SMTPOutcome] {
        let unsent = SMTPOutcome.unavailable(reason: "Sending was stopped.")
        let parcel = Mutex<SMTPBatch?>(batch)
        do {
            return try await threads.run { [self] client in
                // Taken out, so that the caller is its only holder again when this answers, and can use its memory again.
                guard let batch = parcel.withLock({ $0.take() }) else { return [] }
                return work(batch, with: client, hooks: hooks, unsent: unsent)
            }
        } catch {
            let reason: String = error == .full ? "Too many batches wait for a connection." : "Sending was stopped."
            return Array(repeating: .unavailable(reason: reason), count: batch.count)
        }
    }

    private func work(
        _ batch: SMTPBatch, with client: SMTPClient, hooks: Hooks, unsent: SMTPOutcome
    ) -> [SMTPOutcome] {
        var outcomes: [SMTPOutcome] = []
        outcomes.reserveCapacity(batch.count)
        batch.bytes.withUnsafeBytes { bytes in
            for (index, envelope) in batch.envelopes.enumerated() {
                guard !isStopping.load(ordering: .relaxed), hooks.shouldSend(index) else { break }
                let following: Int = index + 1
                let outcome: SMTPOutcome = client.deliver(
                    envelope.announcement, message: UnsafeRawBufferPointer(rebasing: bytes[envelope.range]),
                    next: following < batch.count ? batch.envelopes[following].announcement : nil)
                outcomes.append(outcome)
                hooks.didSend(index, outcome)
                if outcome.concernsServer { break }
            }
        }
        let rest: SMTPOutcome = outcomes.last.flatMap { $0.concernsServer ? $0 : nil } ?? unsent
        while outcomes.count < batch.count { outcomes.append(rest) }
        return outcomes
    }

    /// Ends the threads and connections. A message that is under way is finished; those after it are left unsent.
    package func stop() {
        isStopping.store(true, ordering: .relaxed)
        threads.stop()
    }
}
