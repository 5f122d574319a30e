import Core
import Postgres
import Synchronization

/// How many people a workspace has, and the revision that every change of them raises.
package enum ContactTotals {
    /// Settles the workspace's count. Belongs to the end of a transaction: the row is locked until it commits.
    static func adding(_ count: Int, _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.totals.add",
            """
            INSERT INTO marketing_contact_totals AS t (workspace_id, contact_count, revision)
            VALUES (\(scope.workspace), \(count), 1)
            ON CONFLICT (workspace_id) DO UPDATE
                SET contact_count = t.contact_count + \(count), revision = t.revision + 1
            """)
    }

    /// The number of people who are not deleted.
    package static func count(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> Int {
        try await state(scope, in: session).count
    }

    static func state(_ scope: WorkspaceScope, in session: some PostgresSession) async throws -> State {
        try await session.first(State.self, "contacts.totals.read", State.select(scope)) ?? State()
    }

    struct State: Sendable, Equatable, PostgresRow {
        var count: Int = 0
        var revision: Int = 0
        /// People whose changes by an import are not in the search table yet.
        var unindexed: Int = 0

        init() {}

        init(row: inout RowReader) throws {
            count = try row.next()
            revision = try row.next()
            unindexed = try row.next()
        }

        static let columns: SQL = "contact_count, revision, unindexed_count"

        static func select(_ scope: WorkspaceScope) -> SQL {
            "SELECT \(columns) FROM marketing_contact_totals WHERE workspace_id = \(scope.workspace)"
        }
    }
}

/// How many people match a filter, as far as it was counted.
enum MatchCount: Sendable, Equatable {
    case exactly(Int)
    case moreThan(Int)
    case about(Int)

    /// Counting stops here: nobody reads the exact number of fifty thousand people, and it would cost more than the page.
    static let limit: Int = 10_000

    var atLeast: Int {
        switch self {
        case .exactly(let count), .moreThan(let count), .about(let count): count
        }
    }
}

/// Remembers counts of filters for as long as the workspace's people do not change: the revision is part of the key, so
/// a remembered count is never wrong.
final class MatchCountMemory: Sendable {
    private struct Key: Hashable {
        let workspace: WorkspaceID
        let revision: Int
        let filter: ContactFilter
    }

    private let counts = Mutex<[Key: MatchCount]>([:])
    private static let capacity: Int = 4096

    func count(_ scope: WorkspaceScope, _ revision: Int, _ filter: ContactFilter) -> MatchCount? {
        counts.withLock { $0[Key(workspace: scope.workspace, revision: revision, filter: filter)] }
    }

    func remember(_ count: MatchCount, _ scope: WorkspaceScope, _ revision: Int, _ filter: ContactFilter) {
        counts.withLock { counts in
            if counts.count >= Self.capacity { counts.removeAll(keepingCapacity: true) }
            counts[Key(workspace: scope.workspace, revision: revision, filter: filter)] = count
        }
    }
}
