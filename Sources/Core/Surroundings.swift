import FoundationEssentials

/// The time of day, injected so that tests decide what time it is.
package struct WallClock: Sendable {
    private let read: @Sendable () -> Date

    package init(_ read: @escaping @Sendable () -> Date) {
        self.read = read
    }

    package var now: Date { read() }

    package static let system = WallClock { Date() }

    package static func fixed(_ date: Date) -> WallClock {
        WallClock { date }
    }
}

/// Time that only goes forward, for measuring how long something takes; injected so that tests need not wait.
package struct Stopwatch: Sendable {
    private let read: @Sendable () -> Duration

    package init(_ read: @escaping @Sendable () -> Duration) {
        self.read = read
    }

    /// Since some moment in the past, always the same one.
    package var elapsed: Duration { read() }

    /// A stopwatch that starts now.
    package static var running: Stopwatch {
        let start = ContinuousClock.now
        return Stopwatch { ContinuousClock.now - start }
    }
}

/// The source of random bytes. Secrets take theirs from OpenSSL (see `Cryptography`); ids and jitter from here.
package struct Randomness: Sendable {
    private let generate: @Sendable () -> UInt64

    package init(_ generate: @escaping @Sendable () -> UInt64) {
        self.generate = generate
    }

    package func next() -> UInt64 { generate() }

    /// A number in 0..<1.
    package func fraction() -> Double {
        Double(generate() >> 11) / Double(UInt64(1) << 53)
    }

    package static let system = Randomness { UInt64.random(in: .min ... .max) }
}

/// Makes ids of UUID version 7 (RFC 9562 §5.7): milliseconds since 1970, then random bits.
package struct IdentifierSource: Sendable {
    private let clock: WallClock
    private let randomness: Randomness

    package init(clock: WallClock = .system, randomness: Randomness = .system) {
        self.clock = clock
        self.randomness = randomness
    }

    package func next<Entity>(_: Identifier<Entity>.Type = Identifier<Entity>.self) -> Identifier<Entity> {
        Identifier(.version7(at: clock.now, high: randomness.next(), low: randomness.next()))
    }
}
