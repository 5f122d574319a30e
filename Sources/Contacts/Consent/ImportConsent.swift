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
            SELECT \(values(id: "n.id", contact: "n.id")) FROM unnest(\(chunk.ids)) AS n(id)
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
                    AND c.deleted_at IS NULL AND c.email_opt_in IS NULL
                    AND c.email_status NOT IN ('unsubscribed', 'complained')
                RETURNING c.id AS contact_id, n.id AS id
            )
            INSERT INTO marketing_consents (\(Self.columns))
            SELECT \(values(id: "s.id", contact: "s.contact_id")) FROM silent s
            """)
    }
}

extension ImportStatements {
    func consentOfKnownPeople(_ chunk: ImportChunk) -> [Statement] {
        [ImportConsent(scope: scope, importID: importID, options: options, now: now).ofKnown(chunk)].compactMap { $0 }
    }
}
