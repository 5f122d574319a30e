import Testing

@testable import Postgres

/// The machine behind a reference, its answers in words.
private final class Book {
    typealias Machine = PoolStateMachine<String>

    private var machine: Machine

    init(minimum: Int = 0, maximum: Int, quickReads: Int = .max, waiters: Int = 8) {
        machine = Machine(
            limits: .init(
                minimum: minimum, maximum: maximum, quickReads: quickReads, waiters: waiters, idle: .seconds(60)))
    }

    /// A book with connections in use.
    init(minimum: Int = 0, busy: Int) {
        machine = Machine(limits: .init(minimum: minimum, maximum: busy, waiters: 8, idle: .seconds(60)))
        for waiter in 0..<busy {
            _ = machine.lease(waiter: 100 + UInt64(waiter), until: .after(.seconds(5)))
            machine.opened()
        }
    }

    func lease(_ waiter: UInt64, isQuick: Bool = false, until: Deadline = .after(.seconds(5))) -> String {
        switch machine.lease(waiter: waiter, isQuick: isQuick, until: until) {
        case .granted(let grant): word(grant)
        case .wait: "wait"
        case .refuse: "refuse"
        case .closed: "closed"
        }
    }

    var spare: Int { machine.spare }
    func leaseSpare() -> String { machine.leaseSpare().map(word) ?? "none" }
    func opened() { machine.opened() }
    func failed(isQuick: Bool = false) -> String { word(machine.failed(isQuick: isQuick)) }
    func discard(isQuick: Bool = false) -> String { word(machine.discard(isQuick: isQuick)) }
    func overdue(_ now: Deadline) -> [UInt64] { machine.overdue(now: now) }
    var nextEndOfWait: Deadline? { machine.nextEndOfWait }
    func cancel(_ waiter: UInt64) -> Bool { machine.cancel(waiter: waiter) }
    func tick(_ now: Deadline) -> [String] { machine.tick(now: now) }

    func release(_ connection: String, _ now: Deadline, isQuick: Bool = false) -> String {
        let (wake, close) = machine.release(connection, isQuick: isQuick, now: now)
        return close.map { "close \($0)" } ?? word(wake)
    }

    func close() -> (connections: [String], waiters: [UInt64]) { machine.close() }

    var counts: [String: Int] {
        ["idle": machine.idleCount, "leased": machine.leased, "opening": machine.opening, "waiting": machine.waiting]
    }

    private func word(_ grant: Machine.Grant) -> String {
        switch grant {
        case .use(let connection): "use \(connection)"
        case .open: "open"
        }
    }

    private func word(_ wake: Machine.Wake?) -> String {
        wake.map { "\($0.waiter): \(word($0.grant))" } ?? "nobody"
    }
}

/// The book-keeping of the pool, without a connection.
@Suite("The pool’s book-keeping")
struct PoolStateMachineTests {
    private let start = Deadline.now

    @Test("opens up to the maximum, then lets callers wait, and serves them in the order they came")
    func servesInOrder() {
        let book = Book(maximum: 2)
        #expect(book.lease(1) == "open")
        book.opened()
        #expect(book.lease(2) == "open")
        #expect(book.lease(3) == "wait")
        #expect(book.lease(4) == "wait")
        #expect(book.release("a", start) == "3: use a")
        book.opened()
        #expect(book.release("b", start) == "4: use b")
        #expect(book.release("a", start) == "nobody")
        #expect(book.counts == ["idle": 1, "leased": 1, "opening": 0, "waiting": 0])
    }

    @Test("gives out the connection that was used last, and never passes somebody who waits")
    func prefersWarmConnections() {
        let book = Book(busy: 2)
        _ = book.release("a", start)
        _ = book.release("b", start)
        #expect(book.lease(3) == "use b")
        #expect(book.lease(4) == "use a")
        #expect(book.lease(5) == "wait")
        #expect(book.discard() == "5: open")
        #expect(book.lease(6) == "wait")
    }

