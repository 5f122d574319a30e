import CLibPQ
import Glibc

/// A libpq connection with its waiting: every call here returns at once or waits in `poll` for the server, for a
/// wake-up, or for the deadline. Used on the connection's thread only.
final class Wire {
    let handle: OpaquePointer
    let signal: InterruptSignal
    /// Bytes are left in libpq's send buffer.
    private var hasUnsent: Bool = false

    /// Why a wait ended without an answer.
    enum Interruption: Error, Equatable {
        case cancelled
        case timedOut
        case lost(String)
    }

    private init(handle: OpaquePointer, signal: InterruptSignal) {
        self.handle = handle
        self.signal = signal
    }

    deinit {
        PQfinish(handle)
    }

    var isAlive: Bool { PQstatus(handle) == CONNECTION_OK }
    var transactionStatus: PGTransactionStatusType { PQtransactionStatus(handle) }
    var isInPipeline: Bool { PQpipelineStatus(handle) != PQ_PIPELINE_OFF }

    /// Why the connection broke, without line ends; libpq's words name hosts and sockets, never values.
    var lossReason: String {
        guard let text = PQerrorMessage(handle) else { return "closed" }
        let words = String(cString: text).split(whereSeparator: { $0 == "\n" || $0 == "\t" })
        return words.isEmpty ? "closed" : words.joined(separator: " ")
    }

    // MARK: Connecting

    static func connect(
        _ settings: ConnectionSettings, signal: InterruptSignal, operation: UInt64, deadline: Deadline
    ) throws(Interruption) -> Wire {
        let words: [(String, String)] = [
            ("fallback_application_name", "portal"), ("keepalives", "1"), ("keepalives_idle", "30"),
            ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "30000"),
            ("dbname", settings.address.reveal()), ("application_name", settings.applicationName),
            ("client_encoding", "UTF8"),
        ]
        var keywords: [UnsafePointer<CChar>?] = words.map { UnsafePointer(strdup($0.0)) } + [nil]
        var values: [UnsafePointer<CChar>?] = words.map { UnsafePointer(strdup($0.1)) } + [nil]
        defer { for pointer in keywords + values { free(UnsafeMutablePointer(mutating: pointer)) } }
        guard let handle = PQconnectStartParams(&keywords, &values, 1) else { throw .lost("out of memory") }
        let wire = Wire(handle: handle, signal: signal)
        if PQstatus(handle) == CONNECTION_BAD { throw .lost(wire.lossReason) }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        var next: PostgresPollingStatusType = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            if next == PGRES_POLLING_FAILED { throw .lost(wire.lossReason) }
            let events: Int32 = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
            _ = try wire.poll(for: Int16(events), operation: operation, deadline: deadline)
            next = PQconnectPoll(handle)
        }
        guard PQsetnonblocking(handle, 1) == 0 else { throw .lost(wire.lossReason) }
        return wire
    }

    // MARK: Waiting

    /// Waits for the socket. A wake-up for somebody else is passed over.
    private func poll(
        for events: Int16, operation: UInt64, deadline: Deadline?
    ) throws(Interruption) -> Int16 {
        while true {
            var descriptors: (pollfd, pollfd) = (
                pollfd(fd: PQsocket(handle), events: events, revents: 0),
                pollfd(fd: signal.descriptor, events: Int16(POLLIN), revents: 0)
            )
            let timeout: Int32 = deadline?.pollTimeout ?? -1
            let count: Int32 = withUnsafeMutableBytes(of: &descriptors) { bytes in
                Glibc.poll(bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), 2, timeout)
            }
            if count < 0, errno != EINTR { throw .lost("poll failed") }
            if count > 0, descriptors.1.revents != 0 {
                signal.clear()
                if signal.isCancelled(operation) { throw .cancelled }
            }
            if count > 0, descriptors.0.revents != 0 { return descriptors.0.revents }
            if let deadline, deadline.hasPassed { throw .timedOut }
        }
    }

    /// Pushes out what libpq has buffered, as far as the socket takes it.
    func flush() {
        hasUnsent = PQflush(handle) == 1
    }

    /// Sends everything, reading meanwhile so that the server never waits for us.
    func flushAll(operation: UInt64, deadline: Deadline?) throws(Interruption) {
        flush()
        while hasUnsent { try waitForServer(operation: operation, deadline: deadline) }
    }

    /// One round of waiting: takes in what has arrived, sends what can be sent.
    func waitForServer(operation: UInt64, deadline: Deadline?) throws(Interruption) {
        let events: Int32 = hasUnsent ? POLLIN | POLLOUT : POLLIN
        let ready = Int32(try poll(for: Int16(events), operation: operation, deadline: deadline))
        if ready & ~POLLOUT != 0, PQconsumeInput(handle) == 0 { throw .lost(lossReason) }
        if hasUnsent { flush() }
    }

    /// Waits for wake-ups alone (after asking for a cancel).
    func waitForWake(deadline: Deadline, until isDone: () -> Bool) {
        while !isDone(), !deadline.hasPassed {
            var descriptor = pollfd(fd: signal.descriptor, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&descriptor, 1, deadline.pollTimeout) > 0 { signal.clear() }
        }
    }

    /// The next result; nil when the current command has no more.
    func nextResult(operation: UInt64, deadline: Deadline?) throws(Interruption) -> OpaquePointer? {
        while PQisBusy(handle) == 1 { try waitForServer(operation: operation, deadline: deadline) }
        return PQgetResult(handle)
    }

    /// Whether the server has hung up while nobody was looking. Costs one system call when it has not.
    func hasHungUp() -> Bool {
        // Its farewell comes first, the end of the stream after it.
        for _ in 0..<4 {
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&descriptor, 1, 0) == 0 { return false }
            if PQconsumeInput(handle) == 0 || !isAlive { return true }
            if Int32(descriptor.revents) & (POLLHUP | POLLERR) != 0 { return true }
        }
        return true
    }
}
