import Contacts
import Core
import FoundationEssentials
import Postgres

/// A segment as it is stored.
package struct StoredSegment: PostgresRow, Sendable {
    package static let columns: SQL = """
        s.list_id, l.name, l.description, l.member_count, s.rules, s.fields, s.is_relative, s.version::bigint, s.state,
        s.problem, s.filled_at, s.checked_at, s.check_differences::bigint, s.check_milliseconds::bigint, s.updated_at,
        l.version
        """

    package let list: ContactListID
    package let name: String
    package let description: String
    package let members: Int
    package let rules: JSONValue
    /// Names of changes that may change who matches.
    let fields: [String]
    let isRelative: Bool
    /// Grows with each change of the rules.
    let version: Int
    let state: String
    let problem: String?
    let filledAt: Date?
    let checkedAt: Date?
    let differences: Int?
    let checkMilliseconds: Int?
    let updatedAt: Date
    /// Grows with each change of the name or the description.
    let listVersion: Int

    /// Names a state of name, description and rule, for forms.
    var revision: String { "\(listVersion)-\(version)" }

    package init(row: inout RowReader) throws {
        list = try row.next()
        name = try row.next()
        description = try row.next()
        members = try row.next()
        rules = try row.next()
        fields = try row.next()
        isRelative = try row.next()
        version = try row.next()
        state = try row.next()
        problem = try row.next()
        filledAt = try row.next()
        checkedAt = try row.next()
        differences = try row.next()
        checkMilliseconds = try row.next()
        updatedAt = try row.next()
        listVersion = try row.next()
    }
}

/// All reading and writing of segments' rows.
struct SegmentQueries: Sendable {
    let workspace: WorkspaceID

    private var source: SQL {
        """
        FROM marketing_segments s
        JOIN marketing_lists l ON l.workspace_id = s.workspace_id AND l.id = s.list_id AND l.deleted_at IS NULL
        WHERE s.workspace_id = \(workspace)
        """
    }

    var all: Query<StoredSegment> {
        Query(
            StoredSegment.self, "segments.all",
            "SELECT \(StoredSegment.columns) \(source) ORDER BY lower(l.name), l.id LIMIT 2000")
    }

    func all(in transaction: PostgresTransaction) async throws -> [StoredSegment] {
        try await transaction.pipeline(all)
    }

    func find(_ list: ContactListID, in transaction: PostgresTransaction) async throws -> StoredSegment? {
        try await transaction.first(
            StoredSegment.self, "segments.find",
            "SELECT \(StoredSegment.columns) \(source) AND s.list_id = \(list) LIMIT 1")
    }

    /// The row stays as it is until the transaction ends.
    func lock(_ list: ContactListID, in transaction: PostgresTransaction) async throws {
        try await transaction.run(
            "segments.lock",
            "SELECT FROM marketing_segments WHERE workspace_id = \(workspace) AND list_id = \(list) FOR UPDATE")
    }

    func save(
        _ list: ContactListID, _ rule: RuleGroup, by scope: UserID?, at now: Date, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "segments.save",
            """
            INSERT INTO marketing_segments AS s (workspace_id, list_id, rules, fields, is_relative, created_by, updated_at)
            VALUES (\(workspace), \(list), \(rule.json), \(rule.changes), \(rule.isRelative), \(scope), \(now))
            ON CONFLICT (workspace_id, list_id) DO UPDATE SET rules = excluded.rules, fields = excluded.fields,
                is_relative = excluded.is_relative, version = s.version + 1, state = 'filling', problem = NULL,
                updated_at = excluded.updated_at
            """)
    }

    func markBroken(_ list: ContactListID, _ problem: String, in transaction: PostgresTransaction) async throws {
        try await transaction.run(
            "segments.broken",
            """
            UPDATE marketing_segments SET state = 'broken', problem = \(problem)
            WHERE workspace_id = \(workspace) AND list_id = \(list)
                AND (state <> 'broken' OR problem IS DISTINCT FROM \(problem))
            """)
    }

    /// Notes that everybody has been looked at by a version of the rule.
    func markFilled(
        _ segment: StoredSegment, at now: Date, wake: Date?, in transaction: PostgresTransaction
    ) async throws {
        var statements: [Statement] = [
            Statement(
                "segments.filled",
                """
                UPDATE marketing_segments SET state = 'live', problem = NULL, filled_at = \(now)
                WHERE workspace_id = \(workspace) AND list_id = \(segment.list) AND version = \(segment.version)
                """)
        ]
        statements.append(Self.wake(segment.list, workspace, at: wake))
        try await transaction.run(statements)
    }

    /// When to look at everybody again; nil for never.
    static func wake(_ list: ContactListID, _ workspace: WorkspaceID, at due: Date?) -> Statement {
        guard let due else {
            return Statement(
                "segments.wake.never",
                "DELETE FROM marketing_segment_wakes WHERE workspace_id = \(workspace) AND list_id = \(list)")
        }
        return Statement(
            "segments.wake",
            """
            INSERT INTO marketing_segment_wakes (workspace_id, list_id, due_at)
            VALUES (\(workspace), \(list), \(due))
            ON CONFLICT (workspace_id, list_id) DO UPDATE SET due_at = excluded.due_at
            """)
    }

    func noteCheck(
        _ list: ContactListID, differences: Int, milliseconds: Int, at now: Date, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "segments.checked",
            """
            UPDATE marketing_segments SET checked_at = \(now), check_differences = \(differences),
                check_milliseconds = \(milliseconds)
            WHERE workspace_id = \(workspace) AND list_id = \(list)
            """)
    }
}
