import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres

/// Stores the events of one workspace: people found or made, ids remembered, events, and the note for segments, in one
/// transaction of a few statements whatever the number of events.
struct ActivityStore: Sendable {
    let services: AppServices

    /// What became of each, in order.
    func store(_ events: [ActivityEvent], _ scope: WorkspaceScope) async throws -> [ActivityOutcome] {
        try await IdentityResolver.retryingTakenAddress(services, scope, timeout: .seconds(30)) { transaction in
            try await store(events, scope, in: transaction)
        }
    }

    private func store(
        _ events: [ActivityEvent], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ActivityOutcome] {
        var outcomes: [ActivityOutcome] = Array(repeating: .repeated, count: events.count)
        var people: [Int: ContactID] = try await named(events, scope, in: transaction)
        let resolver = IdentityResolver(services)
        let clues: [PersonClues] = events.map { if case .clues(let clues) = $0.person { clues } else { PersonClues() } }
        let checked: CheckedClues = try await resolver.check(clues, scope, in: transaction)
        var wanted: [Int] = []
        for (index, event) in events.enumerated() {
            if case .contact = event.person, people[index] == nil {
                outcomes[index] = .unknownContact
            } else if checked.errors[index] == nil {
                wanted.append(index)
            }
        }
        let repeated: Set<Int> = try await repeated(checked.errors.keys.sorted(), of: events, scope, in: transaction)
        for (index, errors) in checked.errors where !repeated.contains(index) {
            outcomes[index] = .refused(errors.inside("contact"))
        }
        let fresh: [Int] = try await fresh(wanted, of: events, scope, in: transaction)
        let unnamed: [Int] = fresh.filter { people[$0] == nil }
        let matches: [IdentityMatch] = try await resolver.resolve(
            checked.selecting(unnamed), source: "event", scope, in: transaction)
        for (index, match) in zip(unnamed, matches) { people[index] = match.contact }
        let rows: [(event: ActivityEvent, contact: ContactID)] = fresh.compactMap { index in
            people[index].map { (events[index], $0) }
        }
        for index in fresh { if let id = people[index] { outcomes[index] = .stored(id) } }
        if !rows.isEmpty { try await transaction.run(statements(rows, scope)) }
        return outcomes
    }

    /// The people whom events name by their id, or by one that they had before a merge.
    private func named(
        _ events: [ActivityEvent], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [Int: ContactID] {
        var wanted: [Int: ContactID] = [:]
        for (index, event) in events.enumerated() {
            if case .contact(let id) = event.person { wanted[index] = id }
        }
        guard !wanted.isEmpty else { return [:] }
        let ids: [ContactID] = Array(Set(wanted.values))
        let there = Set(try await ContactLookup.existing(ids, scope, in: transaction))
        let lost: [ContactID] = ids.filter { !there.contains($0) }
        let now: [ContactID: ContactID] = try await ContactAliases.current(lost, scope, in: transaction)
        let found = Set(try await ContactLookup.existing(Array(now.values), scope, in: transaction))
        return wanted.compactMapValues { id in
            if there.contains(id) { return id }
            return now[id].flatMap { found.contains($0) ? $0 : nil }
        }
    }

    /// Those that did not come before, here or among the others. Ids are taken in one order, so that two batches with the
    /// same ids wait for each other instead of forever.
    private func fresh(
        _ indices: [Int], of events: [ActivityEvent], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [Int] {
        var first: [UUID: Int] = [:]
        for index in indices {
            if let hash = events[index].keyHash, first[hash] == nil { first[hash] = index }
        }
        var isNew: Set<Int> = Set(indices.filter { events[$0].key == nil })
        if !first.isEmpty {
            let taken: [UUID] = try await transaction.values(
                UUID.self, "tracking.activity.ids",
                """
                INSERT INTO marketing_event_ids (workspace_id, id_hash, received_at)
                SELECT \(scope.workspace), h, \(services.clock.now) FROM unnest(\(Array(first.keys))) AS h ORDER BY h
                ON CONFLICT (workspace_id, id_hash) DO NOTHING RETURNING id_hash
                """)
            isNew.formUnion(taken.compactMap { first[$0] })
        }
        return indices.filter(isNew.contains)
    }

    /// Those of these that came before: whatever else they say, they are no-ops.
    private func repeated(
        _ indices: [Int], of events: [ActivityEvent], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Set<Int> {
        let hashes: [Int: UUID] = indices.reduce(into: [:]) { $0[$1] = events[$1].keyHash }
        guard !hashes.isEmpty else { return [] }
        let known: Set<UUID> = Set(
            try await transaction.values(
                UUID.self, "tracking.activity.known",
                """
                SELECT id_hash FROM marketing_event_ids
                WHERE workspace_id = \(scope.workspace) AND id_hash = ANY (\(Array(hashes.values)))
                """))
        return Set(hashes.filter { known.contains($0.value) }.keys)
    }

    private func statements(
        _ rows: [(event: ActivityEvent, contact: ContactID)], _ scope: WorkspaceScope
    ) -> [Statement] {
        let now: Date = services.clock.now
        let ids: [Identifier<ActivityEventTag>] = rows.map { _ in services.ids.next() }
        let contacts: [ContactID] = rows.map(\.contact)
        let names: [String] = rows.map(\.event.name)
        return [
            Statement(
                "tracking.activity.insert",
                """
                INSERT INTO marketing_events (workspace_id, id, contact_id, name, properties, source, occurred_at,
                    received_at)
                SELECT \(scope.workspace), e.*, \(now)
                FROM unnest(\(ids), \(contacts), \(names), \(rows.map { JSONValue.object($0.event.properties) }),
                    \(rows.map(\.event.source)), \(rows.map(\.event.occurredAt)))
                    AS e(id, contact_id, name, properties, source, occurred_at)
                """),
            // One note per name of event: segments look at those that mention it.
            Statement(
                "tracking.activity.audience",
                """
                INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
                SELECT \(scope.workspace), array_agg(DISTINCT e.contact_id), ARRAY['event.' || e.name], \(now)
                FROM unnest(\(contacts), \(names)) AS e(contact_id, name) GROUP BY e.name
                """),
        ]
    }
}

extension ValidationErrors {
    /// The same below another place: `email` in `contact` is `contact/email`.
    fileprivate func inside(_ place: String) -> ValidationErrors {
        var errors = ValidationErrors()
        for entry in entries { errors.add(entry.field.isEmpty ? place : "\(place)/\(entry.field)", entry.message) }
        return errors
    }
}
