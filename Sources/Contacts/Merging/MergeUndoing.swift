import Accounts
import Core
import FoundationEssentials
import Postgres

extension ContactMerging {
    /// What became of taking a merge back.
    package enum Undoing: Sendable, Equatable {
        /// The loser is back; what could not be restored, in words.
        case undone(ContactID, notes: [String])
        /// Something stands in the way; what, in words.
        case blocked(String)
        case missing
    }

    /// A merge as it was noted.
    struct Noted: Sendable, PostgresRow {
        let winner: ContactID
        let loser: ContactID
        let before: MergeFields
        let after: MergeFields
        let mergedAt: Date
        let undoneAt: Date?

        static let columns: SQL = "winner_id, loser_id, winner_before, winner_after, merged_at, undone_at"

        init(row: inout RowReader) throws {
            winner = try row.next()
            loser = try row.next()
            before = try row.next(JSONB<MergeFields>.self).value
            after = try row.next(JSONB<MergeFields>.self).value
            mergedAt = try row.next()
            undoneAt = try row.next()
        }
    }

    func find(
        _ id: MergeID, locks: Bool, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Noted? {
        let select: SQL = """
            SELECT \(Noted.columns) FROM marketing_contact_merges
            WHERE workspace_id = \(scope.workspace) AND id = \(id)
            """
        return try await transaction.first(
            Noted.self, "contacts.merge.find", locks ? "\(select) FOR UPDATE" : "\(select) LIMIT 1")
    }

    /// What taking the merge back would come to: what stands in the way, else what cannot be restored.
    struct Prospect: Sendable {
        var obstacle: String?
        var notes: [String] = []
        var winner = MergeFields()
        var loserName = ""
        /// Whether the loser's address belongs to somebody else by now.
        var isAddressTaken = false
    }

    func prospect(
        of noted: Noted, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Prospect {
        var prospect = Prospect()
        let rows = try await transaction.all(
            Person.self, "contacts.merge.state",
            """
            SELECT \(Person.columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND (c.id = \(noted.loser) AND c.deleted_at IS NOT NULL
                OR c.id = \(noted.winner) AND c.deleted_at IS NULL)
            """)
        let loser: MergeFields? = rows.first { $0.id == noted.loser }?.fields
        prospect.loserName = loser?.title ?? "The contact"
        if noted.undoneAt != nil {
            prospect.obstacle = "This merge was taken back already."
        } else if loser == nil {
            prospect.obstacle = "The contact that went is not there any more, so nothing can be restored."
        }
        guard let winner = rows.first(where: { $0.id == noted.winner })?.fields else {
            prospect.obstacle =
                prospect.obstacle
                ?? "The contact that stayed was merged again or deleted since. Take that back first."
            return prospect
        }
        let reversal = MergeReversal(before: noted.before, after: noted.after, now: winner).outcome
        prospect.winner = reversal.fields
        prospect.notes = reversal.kept.map { "“\($0)” was changed since the merge and stays as it is." }
        if let key = loser?.emailKey, key != reversal.fields.emailKey {
            let owner: ContactID? = try await ContactQueries(scope: scope).find(emailKey: key, in: transaction)
            prospect.isAddressTaken = owner != nil && owner != noted.winner
        } else if loser?.emailKey != nil, loser?.emailKey == reversal.fields.emailKey {
            prospect.isAddressTaken = true
        }
        if prospect.isAddressTaken {
            prospect.notes.append(
                "The address of \(prospect.loserName) belongs to another contact now, so it cannot be given back.")
        }
        return prospect
    }

    /// Takes a merge back: the loser is there again with everything that came from them and is still there; what came since
    /// stays with the winner.
    package func undo(_ id: MergeID, _ scope: WorkspaceScope) async throws -> Undoing {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.run([IdentityQueries(scope: scope).lock])
            guard let noted = try await find(id, locks: true, scope, in: transaction) else { return .missing }
            let pair = MergePair(workspace: scope.workspace, merge: id, winner: noted.winner, loser: noted.loser)
            let prospect: Prospect = try await prospect(of: noted, scope, in: transaction)
            if let obstacle = prospect.obstacle { return .blocked(obstacle) }
            let expected = try await counts(pair, in: transaction)
            let found: [Int] = try await transaction.run(restoration(prospect, pair, scope))
            let moves: [ContactReference] = references.filter { !$0.undo(pair).isEmpty }
            var notes: [String] = prospect.notes
            // The statements of the tables come last, one for each.
            for (reference, count) in zip(moves, found.suffix(moves.count)) {
                guard let wanted = expected[reference.table], wanted > count else { continue }
                notes.append("\(wanted - count) of \(wanted) \(reference.words) are not there any more.")
            }
            try await settleConsents(noted, pair, in: transaction)
            for (person, title) in [(pair.winner, "A merge was taken back"), (pair.loser, "Taken apart again")] {
                try await ContactTimeline(services).record(
                    "contact.unmerged", person, ["title": .string(title)], scope, in: transaction)
            }
            try await services.audit.record(
                "took back the merge of", subject: prospect.loserName, href: MergePaths.merge(id), by: scope,
                in: transaction)
            try await transaction.run(index([pair.winner, pair.loser], adding: 1, pair, scope))
            return .undone(noted.loser, notes: notes)
        }
    }

    /// How many rows of each table moved.
    private func counts(_ pair: MergePair, in transaction: PostgresTransaction) async throws -> [String: Int] {
        let rows = try await transaction.rows(
            as: (String, Int).self, "contacts.merge.counts",
            """
            SELECT name, greatest(cardinality(ids), CASE jsonb_typeof(extra) WHEN 'array' THEN jsonb_array_length(extra)
                ELSE 0 END)::bigint
            FROM marketing_contact_merge_moves
            WHERE workspace_id = \(pair.workspace) AND merge_id = \(pair.merge)
            """)
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// The winner lets go of the loser's address before the loser gets it back.
    private func restoration(_ prospect: Prospect, _ pair: MergePair, _ scope: WorkspaceScope) -> [Statement] {
        let now: Date = services.clock.now
        let address: SQL = prospect.isAddressTaken ? "email = NULL, email_key = NULL, " : ""
        return [
            write(prospect.winner, pair.winner, scope),
            Statement(
                "contacts.merge.restore",
                """
                UPDATE marketing_contacts
                SET \(address)deleted_at = NULL, deleted_list_ids = NULL, updated_at = \(now), version = version + 1
                WHERE workspace_id = \(pair.workspace) AND id = \(pair.loser)
                """),
            Statement(
                "contacts.merge.unalias",
                """
                DELETE FROM marketing_contact_aliases
                WHERE workspace_id = \(pair.workspace) AND loser_id = \(pair.loser) AND merge_id = \(pair.merge)
                """),
            Statement(
                "contacts.merge.formerBack",
                """
                DELETE FROM marketing_contact_identities i
                USING marketing_contact_merge_moves m,
                    jsonb_to_recordset(m.extra) AS k(kind text, source text, value text)
                WHERE m.workspace_id = \(pair.workspace) AND m.merge_id = \(pair.merge) AND m.name = 'former'
                    AND i.workspace_id = \(pair.workspace) AND i.kind = k.kind AND i.source = k.source
                    AND i.value = k.value AND i.contact_id = \(pair.winner)
                """),
            Statement(
                "contacts.merge.undone",
                """
                UPDATE marketing_contact_merges SET undone_at = \(now), undone_by = \(scope.actor)
                WHERE workspace_id = \(pair.workspace) AND id = \(pair.merge)
                """),
        ] + references.flatMap { $0.undo(pair) }
    }

    /// The no that the merge wrote for the winner goes with whoever said it.
    private func settleConsents(
        _ noted: Noted, _ pair: MergePair, in transaction: PostgresTransaction
    ) async throws {
        var channels: [String] = []
        if noted.before.emailOptIn != false { channels.append(ConsentChannel.email.rawValue) }
        if noted.before.smsOptIn != false { channels.append(ConsentChannel.sms.rawValue) }
        if noted.before.trackingAllowed { channels.append(ConsentChannel.tracking.rawValue) }
        try await transaction.run(
            "contacts.merge.consentsSettle",
            """
            SELECT marketing_move_consents(\(pair.winner), \(pair.loser), coalesce((
                SELECT array_agg(id) FROM marketing_consents
                WHERE workspace_id = \(pair.workspace) AND contact_id = \(pair.winner) AND source = 'merge'
                    AND channel = ANY (\(channels)) AND evidence ->> 'mergeId' = \("\(pair.merge)")), '{}'))
            """)
    }
}
