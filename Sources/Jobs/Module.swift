import Core
import Postgres
import FoundationEssentials
package enum JobLane: String, Sendable, Codable { case transactional, bulk, maintenance }
package protocol Job: Codable, Sendable { static var kind: String { get }; static var lane: JobLane { get } }
extension Job { package static var lane: JobLane { .bulk } }
package struct JobContext: Sendable {}
package struct JobQueue: Sendable {
 package init() {}
 package func enqueue(_ job: some Job, workspace: WorkspaceID?, key: String? = nil, at: Date? = nil, in tx: PostgresTransaction) async throws {} }
package struct JobRegistry: Sendable {
 package init() {}
 package mutating func register<J: Job>(_: J.Type, _ body: @escaping @Sendable (J, JobContext) async throws -> Void) {}
 package mutating func schedule(_ name: String, every: Duration, _ body: @escaping @Sendable (JobContext) async throws -> Void) {} }
