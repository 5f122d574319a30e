import Accounts
import Core
import FoundationEssentials
import Postgres

/// Undoes an import chunk by chunk: deletes the people it added, restores those it changed, takes those off the list
/// whom it put there, takes back the consent it claimed. Who was changed or has a history since stays as they are, and is
/// counted.
struct ImportUndo: Sendable {
    let services: AppServices
    let scope: WorkspaceScope
    let importID: ContactImportID

    func run() async throws {
        while try await undoNextChunk() { try Task.checkCancellation() }
        try await services.database.write(scope.workspace) { transaction in
            _ = try await ImportQueries(scope: scope).move(
                importID, from: [.undoing], to: .undone, setting: ", undone_at = \(services.clock.now)", in: transaction
            )
        }
    }

    /// The last chunk first, so that somebody who was changed twice gets back the oldest values. False at the end.
    private func undoNextChunk() async throws -> Bool {
        try await services.database.write(scope.workspace, timeout: .seconds(120)) { transaction in
            let number: Int? = try await transaction.value(
                Int?.self, "contacts.undo.next",
                """
                SELECT number FROM marketing_contact_import_chunks
                WHERE workspace_id = \(scope.workspace) AND import_id = \(importID) AND NOT undone
                ORDER BY number DESC LIMIT 1 FOR UPDATE
                """)
            guard let number else { return false }
            let removed: (gone: Int, kept: Int) = try await removePeople(of: number, in: transaction)
            let restored: (done: Int, kept: Int) = try await restorePeople(of: number, in: transaction)
            try await leaveList(number, in: transaction)
            try await ImportConsent.takeBack(
                importID, chunk: number, ids: services.ids, scope, at: services.clock.now, in: transaction)
            try await transaction.run([
                Statement(
                    "contacts.undo.mark",
                    """
                    UPDATE marketing_contact_import_chunks SET undone = true
                    WHERE workspace_id = \(scope.workspace) AND import_id = \(importID) AND number = \(number)
                    """),
                Statement(
                    "contacts.undo.count",
                    """
                    UPDATE marketing_contact_imports
                    SET undo_removed = undo_removed + \(removed.gone), undo_restored = undo_restored + \(restored.done),
                        undo_kept = undo_kept + \(removed.kept + restored.kept)
                    WHERE workspace_id = \(scope.workspace) AND id = \(importID)
                    """),
                ContactTotals.adding(0, scope),
                noteOfChanges(number),
            ])
            return true
        }
    }

    /// Deletes the people the chunk added, unless they have been changed or something has happened to them.
    private func removePeople(
        of number: Int, in transaction: PostgresTransaction
    ) async throws -> (gone: Int, kept: Int) {
        let people: [(ContactID, Bool)] = try await transaction.rows(
            as: (ContactID, Bool).self, "contacts.undo.people",
            """
            SELECT c.id, c.version = 1 AND NOT EXISTS (
                SELECT FROM marketing_contact_events e
                WHERE e.workspace_id = \(scope.workspace) AND e.contact_id = c.id)
            FROM marketing_contact_import_chunks k JOIN marketing_contacts c
                ON c.workspace_id = k.workspace_id AND c.id BETWEEN k.first_id AND k.last_id
            WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(number)
                AND c.import_id = \(importID) AND c.deleted_at IS NULL
            """)
        let untouched: [ContactID] = people.filter(\.1).map(\.0)
        let deletion = ContactDeletion(scope: scope, now: services.clock.now)
        let gone: [ContactID] = try await deletion.delete(untouched, in: transaction)
        return (gone.count, people.count - gone.count)
    }

    /// Gives changed people their values back. The version tells who has been changed since; a change by a later chunk
    /// of this import has been undone already and counts two versions.
    private func restorePeople(
        of number: Int, in transaction: PostgresTransaction
    ) async throws -> (done: Int, kept: Int) {
        let counts: [(Int, Int)] = try await transaction.rows(
            as: (Int, Int).self, "contacts.undo.restore",
            """
            WITH before AS MATERIALIZED (
                SELECT b.* FROM marketing_contact_import_chunks k CROSS JOIN LATERAL unnest(
                    k.before_ids, k.before_versions, k.before_phones, k.before_first_names, k.before_last_names,
                    k.before_properties, k.before_tags, k.before_consents, k.before_companies
                ) AS b(id, version, phone, first_name, last_name, properties, tags, consent_basis, company_id)
                WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(number)
            ), restored AS (
                UPDATE marketing_contacts c
                SET phone = b.phone, first_name = b.first_name, last_name = b.last_name, properties = b.properties,
                    tags = CASE WHEN b.tags = '' THEN '{}' ELSE string_to_array(b.tags, E'\\x1f') END,
                    consent_basis = b.consent_basis, company_id = b.company_id, updated_at = \(services.clock.now), version = b.version
                FROM before b
                WHERE c.workspace_id = \(scope.workspace) AND c.id = b.id AND c.version = b.version + 1
                    AND c.deleted_at IS NULL
                RETURNING c.id
            )
            SELECT (SELECT count(*) FROM restored), (SELECT count(*) FROM before)
            """)
        guard let (done, all) = counts.first else { return (0, 0) }
        if done > 0 {
            try await ContactSearchIndex.refresh(chunk: number, of: importID, scope, in: transaction)
        }
        return (done, all - done)
    }

    /// Whoever the chunk changed or listed is somebody else now; those it made and that are gone were noted when they
    /// were deleted.
    private func noteOfChanges(_ number: Int) -> Statement {
        Statement(
            "contacts.undo.audience",
            """
            INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
            SELECT \(scope.workspace), coalesce(k.before_ids, '{}') || coalesce(k.listed_ids, ARRAY(
                SELECT c.id FROM marketing_contacts c
                WHERE c.workspace_id = \(scope.workspace) AND c.id BETWEEN k.first_id AND k.last_id)), '{}',
                \(services.clock.now)
            FROM marketing_contact_import_chunks k
            WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(number)
            """)
    }

    /// Takes off the list whom this chunk put there. People who were new and are kept leave it, too.
    private func leaveList(_ number: Int, in transaction: PostgresTransaction) async throws {
        try await transaction.run(
            "contacts.undo.list",
            """
            WITH gone AS (
                DELETE FROM marketing_list_members m
                USING marketing_contact_import_chunks k, marketing_contact_imports i
                WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(number)
                    AND i.workspace_id = \(scope.workspace) AND i.id = \(importID)
                    AND m.workspace_id = \(scope.workspace) AND m.list_id = i.list_id
                    AND (m.contact_id = ANY (k.listed_ids)
                        OR (k.listed_ids IS NULL AND m.contact_id BETWEEN k.first_id AND k.last_id))
                RETURNING m.list_id
            )
            UPDATE marketing_lists l SET member_count = l.member_count - d.count
            FROM (SELECT list_id, count(*)::int AS count FROM gone GROUP BY list_id) d
            WHERE l.workspace_id = \(scope.workspace) AND l.id = d.list_id
            """)
    }
}
