import CLibPQ
import Glibc
import Synchronization

/// How other threads reach a connection's thread while it waits for the server: a descriptor that wakes it, and the
/// numbers of the operations whose tasks were cancelled.
final class InterruptSignal: Sendable {
    let descriptor: Int32
    private let lastOperation = Atomic<UInt64>(0)
    private let cancelled = Mutex<Set<UInt64>>([])
    private let mayBeCancelled = Atomic<Bool>(false)

    init() throws(PostgresError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        if descriptor < 0 { throw .connectionLost(query: "connect", reason: "no descriptor is free") }
    }

    deinit {
        close(descriptor)
    }

    /// A number for the next operation, known to its task before the operation reaches the connection's thread.
    func nextOperation() -> UInt64 {
        lastOperation.wrappingAdd(1, ordering: .relaxed).newValue
    }

    func cancel(_ operation: UInt64) {
        cancelled.withLock { _ = $0.insert(operation) }
        mayBeCancelled.store(true, ordering: .releasing)
        wake()
    }

    func isCancelled(_ operation: UInt64) -> Bool {
        guard mayBeCancelled.load(ordering: .acquiring) else { return false }
        return cancelled.withLock { $0.contains(operation) }
    }

    /// Forgets an operation that has ended.
    func forget(_ operation: UInt64) {
        guard mayBeCancelled.load(ordering: .acquiring) else { return }
        cancelled.withLock { operations in
            operations.remove(operation)
            // A cancellation that came as its operation ended stays behind; nobody can still ask about old ones.
            if operations.count > 64 { operations = operations.filter { $0 + 10_000 > operation } }
            if operations.isEmpty { mayBeCancelled.store(false, ordering: .releasing) }
        }
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Takes the wake-ups that have arrived, so that the next wait sleeps again.
    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
