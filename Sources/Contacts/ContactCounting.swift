import Core
import Postgres

/// Finds the number of matches for a page without counting what is known already.
struct ContactCounting: Sendable {
    let counts: MatchCountMemory
    let queries: ContactQueries

    func count(
        _ filter: ContactFilter, _ state: ContactTotals.State, _ page: ContactPage<ContactSummary>, isFirst: Bool,
        in session: some PostgresSession
    ) async throws -> MatchCount {
        if let known = known(filter, state, page, isFirst: isFirst) { return known }
        let count: MatchCount
        if filter.query != nil {
            count = try await ContactSearchPlan(queries: queries, filter: filter, limit: 1).count(
                total: state.count, in: session)
        } else {
            count = try await queries.count(filter, total: state.count, in: session)
        }
        counts.remember(count, queries.scope, state.revision, filter)
        return count
    }

    /// What needs no counting, or was counted before and has not changed since.
    func known(
        _ filter: ContactFilter, _ state: ContactTotals.State, _ page: ContactPage<ContactSummary>, isFirst: Bool
    ) -> MatchCount? {
        if filter.isEmpty { return .exactly(state.count) }
        // Everything fits on the first page: then it is counted by looking.
        if isFirst, page.next == nil { return .exactly(page.rows.count) }
        return counts.count(queries.scope, state.revision, filter)
    }
}
