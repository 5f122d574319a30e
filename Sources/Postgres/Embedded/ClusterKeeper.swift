import Glibc

/// Does the blocking work of the private cluster on one thread that lives as long as the cluster: the kernel stops
/// the server when the *thread* that started it ends, so it may not be one that comes and goes.
actor ClusterKeeper {
    private let thread: ConnectionThread
    private let options: ClusterOptions
    private let tie: ChildProcess.Tie
    private let user: ServerUser
    nonisolated let files: ClusterFiles
    private var server: pid_t?
    private var lock: Int32 = -1

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    init(directory: String, options: ClusterOptions, tie: ChildProcess.Tie) throws {
        user = try ServerUser.current()
        files = try ClusterFiles.prepare(directory, for: user)
        self.options = options
        self.tie = tie
        thread = ConnectionThread()
        try thread.start()
    }

    deinit {
        if lock >= 0 { close(lock) }
        thread.stop()
    }

    /// Whether this process keeps the cluster. False when another portal with the same directory does.
    func takeLock() throws(EmbeddedPostgresError) -> Bool {
        if lock >= 0 { return true }
        let descriptor: Int32 = open(files.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw EmbeddedPostgresError("\(files.lock) cannot be opened.") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return false
        }
        lock = descriptor
        return true
    }

    var isKeeping: Bool { lock >= 0 }

    func releaseLock() {
        if lock >= 0 { close(lock) }
        lock = -1
    }

    /// Makes the cluster unless there is one. Made beside its place and moved there whole, so that a kill in between
    /// leaves nothing half done.
    func makeCluster() throws(EmbeddedPostgresError) {
        guard files.madeBy == nil else { return }
        let binaries = try ServerBinaries.find(madeBy: nil)
        let fresh: String = files.home + "/data.new"
        var arguments: [String] = [
            "--pgdata=\(fresh)", "--username=marketing", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-instructions",
        ]
        if !options.isDurable { arguments.append("--no-sync") }
        try removeTree(fresh)
        let process: pid_t = try ChildProcess.start(
            binaries.initdb, arguments, as: user, tie: .diesWithUs, log: files.log)
        guard ChildProcess.wait(process) == 0 else {
            throw EmbeddedPostgresError("PostgreSQL could not make its data directory.\n\(files.logTail)")
        }
        guard rename(fresh, files.data) == 0 else {
            throw EmbeddedPostgresError("\(fresh) could not be moved to its place.")
        }
    }

    private func removeTree(_ path: String) throws(EmbeddedPostgresError) {
        guard access(path, F_OK) == 0 else { return }
        let process: pid_t = try ChildProcess.start("/bin/rm", ["-rf", path], as: user, tie: .none, log: files.log)
        _ = ChildProcess.wait(process)
    }

    func startServer() throws(EmbeddedPostgresError) {
        let binaries = try ServerBinaries.find(madeBy: files.madeBy)
        server = try ChildProcess.start(
            binaries.postgres, options.arguments(files), as: user, tie: tie, log: files.log)
    }

    /// Whether the server that we started has ended by itself.
    func hasServerEnded() -> Bool {
        guard let server else { return true }
        guard ChildProcess.hasEnded(server) else { return false }
        self.server = nil
        return true
    }

    /// A server left by an earlier run, with nobody to keep it.
    func leftoverServer() -> pid_t? {
        guard let process = files.runningServer, process != server else { return nil }
        return process
    }

    /// Fast shutdown: ends connections, writes everything. Immediate when that takes too long.
    func signalServer(isPatient: Bool) {
        guard let process = server ?? files.runningServer else { return }
        kill(process, isPatient ? SIGINT : SIGQUIT)
    }

    func signal(_ process: pid_t, isPatient: Bool) {
        kill(process, isPatient ? SIGINT : SIGQUIT)
    }
}
