import Core
import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What this process is handing over at the moment, written to a file before and after every message.
///
/// A crash (`kill -9`) loses the memory of the process, not what it has written: the kernel keeps it. So the next process on
/// this machine knows which messages were accepted, which were never begun, and which were in the middle of it; only the
/// last are uncertain. A crash of the machine itself loses the file's tail, and the database then decides by the lease.
///
/// The file is locked for as long as its process lives; a file that can be locked belongs to a dead one.
package final class HandoverJournal: Sendable {
    /// Names the claims of this process in the database.
    package let name: String
    package let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    private struct State {
        var open: Set<UInt32> = []
        var nextTag: UInt32 = 1
        /// Runs are written again after the file was emptied.
        var runs: [JournalRecord.Run] = []
    }

    package enum Flaw: Error, Equatable {
        /// A system call failed; its name and `errno`.
        case system(String, Int32)
    }

    /// The file is emptied when it is larger than this and no batch is open.
    private static let rotationSize = 4 << 20

    /// Makes a journal in a directory, which is made when it is missing.
    package init(directory: String, name: String) throws(Flaw) {
        self.name = name
        path = "\(directory)/\(name).journal"
        try JournalFiles.makeDirectory(directory)
        descriptor = try JournalFiles.openLocked(path)
    }

    deinit {
        _ = close(descriptor)
    }

    /// Removes the file of a process that ends in good order, with nothing left to tell.
    package func removeIfIdle() {
        state.withLock { if $0.open.isEmpty { _ = unlink(path) } }
    }

    /// Says that this process may claim batches of a send.
    package func noteRun(_ run: JournalRecord.Run) throws(Flaw) {
        try state.withLock { state throws(Flaw) in
            guard !state.runs.contains(run) else { return }
            state.runs.append(run)
            try write(.run(run))
        }
    }

    /// Says that a batch was taken. The tag stands for it in the following records.
    package func begin(_ batch: JournalRecord.Batch) throws(Flaw) -> UInt32 {
        try state.withLock { state throws(Flaw) -> UInt32 in
            let tag: UInt32 = state.nextTag
            state.nextTag &+= 1
            state.open.insert(tag)
            try write(.begin(tag, batch))
            return tag
        }
    }

    /// Says that a message is about to be handed over, and how the one before it on the same connection ended.
    ///
    /// This and ``ended(_:tag:)`` need no lock: their batch is open, so the file is not emptied meanwhile, and what is
    /// appended in one call stays together (`O_APPEND`, POSIX write).
    package func handing(_ message: MessageID, after previous: JournalRecord.Result?, tag: UInt32) throws(Flaw) {
        if let previous {
            try write(.ended(tag, previous), .handing(tag, message))
        } else {
            try write(.handing(tag, message))
        }
    }

    package func ended(_ result: JournalRecord.Result, tag: UInt32) throws(Flaw) {
        try write(.ended(tag, result))
    }

    /// Says that the database knows all about a batch.
    package func settled(tag: UInt32) throws(Flaw) {
        try state.withLock { state throws(Flaw) in
            state.open.remove(tag)
            if state.open.isEmpty, lseek(descriptor, 0, SEEK_END) > Self.rotationSize {
                guard ftruncate(descriptor, 0) == 0 else { throw Flaw.system("ftruncate", errno) }
                for run in state.runs { try write(.run(run)) }
            } else {
                try write(.settled(tag))
            }
        }
    }

    private func write(_ records: JournalRecord...) throws(Flaw) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        for record in records { record.append(to: &bytes) }
        try JournalFiles.writeAll(bytes, to: descriptor)
    }
}

/// The journal of this process, made when it is first needed: a process that never sends has none.
package final class HandoverJournals: Sendable {
    package let directory: String
    private let ids: IdentifierSource
    private let journal = Mutex<HandoverJournal?>(nil)

    package init(directory: String, ids: IdentifierSource) {
        self.directory = directory
        self.ids = ids
    }

    package func current() throws(HandoverJournal.Flaw) -> HandoverJournal {
        try journal.withLock { known throws(HandoverJournal.Flaw) -> HandoverJournal in
            if let known { return known }
            let made = try HandoverJournal(directory: directory, name: ids.next(BatchID.self).description)
            known = made
            return made
        }
    }
}

/// The system calls of the journal.
enum JournalFiles {
    static func makeDirectory(_ path: String) throws(HandoverJournal.Flaw) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .system("mkdir", errno)
        }
    }

    /// Opens and locks; fails with `EWOULDBLOCK` when another process holds the file.
    static func openLocked(_ path: String) throws(HandoverJournal.Flaw) -> Int32 {
        let descriptor: Int32 = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code: Int32 = errno
            _ = close(descriptor)
            throw .system("flock", code)
        }
        return descriptor
    }

    /// A signal may interrupt a write before its first byte; then it is written again.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(HandoverJournal.Flaw) {
        var offset = 0
        while offset < bytes.count {
            let written: Int = bytes.withUnsafeBytes { buffer in
                write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw .system("write", errno)
            }
            offset += written
        }
    }

    static func readAll(_ descriptor: Int32) throws(HandoverJournal.Flaw) -> [UInt8] {
        guard lseek(descriptor, 0, SEEK_SET) >= 0 else { throw .system("lseek", errno) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count: Int = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("read", errno)
            }
            if count == 0 { return content }
            content += chunk[..<count]
        }
    }
}
