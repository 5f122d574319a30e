import ServiceLifecycle
import Synchronization

/// Gathers what arrives at the same time into one transaction, and answers each only when it is stored.
///
/// While one batch is being written the next one gathers, and a batch may wait a moment for company before it is written:
/// a statement for thirty costs hardly more than one for three. A full batch is refused instead of growing without bound.
package final class GroupCommit<Item: Sendable>: Service {
    /// The batch is full: come back later.
    package struct Overloaded: Error {}

    /// The writer has stopped; the item was not stored.
    package struct Stopped: Error {}

    private struct Waiting {
        let item: Item
        let answer: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        var weight = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let batchSize: Int
    private let writers: Int
    private let gathering: Duration
    private let executor: (any TaskExecutor)?
    private let weight: @Sendable (Item) -> Int
    private let write: @Sendable ([Item]) async throws -> Void
    private let wakeUps: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - capacity: how many may wait at most.
    ///   - batchSize: how many are written at once at most.
    ///   - writers: how many batches are written side by side; with more than one, batches that touch the same rows may
    ///     have to wait for each other.
    ///   - gathering: how long a batch waits for company at most: a quarter of what writing the one before took. Where
    ///     the disk is slow a small batch costs much, where it is fast waiting would cost more.
    ///   - executor: where batches are written, if it matters.
    ///   - weight: what an item counts for, where it stands for several; capacity and batch size are sums of it.
    ///   - write: stores a batch; all of it or, by throwing, none.
    package init(
        capacity: Int = 20_000, batchSize: Int = 2_000, writers: Int = 1, gathering: Duration = .zero,
        executor: (any TaskExecutor)? = nil, weight: @escaping @Sendable (Item) -> Int = { _ in 1 },
        write: @escaping @Sendable ([Item]) async throws -> Void
    ) {
        self.capacity = capacity
        self.batchSize = batchSize
        self.writers = writers
        self.gathering = gathering
        self.executor = executor
        self.weight = weight
        self.write = write
        (wakeUps, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns when the item is stored.
    /// - Throws: `Overloaded`, `Stopped`, or what storing threw.
    package func submit(_ item: Item) async throws {
        try await withCheckedThrowingContinuation { (answer: CheckedContinuation<Void, any Error>) in
            do {
                try submit(item) { answer.resume(with: $0) }
            } catch {
                answer.resume(throwing: error)
            }
        }
    }

    /// Takes the item and answers when it is stored, or could not be, from wherever it was written.
    /// - Throws: `Overloaded` or `Stopped` when it is not taken; then nothing is answered.
    package func submit(_ item: Item, then answer: @escaping @Sendable (Result<Void, any Error>) -> Void) throws {
        let isFirst: Bool = try state.withLock { state in
            if state.isStopped { throw Stopped() }
            if state.weight >= capacity { throw Overloaded() }
            state.waiting.append(Waiting(item: item, answer: answer))
            state.weight += weight(item)
            return state.waiting.count == 1
        }
        // A writer goes on until nothing waits, so only who finds nobody waiting has to wake one.
        if isFirst { wake.yield() }
    }

    /// Writes until shutdown; what waits by then is still written.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<writers {
                    group.addTask(executorPreference: executor) { await self.writeUntilStopped() }
                }
            }
        } onGracefulShutdown: {
            self.stop()
        }
        stop()
        for left in takeBatch(limit: .max) { left.answer(.failure(Stopped())) }
    }

    private func stop() {
        state.withLock { $0.isStopped = true }
        wake.finish()
    }

    private func writeUntilStopped() async {
        var lastWrite: Duration = .zero
        for await _ in wakeUps {
            await writeWhatWaits(&lastWrite)
        }
        await writeWhatWaits(&lastWrite)
    }

    /// - Parameter lastWrite: how long writing the batch before took.
    private func writeWhatWaits(_ lastWrite: inout Duration) async {
        while true {
            await gather(for: min(gathering, lastWrite / 4))
            let batch = takeBatch(limit: batchSize)
            guard !batch.isEmpty else { return }
            // More than one batch is waiting: another writer may help.
            if state.withLock({ !$0.waiting.isEmpty }) { wake.yield() }
            let started = ContinuousClock.now
            do {
                try await write(batch.map(\.item))
                lastWrite = ContinuousClock.now - started
                for waiting in batch { waiting.answer(.success(())) }
            } catch {
                for waiting in batch { waiting.answer(.failure(error)) }
            }
        }
    }

    private func gather(for time: Duration) async {
        guard time > .zero, state.withLock({ !$0.waiting.isEmpty && !$0.isStopped }) else { return }
        do {
            try await Task.sleep(for: time)
        } catch {
            // Cancelled: what waits is written at once.
            return
        }
    }

    /// What waits, up to a weight; at least one item.
    private func takeBatch(limit: Int) -> [Waiting] {
        state.withLock { state in
            if state.weight <= limit {
                let all = state.waiting
                state.waiting = []
                state.waiting.reserveCapacity(all.count)
                state.weight = 0
                return all
            }
            var taken = 0
            var count = 0
            while count < state.waiting.count, count == 0 || taken + weight(state.waiting[count].item) <= limit {
                taken += weight(state.waiting[count].item)
                count += 1
            }
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            state.weight -= taken
            return batch
        }
    }
}
