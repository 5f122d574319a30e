import CLibPQ
import Glibc

/// Why the private cluster does not run, in words for the person who starts the portal.
package struct EmbeddedPostgresError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The user that PostgreSQL runs as. It refuses to run as root.
struct ServerUser: Equatable {
    let id: uid_t
    let group: gid_t
    /// The portal is root and must drop its rights for the server.
    let mustSwitch: Bool

    static func current() throws(EmbeddedPostgresError) -> ServerUser {
        if geteuid() != 0 { return ServerUser(id: geteuid(), group: getegid(), mustSwitch: false) }
        for name in ["postgres", "nobody"] {
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var buffer = [CChar](repeating: 0, count: 16384)
            if getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil {
                return ServerUser(id: entry.pw_uid, group: entry.pw_gid, mustSwitch: true)
            }
        }
        throw EmbeddedPostgresError(
            "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.")
    }
}

/// Starts programs of PostgreSQL. These calls block and belong on a thread of their own.
enum ChildProcess {
    /// Whether the program dies with the thread that started it.
    enum Tie { case diesWithUs, none }

    /// Starts a program with its output going to the end of a log file, in a process group of its own, so that Ctrl-C
    /// at the terminal reaches the portal alone.
    static func start(
        _ program: String, _ arguments: [String], as user: ServerUser, tie: Tie, log: String
    ) throws(EmbeddedPostgresError) -> pid_t {
        let command: [String] = try prefix(user, tie) + [program] + arguments
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags: Int32 = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETPGROUP)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("LC_ALL=C.UTF-8"), strdup("PATH=/usr/bin:/bin"), nil]
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for word in words + environment { free(word) } }
        var process: pid_t = 0
        let status: Int32 = posix_spawn(&process, command[0], &actions, &attributes, &words, &environment)
        guard status == 0 else {
            throw EmbeddedPostgresError("\(command[0]) could not be started: \(String(cString: strerror(status))).")
        }
        return process
    }

    /// Drops root's rights and asks the kernel to stop the server when the portal is gone, `kill -9` included.
    private static func prefix(_ user: ServerUser, _ tie: Tie) throws(EmbeddedPostgresError) -> [String] {
        var words: [String] = []
        if user.mustSwitch { words += ["--reuid=\(user.id)", "--regid=\(user.group)", "--clear-groups"] }
        if tie == .diesWithUs { words += ["--pdeathsig", "INT"] }
        guard !words.isEmpty else { return [] }
        let places: [String] = ["/usr/bin/setpriv", "/bin/setpriv"]
        if let setpriv = places.first(where: { access($0, X_OK) == 0 }) {
            return [setpriv] + words + ["--"]
        }
        guard user.mustSwitch else { return [] }
        throw EmbeddedPostgresError(
            "The program setpriv (package util-linux) is needed to run PostgreSQL when started as root.")
    }

    /// Whether the child has ended; reaps it.
    static func hasEnded(_ process: pid_t) -> Bool {
        var status: Int32 = 0
        return waitpid(process, &status, WNOHANG) != 0
    }

    /// Waits for a short-lived program; answers its exit code.
    static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            if errno != EINTR { return -1 }
        }
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// Whether a process that need not be our child is there.
    static func isAlive(_ process: pid_t) -> Bool {
        kill(process, 0) == 0 || errno == EPERM
    }
}
