import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// A bounded set of connections, handed out in the order asked for.
///
/// The caller that needs a new connection opens it itself, so there is no background work to own; `run` closes what
/// has been idle for long, and everything at shutdown.
package final class PostgresPool: Service {
    package struct Limits: Sendable {
        package var minimum: Int
        package var maximum: Int
        /// How many of them quick reads have at most. Where the server has the processors for no more, others side by side
        /// only keep each other waiting: the slowest pages take half as long when reads stand in line.
        package var quickReads: Int
        /// How long a caller waits for a connection.
        package var wait: Duration
        package var idle: Duration
        package var waiters: Int

        package init(
            minimum: Int = 0, maximum: Int = 8, quickReads: Int = .max, wait: Duration = .seconds(5),
            idle: Duration = .seconds(60), waiters: Int = 1024
        ) {
            self.minimum = minimum
            self.maximum = maximum
            self.quickReads = quickReads
            self.wait = wait
            self.idle = idle
            self.waiters = waiters
        }
    }

    private typealias Machine = PoolStateMachine<PostgresConnection>
    private typealias Continuation = CheckedContinuation<Machine.Grant, any Error>

    private struct State {
        var machine: Machine
        var continuations: [UInt64: Continuation] = [:]
        var lastWaiter: UInt64 = 0
        /// What happened to waiters between standing in line and going to sleep.
        var early: [UInt64: Result<Machine.Grant, any Error>] = [:]
        var lastFailure: PostgresError?
        /// Sends away those who have waited too long, while anybody waits.
        var patience: Task<Void, Never>?
    }

    package let name: String
    package let settings: ConnectionSettings
    private let limits: Limits
    private let thread: PostgresThread?
    private let state: Mutex<State>
    private let logger: Logger
    private let waitTimer: Timer
    private let inUse: Gauge

    /// - Parameter thread: what the connections run on, where there is only one at a time; nil for a thread of each.
    package init(
        name: String, settings: ConnectionSettings, limits: Limits = Limits(), thread: PostgresThread? = nil,
        logger: Logger = Logger(label: "portal.postgres")
    ) {
        self.thread = thread
        self.name = name
        self.settings = settings
        self.limits = limits
        self.logger = logger
        let machineLimits = Machine.Limits(
            minimum: limits.minimum, maximum: limits.maximum, quickReads: limits.quickReads, waiters: limits.waiters,
            idle: limits.idle)
        state = Mutex(State(machine: Machine(limits: machineLimits)))
        waitTimer = Timer(label: "postgres_pool_wait", dimensions: [("pool", name)])
        inUse = Gauge(label: "postgres_pool_in_use", dimensions: [("pool", name)])
    }

    // MARK: Leasing

    /// A connection, for which the caller must call `release`.
    /// - Parameter isQuick: whether it is for a read of milliseconds.
    func lease(isQuick: Bool = false) async throws -> PostgresConnection {
        let start: Deadline = .now
        let deadline: Deadline = start + limits.wait
        while true {
            if case .use(let connection) = try await grant(isQuick, until: deadline) {
                recordLease(since: start)
                return connection
            }
            if let connection = try await open(isQuick, until: deadline) {
                recordLease(since: start)
                return connection
            }
        }
    }

    /// A connection for somebody who can do without, for which the caller must call `release`; nil where none is to spare.
    func leaseSpare() async -> PostgresConnection? {
        switch state.withLock({ $0.machine.leaseSpare() }) {
        case .use(let connection): connection
        // A server that takes no more connections has none to spare.
        case .open: try? await open(false, until: .now)
        case nil: nil
        }
    }

    private func recordLease(since start: Deadline) {
        waitTimer.recordNanoseconds(start.elapsedNanoseconds)
        inUse.record(state.withLock { $0.machine.leased })
    }

    private func grant(_ isQuick: Bool, until deadline: Deadline) async throws -> Machine.Grant {
        let (answer, waiter) = state.withLock { state in
            state.lastWaiter += 1
            let answer = state.machine.lease(waiter: state.lastWaiter, isQuick: isQuick, until: deadline)
            if case .wait = answer, state.patience == nil { state.patience = Task { await self.endWaits() } }
            return (answer, state.lastWaiter)
        }
        switch answer {
        case .granted(let grant): return grant
        case .refuse: throw PostgresError.poolExhausted(pool: name)
        case .closed: throw PostgresError.poolClosed(pool: name)
        case .wait: return try await wait(as: waiter)
        }
    }

    /// Connects. Nil when that failed and there is time to try again.
    private func open(_ isQuick: Bool, until deadline: Deadline) async throws -> PostgresConnection? {
        do {
            let connection = try PostgresConnection(settings, on: thread)
            try await connection.open()
            state.withLock { state in
                state.machine.opened()
                state.lastFailure = nil
            }
            return connection
        } catch {
            let failure = error as? PostgresError
            wake(
                state.withLock { state in
                    state.lastFailure = failure
                    return state.machine.failed(isQuick: isQuick)
                })
            guard let failure, failure.mayPass, deadline.remaining > PostgresPool.reconnectPause else { throw error }
            guard (try? await Task.sleep(for: PostgresPool.reconnectPause)) != nil else {
                throw PostgresError.cancelled(query: name)
            }
            return nil
        }
    }

    private static let reconnectPause: Duration = .milliseconds(100)

    private func wait(as waiter: UInt64) async throws -> Machine.Grant {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enroll(continuation, as: waiter)
            }
        } onCancel: {
            leave(waiter, because: .cancelled(query: name))
        }
    }

    /// The continuation of a waiter that stands in line; it may have been served or sent away already.
    private func enroll(_ continuation: Continuation, as waiter: UInt64) {
        let early: Result<Machine.Grant, any Error>? = state.withLock { state in
            if let early = state.early.removeValue(forKey: waiter) { return early }
            state.continuations[waiter] = continuation
            return nil
        }
        if let early { continuation.resume(with: early) }
    }

    private func leave(_ waiter: UInt64, because error: PostgresError) {
        let continuation: Continuation? = state.withLock { state in
            guard state.machine.cancel(waiter: waiter) else { return nil }
            if let continuation = state.continuations.removeValue(forKey: waiter) { return continuation }
            state.early[waiter] = .failure(error)
            return nil
        }
        continuation?.resume(throwing: error)
    }

    private func wake(_ wake: Machine.Wake?) {
        guard let wake else { return }
        let continuation: Continuation? = state.withLock { state in
            if let continuation = state.continuations.removeValue(forKey: wake.waiter) { return continuation }
            state.early[wake.waiter] = .success(wake.grant)
            return nil
        }
        continuation?.resume(returning: wake.grant)
    }

    /// Sends each waiter away whose time is up, until nobody waits: one timer for all of them, because one for each would
    /// cost more than most waits. Who has tried to connect before may stand in line with less time left than those in
    /// front, so it looks again every second.
    private func endWaits() async {
        while let next = nextEndOfWait() {
            guard (try? await Task.sleep(for: min(next.remaining, .seconds(1)))) != nil else { return }
            let (waiters, failure) = state.withLock { ($0.machine.overdue(now: .now), $0.lastFailure) }
            for waiter in waiters { leave(waiter, because: failure ?? .poolExhausted(pool: name)) }
        }
    }

    private func nextEndOfWait() -> Deadline? {
        state.withLock { state in
            let next: Deadline? = state.machine.nextEndOfWait
            if next == nil { state.patience = nil }
            return next
        }
    }

    // MARK: Returning

    /// Gives a connection back; one that is broken, or in a transaction, is closed.
    func release(_ connection: PostgresConnection, isQuick: Bool = false) {
        let isReusable: Bool = connection.isReusable
        let answer: (wake: Machine.Wake?, close: PostgresConnection?) = state.withLock { state in
            isReusable
                ? state.machine.release(connection, isQuick: isQuick, now: .now)
                : (state.machine.discard(isQuick: isQuick), nil)
        }
        wake(answer.wake)
    }

    /// How many connections nobody needs now, but for the one that is left for whoever comes next.
    var spare: Int { state.withLock { $0.machine.spare } }

    /// Connections in use, idle, and callers that wait.
    package var usage: (leased: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.machine.leased, $0.machine.idleCount, $0.machine.waiting) }
    }

    // MARK: Running

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: .seconds(5))
                } catch {
                    break
                }
                let expired = self.state.withLock { $0.machine.tick(now: .now) }
                for connection in expired { await connection.close() }
            }
        }
        await shutDown()
    }

    /// Refuses new leases, sends waiters away and closes what is idle; connections in use are closed as they return.
    package func shutDown() async {
        let (connections, continuations) = state.withLock { state in
            let closed = state.machine.close()
            state.patience?.cancel()
            var continuations: [Continuation] = []
            for waiter in closed.waiters {
                if let continuation = state.continuations.removeValue(forKey: waiter) {
                    continuations.append(continuation)
                } else {
                    state.early[waiter] = .failure(PostgresError.poolClosed(pool: name))
                }
            }
            return (closed.connections, continuations)
        }
        for continuation in continuations { continuation.resume(throwing: PostgresError.poolClosed(pool: name)) }
        for connection in connections { await connection.close() }
        logger.debug("Database pool closed", metadata: ["pool": "\(name)"])
    }
}

extension PostgresError {
    /// The server may be restarting; trying again soon makes sense.
    fileprivate var mayPass: Bool {
        switch self {
        case .connectionLost: true
        case .server(let refusal): refusal.sqlState.hasPrefix("57P") || refusal.sqlState == "53300"
        default: false
        }
    }
}
