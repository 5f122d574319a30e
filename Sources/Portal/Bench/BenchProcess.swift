import FoundationEssentials
import Glibc

/// A program that the bench started, with its output in a file.
struct BenchProcess: Sendable {
    let id: pid_t
    /// Nanoseconds of the monotonic clock just before it was started.
    let startedAt: UInt64

    /// - Parameter environment: all of it; nothing is inherited but the search path.
    static func start(
        _ program: String, _ arguments: [String], environment: [String: String], log: String
    ) throws -> BenchProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var variables = environment
        variables["PATH"] = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var values: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + values { free(word) } }
        var process: pid_t = 0
        let startedAt: UInt64 = MonotonicTime.now
        let status: Int32 = posix_spawn(&process, program, &actions, nil, &words, &values)
        guard status == 0 else {
            throw BenchError("\(program) could not be started: \(String(cString: strerror(status))).")
        }
        return BenchProcess(id: process, startedAt: startedAt)
    }

    /// Asks the program to stop, waits up to ten seconds, then ends it.
    func stop(signal: Int32 = SIGTERM) async {
        guard !hasEnded() else { return }
        kill(id, signal)
        for _ in 0..<1000 {
            if hasEnded() { return }
            try? await Task.sleep(for: .milliseconds(10))
        }
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// Whether it has ended; reaps it.
    func hasEnded() -> Bool {
        var status: Int32 = 0
        return waitpid(id, &status, WNOHANG) != 0
    }
}

enum MonotonicTime {
    /// Nanoseconds since the machine started; the same for all processes.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    static func seconds(since start: UInt64) -> Double {
        Double(now - start) / 1_000_000_000
    }
}
