import Accounts
import Core
import FoundationEssentials
import Postgres

/// Making two people one, and taking it back.
package struct ContactMerging: Sendable {
    let services: AppServices
    let references: [ContactReference]
    /// How often it is tried again, every quarter of a second, while one of the two is being sent a message.
    let patience: Int

    /// - Parameter others: the tables of other slices that name people.
    package init(services: AppServices, others: [ContactReference], patience: Int = 12) {
        self.services = services
        references = ContactReference.own + others
        self.patience = patience
    }

    package enum Outcome: Sendable, Equatable {
        case merged(MergeID)
        /// One of them does not exist, or both are the same.
        case missing
        /// One of them is being sent a message that the other has or will get.
        case busy
    }

    struct Person: Sendable, PostgresRow {
        let id: ContactID
        let fields: MergeFields

        static let columns: SQL = "c.id, \(MergeFields.columns)"

        init(row: inout RowReader) throws {
            id = try row.next()
            fields = try MergeFields(row: &row)
        }
    }

    /// Both people, the first first; nil unless both are there and two.
    func pair(
        _ one: ContactID, _ other: ContactID, locks: Bool, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> (Person, Person)? {
        guard one != other else { return nil }
        let select: SQL = """
            SELECT \(Person.columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\([one, other])) AND c.deleted_at IS NULL
            ORDER BY c.id
            """
        let people = try await transaction.all(
            Person.self, "contacts.merge.people", locks ? "\(select) FOR UPDATE" : select)
        guard people.count == 2 else { return nil }
        return people[0].id == one ? (people[0], people[1]) : (people[1], people[0])
    }

    /// Makes `loser` part of `winner`. Everything that names the loser names the winner afterwards.
    package func merge(
        _ winner: ContactID, _ loser: ContactID, choices: MergeChoices = MergeChoices(), _ scope: WorkspaceScope
    ) async throws -> Outcome {
        var outcome: Outcome = try await mergeNow(winner, loser, choices: choices, scope)
        for _ in 0..<patience where outcome == .busy {
            try await Task.sleep(for: .milliseconds(250))
            outcome = try await mergeNow(winner, loser, choices: choices, scope)
        }
        return outcome
    }

    private func mergeNow(
        _ winner: ContactID, _ loser: ContactID, choices: MergeChoices, _ scope: WorkspaceScope
    ) async throws -> Outcome {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.run([IdentityQueries(scope: scope).lock])
            guard let (kept, gone) = try await pair(winner, loser, locks: true, scope, in: transaction) else {
                return .missing
            }
            let pair = MergePair(
                workspace: scope.workspace, merge: services.ids.next(), winner: winner, loser: loser)
            for reference in references {
                if let busy = reference.isBusy, try await transaction.pipeline(busy(pair)).first == true {
                    return .busy
                }
            }
            let plan = MergePlan(winner: kept.fields, loser: gone.fields, choices: choices)
            var statements: [Statement] = [note(pair, plan, scope), delete(pair)]
            statements.append(write(plan.result, pair.winner, scope))
            statements += references.flatMap { $0.move(pair) }
            statements += [alias(pair), former(plan.former, pair), forgetPairs(pair)]
            try await transaction.run(statements)
            try await strictness(plan, pair, scope, in: transaction)
            try await ContactTimeline(services).record(
                "contact.merged", winner,
                [
                    "title": .string("Merged with \(gone.fields.title)"),
                    "detail": .string(gone.fields.titleAndAddress), "href": .string(MergePaths.merge(pair.merge)),
                ], scope, in: transaction)
            try await services.audit.record(
                "merged into \(kept.fields.title) the contact", subject: gone.fields.titleAndAddress,
                href: MergePaths.merge(pair.merge), by: scope, in: transaction)
            try await transaction.run(index([winner], adding: -1, pair, scope))
            return .merged(pair.merge)
        }
    }

    private func note(_ pair: MergePair, _ plan: MergePlan, _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.merge.note",
            """
            INSERT INTO marketing_contact_merges (workspace_id, id, winner_id, loser_id, winner_before, winner_after,
                merged_by, merged_at)
            VALUES (\(pair.workspace), \(pair.merge), \(pair.winner), \(pair.loser), \(JSONB(plan.winner)),
                \(JSONB(plan.result)), \(scope.actor), \(services.clock.now))
            """)
    }

    private func delete(_ pair: MergePair) -> Statement {
        Statement(
            "contacts.merge.delete",
            """
            UPDATE marketing_contacts SET deleted_at = \(services.clock.now), updated_at = \(services.clock.now),
                version = version + 1
            WHERE workspace_id = \(pair.workspace) AND id = \(pair.loser)
            """)
    }

    func write(_ fields: MergeFields, _ id: ContactID, _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.merge.write",
            """
            UPDATE marketing_contacts
            SET email = \(fields.email), email_key = \(fields.emailKey), phone = \(fields.phone),
                first_name = \(fields.firstName), last_name = \(fields.lastName), company_id = \(fields.company),
                email_status = \(fields.emailStatus), tracking_allowed = \(fields.trackingAllowed),
                consent_basis = \(fields.consentBasis), email_opt_in = \(fields.emailOptIn),
                sms_opt_in = \(fields.smsOptIn), tags = \(fields.tags),
                properties = \(JSONValue.object(fields.properties)), updated_at = \(services.clock.now),
                version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = \(id)
            """)
    }

    private func alias(_ pair: MergePair) -> Statement {
        Statement(
            "contacts.merge.alias",
            """
            INSERT INTO marketing_contact_aliases (workspace_id, loser_id, winner_id, merge_id)
            VALUES (\(pair.workspace), \(pair.loser), \(pair.winner), \(pair.merge))
            """)
    }

    /// Addresses that the one person does not carry any more still lead to them.
    private func former(_ keys: [IdentityKey], _ pair: MergePair) -> Statement {
        Statement(
            "contacts.merge.former",
            """
            WITH added AS (
                INSERT INTO marketing_contact_identities (workspace_id, kind, source, value, contact_id, created_at)
                SELECT \(pair.workspace), n.kind, '', n.value, \(pair.winner), \(services.clock.now)
                FROM unnest(\(keys.map(\.kind.rawValue)), \(keys.map(\.value))) AS n(kind, value)
                ON CONFLICT DO NOTHING RETURNING kind, source, value
            )
            INSERT INTO marketing_contact_merge_moves (workspace_id, merge_id, name, extra)
            SELECT \(pair.workspace), \(pair.merge), 'former',
                jsonb_agg(jsonb_build_object('kind', kind, 'source', source, 'value', value))
            FROM added HAVING count(*) > 0
            """)
    }

    private func forgetPairs(_ pair: MergePair) -> Statement {
        Statement(
            "contacts.merge.forgetPairs",
            """
            DELETE FROM marketing_contact_duplicates
            WHERE workspace_id = \(pair.workspace) AND (first_id = \(pair.loser) OR second_id = \(pair.loser))
            """)
    }

    /// Where one of them said no, the one person says no: a decision in the ledger says why, unless it says so already.
    private func strictness(
        _ plan: MergePlan, _ pair: MergePair, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        let merged: MergeFields = plan.result
        var channels: [ConsentChannel] = []
        if merged.emailOptIn == false { channels.append(.email) }
        if merged.smsOptIn == false { channels.append(.sms) }
        if plan.winner.trackingAllowed != plan.loser.trackingAllowed { channels.append(.tracking) }
        let decisions: [(contact: ContactID, decision: ConsentDecision)] = channels.map { channel in
            (
                pair.winner,
                ConsentDecision(
                    .withdrawn, channel, source: "merge", by: .system,
                    evidence: ["mergeId": .string("\(pair.merge)")])
            )
        }
        guard !decisions.isEmpty else { return }
        try await ConsentLedger(services).record(decisions, onlyIfNew: true, scope, in: transaction)
    }

    /// Search, totals and segments follow. The totals come last: their row is locked until the commit.
    func index(_ ids: [ContactID], adding count: Int, _ pair: MergePair, _ scope: WorkspaceScope) -> [Statement] {
        [
            Statement(
                "contacts.merge.search",
                """
                DELETE FROM marketing_contact_search
                WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.loser)
                """),
            ContactSearchIndex.refresh(ids, scope),
            AudienceChanges.record([pair.winner, pair.loser], fields: [], pair.workspace, at: services.clock.now),
            ContactTotals.adding(count, scope),
        ]
    }
}

enum MergePaths {
    static let root: String = "/contacts/merges/"
    static func merge(_ id: MergeID) -> String { "\(root)\(id)" }

    static func compare(_ one: ContactID, _ other: ContactID) -> String { "/contacts/\(one)/merge/\(other)" }
}
