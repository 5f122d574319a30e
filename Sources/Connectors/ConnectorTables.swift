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
                        WHERE workspace_id = \(person.workspace)
                            AND \(person.mayBeNamed(in: "concat_ws(' ', source_id, reason, payload::text)"))
                        """
                    ]
                })
        ]
    }
}
