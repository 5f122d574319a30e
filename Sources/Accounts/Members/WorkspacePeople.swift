import Core
import Postgres

/// Somebody who works in a workspace: for pickers of owners and assignees.
package struct WorkspacePerson: Sendable, Equatable, PostgresRow {
    package let id: UserID
    package let name: String

    package static let columns: SQL = "u.id, u.name"

    package init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
    }
}

/// Who works in a workspace, for slices above.
package enum WorkspacePeople {
    /// Everybody by name, for a pipeline.
    package static func all(_ scope: WorkspaceScope) -> Query<WorkspacePerson> {
        Query(
            WorkspacePerson.self, "accounts.people.all",
            """
            SELECT \(WorkspacePerson.columns) FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
            WHERE m.workspace_id = \(scope.workspace) ORDER BY lower(u.name), u.id LIMIT 500
            """)
    }
}
