import NIOCore

/// How slow a client may be before its connection ends. Pure: times come from outside.
///
/// Only the time in which we wait for the client counts, so that a busy portal blames nobody. Heads of requests and quiet
/// connections have the server's idle timeout.
struct ClientPace {
    /// What is asked of clients.
    struct Limits: Sendable {
        /// So long nobody asks how fast a body comes.
        var patience: TimeAmount
        /// Bytes a second of a body, on average, after that.
        var bytesPerSecond: Int64
        /// How long a client may leave an answer in our buffers without taking any.
        var stall: TimeAmount

        static let usual = Limits(patience: .seconds(30), bytesPerSecond: 512, stall: .seconds(60))
    }

    let limits: Limits
    private var isReading = false
    private var received: Int64 = 0
    private var waited: TimeAmount = .zero
    private var waitingSince: NIODeadline?
    private var stalledSince: NIODeadline?

    init(_ limits: Limits) {
        self.limits = limits
    }

    /// Whether there is anything to look at.
    var isWatched: Bool { isReading || stalledSince != nil }

    mutating func beginBody(at now: NIODeadline) {
        isReading = true
        received = 0
        waited = .zero
        waitingSince = waitingSince == nil ? nil : now
    }

    mutating func receive(_ bytes: Int) {
        received += Int64(bytes)
    }

    mutating func endBody() {
        isReading = false
    }

    /// We want bytes of the client from now on.
    mutating func ask(at now: NIODeadline) {
        if waitingSince == nil { waitingSince = now }
    }

    /// Some came, and we want no more for the moment.
    mutating func rest(at now: NIODeadline) {
        if let since = waitingSince { waited = waited + (now - since) }
        waitingSince = nil
    }

    /// Whether the client takes what we send.
    mutating func take(isWritable: Bool, at now: NIODeadline) {
        stalledSince = isWritable ? nil : stalledSince ?? now
    }

    func isTooSlow(at now: NIODeadline) -> Bool {
        if let since = stalledSince, now - since > limits.stall { return true }
        guard isReading else { return false }
        let time: TimeAmount = waited + (waitingSince.map { now - $0 } ?? .zero)
        guard time > limits.patience else { return false }
        return received < limits.bytesPerSecond * (time.nanoseconds / 1_000_000_000)
    }
}
