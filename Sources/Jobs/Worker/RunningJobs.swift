import Core
import FoundationEssentials
import Synchronization

/// Why a running job is told to stop.
enum Abandonment: Sendable {
    case shutdown
    case leaseLost
}

/// The jobs that this worker holds: whose leases are extended, and who can be told to stop.
final class RunningJobs: Sendable {
    private struct Entry {
        let fence: Int
        var leasedUntil: Date
        let stop: AsyncStream<Abandonment>.Continuation
    }

    private struct State {
        var entries: [JobID: Entry] = [:]
        var lanes: [JobLane: Int] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    /// Notes a claimed job. The stream tells when it must stop.
    func add(_ job: ClaimedJob, leasedUntil: Date) -> AsyncStream<Abandonment> {
        let (stream, stop) = AsyncStream.makeStream(of: Abandonment.self, bufferingPolicy: .bufferingOldest(1))
        state.withLock { state in
            state.entries[job.id] = Entry(fence: job.fence, leasedUntil: leasedUntil, stop: stop)
            state.lanes[job.lane, default: 0] += 1
            if state.isStopping { stop.yield(.shutdown) }
        }
        return stream
    }

    func remove(_ job: ClaimedJob) {
        state.withLock { state in
            state.entries[job.id]?.stop.finish()
            state.entries[job.id] = nil
            state.lanes[job.lane, default: 1] -= 1
        }
    }

    func count(in lane: JobLane) -> Int {
        state.withLock { $0.lanes[lane] ?? 0 }
    }

    var fences: [JobID: Int] {
        state.withLock { $0.entries.mapValues(\.fence) }
    }

    /// After a heartbeat: those it asked about and that are not `kept` are lost.
    func extended(_ asked: [JobID: Int], kept: Set<JobID>, until time: Date) {
        state.withLock { state in
            for (id, fence) in asked where state.entries[id]?.fence == fence {
                if kept.contains(id) {
                    state.entries[id]?.leasedUntil = time
                } else {
                    state.entries[id]?.stop.yield(.leaseLost)
                }
            }
        }
    }

    /// When the database cannot be asked: whoever's lease ran out by our own clock stops.
    func expire(now: Date) {
        state.withLock { state in
            for entry in state.entries.values where entry.leasedUntil <= now { entry.stop.yield(.leaseLost) }
        }
    }

    /// Tells all jobs, and those that come later, to stop.
    func stopAll() {
        state.withLock { state in
            state.isStopping = true
            for entry in state.entries.values { entry.stop.yield(.shutdown) }
        }
    }
}

/// A bell per lane: ringing it many times before somebody listens is ringing it once.
final class LaneBells: Sendable {
    private let streams: [JobLane: AsyncStream<Void>]
    private let bells: [JobLane: AsyncStream<Void>.Continuation]

    init() {
        var streams: [JobLane: AsyncStream<Void>] = [:]
        var bells: [JobLane: AsyncStream<Void>.Continuation] = [:]
        for lane in JobLane.allCases {
            (streams[lane], bells[lane]) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        }
        self.streams = streams
        self.bells = bells
    }

    func ring(_ lane: JobLane) {
        bells[lane]?.yield()
    }

    func ringAll() {
        for bell in bells.values { bell.yield() }
    }

    /// For one listener per lane. Ends after `close`.
    func stream(_ lane: JobLane) -> AsyncStream<Void> {
        streams[lane] ?? AsyncStream { $0.finish() }
    }

    func close() {
        for bell in bells.values { bell.finish() }
    }
}
