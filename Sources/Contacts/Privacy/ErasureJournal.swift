import Core
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The erasures that this node has done, in a file beside the database: `var/erasures.journal`, a line each. A database that
/// was restored from an older backup knows less than the file does, and what it lacks is done again at the next start.
///
/// A line says no address: only ids that nobody has any more, and the hashes that stay on the do-not-send list.
struct ErasureJournal: Sendable {
    /// One person.
    struct Entry: Codable, Sendable, Equatable {
        let workspace: WorkspaceID
        let erasure: ErasureID
        /// The person, and whoever was made one with them.
        let contacts: [ContactID]
        /// In hexadecimal.
        let hashes: [String]
        /// The workspace's secret that made the hashes, sealed as in the database, in hexadecimal.
        let sealedKey: String?
        /// Seconds since 1970.
        let at: Int
    }

    let path: String

    init(varDirectory: String) {
        path = "\(varDirectory)/erasures.journal"
    }

    /// The disk refused.
    struct Failure: Error, CustomStringConvertible {
        let action: String
        let code: Int32
        var description: String { "could not \(action) the journal of erasures: \(String(cString: strerror(code)))" }
    }

    /// Adds a line and forces it to the disk, before the database says that the erasure is done.
    func append(_ entry: Entry) throws {
        let line: [UInt8] = Array(try JSONEncoder().encode(entry)) + [0x0A]
        let descriptor: Int32 = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(action: "open", code: errno) }
        defer { close(descriptor) }
        // One write: lines of jobs that run side by side do not mix.
        let written: Int = line.withUnsafeBytes { bytes in
            var count: Int
            repeat { count = write(descriptor, bytes.baseAddress, bytes.count) } while count < 0 && errno == EINTR
            return count
        }
        guard written == line.count, fsync(descriptor) == 0 else { throw Failure(action: "write", code: errno) }
    }

    /// All lines, each erasure once: its first line is the fullest. A line that a crash cut off is passed over: its erasure was not done.
    func entries() throws -> [Entry] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let data = try Data(contentsOf: URL(filePath: path))
        let decoder = JSONDecoder()
        var found: [ErasureID: Entry] = [:]
        for line in data.split(separator: 0x0A) {
            guard let entry = try? decoder.decode(Entry.self, from: Data(line)) else { continue }
            if found[entry.erasure] == nil { found[entry.erasure] = entry }
        }
        return found.values.sorted { $0.erasure.description < $1.erasure.description }
    }
}
