import Accounts
import Core
import FoundationEssentials
import Postgres

/// Writes down how many people each workspace has, so that growth can be shown without counting them.
struct ContactCounts: Sendable {
    let services: AppServices

    private struct Zoned: PostgresRow {
        static let columns: SQL = "id, time_zone"
        let id: WorkspaceID
        let timeZone: String

        init(row: inout RowReader) throws {
            id = try row.next()
            timeZone = try row.next()
        }
    }

    /// One entry for today in every workspace; an earlier one of the day is replaced.
    func record() async throws {
        let workspaces: [Zoned] = try await services.workerDatabase.session { session in
            try await session.all(
                Zoned.self, "analytics.workspaces", "SELECT \(Zoned.columns) FROM marketing_workspaces")
        }
        for workspace in workspaces { try await record(workspace.id, timeZone: workspace.timeZone) }
    }

    /// The entry of today, in the workspace's zone.
    func record(_ workspace: WorkspaceID, timeZone: String) async throws {
        let day: String = LocalBuckets(.day, zone: timeZone).isoDay(services.clock.now)
        _ = try await services.workerDatabase.write(workspace) { tx in
            try await tx.run(
                "analytics.record_contact_count",
                """
                INSERT INTO marketing_contact_counts AS known (workspace_id, day, contact_count)
                SELECT workspace_id, \(day)::date, contact_count FROM marketing_contact_totals
                WHERE workspace_id = \(workspace)
                ON CONFLICT (workspace_id, day) DO UPDATE SET contact_count = excluded.contact_count
                WHERE known.contact_count <> excluded.contact_count
                """)
        }
    }

    /// The number at the end of each day. A day without an entry has the number of the day before; the days before the
    /// first entry had nobody.
    /// - Parameters:
    ///   - entries: by day (`2026-11-21`), in order.
    ///   - days: in order; the last one is today.
    static func series(_ entries: [(day: String, count: Int)], days: [String], current: Int) -> [Int] {
        var rest: ArraySlice<(day: String, count: Int)> = entries[...]
        var known: Int = 0
        var values: [Int] = days.map { day in
            while let entry = rest.first, entry.day <= day {
                known = entry.count
                rest = rest.dropFirst()
            }
            return known
        }
        if !values.isEmpty { values[values.count - 1] = current }
        return values
    }
}
