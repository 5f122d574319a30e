import Accounts
import Core
import FoundationEssentials
import Glibc
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Clicks that cannot be stored at the moment, in a file until they can. Whoever clicks is led on all the same: the address
/// says where to, and nobody should wait for our database.
///
/// Each process has a file of its own, which it holds a lock on; a file that can be locked is read by whoever finds it, so
/// those of a process that ended are not lost. An event keeps its id, so one that was stored before is not stored again.
final class ClickSpool: Sendable {
    /// The file is full, or cannot be written.
    struct Refused: Error {
        let reason: String
    }

    /// A click as a line of the file. Its workspace is found by the message, because it may be what could not be asked.
    struct Entry: Codable, Equatable {
        let id: Identifier<EmailEventTag>
        let message: MessageID
        let link: Int?
        let url: String?
        let occurredAt: Date
        let kind: EngagementClass.Kind
        let reason: String
        let userAgent: String
        let network: String

        init(_ event: EmailEvent) {
            id = event.id
            message = event.engagement.message
            link = event.linkNumber
            url = event.url
            occurredAt = event.engagement.occurredAt
            kind = event.engagementClass.kind
            reason = event.engagementClass.reason
            userAgent = event.userAgent
            network = event.network
        }

        func event(in workspace: WorkspaceID) -> EmailEvent {
            EmailEvent(
                id: id, workspace: workspace,
                engagement: Engagement(
                    message: message, kind: .click, occurredAt: occurredAt, isHuman: kind == .human),
                linkNumber: link, url: url, engagementClass: EngagementClass(kind: kind, reason: reason),
                userAgent: userAgent, network: network)
        }
    }

    private struct File {
        let descriptor: Int32
        var bytes = 0
    }

    let directory: String
    private let limit: Int
    private let ids: IdentifierSource
    private let file = Mutex<File?>(nil)

    /// - Parameter limit: bytes that a process keeps at most.
    init(directory: String, ids: IdentifierSource, limit: Int = 256 << 20) {
        self.directory = directory
        self.ids = ids
        self.limit = limit
    }

    deinit {
        file.withLock { if let descriptor = $0?.descriptor { close(descriptor) } }
    }

    /// Writes a click down. Answers whether it is the first since the file was last put away.
    func keep(_ event: EmailEvent) throws -> Bool {
        var line: [UInt8] = Array(try JSONEncoder().encode(Entry(event)))
        line.append(10)
        return try file.withLock { file in
            let isFirst: Bool = file == nil
            var open: File = try file ?? File(descriptor: make())
            file = open
            guard open.bytes + line.count <= limit else { throw Refused(reason: "\(limit) bytes are kept already") }
            guard write(open.descriptor, line, line.count) == line.count else {
                throw Refused(reason: "write: \(errno)")
            }
            open.bytes += line.count
            file = open
            return isFirst
        }
    }

    private func make() throws -> Int32 {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = "\(directory)/\(ids.next(Identifier<EmailEventTag>.self)).clicks"
        let descriptor: Int32 = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Refused(reason: "open: \(errno)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code: Int32 = errno
            close(descriptor)
            throw Refused(reason: "flock: \(code)")
        }
        return descriptor
    }

    /// Takes the files that nobody writes any more, this process's own among them, and hands over what is in each. A file is
    /// removed when that worked; otherwise it stays as it is.
    /// - Returns: how many clicks were handed over.
    func empty(_ store: ([Entry]) async throws -> Void) async throws -> Int {
        file.withLock { file in
            if let descriptor = file?.descriptor { close(descriptor) }
            file = nil
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return 0 }
        var count = 0
        for name in names.sorted() where name.hasSuffix(".clicks") {
            let path = "\(directory)/\(name)"
            let descriptor: Int32 = open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, FileManager.default.fileExists(atPath: path),
                let bytes = FileManager.default.contents(atPath: path)
            else { continue }
            // A line that a crash cut off is no click.
            let entries: [Entry] = bytes.split(separator: 10).compactMap {
                try? JSONDecoder().decode(Entry.self, from: Data($0))
            }
            try await store(entries)
            unlink(path)
            count += entries.count
        }
        return count
    }
}

extension EngagementClass.Kind: Codable {}

/// Stores what was kept as soon as that works again.
struct ClickSpoolKeeper: Service {
    let spool: ClickSpool
    let services: AppServices
    let store: EmailEventStore
    let interval: Duration

    private static let eventsPerStatement = 500

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await round()
                guard (try? await Task.sleep(for: interval)) != nil else { return }
            }
        }
    }

    /// Stores everything that is kept; what cannot be stored stays for the next round.
    func round() async {
        do {
            let count: Int = try await spool.empty { try await put($0) }
            if count > 0 {
                services.logger.notice("Clicks that were kept in a file are stored", metadata: ["clicks": "\(count)"])
            }
        } catch {
            services.logger.warning("Clicks are still kept in a file", metadata: ["error": "\(error)"])
        }
    }

    private func put(_ entries: [ClickSpool.Entry]) async throws {
        var byRoute: [Int32: [ClickSpool.Entry]] = [:]
        for entry in entries { byRoute[entry.message.routingKey, default: []].append(entry) }
        for (route, own) in byRoute.sorted(by: { $0.key < $1.key }) {
            guard let workspace = try await services.directory.workspace(routingKey: route),
                try await services.directory.workspace(workspace)?.trackClicks == true
            else { continue }
            for first in stride(from: 0, to: own.count, by: Self.eventsPerStatement) {
                let part: ArraySlice<ClickSpool.Entry> = own[first..<min(first + Self.eventsPerStatement, own.count)]
                try await put(part.map { $0.event(in: workspace) })
            }
        }
    }

    /// Events that were stored before, by a commit whose answer was lost, are refused by their key and left out.
    private func put(_ events: [EmailEvent]) async throws {
        do {
            try await store.store(events)
        } catch let error as PostgresError where error.isUniqueViolation() {
            guard events.count > 1 else { return }
            for event in events { try await put([event]) }
        }
    }
}
