import CLibPQ
import Synchronization

/// One connection to PostgreSQL. The actor's executor is a thread of its own, so an operation waits for the server
/// there, without suspending: two operations can never interleave.
package actor PostgresConnection {
    private let thread: ConnectionThread
    /// A thread that others use too, kept while this connection does.
    private let shared: PostgresThread?
    nonisolated let signal: InterruptSignal
    nonisolated let settings: ConnectionSettings
    private let condition = Condition()
    var wire: Wire?
    var statements: StatementCache
    /// The lease whose prelude has been sent.
    private var activeLease: UInt64 = 0
    /// A session changed `statement_timeout`; the next one puts it back.
    private var hasForeignTimeout: Bool = false
    /// When plans that are kept were last forgotten.
    private var plansSince = ContinuousClock.now
    /// The operation whose rows or COPY data are under way; nothing else may be sent until it ends.
    var streaming: UInt64?

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameter shared: the thread to run on; nil for one of its own.
    package init(_ settings: ConnectionSettings, on shared: PostgresThread? = nil) throws(PostgresError) {
        thread = shared?.thread ?? ConnectionThread()
        self.shared = shared
        signal = try InterruptSignal()
        self.settings = settings
        statements = StatementCache(capacity: settings.preparedStatements)
        if shared == nil { try thread.start() }
    }

    deinit {
        if shared == nil { thread.stop() }
    }

    /// What the pool may know without asking the thread.
    private final class Condition: Sendable {
        let isReusable = Atomic<Bool>(false)
    }

    /// Connected, and outside any transaction.
    nonisolated var isReusable: Bool { condition.isReusable.load(ordering: .acquiring) }

    func publishCondition() {
        let isIdle: Bool = wire.map { $0.isAlive && $0.transactionStatus == PQTRANS_IDLE } ?? false
        condition.isReusable.store(isIdle && streaming == nil, ordering: .releasing)
    }

    // MARK: Connecting

    /// Connects unless that is done. Cancelled with the calling task.
    func open() async throws {
        let operation: UInt64 = signal.nextOperation()
        let signal: InterruptSignal = self.signal
        try await withTaskCancellationHandler {
            try await connectOnThread(operation)
        } onCancel: {
            signal.cancel(operation)
        }
    }

    private func connectOnThread(_ operation: UInt64) async throws {
        defer { signal.forget(operation) }
        try connect(operation: operation, query: "connect")
    }

    private func connect(operation: UInt64, query: StaticString) throws {
        discard()
        let deadline: Deadline = .after(settings.connectTimeout)
        do {
            let fresh = try Wire.connect(settings, signal: signal, operation: operation, deadline: deadline)
            wire = fresh
            try script(settings.greeting, query: query, operation: operation, deadline: deadline)
            guard PQenterPipelineMode(fresh.handle) == 1 else { throw Wire.Interruption.lost(fresh.lossReason) }
        } catch let interruption as Wire.Interruption {
            discard()
            throw interruption.error(query: "\(query)")
        } catch {
            discard()
            throw error
        }
        publishCondition()
    }

    /// Closes the connection; the next operation of a new lease opens it again.
    func discard() {
        wire = nil
        streaming = nil
        hasForeignTimeout = false
        statements.reset()
        publishCondition()
    }

    package func close() {
        discard()
    }

    // MARK: Operations

    /// Runs one operation of a session.
    func run<Value: Sendable>(
        _ operation: Operation, _ body: @Sendable (isolated PostgresConnection, Operation) throws -> Value
    ) throws -> Value {
        defer {
            signal.forget(operation.number)
            publishCondition()
        }
        try admit(operation)
        return try body(self, operation)
    }

    private func admit(_ operation: Operation) throws(PostgresError) {
        let query: String = "\(operation.query)"
        if operation.lease.hasEnded { throw .misuse(query: query, problem: "The session has ended.") }
        if signal.isCancelled(operation.number) { throw .cancelled(query: query) }
        if operation.deadline.hasPassed { throw .timedOut(query: query) }
        if activeLease == operation.lease.number, wire == nil {
            throw .connectionLost(query: query, reason: "earlier in the same session")
        }
    }

    /// Before the first statement of a lease: the connection may have died in the pool. Nothing has been sent yet, so
    /// a new one takes its place unseen.
    private func ensureConnected(_ operation: Operation) throws {
        guard activeLease != operation.lease.number else { return }
        if let wire, wire.isAlive, wire.isInPipeline, streaming == nil, !wire.hasHungUp() { return }
        try connect(operation: operation.number, query: operation.query)
    }

    /// What must go out before the next statement of this lease.
    func takePrelude(_ operation: Operation) throws -> [SQL] {
        if let streaming, streaming != operation.lease.number {
            throw PostgresError.misuse(query: "\(operation.query)", problem: "Another session is streaming.")
        }
        guard activeLease != operation.lease.number else {
            if streaming != nil {
                throw PostgresError.misuse(query: "\(operation.query)", problem: "The session is streaming.")
            }
            return []
        }
        try ensureConnected(operation)
        activeLease = operation.lease.number
        operation.lease.markBegun()
        var prelude: [SQL] = []
        if hasForeignTimeout {
            prelude.append(SQL(trusted: "SET statement_timeout = \(settings.statementTimeout.milliseconds)"))
            hasForeignTimeout = false
        }
        if !operation.lease.isTransaction, !operation.lease.prelude.isEmpty { hasForeignTimeout = true }
        return prelude + operation.lease.prelude + planning(operation.lease)
    }

    /// Has a lease's statements planned once for all values, and anew when the plans are too old.
    private func planning(_ lease: PostgresLease) -> [SQL] {
        guard let life = lease.planLife else { return [] }
        let now = ContinuousClock.now
        guard now - plansSince > life else { return [.keepPlans] }
        plansSince = now
        return [.keepPlans, .forgetPlans]
    }

    /// A lease whose first packet was lost with its connection begins again on a new one.
    func restartPrelude(_ operation: Operation) throws -> [SQL] {
        activeLease = 0
        return try takePrelude(operation)
    }

    /// Runs the text with the simple protocol, several statements at once if need be. For statements of this room.
    func script(_ text: String, query: StaticString, operation: UInt64, deadline: Deadline?) throws {
        guard let wire else { throw PostgresError.connectionLost(query: "\(query)", reason: "closed") }
        guard PQsendQuery(wire.handle, text) == 1 else { throw Wire.Interruption.lost(wire.lossReason) }
        wire.flush()
        var refusal: ServerRefusal?
        while let pointer = try wire.nextResult(operation: operation, deadline: deadline) {
            let result = PostgresResult(pointer)
            let status: ExecStatusType = result.status
            if status == PGRES_FATAL_ERROR, refusal == nil {
                refusal = result.refusal(query: "\(query)", keepsMessage: true)
            }
            if !wire.isAlive { throw Wire.Interruption.lost(wire.lossReason) }
        }
        if let refusal { throw PostgresError.server(refusal) }
    }
}

extension Wire.Interruption {
    func error(query: String) -> PostgresError {
        switch self {
        case .cancelled: .cancelled(query: query)
        case .timedOut: .timedOut(query: query)
        case .lost(let reason): .connectionLost(query: query, reason: reason)
        }
    }
}
