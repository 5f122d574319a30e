import Core
import FoundationEssentials
import Postgres

/// Tells higher slices what happened, without knowing them: a row written in the transaction in which it happened, handed
/// to the subscribers afterwards, in order, workspace by workspace.
package struct Outbox: Sendable {
    private let queue: JobQueue
    private let clock: WallClock

    package init(queue: JobQueue, clock: WallClock = .system) {
        self.queue = queue
        self.clock = clock
    }

    /// Publishes an event. It exists exactly when the transaction commits.
    package func publish(
        _ topic: String, _ payload: some Encodable & Sendable, workspace: WorkspaceID, in session: some PostgresSession
    ) async throws {
        try await publish(topic, [payload], workspace: workspace, in: session)
    }

    /// Publishes several events of one topic, in their order, in one round trip.
    package func publish(
        _ topic: String, _ payloads: [some Encodable & Sendable], workspace: WorkspaceID,
        in session: some PostgresSession
    ) async throws {
        guard !payloads.isEmpty else { return }
        let texts: [String] = try payloads.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        try await session.run(
            "outbox.publish",
            """
            INSERT INTO marketing_outbox (workspace_id, topic, payload, created_at)
            SELECT \(workspace), \(topic), new.payload::jsonb, \(clock.now)
            FROM unnest(\(texts)) WITH ORDINALITY AS new (payload, place) ORDER BY new.place
            """)
        try await queue.enqueue(OutboxDelivery(), workspace: workspace, key: "outbox", in: session)
    }
}

/// Something that happened in a workspace.
package struct OutboxEvent: PostgresRow {
    package static let columns: SQL = "position, topic, workspace_id, payload::text, created_at"

    /// Grows with each event.
    package let position: Int
    package let topic: String
    package let workspace: WorkspaceID
    package let publishedAt: Date
    private let payload: String

    package init(row: inout RowReader) throws {
        position = try row.next()
        topic = try row.next()
        workspace = try row.next()
        payload = try row.next()
        publishedAt = try row.next()
    }

    /// The payload as it was published.
    package func decode<Payload: Decodable>(_: Payload.Type = Payload.self) throws -> Payload {
        try JSONDecoder().decode(Payload.self, from: Data(payload.utf8))
    }
}

/// Somebody who wants to know.
struct OutboxSubscriber: Sendable {
    let name: String
    let handle: @Sendable (_ event: OutboxEvent, _ transaction: PostgresTransaction) async throws -> Void
}

/// Delivers the events of one workspace. Its key makes it the only one there, so order is kept.
struct OutboxDelivery: Job {
    static let kind = "outbox.deliver"
    static let lane: JobLane = .transactional
    static let maxAttempts = 1_000_000

    static func register(in registry: inout JobRegistry, database: Database) {
        let deliverer = OutboxDeliverer(database: database, subscribers: registry.subscribers)
        registry.register(OutboxDelivery.self) { _, context in
            try await deliverer.deliver(try context.requireWorkspace(), context)
        }
    }
}

/// Hands out events until none is left. A batch is one transaction; when a handler fails, the events go one by one, so
/// that those before the failing one get through. It is tried again and, after a dozen attempts, set aside: it stays in
/// the table with its error and no longer holds up those behind it.
struct OutboxDeliverer: Sendable {
    static let maxAttempts = 12
    private static let batch = 100

    let database: Database
    let subscribers: [String: [OutboxSubscriber]]

    func deliver(_ workspace: WorkspaceID, _ context: JobContext) async throws {
        var singles = 0
        while true {
            try context.checkCancellation()
            let size: Int = singles > 0 ? 1 : Self.batch
            do {
                let count: Int = try await handOut(workspace, limit: size)
                if count < size { return }
                singles = max(0, singles - 1)
            } catch let error as CancellationError {
                throw error
            } catch  where size > 1 {
                singles = Self.batch
            } catch {
                let attempts: Int = try await note(error, workspace)
                if attempts < Self.maxAttempts {
                    throw JobRetry(
                        after: JobOutcome.retryWait(attempts: attempts, randomness: .system), JobOutcome.describe(error)
                    )
                }
                context.logger.error("An event was set aside", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Answers how many events were handed out.
    private func handOut(_ workspace: WorkspaceID, limit: Int) async throws -> Int {
        try await database.write(workspace) { transaction in
            let events: [OutboxEvent] = try await transaction.all(
                OutboxEvent.self, "outbox.read",
                """
                SELECT \(OutboxEvent.columns) FROM marketing_outbox
                WHERE workspace_id = \(workspace) AND attempts < \(Self.maxAttempts)
                ORDER BY position LIMIT \(limit) FOR UPDATE
                """)
            for event in events {
                for subscriber in subscribers[event.topic] ?? [] { try await subscriber.handle(event, transaction) }
            }
            try await transaction.run(
                "outbox.remove",
                """
                DELETE FROM marketing_outbox
                WHERE workspace_id = \(workspace) AND position = ANY (\(events.map(\.position)))
                """)
            return events.count
        }
    }

    /// Counts an attempt on the first event; answers how many it has had.
    private func note(_ error: any Error, _ workspace: WorkspaceID) async throws -> Int {
        try await database.write(workspace) { transaction in
            let attempts: Int? = try await transaction.value(
                Int?.self, "outbox.note",
                """
                UPDATE marketing_outbox SET attempts = attempts + 1, last_error = \(JobOutcome.describe(error))
                WHERE workspace_id = \(workspace) AND position = (
                    SELECT position FROM marketing_outbox
                    WHERE workspace_id = \(workspace) AND attempts < \(Self.maxAttempts) ORDER BY position LIMIT 1)
                RETURNING attempts
                """)
            return attempts ?? Self.maxAttempts
        }
    }
}
