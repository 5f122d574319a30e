import Accounts
import Core
import Cryptography
import FoundationEssentials
import Postgres

/// Does erasures again that a restored backup does not know: every start compares the journal with the database.
struct ErasureReplay: Sendable {
    let services: AppServices
    let tables: [PersonalTable]

    private var journal: ErasureJournal { ErasureJournal(varDirectory: services.varDirectory) }

    /// The erasures of the journal that the database does not know as done.
    func missing() async throws -> [ErasureJournal.Entry] {
        var missing: [ErasureJournal.Entry] = []
        for (workspace, entries) in Dictionary(grouping: try journal.entries(), by: \.workspace) {
            let ids: [ErasureID] = entries.map(\.erasure)
            let (exists, done): (Bool, [ErasureID]) = try await services.database.read(workspace) { transaction in
                let found: Bool = try await transaction.value(
                    Bool.self, "contacts.privacy.replayWorkspace",
                    "SELECT EXISTS (SELECT FROM marketing_workspaces WHERE id = \(workspace))")
                let done: [ErasureID] = try await transaction.values(
                    ErasureID.self, "contacts.privacy.replayKnown",
                    """
                    SELECT id FROM marketing_erasures
                    WHERE workspace_id = \(workspace) AND id = ANY (\(ids)) AND status = 'done'
                    """)
                return (found, done)
            }
            if exists { missing += entries.filter { !done.contains($0.erasure) } }
        }
        return missing
    }

    /// Asks for all of them again; answers how many. The work itself is done by the jobs of erasures.
    func run() async throws -> Int {
        let missing = try await missing()
        for entry in missing { try await ask(entry) }
        return missing.count
    }

    private func ask(_ entry: ErasureJournal.Entry) async throws {
        let scope = WorkspaceScope(workspace: entry.workspace)
        let now: Date = services.clock.now
        try await services.database.write(entry.workspace) { transaction in
            try await keepAway(entry, scope, in: transaction)
            for (place, contact) in entry.contacts.enumerated() {
                // Whoever was merged into the person may stand alone in an older database.
                let id: ErasureID = place == 0 ? entry.erasure : services.ids.next()
                let stored: ErasureID? = try await transaction.value(
                    ErasureID?.self, "contacts.privacy.replay",
                    """
                    INSERT INTO marketing_erasures (workspace_id, id, contact_id, replacement_id, status, reason,
                        requested_at)
                    SELECT \(entry.workspace), \(id), \(contact), \(ContactID(UUID())), 'queued',
                        'Done again after a backup was restored', \(now)
                    WHERE \(place == 0) OR EXISTS (
                        SELECT FROM marketing_contacts WHERE workspace_id = \(entry.workspace) AND id = \(contact))
                    ON CONFLICT (workspace_id, contact_id) DO UPDATE SET contact_id = excluded.contact_id
                    RETURNING id
                    """)
                guard let stored else { continue }
                try await services.jobs.enqueue(
                    ErasureJob(erasureID: stored, actor: nil), workspace: entry.workspace, key: "erase:\(stored)",
                    in: transaction)
            }
            try await services.audit.record(
                "erased again after a restore", subject: "erasure \(entry.erasure)",
                href: "/privacy/erasures/\(entry.erasure)", by: scope, in: transaction)
        }
    }

    /// The hashes go back on the do-not-send list, also where the older database never knew the person. The secret they
    /// were made with goes back too where the database has none yet; hashes of another secret would match nobody.
    private func keepAway(
        _ entry: ErasureJournal.Entry, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        guard let sealed = entry.sealedKey.flatMap({ Hexadecimal.decode($0) }) else { return }
        guard
            try await ErasedAddresses.restore(sealed, scope.workspace, services: services, in: transaction)
        else {
            services.logger.error(
                "hashes of an erasure could not be restored: the workspace has another secret",
                metadata: ["erasure": "\(entry.erasure)"])
            return
        }
        let nobody = ContactID(UUID())
        let person = PersonalTable.Person(
            workspace: scope.workspace, contact: nobody, replacement: nobody, emailKey: nil, phone: nil, spellings: [],
            suppressionHashes: entry.hashes)
        for table in tables where table.keepsHashes {
            for sql in table.erasing(person) { try await transaction.run("contacts.privacy.replayHashes", sql) }
        }
    }
}
