import Core
import FoundationEssentials
import Postgres

/// Which handler runs which kind of job, which schedules exist and who listens to the outbox. Filled by the slices when
/// the portal starts.
package struct JobRegistry: Sendable {
    struct Handler: Sendable {
        let timeout: Duration
        let run: @Sendable (_ payload: String, _ context: JobContext) async throws -> Void
    }

    private(set) var handlers: [String: Handler] = [:]
    private(set) var schedules: [JobSchedule] = []
    private(set) var subscribers: [String: [OutboxSubscriber]] = [:]

    package init() {}

    /// The kinds of jobs that can be run, sorted.
    package var kinds: [String] { handlers.keys.sorted() }

    /// Registers the handler of a kind. A payload that cannot be read any more is an error like any other.
    package mutating func register<J: Job>(
        _: J.Type, _ body: @escaping @Sendable (_ job: J, _ context: JobContext) async throws -> Void
    ) {
        handlers[J.kind] = Handler(timeout: J.timeout) { payload, context in
            try await body(try JSONDecoder().decode(J.self, from: Data(payload.utf8)), context)
        }
    }

    /// Runs work regularly, on one node at a time. A run that is still under way is not overlapped.
    package mutating func schedule(
        _ name: String, _ rule: ScheduleRule, lane: JobLane = .maintenance, timeout: Duration = .seconds(600),
        _ body: @escaping @Sendable (_ context: JobContext) async throws -> Void
    ) {
        let schedule = JobSchedule(name: name, rule: rule, lane: lane)
        schedules.append(schedule)
        handlers[schedule.kind] = Handler(timeout: timeout) { _, context in try await body(context) }
    }

    /// `schedule(name, .every(interval))`.
    package mutating func schedule(
        _ name: String, every interval: Duration, lane: JobLane = .maintenance, timeout: Duration = .seconds(600),
        _ body: @escaping @Sendable (_ context: JobContext) async throws -> Void
    ) {
        schedule(name, .every(interval), lane: lane, timeout: timeout, body)
    }

    /// Calls a handler for each event of a topic, in the order of publishing per workspace. It runs in a transaction of
    /// the event's workspace, in which the event is also removed: effects in the database happen exactly once.
    package mutating func subscribe(
        _ topic: String, as name: String,
        _ body: @escaping @Sendable (_ event: OutboxEvent, _ transaction: PostgresTransaction) async throws -> Void
    ) {
        subscribers[topic, default: []].append(OutboxSubscriber(name: name, handle: body))
    }
}
