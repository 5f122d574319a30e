import Glibc

/// A thread that runs the jobs of one actor, one after the other. libpq's calls may wait here without blocking
/// anybody else.
///
/// `@unchecked Sendable`: `jobs` and `isStopping` are only touched under `mutex`.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
    private struct Entry {
        let job: UnownedJob
        /// Nil for jobs of actors that this thread is the executor of.
        let taskExecutor: UnownedTaskExecutor?
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let arrived: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [Entry] = []
    private var isStopping: Bool = false

    init() {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        arrived = .allocate(capacity: 1)
        arrived.initialize(to: pthread_cond_t())
        pthread_cond_init(arrived, nil)
        jobs.reserveCapacity(16)
    }

    deinit {
        pthread_cond_destroy(arrived)
        arrived.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Starts the thread, which keeps this object alive until `stop`. Throws when the system has no thread to give.
    func start() throws(PostgresError) {
        let isStarted: Bool = Pthread.start { [self] in runJobs() }
        if !isStarted { throw .connectionLost(query: "connect", reason: "no thread could be started") }
    }

    /// Lets the jobs that wait finish, then ends the thread.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopping = true
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        enqueue(UnownedJob(job), of: nil)
    }

    /// Runs a job of a task that prefers this thread.
    func enqueue(_ job: UnownedJob, of taskExecutor: UnownedTaskExecutor?) {
        pthread_mutex_lock(mutex)
        jobs.append(Entry(job: job, taskExecutor: taskExecutor))
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(mutex)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    private func runJobs() {
        var batch: [Entry] = []
        batch.reserveCapacity(16)
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty, !isStopping { pthread_cond_wait(arrived, mutex) }
            swap(&batch, &jobs)
            pthread_mutex_unlock(mutex)
            if batch.isEmpty { return }
            for entry in batch { run(entry) }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func run(_ entry: Entry) {
        if let executor = entry.taskExecutor {
            entry.job.runSynchronously(on: executor)
        } else {
            entry.job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}

/// A thread for one connection and the task that uses it: between the two nobody has to be woken, which costs as much as a
/// small statement.
package final class PostgresThread: TaskExecutor {
    let thread: ConnectionThread

    /// Nil when the system has no thread to give.
    package init?() {
        thread = ConnectionThread()
        do throws(PostgresError) { try thread.start() } catch { return nil }
    }

    deinit {
        thread.stop()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        thread.enqueue(UnownedJob(job), of: asUnownedTaskExecutor())
    }
}

/// Threads outside the cooperative pool.
enum Pthread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs the closure on a new, detached thread with all signals blocked. False when there is none to be had.
    static func start(_ run: @escaping @Sendable () -> Void) -> Bool {
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let status: Int32 = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
