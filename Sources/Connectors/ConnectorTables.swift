import Accounts
import Core
import Postgres

extension ConnectorsSlice {
    /// Rows that a host product sent and that failed may name people.
    package static var personalTables: [PersonalTable] {
        [
            PersonalTable(
                "marketing_sync_failures", title: "Rows of host products that failed", fate: .deleted,
                erasing: { person in
                    [
                        """
                        DELETE FROM marketing_sync_failures
                        WHERE workspace_id = \(person.workspace) AND EXISTS (
                            SELECT FROM unnest(\(person.spellings)) AS s WHERE strpos(lower(payload::text), s) > 0)
                        """
                    ]
                })
        ]
    }
}
