import Glibc

/// A few threads of our own for work that blocks or computes for long, so that Swift's cooperative pool never waits
/// for it.
///
/// Each thread owns a `State` made on it and seen by it alone (a connection, a handle). Work is done in the order it
/// came.
/// The threads end when ``stop()`` is called or the value is released; work already accepted is finished first.
package final class BlockingThreads<State>: Sendable {
    package enum Refusal: Error, Sendable {
        /// As much work waits as may wait.
        case full
        /// The threads were stopped.
        case stopped
    }

    private let queue: WorkQueue<State>

    /// - Parameters:
    ///   - name: shown by `top -H`; at most 15 characters count.
    ///   - waitingLimit: how many pieces of work may wait for a thread.
    ///   - makeState: called on each thread when it starts.
    package init(
        name: String, count: Int, waitingLimit: Int, makeState: @escaping @Sendable () -> State
    ) {
        let queue = WorkQueue<State>(waitingLimit: waitingLimit)
        self.queue = queue
        for _ in 0..<max(1, count) {
            OwnThread.launch(name: name) {
                var state: State = makeState()
                while let work = queue.next() { work(&state) }
            }
        }
    }

    deinit {
        queue.close()
    }

    /// Runs a piece of work on one of the threads and waits for its value without blocking.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable (inout State) -> Value
    ) async throws(Refusal) -> Value {
        let result: Result<Value, Refusal> = await withCheckedContinuation { continuation in
            let refusal: Refusal? = queue.add { state in
                continuation.resume(returning: .success(work(&state)))
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    /// Accepts no more work; the threads end after what already waits.
    package func stop() {
        queue.close()
    }
}

extension BlockingThreads where State == Void {
    package convenience init(name: String, count: Int, waitingLimit: Int) {
        self.init(name: name, count: count, waitingLimit: waitingLimit) {}
    }
}

/// The queue between callers and threads: a mutex and a condition variable, because a thread has to sleep here.
private final class WorkQueue<State>: @unchecked Sendable {
    typealias Work = (inout State) -> Void

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Guarded by the mutex.
    private var waiting: [Work?] = []
    private var head = 0
    private var closed = false
    private let waitingLimit: Int

    init(waitingLimit: Int) {
        self.waitingLimit = waitingLimit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func add(_ work: @escaping Work) -> BlockingThreads<State>.Refusal? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if closed { return .stopped }
        if waiting.count - head >= waitingLimit { return .full }
        waiting.append(work)
        pthread_cond_signal(condition)
        return nil
    }

    /// Sleeps until there is work; nil when the queue is closed and empty.
    func next() -> Work? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == waiting.count {
            if closed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let work: Work? = waiting[head]
        waiting[head] = nil
        head += 1
        if head == waiting.count || head >= 256 {
            waiting.removeFirst(head)
            head = 0
        }
        return work
    }

    func close() {
        pthread_mutex_lock(mutex)
        closed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}

/// Starts threads outside Swift's pools, for loops that block.
package enum OwnThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Runs a closure on a new detached thread; the thread ends with it.
    /// - Parameter name: shown by `top -H`; at most 15 characters count.
    package static func launch(name: String, _ run: @escaping @Sendable () -> Void) {
        let retained: UnsafeMutableRawPointer = Unmanaged.passRetained(Body(name: name, run: run)).toOpaque()
        var thread: pthread_t = 0
        if pthread_create(&thread, nil, enter, retained) == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<Body>.fromOpaque(retained).release()
        }
    }

    private static let enter: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let body: Body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        setName(body.name)
        body.run()
        return nil
    }

    /// Names the calling thread for `top -H`. It only helps whoever looks, so a refusal changes nothing.
    private static func setName(_ name: String) {
        let file: Int32 = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes: [UInt8] = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
    }
}
