import Core
import FoundationEssentials
import Postgres
import Synchronization

/// Workspaces by id and by routing key, remembered for a few seconds: every page, message and click asks.
package final class WorkspaceDirectory: Sendable {
    private struct Known {
        let workspace: Workspace
        let until: Date
    }

    private struct Memory {
        var byID: [WorkspaceID: Known] = [:]
        var byRoutingKey: [Int32: WorkspaceID] = [:]
    }

    private let database: Database
    private let clock: WallClock
    private let memory = Mutex(Memory())
    private static let lifetime: TimeInterval = 5
    private static let capacity = 10_000

    init(database: Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// The workspace as it was at most five seconds ago; nil when there is none.
    package func workspace(_ id: WorkspaceID) async throws -> Workspace? {
        let now = clock.now
        if let known = memory.withLock({ $0.byID[id] }), known.until > now { return known.workspace }
        let found = try await database.session { session in
            try await session.first(
                Workspace.self, "accounts.workspace.find",
                "SELECT \(Workspace.columns) FROM marketing_workspaces WHERE id = \(id)")
        }
        if let found { remember(found, now) }
        return found
    }

    /// The workspace whose routing key a message id carries; nil when there is none.
    package func workspace(routingKey: Int32) async throws -> WorkspaceID? {
        if let known = memory.withLock({ $0.byRoutingKey[routingKey] }) { return known }
        let found = try await database.session { session in
            try await session.first(
                Workspace.self, "accounts.workspace.route",
                "SELECT \(Workspace.columns) FROM marketing_workspaces WHERE routing_key = \(routingKey)")
        }
        if let found { remember(found, clock.now) }
        return found?.id
    }

    /// The workspace of a routing key if it is remembered: for callers that cannot wait.
    package func remembered(routingKey: Int32) -> Workspace? {
        let known: Known? = memory.withLock { memory in memory.byRoutingKey[routingKey].flatMap { memory.byID[$0] } }
        guard let known, known.until > clock.now else { return nil }
        return known.workspace
    }

    /// Forgets what it knows of a workspace after its settings changed on this node.
    package func forget(_ id: WorkspaceID) {
        memory.withLock { memory in
            guard let known = memory.byID.removeValue(forKey: id) else { return }
            memory.byRoutingKey[known.workspace.routingKey] = nil
        }
    }

    private func remember(_ workspace: Workspace, _ now: Date) {
        memory.withLock { memory in
            if memory.byID.count >= Self.capacity { memory = Memory() }
            memory.byID[workspace.id] = Known(workspace: workspace, until: now.addingTimeInterval(Self.lifetime))
            memory.byRoutingKey[workspace.routingKey] = workspace.id
        }
    }
}
