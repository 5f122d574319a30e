import Core
import FoundationEssentials
import Synchronization
import Web

/// Remembers sessions for one second, so that a burst of pages costs one look-up, and a session that has ended is
/// refused on every node within that second.
final class SessionMemory: Sendable {
    private struct Known {
        let session: BrowserSession
        let until: Date
    }

    private let known = Mutex<[[UInt8]: Known]>([:])
    private let clock: WallClock
    private let find: @Sendable ([UInt8]) async throws -> BrowserSession?
    private static let lifetime: TimeInterval = 1
    private static let capacity = 10_000

    init(clock: WallClock, find: @escaping @Sendable ([UInt8]) async throws -> BrowserSession?) {
        self.clock = clock
        self.find = find
    }

    func session(_ tokenHash: [UInt8]) async throws -> BrowserSession? {
        let now = clock.now
        if let remembered = known.withLock({ $0[tokenHash] }), remembered.until > now { return remembered.session }
        let found = try await find(tokenHash)
        known.withLock { known in
            if known.count >= Self.capacity { known = [:] }
            known[tokenHash] = found.map { Known(session: $0, until: now.addingTimeInterval(Self.lifetime)) }
        }
        return found
    }

    func forget(_ tokenHash: [UInt8]) {
        _ = known.withLock { $0.removeValue(forKey: tokenHash) }
    }

    func forgetAll() {
        known.withLock { $0 = [:] }
    }
}
