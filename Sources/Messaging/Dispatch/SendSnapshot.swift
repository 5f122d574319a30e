import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Writes the audience of a send into the ledger. The first chunk is small, so that sending begins at once, and each is
/// larger than the one before by no more than what is sent while it is written; a crash goes on from the last chunk that was
/// committed. While a segment of the audience is being filled it waits.
struct SendSnapshot: Sendable {
    let services: AppServices
    let readiness: AudienceReadiness
    let firstChunk: Int
    let chunk: Int
    let batchSize: Int

    /// A person is written in about a third of the time that a message takes.
    private static let growth = 3

    /// How soon it is looked again whether a segment is filled, in seconds.
    static let fillingWait: Double = 2

    init(
        services: AppServices, readiness: AudienceReadiness = AudienceReadiness(segments: nil), firstChunk: Int = 1000,
        chunk: Int = 20_000, batchSize: Int = 200
    ) {
        self.services = services
        self.readiness = readiness
        self.firstChunk = firstChunk
        self.chunk = chunk
        self.batchSize = batchSize
    }

    func write(_ run: JournalRecord.Run) async throws {
        guard let workspace = try await services.directory.workspace(run.workspace) else { return }
        while try await writeNext(run, routingKey: workspace.routingKey) {}
    }

    /// One chunk in one transaction. Answers whether there may be more.
    func writeNext(_ run: JournalRecord.Run, routingKey: Int32) async throws -> Bool {
        try await services.workerDatabase.write(run.workspace, timeout: .seconds(60)) { tx in
            let erased = try await ErasedAddresses.load(run.workspace, services: services, in: tx)
            let queries = SnapshotQueries(workspace: run.workspace, tx: tx, erased: erased)
            let sends = SendQueries(workspace: run.workspace, tx: tx)
            guard let progress = try await queries.lockedProgress(of: run.send) else { return false }
            guard let audience = try await sends.audience(run.send), let state = try await sends.state(run.send),
                !state.isFinal
            else { return false }
            if progress.isComplete {
                try await wakeDispatcher(run, in: tx)
                return false
            }
            let isFirst: Bool = progress.nextPosition == 0
            let gaps: [AudienceGap] = try await readiness.gaps(audience, workspace: run.workspace, in: tx)
            if let filling = gaps.first(where: { $0.cause == .filling }) {
                try await wait(for: filling, run, in: tx)
                return false
            }
            // Nothing was sent yet, so what is said there can only be that it waited.
            if isFirst { try await sends.setNotice(run.send, nil) }
            let limit: Int = min(chunk, max(firstChunk, progress.nextPosition * Self.growth))
            let size: Int = isFirst ? min(batchSize, max(1, firstChunk / 20)) : batchSize
            let written = try await queries.writeChunk(
                of: run.send, audience: audience, from: progress, routingKey: routingKey, now: services.clock.now,
                limit: limit, batchSize: size)
            guard let written else { return false }
            let isLast: Bool = written.people < limit
            try await queries.save(
                run.send, after: written.last, nextPosition: progress.nextPosition + max(written.decided, 1),
                isComplete: isLast)
            if isFirst || isLast { try await wakeDispatcher(run, in: tx) }
            try await queries.count(
                run.send, written: written.written, skipped: written.skipped, isComplete: isLast)
            return !isLast
        }
    }

    /// Says that the send waits, and looks again soon.
    private func wait(
        for segment: AudienceGap, _ run: JournalRecord.Run, in tx: PostgresTransaction
    ) async throws {
        try await SendQueries(workspace: run.workspace, tx: tx)
            .setNotice(run.send, "It waits until the segment “\(segment.name)” is filled.")
        try await services.jobs.enqueue(
            SnapshotSend(workspace: run.workspace, send: run.send), workspace: run.workspace,
            key: "snapshot:\(run.send)", at: services.clock.now.addingTimeInterval(Self.fillingWait), in: tx)
    }

    private func wakeDispatcher(_ run: JournalRecord.Run, in tx: PostgresTransaction) async throws {
        try await services.jobs.enqueue(
            DispatchSend(workspace: run.workspace, send: run.send), workspace: run.workspace,
            key: "dispatch:\(run.send):0", in: tx)
    }
}
