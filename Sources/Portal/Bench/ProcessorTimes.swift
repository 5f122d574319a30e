import FoundationEssentials
import Glibc

/// Processor time used so far, in seconds, by the portal under test, by the database's processes, and by the bench.
struct ProcessorTimes: Sendable {
    let portal: Double
    let postgres: Double
    let bench: Double

    /// - Parameters:
    ///   - portals: the portal's processes.
    ///   - postmaster: the database server's first process; nil when it is on another machine.
    static func now(portals: [pid_t], postmaster: pid_t?) -> ProcessorTimes {
        ProcessorTimes(
            portal: portals.reduce(0) { $0 + ProcessTable.seconds(of: $1) },
            postgres: postmaster.map { ProcessTable.secondsOfTree($0) } ?? 0,
            bench: ProcessTable.seconds(of: getpid()))
    }
}

/// What `/proc` tells (proc(5)).
enum ProcessTable {
    /// Resident memory now, or the most there was (`VmHWM`), in bytes.
    static func memory(of process: pid_t, peak: Bool = false) -> Int {
        let field = peak ? "VmHWM:" : "VmRSS:"
        for line in text("/proc/\(process)/status").split(separator: "\n") where line.hasPrefix(field) {
            let number = line.dropFirst(field.count).split { $0 == " " || $0 == "\t" }.first
            return (number.flatMap { Int($0) } ?? 0) * 1024
        }
        return 0
    }

    /// Lets the peak begin anew at what is resident now.
    static func resetPeak(of process: pid_t) {
        let file: Int32 = open("/proc/\(process)/clear_refs", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "5", 1)
        close(file)
    }

    static func seconds(of process: pid_t) -> Double {
        guard let fields = stat(process) else { return 0 }
        return Double(fields.own) / ticks
    }

    /// A process with all below it, those that have ended included.
    static func secondsOfTree(_ root: pid_t) -> Double {
        var parents: [pid_t: (parent: pid_t, ticks: Int)] = [:]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in names.compactMap({ pid_t($0) }) {
            if let fields = stat(process) { parents[process] = (fields.parent, fields.own + fields.children) }
        }
        var total = 0
        for (process, entry) in parents {
            var ancestor: pid_t? = process
            while let current = ancestor, current != root { ancestor = parents[current]?.parent }
            if ancestor == root { total += entry.ticks }
        }
        return Double(total) / ticks
    }

    static func parent(of process: pid_t) -> pid_t? {
        stat(process)?.parent
    }

    private static let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static func stat(_ process: pid_t) -> (parent: pid_t, own: Int, children: Int)? {
        let content = text("/proc/\(process)/stat")
        // The name stands in brackets and may hold anything, brackets too.
        guard let end = content.lastIndex(of: ")") else { return nil }
        let fields = content[content.index(after: end)...].split(separator: " ")
        guard fields.count > 15, let parent = pid_t(fields[1]) else { return nil }
        let numbers = fields[11...14].map { Int($0) ?? 0 }
        return (parent, numbers[0] + numbers[1], numbers[2] + numbers[3])
    }

    private static func text(_ path: String) -> String {
        let file: Int32 = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            let count = read(file, buffer.baseAddress, buffer.count)
            return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : ""
        }
    }
}
