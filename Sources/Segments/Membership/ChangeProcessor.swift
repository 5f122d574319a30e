import Accounts
import Contacts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Works off the notes of who changed, workspace by workspace.
struct ChangeProcessor: Sendable {
    let services: AppServices
    let ledger: any BehaviourLedger
    /// Notes are taken together until they name so many people.
    var peoplePerBatch = 5_000
    /// With more people waiting than this, as in an import, each segment is looked at as a whole instead.
    var flood = 50_000

    /// What became of a look at a workspace.
    enum Outcome: Equatable {
        /// So many notes were worked off; there may be more.
        case worked(Int)
        /// Somebody else works on it.
        case busy
    }

    private struct Note: PostgresRow {
        static let columns: SQL = "contact_ids, fields"
        let contacts: [ContactID]?
        let fields: [String]

        init(row: inout RowReader) throws {
            contacts = try row.next()
            fields = try row.next()
        }
    }

    /// Works off a batch in one transaction: the notes go in the same one that moves people.
    func step(_ workspace: WorkspaceID) async throws -> Outcome {
        try await services.workerDatabase.write(workspace, timeout: .seconds(60), keepsPlans: true) { transaction in
            guard try await MembershipWriter.hold(workspace, waits: false, in: transaction) else { return .busy }
            return .worked(try await take(workspace, in: transaction))
        }
    }

    /// The same inside a transaction that holds the workspace's membership. Answers how many notes were worked off.
    func take(_ workspace: WorkspaceID, in transaction: PostgresTransaction) async throws -> Int {
        let waiting: Int = try await people(workspace, in: transaction)
        let isFlood: Bool = waiting > flood
        let notes: [Note] = try await notes(workspace, people: isFlood ? .max : peoplePerBatch, in: transaction)
        guard !notes.isEmpty else { return 0 }
        let segments: [LiveSegment] = try await Self.segments(workspace, in: transaction)
        guard !segments.isEmpty else { return notes.count }
        if isFlood || notes.contains(where: { $0.contacts == nil }) {
            let whole = notes.filter { isFlood || $0.contacts == nil }
            for segment in segments where whole.contains(where: { Self.concerns($0, segment) }) {
                try await SegmentRefreshJob.enqueue(
                    segment.stored.list, because: .change, workspace: workspace, services, in: transaction)
            }
        }
        if isFlood { return notes.count }
        try await settle(notes, segments, workspace, in: transaction)
        return notes.count
    }

    private func settle(
        _ notes: [Note], _ segments: [LiveSegment], _ workspace: WorkspaceID, in transaction: PostgresTransaction
    ) async throws {
        var people: Set<ContactID> = []
        var concerned: Set<ContactListID> = []
        for note in notes {
            guard let contacts = note.contacts else { continue }
            let own: [LiveSegment] = segments.filter { Self.concerns(note, $0) }
            if own.isEmpty { continue }
            people.formUnion(contacts)
            concerned.formUnion(own.map(\.stored.list))
        }
        let affected: [LiveSegment] = segments.filter { concerned.contains($0.stored.list) }
        guard !affected.isEmpty else { return }
        let desk = RuleDesk(services: services, references: RuleReferences())
        let writer = MembershipWriter(
            services: services, workspace: workspace, clock: try await desk.clock(workspace), ledger: ledger,
            transaction: transaction)
        let notesLists: Bool = segments.contains { $0.stored.fields.contains("list") }
        for group in Self.statements(affected) {
            _ = try await writer.settle(group, for: people.sorted(), because: .change, notesLists: notesLists)
        }
    }

    /// Segments that go into one statement: enough to save round trips, few enough to plan.
    private static func statements(_ segments: [LiveSegment]) -> [[LiveSegment]] {
        var groups: [[LiveSegment]] = []
        var conditions: Int = .max
        for segment in segments {
            let own: Int = segment.rule.leaves.count
            if conditions > 200 - own {
                groups.append([])
                conditions = 0
            }
            groups[groups.count - 1].append(segment)
            conditions = min(conditions + own, 200)
        }
        return groups
    }

    private static func concerns(_ note: Note, _ segment: LiveSegment) -> Bool {
        note.fields.isEmpty || note.fields.contains { segment.stored.fields.contains($0) }
    }

    private func people(_ workspace: WorkspaceID, in transaction: PostgresTransaction) async throws -> Int {
        try await transaction.value(
            Int.self, "segments.notes.people",
            """
            SELECT coalesce(sum(cardinality(contact_ids)), 0)::bigint FROM marketing_audience_changes
            WHERE workspace_id = \(workspace)
            """)
    }

    /// Takes notes away, the oldest first. Exactly those that are read go: one that commits later with a lower position is
    /// found the next time.
    private func notes(
        _ workspace: WorkspaceID, people: Int, in transaction: PostgresTransaction
    ) async throws -> [Note] {
        try await transaction.all(
            Note.self, "segments.notes.take",
            """
            DELETE FROM marketing_audience_changes a USING (
                SELECT position, sum(coalesce(cardinality(contact_ids), 0)) OVER (ORDER BY position)
                    - coalesce(cardinality(contact_ids), 0) AS earlier
                FROM (
                    SELECT position, contact_ids FROM marketing_audience_changes
                    WHERE workspace_id = \(workspace) ORDER BY position LIMIT 2000
                ) oldest
            ) o
            WHERE a.workspace_id = \(workspace) AND a.position = o.position AND o.earlier < \(people)
            RETURNING a.contact_ids, a.fields
            """)
    }

    /// The segments whose rules can be read; others are marked as broken, with the reason.
    static func segments(
        _ workspace: WorkspaceID, in transaction: PostgresTransaction
    ) async throws -> [LiveSegment] {
        let queries = SegmentQueries(workspace: workspace)
        let (stored, definitions) = try await transaction.pipeline(queries.all, FieldCatalog.query(workspace))
        guard !stored.isEmpty else { return [] }
        let catalog = FieldCatalog(definitions.map(\.definition))
        var live: [LiveSegment] = []
        for segment in stored {
            do {
                live.append(LiveSegment(stored: segment, rule: try RuleParser.parse(segment.rules, catalog)))
            } catch {
                let problem: String = error.entries.first.map { "\($0.field): \($0.message)" } ?? "It cannot be read."
                try await queries.markBroken(segment.list, problem, in: transaction)
            }
        }
        return live
    }
}
