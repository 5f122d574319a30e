import Cryptography
import Synchronization

/// The hash of a body, taken while a handler reads it, so that nothing has to be kept.
final class BodyDigest: Sendable {
    private struct State {
        var hash = SHA256State()
        var length = 0
        var reachedEnd = false
    }

    private let state = Mutex(State())

    func take(_ bytes: [UInt8]) {
        state.withLock { state in
            state.hash.update(bytes)
            state.length += bytes.count
        }
    }

    func end() {
        state.withLock { $0.reachedEnd = true }
    }

    /// Whether anybody has read from the body.
    var isUntouched: Bool {
        state.withLock { $0.length == 0 && !$0.reachedEnd }
    }

    /// Whether the body was read to its end.
    var isWhole: Bool {
        state.withLock { $0.reachedEnd }
    }

    /// SHA-256 and length of what was read so far.
    var result: (hash: [UInt8], length: Int) {
        state.withLock { state in
            var copy = state.hash
            return (copy.finish(), state.length)
        }
    }
}