    @Test("gives quick reads no more than their share, in order, and lets others pass them meanwhile")
    func sharesOut() {
        let book = Book(maximum: 3, quickReads: 1)
        #expect(book.lease(1, isQuick: true) == "open")
        book.opened()
        #expect(book.lease(2, isQuick: true) == "wait")
        #expect(book.lease(3, isQuick: true) == "wait")
        #expect(book.lease(4) == "open")
        book.opened()
        // Another's connection does not go to a quick read while one has the share.
        #expect(book.release("b", start) == "nobody")
        #expect(book.lease(5) == "use b")
        #expect(book.release("a", start, isQuick: true) == "2: use a")
        #expect(book.discard(isQuick: true) == "3: open")
        #expect(book.failed(isQuick: true) == "nobody")
        #expect(book.lease(6, isQuick: true) == "open")
        #expect(book.counts == ["idle": 0, "leased": 1, "opening": 1, "waiting": 0])
    }

    @Test("has a connection to spare where nobody waits and another is left")
    func spares() {
        let book = Book(maximum: 3)
        #expect(book.lease(1) == "open")
        book.opened()
        #expect(book.spare == 1)
        #expect(book.leaseSpare() == "open")
        book.opened()
        // The last one is for whoever comes next.
        #expect(book.spare == 0)
        #expect(book.leaseSpare() == "none")
        #expect(book.lease(2) == "open")
        book.opened()
        #expect(book.lease(3) == "wait")
        #expect(book.release("a", start) == "3: use a")
        #expect(book.release("b", start) == "nobody")
        #expect(book.leaseSpare() == "none")
        #expect(book.release("c", start) == "nobody")
        #expect(book.leaseSpare() == "use c")
        _ = book.close()
        #expect(book.spare == 0)
    }

    @Test("names those who have waited as long as they would, and when the next of the others gives up")
    func endsWaits() {
        let book = Book(busy: 1)
        #expect(book.nextEndOfWait == nil)
        let ends: [Deadline] = [30, 10, 20].map { start + .seconds($0) }
        for (index, end) in ends.enumerated() { _ = book.lease(UInt64(index + 1), until: end) }
        #expect(book.nextEndOfWait == ends[1])
        #expect(book.overdue(start + .seconds(9)) == [])
        #expect(book.overdue(start + .seconds(20)) == [2, 3])
        #expect(book.cancel(2) && book.cancel(3))
        #expect(book.nextEndOfWait == ends[0])
    }

    @Test("refuses at once when too many wait")
    func limitsWaiting() {
        let book = Book(maximum: 1, waiters: 2)
        let answers = [1, 2, 3, 4].map { book.lease($0) }
        #expect(answers == ["open", "wait", "wait", "refuse"])
        #expect(book.counts["waiting"] == 2)
    }

    @Test("forgets somebody who has gone, and says so when they had been served already")
    func cancels() {
        let book = Book(maximum: 1)
        for waiter: UInt64 in 1...3 { _ = book.lease(waiter) }
        book.opened()
        #expect(book.cancel(2))
        #expect(!book.cancel(2))
        #expect(book.release("a", start) == "3: use a")
        #expect(!book.cancel(3))
        #expect(book.counts["leased"] == 1)
    }

    @Test("hands the right to open on when opening failed")
    func survivesFailedOpening() {
        let book = Book(maximum: 1)
        #expect(book.lease(1) == "open")
        #expect(book.lease(2) == "wait")
        #expect(book.failed() == "2: open")
        #expect(book.failed() == "nobody")
        #expect(book.counts["opening"] == 0 && book.counts["leased"] == 0)
        #expect(book.lease(3) == "open")
    }

    @Test("closes connections that nobody has used for long, down to the minimum, the oldest first")
    func ticks() {
        let book = Book(minimum: 1, busy: 3)
        for (index, name) in ["a", "b", "c"].enumerated() {
            _ = book.release(name, start + .seconds(index * 10))
        }
        #expect(book.tick(start + .seconds(60)).isEmpty)
        #expect(book.tick(start + .seconds(65)) == ["a"])
        #expect(book.tick(start + .seconds(3600)) == ["b"])
        #expect(book.counts["idle"] == 1)
    }

    @Test("once closed gives up its idle connections and waiters, and takes none back")
    func closes() {
        let book = Book(busy: 2)
        _ = book.lease(3)
        let closed = book.close()
        #expect(closed.connections.isEmpty)
        #expect(closed.waiters == [3])
        #expect(book.lease(4) == "closed")
        #expect(book.release("a", start) == "close a")
        #expect(book.discard() == "nobody")
        #expect(book.counts["leased"] == 0)
    }
}
