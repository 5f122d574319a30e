import Core

/// Which rows of a table belong to a workspace, as SQL.
package struct WorkspaceRows: Sendable {
    package let workspace: WorkspaceID
    /// Whether the statement reads very many rows by indexes that begin with the workspace.
    ///
    /// From two equalities, the statement's and the wall's, PostgreSQL concludes that the wall's own workspace must be this one,
    /// and has each row pass by a node that says so: a tenth of the work. From `ANY` it concludes nothing. But then it knows
    /// less of how many rows there are, so this is for statements that it can plan in one way only.
    package var areMany: Bool

    package init(_ workspace: WorkspaceID, areMany: Bool = false) {
        self.workspace = workspace
        self.areMany = areMany
    }

    /// Whether a row of a table belongs to the workspace.
    package func of(_ table: SQL) -> SQL {
        areMany ? "\(table).workspace_id = ANY (ARRAY[\(workspace)])" : "\(table).workspace_id = \(workspace)"
    }
}
