import Glibc

/// A moment on the monotonic clock, cheap to compare with now.
package struct Deadline: Sendable, Comparable {
    private let nanoseconds: UInt64

    private init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static var now: Deadline {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func after(_ duration: Duration) -> Deadline {
        now + duration
    }

    package static func + (left: Deadline, right: Duration) -> Deadline {
        let parts = right.components
        guard parts.seconds >= 0, parts.attoseconds >= 0 else { return left }
        let seconds: UInt64 = min(UInt64(parts.seconds), 1 << 32)
        return Deadline(
            nanoseconds: left.nanoseconds + seconds * 1_000_000_000 + UInt64(parts.attoseconds) / 1_000_000_000)
    }

    package static func < (left: Deadline, right: Deadline) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    package var remaining: Duration {
        let now: UInt64 = Deadline.now.nanoseconds
        return nanoseconds > now ? .nanoseconds(Int64(clamping: nanoseconds - now)) : .zero
    }

    /// Nanoseconds from this moment to now.
    package var elapsedNanoseconds: Int64 {
        let now: UInt64 = Deadline.now.nanoseconds
        return now > nanoseconds ? Int64(clamping: now - nanoseconds) : 0
    }

    package var hasPassed: Bool { Deadline.now >= self }

    /// Milliseconds until then, rounded up, as `poll` wants them.
    var pollTimeout: Int32 {
        let now: UInt64 = Deadline.now.nanoseconds
        guard nanoseconds > now else { return 0 }
        return Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }
}

extension Duration {
    /// Whole milliseconds, at least 1: the unit of PostgreSQL's time limits, where 0 would mean none.
    var milliseconds: Int {
        let parts = components
        let whole: Int64 = parts.seconds.multipliedReportingOverflow(by: 1000).partialValue
        return Int(clamping: max(1, whole + parts.attoseconds / 1_000_000_000_000_000))
    }
}
