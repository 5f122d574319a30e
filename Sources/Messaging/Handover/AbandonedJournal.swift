import Core
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The journal of a process that is gone, held while it is evaluated.
package struct AbandonedJournal: ~Copyable {
    /// What the journal proves of one batch.
    package struct Testimony: Sendable, Equatable {
        package let batch: JournalRecord.Batch
        package var outcomes: [MessageID: HandoverOutcome] = [:]
        /// Handed over, and no answer noted.
        package var unanswered: Set<MessageID> = []
    }

    package let name: String
    /// The sends that the process may have claimed batches of.
    package let runs: [JournalRecord.Run]
    /// The batches that it began and did not settle.
    package let batches: [Testimony]
    private let path: String
    private let descriptor: Int32

    deinit { _ = close(descriptor) }

    /// Removes the file, after everything it told is in the database.
    package consuming func discard() {
        _ = unlink(path)
    }

    /// Takes a journal; nil while its process lives, or when it is gone meanwhile.
    package init?(path: String) throws(HandoverJournal.Flaw) {
        let file: Int32 = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("open", errno)
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            _ = close(file)
            return nil
        }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_nlink > 0 else {
            _ = close(file)
            return nil
        }
        let records: [JournalRecord]
        do {
            records = JournalRecord.parse(try JournalFiles.readAll(file))
        } catch {
            _ = close(file)
            throw error
        }
        descriptor = file
        self.path = path
        name = Self.name(of: path)
        (runs, batches) = Self.evaluate(records)
    }

    /// The paths of all journals in a directory, of living and of dead processes.
    package static func paths(in directory: String) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return [] }
        return names.filter { $0.hasSuffix(".journal") }.sorted().map { "\(directory)/\($0)" }
    }

    static func name(of path: String) -> String {
        let file: Substring = path.split(separator: "/").last ?? ""
        return String(file.dropLast(".journal".count))
    }

    /// The pure part: from records to what they prove.
    package static func evaluate(_ records: [JournalRecord]) -> ([JournalRecord.Run], [Testimony]) {
        var runs: [JournalRecord.Run] = []
        var open: [UInt32: Testimony] = [:]
        for record in records {
            switch record {
            case .run(let run):
                if !runs.contains(run) { runs.append(run) }
            case .begin(let tag, let batch):
                open[tag] = Testimony(batch: batch)
                if !runs.contains(batch.run) { runs.append(batch.run) }
            case .handing(let tag, let message):
                open[tag]?.unanswered.insert(message)
            case .ended(let tag, let result):
                open[tag]?.unanswered.remove(result.message)
                open[tag]?.outcomes[result.message] = result.outcome
            case .settled(let tag):
                open[tag] = nil
            }
        }
        return (runs, open.sorted { $0.key < $1.key }.map(\.value))
    }
}
