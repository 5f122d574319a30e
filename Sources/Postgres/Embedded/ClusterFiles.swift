import FoundationEssentials
import Glibc

/// Where a private cluster keeps its things.
struct ClusterFiles: Equatable {
    /// All that belongs to the cluster; belongs to the server's user, nobody else may look in.
    let home: String

    var data: String { home + "/data" }
    var log: String { home + "/server.log" }
    var lock: String { home + "/portal.lock" }

    /// Where the socket is. Its path may have 107 bytes, so a long home has it under /tmp.
    var socket: String {
        let inside: String = home + "/socket"
        if inside.utf8.count + "/.s.PGSQL.5432".utf8.count <= 100 { return inside }
        return "/tmp/portal-postgres-" + ClusterFiles.shortHash(home)
    }

    /// The version that made the data; nil when there is none yet.
    var madeBy: Int? {
        guard let bytes = FileManager.default.contents(atPath: data + "/PG_VERSION") else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).trimmingNewline)
    }

    /// The server that runs on the data, as its pid file says.
    var runningServer: pid_t? {
        guard let bytes = FileManager.default.contents(atPath: data + "/postmaster.pid"),
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first, let process = pid_t(line),
            ChildProcess.isAlive(process), ClusterFiles.isPostgres(process)
        else { return nil }
        return process
    }

    /// After a reboot the number in a stale pid file may belong to another program.
    private static func isPostgres(_ process: pid_t) -> Bool {
        guard let name = FileManager.default.contents(atPath: "/proc/\(process)/comm") else { return false }
        return String(decoding: name, as: UTF8.self).hasPrefix("postgres")
    }

    /// The last lines of the server's log, for error messages.
    var logTail: String {
        guard let bytes = FileManager.default.contents(atPath: log) else { return "" }
        let lines = String(decoding: bytes.suffix(4096), as: UTF8.self).split(separator: "\n").suffix(5)
        return lines.joined(separator: "\n")
    }

    /// Makes the directories and gives them to the server's user. As root, below a directory that this user may not
    /// enter (`/root`), the cluster stands under /var/lib instead, always at the same place for the same path.
    static func prepare(_ wanted: String, for user: ServerUser) throws(EmbeddedPostgresError) -> ClusterFiles {
        let absolute: String = wanted.hasPrefix("/") ? wanted : FileManager.default.currentDirectoryPath + "/" + wanted
        var home: String = absolute
        if user.mustSwitch, !mayEnter(ancestorsOf: absolute, user) {
            home = "/var/lib/marketing-portal/" + shortHash(absolute)
        }
        let files = ClusterFiles(home: home)
        for directory in [home, files.socket] {
            do {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            } catch {
                throw EmbeddedPostgresError("The directory \(directory) for PostgreSQL cannot be made.")
            }
            try files.own(directory, user)
        }
        return files
    }

    private func own(_ directory: String, _ user: ServerUser) throws(EmbeddedPostgresError) {
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw EmbeddedPostgresError("\(directory) is no directory.")
        }
        if user.mustSwitch, status.st_uid != user.id, lchown(directory, user.id, user.group) != 0 {
            throw EmbeddedPostgresError("\(directory) cannot be given to the user that runs PostgreSQL.")
        }
        if !user.mustSwitch, status.st_uid != user.id {
            throw EmbeddedPostgresError("\(directory) belongs to another user.")
        }
        if status.st_mode & 0o7777 != 0o700, chmod(directory, 0o700) != 0 {
            throw EmbeddedPostgresError("The permissions of \(directory) cannot be set.")
        }
    }

    private static func mayEnter(ancestorsOf path: String, _ user: ServerUser) -> Bool {
        var parent: String = path
        while let slash = parent.lastIndex(of: "/"), parent != "/" {
            parent = slash == parent.startIndex ? "/" : String(parent[..<slash])
            var status = stat()
            guard stat(parent, &status) == 0 else { continue }
            let bit: mode_t = status.st_uid == user.id ? 0o100 : status.st_gid == user.group ? 0o010 : 0o001
            if status.st_mode & bit == 0 { return false }
        }
        return true
    }

    /// Eight characters that stand for a path (FNV-1a).
    static func shortHash(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 36)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits.suffix(8)
    }
}

extension String {
    var trimmingNewline: String {
        var text: Substring = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}
