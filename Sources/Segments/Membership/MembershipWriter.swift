import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// A segment whose rule could be read.
struct LiveSegment: Sendable {
    let stored: StoredSegment
    let rule: RuleGroup
}

/// Who came into a segment and who left it, as journeys and webhooks read it from the outbox (topic `segment.changed`).
package struct SegmentChange: Codable, Sendable, Equatable {
    package static let topic = "segment.changed"

    /// What made somebody look.
    package enum Cause: String, Codable, Sendable {
        /// A person changed, or did something.
        case change
        /// The segment is new, its rule was changed, or somebody asked.
        case fill
        /// A day began.
        case day
        /// The nightly check found people on the wrong side.
        case check
    }

    package let listId: ContactListID
    package let entered: [ContactID]
    package let exited: [ContactID]
    package let cause: Cause
}

/// Brings the members of segments in line with their rules, for some people, in one statement.
struct MembershipWriter: Sendable {
    let services: AppServices
    let workspace: WorkspaceID
    let clock: RuleClock
    let ledger: any BehaviourLedger
    let transaction: PostgresTransaction

    /// Events of the outbox name so many people at most.
    private static let peoplePerEvent = 1_000

    struct Move: PostgresRow, Sendable {
        static let columns: SQL = "list_id, contact_id, entered"
        let list: ContactListID
        let contact: ContactID
        let entered: Bool

        init(row: inout RowReader) throws {
            list = try row.next()
            contact = try row.next()
            entered = try row.next()
        }
    }

    /// Holds the workspace's membership until the transaction ends, so that only one works on it at a time. False when
    /// somebody else does and `waits` is false.
    static func hold(_ workspace: WorkspaceID, waits: Bool, in transaction: PostgresTransaction) async throws -> Bool {
        let key: String = "segments:\(workspace)"
        if waits {
            try await transaction.run("segments.hold", "SELECT pg_advisory_xact_lock(hashtextextended(\(key), 0))")
            return true
        }
        return try await transaction.value(
            Bool.self, "segments.tryHold", "SELECT pg_try_advisory_xact_lock(hashtextextended(\(key), 0))")
    }

    /// Decides anew whether these people belong to these segments; answers who moved. Counts, outbox and the note for
    /// segments that ask for segments are written with it.
    func settle(
        _ segments: [LiveSegment], for contacts: [ContactID], because cause: SegmentChange.Cause,
        notesLists: Bool
    ) async throws -> [Move] {
        guard !segments.isEmpty, !contacts.isEmpty else { return [] }
        let moves: [Move] = try await transaction.all(Move.self, "segments.settle", statement(segments, contacts))
        try await follow(moves, cause, notesLists: notesLists)
        return moves
    }

    private func statement(_ segments: [LiveSegment], _ contacts: [ContactID]) -> SQL {
        let compiler = RuleCompiler(workspace, clock: clock, ledger: ledger, reach: .few)
        let decisions: SQL = SQL.join(segments.map { "(\(compiler.decision($0.rule)))" }, separator: ", ")
        let now: Date = services.clock.now
        return """
            WITH decided AS MATERIALIZED (
                SELECT c.id, ARRAY[\(decisions)] AS answers FROM marketing_contacts c
                WHERE c.workspace_id = \(workspace) AND c.id = ANY (\(contacts)) AND c.deleted_at IS NULL
            ),
            pairs AS MATERIALIZED (
                SELECT l.list_id, w.contact_id, coalesce(d.answers[l.place], false) AS belongs
                FROM unnest(\(contacts)) AS w (contact_id) LEFT JOIN decided d ON d.id = w.contact_id
                CROSS JOIN unnest(\(segments.map(\.stored.list))) WITH ORDINALITY AS l (list_id, place)
            ),
            entered AS (
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(workspace), p.list_id, p.contact_id, \(now) FROM pairs p WHERE p.belongs
                ORDER BY p.list_id, p.contact_id
                ON CONFLICT DO NOTHING RETURNING list_id, contact_id
            ),
            exited AS (
                DELETE FROM marketing_list_members m USING pairs p
                WHERE NOT p.belongs AND m.workspace_id = \(workspace) AND m.list_id = p.list_id
                    AND m.contact_id = p.contact_id
                RETURNING m.list_id, m.contact_id
            )
            SELECT list_id, contact_id, true FROM entered UNION ALL SELECT list_id, contact_id, false FROM exited
            """
    }

    private func follow(_ moves: [Move], _ cause: SegmentChange.Cause, notesLists: Bool) async throws {
        guard !moves.isEmpty else { return }
        let byList: [ContactListID: [Move]] = Dictionary(grouping: moves, by: \.list)
        let lists: [ContactListID] = byList.keys.sorted()
        let deltas: [Int] = lists.map { list in
            (byList[list] ?? []).reduce(0) { $0 + ($1.entered ? 1 : -1) }
        }
        var statements: [Statement] = []
        if notesLists {
            let people: [ContactID] = Array(Set(moves.map(\.contact)))
            statements.append(AudienceChanges.record(people, fields: ["list"], workspace, at: services.clock.now))
        }
        statements.append(
            Statement(
                "segments.counts",
                """
                UPDATE marketing_lists l SET member_count = l.member_count + d.delta::int, updated_at = \(services.clock.now)
                FROM unnest(\(lists), \(deltas)) AS d (list_id, delta)
                WHERE l.workspace_id = \(workspace) AND l.id = d.list_id
                """))
        try await transaction.run(statements)
        let events: [SegmentChange] = lists.flatMap { Self.events(of: $0, byList[$0] ?? [], cause) }
        try await Outbox(queue: services.jobs, clock: services.clock).publish(
            SegmentChange.topic, events, workspace: workspace, in: transaction)
    }

    private static func events(of list: ContactListID, _ moves: [Move], _ cause: SegmentChange.Cause) -> [SegmentChange]
    {
        stride(from: 0, to: moves.count, by: peoplePerEvent).map { start in
            let part = moves[start..<min(start + peoplePerEvent, moves.count)]
            return SegmentChange(
                listId: list, entered: part.filter(\.entered).map(\.contact),
                exited: part.filter { !$0.entered }.map(\.contact), cause: cause)
        }
    }
}
