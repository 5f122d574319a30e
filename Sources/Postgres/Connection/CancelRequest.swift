import CLibPQ
import Synchronization

/// Asks the server, over a connection of its own, to cancel what a backend is doing. libpq's call blocks, so it runs
/// on a thread of its own and wakes the connection's thread when the server has passed the signal on.
final class CancelRequest: Sendable {
    private let finished = Atomic<Bool>(false)

    /// The server has been told, or could not be.
    var isFinished: Bool { finished.load(ordering: .acquiring) }

    init(_ wire: Wire) {
        guard let cancel = PQgetCancel(wire.handle) else {
            finished.store(true, ordering: .releasing)
            return
        }
        let address = UInt(bitPattern: cancel)
        let signal: InterruptSignal = wire.signal
        let isStarted: Bool = Pthread.start { [self] in
            let cancel = OpaquePointer(bitPattern: address)
            var explanation = [CChar](repeating: 0, count: 256)
            PQcancel(cancel, &explanation, 256)
            PQfreeCancel(cancel)
            finished.store(true, ordering: .releasing)
            signal.wake()
        }
        if !isStarted {
            PQfreeCancel(cancel)
            finished.store(true, ordering: .releasing)
        }
    }
}
