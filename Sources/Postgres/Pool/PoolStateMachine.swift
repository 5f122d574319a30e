/// The pool's book-keeping as a pure value: events go in, answers come out, nothing is done here.
///
/// A connection is *opening* (a caller is connecting it), *leased*, or *idle*. Callers that find none wait in order;
/// the one first in line gets the next connection, or the right to open one. Quick reads have no more than their share at
/// once: those that have to wait for it are passed by others.
struct PoolStateMachine<Connection: Sendable> {
    struct Limits: Sendable {
        var minimum: Int = 0
        var maximum: Int = 8
        /// Quick reads that may have a connection at once.
        var quickReads: Int = .max
        /// Callers that may wait at once; more are refused at once.
        var waiters: Int = 1024
        /// Above the minimum, a connection unused for this long is closed.
        var idle: Duration = .seconds(60)
    }

    /// What a caller is to do.
    enum Grant: Sendable {
        case use(Connection)
        /// Make a connection and report `opened` or `failed`.
        case open
    }

    enum LeaseAnswer: Sendable {
        case granted(Grant)
        case wait
        case refuse
        case closed
    }

    /// Somebody who waits may go on.
    struct Wake: Sendable {
        let waiter: UInt64
        let grant: Grant
    }

    private struct Waiter {
        let number: UInt64
        let isQuick: Bool
        let until: Deadline
    }

    private struct Idle {
        let connection: Connection
        let since: Deadline
    }

    let limits: Limits
    private var idle: [Idle] = []
    private var waiters: [Waiter] = []
    /// Quick reads that have a connection, or are opening one.
    private var quickReads: Int = 0
    private(set) var opening: Int = 0
    private(set) var leased: Int = 0
    private(set) var isClosed: Bool = false

    init(limits: Limits) {
        self.limits = limits
    }

    var idleCount: Int { idle.count }
    var waiting: Int { waiters.count }
    private var total: Int { idle.count + opening + leased }

    /// A caller wants a connection; `waiter` names it should it have to wait, no longer than `until`. Whoever waits already
    /// could not be served, so nobody who could is passed by.
    mutating func lease(waiter: UInt64, isQuick: Bool = false, until: Deadline) -> LeaseAnswer {
        if isClosed { return .closed }
        if let grant = nextGrant(isQuick) { return .granted(grant) }
        if waiters.count >= limits.waiters { return .refuse }
        waiters.append(Waiter(number: waiter, isQuick: isQuick, until: until))
        return .wait
    }

    /// How many connections nobody needs now, but for one that is left for whoever comes next.
    var spare: Int { isClosed || !waiters.isEmpty ? 0 : max(0, limits.maximum - leased - opening - 1) }

    /// For somebody who can do without.
    mutating func leaseSpare() -> Grant? { spare > 0 ? nextConnection() : nil }

    private func hasShare(_ isQuick: Bool) -> Bool { !isQuick || quickReads < limits.quickReads }

    private mutating func nextGrant(_ isQuick: Bool) -> Grant? {
        guard hasShare(isQuick), let grant = nextConnection() else { return nil }
        if isQuick { quickReads += 1 }
        return grant
    }

    private mutating func nextConnection() -> Grant? {
        if let latest = idle.popLast() {
            leased += 1
            return .use(latest.connection)
        }
        guard total < limits.maximum else { return nil }
        opening += 1
        return .open
    }

    private mutating func wakeNext() -> Wake? {
        guard let index = waiters.firstIndex(where: { hasShare($0.isQuick) }),
            let grant = nextGrant(waiters[index].isQuick)
        else { return nil }
        return Wake(waiter: waiters.remove(at: index).number, grant: grant)
    }

    /// The caller has connected and uses the connection.
    mutating func opened() {
        opening -= 1
        leased += 1
    }

    /// The caller could not connect, or gave up.
    mutating func failed(isQuick: Bool = false) -> Wake? {
        opening -= 1
        if isQuick { quickReads -= 1 }
        return wakeNext()
    }

    /// Back from its user and fit for the next. Answers a connection to close when the pool is closed.
    mutating func release(
        _ connection: Connection, isQuick: Bool = false, now: Deadline
    ) -> (wake: Wake?, close: Connection?) {
        leased -= 1
        if isQuick { quickReads -= 1 }
        if isClosed { return (nil, connection) }
        idle.append(Idle(connection: connection, since: now))
        return (wakeNext(), nil)
    }

    /// Back from its user and broken.
    mutating func discard(isQuick: Bool = false) -> Wake? {
        leased -= 1
        if isQuick { quickReads -= 1 }
        return isClosed ? nil : wakeNext()
    }

    /// When the first of those who wait gives up; nil when nobody waits.
    var nextEndOfWait: Deadline? { waiters.map(\.until).min() }

    /// Those who have waited as long as they would. They are to be told, and then cancelled.
    func overdue(now: Deadline) -> [UInt64] {
        waiters.filter { $0.until <= now }.map(\.number)
    }

    /// A waiter has gone away. False when it was served just before.
    mutating func cancel(waiter: UInt64) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.number == waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Connections that nobody has used for long, beyond the minimum. They are to be closed.
    mutating func tick(now: Deadline) -> [Connection] {
        var expired: [Connection] = []
        while total > limits.minimum, let oldest = idle.first, oldest.since + limits.idle < now {
            expired.append(oldest.connection)
            idle.removeFirst()
        }
        return expired
    }

    /// No more leases: answers the idle connections to close and the waiters to send away.
    mutating func close() -> (connections: [Connection], waiters: [UInt64]) {
        isClosed = true
        defer {
            idle = []
            waiters = []
        }
        return (idle.map(\.connection), waiters.map(\.number))
    }
}
