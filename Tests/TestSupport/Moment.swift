import FoundationEssentials
import Synchronization

/// A time that a test moves: `PortalFixture.with(clock: WallClock { now.value })`.
package final class Moment: Sendable {
    private let date: Mutex<Date>

    package init(_ date: Date) {
        self.date = Mutex(date)
    }

    package var value: Date {
        get { date.withLock { $0 } }
        set { date.withLock { $0 = newValue } }
    }
}
