import Core
import FoundationEssentials
import Synchronization

/// Remembers for a few seconds which links of a message were followed: a person does not follow four at once.
final class ClickBursts: Sendable {
    private struct Burst {
        var since: Date
        var links: Set<Int>
    }

    private let bursts = Mutex<[MessageID: Burst]>([:])
    private static let window: TimeInterval = 5
    private static let capacity = 20_000

    /// How many different links of the message were followed within the window, this one included.
    func record(_ message: MessageID, link: Int, at now: Date) -> Int {
        bursts.withLock { bursts in
            if bursts.count >= Self.capacity {
                bursts = bursts.filter { now.timeIntervalSince($0.value.since) < Self.window }
                if bursts.count >= Self.capacity { bursts = [:] }
            }
            var burst = bursts[message] ?? Burst(since: now, links: [])
            if now.timeIntervalSince(burst.since) >= Self.window { burst = Burst(since: now, links: []) }
            burst.links.insert(link)
            bursts[message] = burst
            return burst.links.count
        }
    }
}
