import Core
import Postgres

/// Copies what rules compare of people into `marketing_contact_facts`. Whoever copies holds the workspace's copies, so that
/// what is newer is never written over by what is older.
struct FactsCopy: Sendable {
    let workspace: WorkspaceID
    let transaction: PostgresTransaction

    /// Holds the copies until the end of the transaction. False when nobody's are kept, or somebody else holds them.
    func hold(waits: Bool) async throws -> Bool {
        let skipping: SQL = waits ? "" : " SKIP LOCKED"
        let held: [Bool] = try await transaction.values(
            Bool.self, "segments.facts.hold",
            """
            SELECT true FROM marketing_contact_facts_state WHERE workspace_id = \(workspace)
            FOR UPDATE\(skipping)
            """)
        return !held.isEmpty
    }

    /// Makes the copies of some people as they are now; takes away those of people who are gone.
    /// - Parameter are: whether an id, as `id`, is of one of them.
    func copy(_ are: (_ id: SQL) -> SQL, _ assignments: [FactAssignment]) async throws {
        var columns: [SQL] = Self.own.map(\.0)
        var values: [SQL] = Self.own.map(\.1)
        for assignment in assignments where assignment.column.kind != .long {
            columns.append("\(identifier: assignment.column.name)")
            values.append(assignment.value)
        }
        func all(_ table: SQL) -> SQL { SQL.join(columns.map { "\(table).\($0)" }, separator: ", ") }
        let names: SQL = SQL.join(columns, separator: ", ")
        try await transaction.run([
            Statement(
                "segments.facts.remove",
                """
                DELETE FROM marketing_contact_facts f WHERE f.workspace_id = \(workspace) AND \(are("f.id")) AND NOT EXISTS (
                    SELECT FROM marketing_contacts c
                    WHERE c.workspace_id = \(workspace) AND c.id = f.id AND c.deleted_at IS NULL)
                """),
            Statement(
                "segments.facts.copy",
                """
                INSERT INTO marketing_contact_facts AS f (workspace_id, id, \(names))
                SELECT c.workspace_id, c.id, \(SQL.join(values, separator: ", "))
                FROM marketing_contacts c
                WHERE c.workspace_id = \(workspace) AND \(are("c.id")) AND c.deleted_at IS NULL ORDER BY c.id
                ON CONFLICT (workspace_id, id) DO UPDATE SET (\(names)) = ROW (\(all("EXCLUDED")))
                    WHERE (\(all("f"))) IS DISTINCT FROM (\(all("EXCLUDED")))
                """),
        ])
        for assignment in assignments where assignment.column.kind == .long {
            try await copyTexts(are, of: assignment)
        }
    }

    private func copyTexts(_ are: (_ id: SQL) -> SQL, of assignment: FactAssignment) async throws {
        let (name, value): (String, SQL) = (assignment.column.name, assignment.value)
        try await transaction.run([
            Statement(
                "segments.facts.remove_texts",
                """
                DELETE FROM marketing_long_facts f
                WHERE f.workspace_id = \(workspace) AND f.name = \(name) AND \(are("f.contact_id")) AND NOT EXISTS (
                    SELECT FROM marketing_contacts c
                    WHERE c.workspace_id = \(workspace) AND c.id = f.contact_id AND c.deleted_at IS NULL
                        AND \(value) <> '')
                """),
            Statement(
                "segments.facts.copy_texts",
                """
                INSERT INTO marketing_long_facts AS f (workspace_id, contact_id, name, value)
                SELECT t.workspace_id, t.id, \(name), t.value FROM (
                    SELECT c.workspace_id, c.id, \(value) AS value FROM marketing_contacts c
                    WHERE c.workspace_id = \(workspace) AND \(are("c.id")) AND c.deleted_at IS NULL ORDER BY c.id
                ) t WHERE t.value <> ''
                ON CONFLICT (workspace_id, contact_id, name) DO UPDATE SET value = EXCLUDED.value
                    WHERE f.value <> EXCLUDED.value
                """),
        ])
    }

    /// What every workspace's people have, with the value of a person `c`.
    private static let own: [(SQL, SQL)] = [
        ("created_at", "c.created_at"), ("company_id", "c.company_id"), ("email_opt_in", "c.email_opt_in"),
        ("sms_opt_in", "c.sms_opt_in"), ("tracking_allowed", "c.tracking_allowed"), ("email_status", "c.email_status"),
        ("tags", "CASE WHEN c.tags <> '{}' THEN to_jsonb(c.tags)::text END"), ("last_name", "lower(c.last_name)"),
        ("first_name", "lower(c.first_name)"),
        ("email_key", "c.email_key"), ("phone", "c.phone"), ("source", "lower(c.source)"),
    ]
}

extension FactAssignment {
    /// What becomes of the column for a person `c`.
    fileprivate var value: SQL { property == nil ? "NULL" : column.kind.value(of: key) }
}
