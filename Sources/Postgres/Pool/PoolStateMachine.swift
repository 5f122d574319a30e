/// The pool's book-keeping as a pure value: events go in, answers come out, nothing is done here.
///
/// A connection is *opening* (a caller is connecting it), *leased*, or *idle*. Callers that find none wait in order;
/// the one first in line gets the next connection, or the right to open one.
struct PoolStateMachine<Connection: Sendable> {
    struct Limits: Sendable {
        var minimum: Int = 0
        var maximum: Int = 8
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

    private struct Idle {
        let connection: Connection
        let since: Deadline
    }

    let limits: Limits
    private var idle: [Idle] = []
    private var waiters: [UInt64] = []
    private(set) var opening: Int = 0
    private(set) var leased: Int = 0
    private(set) var isClosed: Bool = false

    init(limits: Limits) {
        self.limits = limits
    }

    var idleCount: Int { idle.count }
    var waiting: Int { waiters.count }
    private var total: Int { idle.count + opening + leased }

    /// A caller wants a connection; `waiter` names it should it have to wait.
    mutating func lease(waiter: UInt64) -> LeaseAnswer {
        if isClosed { return .closed }
        if waiters.isEmpty, let grant = nextGrant() { return .granted(grant) }
        if waiters.count >= limits.waiters { return .refuse }
        waiters.append(waiter)
        return .wait
    }

    private mutating func nextGrant() -> Grant? {
        if let latest = idle.popLast() {
            leased += 1
            return .use(latest.connection)
        }
        guard total < limits.maximum else { return nil }
        opening += 1
        return .open
    }

    private mutating func wakeNext() -> Wake? {
        guard !waiters.isEmpty, let grant = nextGrant() else { return nil }
        return Wake(waiter: waiters.removeFirst(), grant: grant)
    }

    /// The caller has connected and uses the connection.
    mutating func opened() {
        opening -= 1
        leased += 1
    }

    /// The caller could not connect, or gave up.
    mutating func failed() -> Wake? {
        opening -= 1
        return wakeNext()
    }

    /// Back from its user and fit for the next. Answers a connection to close when the pool is closed.
    mutating func release(_ connection: Connection, now: Deadline) -> (wake: Wake?, close: Connection?) {
        leased -= 1
        if isClosed { return (nil, connection) }
        idle.append(Idle(connection: connection, since: now))
        return (wakeNext(), nil)
    }

    /// Back from its user and broken.
    mutating func discard() -> Wake? {
        leased -= 1
        return isClosed ? nil : wakeNext()
    }

    /// A waiter has gone away. False when it was served just before.
    mutating func cancel(waiter: UInt64) -> Bool {
        guard let index = waiters.firstIndex(of: waiter) else { return false }
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
        return (idle.map(\.connection), waiters)
    }
}
