import Core
import FoundationEssentials
import Postgres

/// What an import puts into the ledger of consent: that its basis was claimed for each person with an address of whom the
/// ledger says nothing yet. Whoever agreed stays so, whoever said no stays so, and a file that is imported every day adds
/// nothing the second time. One set-based statement per chunk, and none where no basis was chosen.
struct ImportConsent: Sendable {
    let scope: WorkspaceScope
    let importID: ContactImportID
    let options: ImportOptions
    let now: Date

    private var hasBasis: Bool { options.consentBasis != nil }

    /// The flag that new people get with their row.
    var optIn: SQL { hasBasis ? "CASE WHEN n.email_key IS NOT NULL THEN true END" : "NULL::boolean" }

    private static let columns: SQL = """
        workspace_id, id, contact_id, channel, action, basis, source, actor, actor_id, evidence, occurred_at, recorded_at
        """

    /// The ledger's row for the people of a row set; a row's own fresh id, which only new people use, is the decision's.
    private func values(id: SQL, contact: SQL) -> SQL {
        let evidence = JSONValue.object(["import": .string(importID.description)])
        return """
            \(scope.workspace), \(id), \(contact), 'email', 'imported', \(options.consentBasis), 'import', 'staff',
            \(scope.actor), \(evidence), \(now), \(now)
            """
    }

    /// For a chunk of which everybody is new and has an address.
    func ofNewPeople(_ chunk: ImportChunk) -> Statement? {
        guard hasBasis else { return nil }
        return Statement(
            "contacts.import.consent",
            """
            INSERT INTO marketing_consents (\(Self.columns))
            SELECT \(values(id: "n.id", contact: "n.id")) FROM (SELECT unnest(\(chunk.ids)) AS id) n
            """)
    }

    /// For the new people of a mixed chunk: a part of the statement that makes them (`made`).
    var ofMade: SQL {
        guard hasBasis else { return "" }
        return """
            , consented AS (
                INSERT INTO marketing_consents (\(Self.columns))
                SELECT \(values(id: "m.id", contact: "m.id")) FROM made m WHERE m.email_key IS NOT NULL
            )
            """
    }

    /// Whether the ledger says nothing of the person `c`, and nothing else says no.
    static let isSilent: SQL = "c.email_opt_in IS NULL AND c.email_status NOT IN ('unsubscribed', 'complained')"

    /// For the people of a chunk who were there already. They are found by their addresses; the flag says whether the
    /// ledger knows them. The version stays, because undoing the import compares it.
    func ofKnown(_ chunk: ImportChunk) -> Statement? {
        guard hasBasis else { return nil }
        return Statement(
            "contacts.import.consentOfKnown",
            """
            WITH silent AS (
                UPDATE marketing_contacts c SET email_opt_in = true
                FROM unnest(\(chunk.ids), \(chunk.keys)) AS n(id, email_key)
                WHERE c.workspace_id = \(scope.workspace) AND c.email_key = n.email_key AND c.email_key IS NOT NULL
                    AND c.deleted_at IS NULL AND \(Self.isSilent)
                RETURNING c.id AS contact_id, n.id AS id
            )
            INSERT INTO marketing_consents (\(Self.columns))
            SELECT \(values(id: "s.id", contact: "s.contact_id")) FROM silent s
            """)
    }
}

extension ImportConsent {
    /// Undoing takes back what the import claimed in a chunk. Nothing is removed from the ledger: a row of its own says of
    /// each decision that it no longer counts, and the flags follow from what else was said. The ids of the decisions are
    /// those of the chunk's rows. The version of people stays, because undoing other imports compares it.
    static func takeBack(
        _ importID: ContactImportID, chunk number: Int, ids: IdentifierSource, _ scope: WorkspaceScope, at now: Date,
        in transaction: PostgresTransaction
    ) async throws {
        let claimed: [ConsentID] = try await transaction.values(
            ConsentID.self, "contacts.undo.claimed",
            """
            SELECT k.id FROM marketing_contact_import_chunks b JOIN marketing_consents k
                ON k.workspace_id = \(scope.workspace) AND k.id BETWEEN b.first_id AND b.last_id
            WHERE b.workspace_id = \(scope.workspace) AND b.import_id = \(importID) AND b.number = \(number)
                AND k.action = 'imported' AND k.source = 'import' AND k.contact_id IS NOT NULL
                AND k.evidence ->> 'import' = \(importID.description) AND \(ConsentLedger.counts(scope.workspace))
            """)
        guard !claimed.isEmpty else { return }
        let fresh: [ConsentID] = claimed.map { _ in ids.next() }
        let evidence = JSONValue.object(["import": .string(importID.description)])
        try await transaction.run(
            "contacts.undo.consent",
            """
            WITH taken AS (
                INSERT INTO marketing_consents (workspace_id, id, contact_id, channel, purpose, action, source, actor,
                    actor_id, evidence, occurred_at, recorded_at, retracts)
                SELECT \(scope.workspace), n.id, k.contact_id, k.channel, k.purpose, 'retracted', 'import', 'staff',
                    \(scope.actor), \(evidence), \(now), \(now), k.id
                FROM unnest(\(fresh), \(claimed)) AS n(id, claimed) JOIN marketing_consents k
                    ON k.workspace_id = \(scope.workspace) AND k.id = n.claimed
                RETURNING contact_id, retracts
            ), people AS MATERIALIZED (
                SELECT DISTINCT contact_id FROM taken
            ), told AS (
                INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
                SELECT \(scope.workspace), array_agg(contact_id), '{consent}', \(now) FROM people
            ), history AS (
                SELECT k.contact_id, k.channel, k.action, k.occurred_at, k.recorded_at, k.id
                FROM people p JOIN marketing_consents k
                    ON k.workspace_id = \(scope.workspace) AND k.contact_id = p.contact_id
                WHERE k.purpose = 'marketing' AND k.channel IN ('email', 'sms', 'tracking')
                    AND \(ConsentLedger.counts(scope.workspace)) AND k.id NOT IN (SELECT retracts FROM taken)
            )
            \(ConsentLedger.flags)
            UPDATE marketing_contacts c
            SET email_opt_in = f.email, sms_opt_in = f.sms, tracking_allowed = coalesce(f.tracking, c.tracking_allowed)
            FROM people p LEFT JOIN flags f ON f.contact_id = p.contact_id
            WHERE c.workspace_id = \(scope.workspace) AND c.id = p.contact_id
            """)
    }
}

extension ImportStatements {
    func consentOfKnownPeople(_ chunk: ImportChunk) -> [Statement] {
        [ImportConsent(scope: scope, importID: importID, options: options, now: now).ofKnown(chunk)].compactMap { $0 }
    }
}
