import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

package enum ErasureTag {}
package typealias ErasureID = Identifier<ErasureTag>

struct ErasureJob: Job {
    static let kind = "contacts.erase"
    static let lane: JobLane = .transactional
    let erasureID: ErasureID
    let actor: UserID?
}

/// Looks once more at an erased person's messages, when whatever was being handed over has been written down.
struct ErasureCheckJob: Job {
    static let kind = "contacts.erase.check"
    static let lane: JobLane = .maintenance
    let erasureID: ErasureID
}

/// An erasure as its page and its certificate show it.
struct ErasureRecord: PostgresRow, Sendable {
    static let columns: SQL = """
        e.id, e.contact_id, e.replacement_id, e.status, e.reason, e.requested_by,
        (SELECT name FROM marketing_users u WHERE u.id = e.requested_by), e.requested_at, e.finished_at, e.checked_at,
        e.outcome
        """
    let id: ErasureID
    let contact: ContactID
    let replacement: ContactID?
    let status: String
    let reason: String
    let actor: UserID?
    let actorName: String?
    let requestedAt: Date
    let finishedAt: Date?
    let checkedAt: Date?
    let outcome: [String: JSONValue]

    init(row: inout RowReader) throws {
        id = try row.next()
        contact = try row.next()
        replacement = try row.next()
        status = try row.next()
        reason = try row.next()
        actor = try row.next()
        actorName = try row.next()
        requestedAt = try row.next()
        finishedAt = try row.next()
        checkedAt = try row.next()
        if case .object(let members) = try row.next(JSONValue.self) { outcome = members } else { outcome = [:] }
    }

    init(id: ErasureID, contact: ContactID, reason: String, at date: Date, outcome: [String: JSONValue]) {
        self.id = id
        self.contact = contact
        replacement = nil
        status = "done"
        self.reason = reason
        actor = nil
        actorName = "Ana Ruiz"
        requestedAt = date
        finishedAt = date
        checkedAt = date
        self.outcome = outcome
    }
}

/// Erasing one person: everything about them is deleted, or kept without them where counts need it; a hash of the address
/// stays on the do-not-send list.
///
/// The work is one transaction, so it is done or not begun; its job may be run again at any time.
struct Erasure: Sendable {
    let services: AppServices
    let tables: [PersonalTable]
    /// Where texts of other slices name a person.
    var mentions: PersonMentions.Finder = { _, _, _ in [] }

    // MARK: Asking

    /// What would be done, table by table, with the number of rows.
    struct Preview: Sendable {
        struct Line: Sendable {
            let table: String
            let title: String
            let fate: PersonalTable.Fate
            let rows: Int?
        }
        let contact: Contact
        let lines: [Line]
    }

    func preview(_ contact: ContactID, _ scope: WorkspaceScope) async throws -> Preview? {
        try await services.database.read(scope.workspace) { transaction in
            guard let person = try await ContactQueries(scope: scope).findAny(contact, in: transaction) else {
                return nil
            }
            let about = Self.person(person, replacement: contact, scope)
            var lines: [Preview.Line] = []
            for table in tables {
                var rows: Int?
                if let select = table.rows {
                    rows = try await transaction.value(
                        Int.self, "contacts.privacy.count", "SELECT count(*) FROM (\(select(about, 10_000))) r")
                }
                lines.append(Preview.Line(table: table.name, title: table.title, fate: table.fate, rows: rows))
            }
            return Preview(contact: person, lines: lines)
        }
    }

    /// - Returns: the erasure, an earlier one when it was asked for before; nil when there is no such contact.
    func request(_ contact: ContactID, reason: String, _ scope: WorkspaceScope) async throws -> ErasureID? {
        let id: ErasureID = services.ids.next()
        return try await services.database.write(scope.workspace) { transaction in
            let known: ErasureID? = try await transaction.value(
                ErasureID?.self, "contacts.privacy.knownErasure",
                """
                SELECT id FROM marketing_erasures
                WHERE workspace_id = \(scope.workspace) AND contact_id = \(contact)
                """)
            if let known { return known }
            guard try await ContactQueries(scope: scope).findAny(contact, in: transaction) != nil else { return nil }
            let replacement: ContactID = ContactID(UUID())
            let stored: ErasureID? = try await transaction.value(
                ErasureID?.self, "contacts.privacy.requestErasure",
                """
                INSERT INTO marketing_erasures
                    (workspace_id, id, contact_id, replacement_id, status, reason, requested_by, requested_at)
                VALUES (\(scope.workspace), \(id), \(contact), \(replacement), 'queued', \(reason), \(scope.actor),
                    \(services.clock.now))
                ON CONFLICT (workspace_id, contact_id) DO UPDATE SET contact_id = excluded.contact_id
                RETURNING id
                """)
            guard let stored else { return nil }
            try await services.jobs.enqueue(
                ErasureJob(erasureID: stored, actor: scope.actor), workspace: scope.workspace, key: "erase:\(stored)",
                in: transaction)
            try await services.audit.record(
                "asked to erase a person", subject: "certificate", href: "/privacy/erasures/\(stored)", by: scope,
                in: transaction)
            return stored
        }
    }

    func find(_ id: ErasureID, _ scope: WorkspaceScope) async throws -> ErasureRecord? {
        try await services.database.read(scope.workspace) { transaction in
            try await Self.find(id, scope, in: transaction)
        }
    }

    static func find(
        _ id: ErasureID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> ErasureRecord? {
        try await session.first(
            ErasureRecord.self, "contacts.privacy.erasure",
            """
            SELECT \(ErasureRecord.columns) FROM marketing_erasures e
            WHERE e.workspace_id = \(scope.workspace) AND e.id = \(id)
            """)
    }

    func latest(_ scope: WorkspaceScope) async throws -> [ErasureRecord] {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.all(
                ErasureRecord.self, "contacts.privacy.erasures",
                """
                SELECT \(ErasureRecord.columns) FROM marketing_erasures e
                WHERE e.workspace_id = \(scope.workspace) ORDER BY e.id DESC LIMIT 50
                """)
        }
    }

    // MARK: Doing

    func run(_ id: ErasureID, _ scope: WorkspaceScope) async throws {
        let mentioned: JSONValue = try await findMentions(id, scope)
        let exports: [PersonExportID] = try await services.workerDatabase.write(
            scope.workspace, timeout: .seconds(280)
        ) { transaction in
            try await transaction.run(
                "contacts.privacy.lockErasure",
                "SELECT FROM marketing_erasures WHERE workspace_id = \(scope.workspace) AND id = \(id) FOR UPDATE")
            guard let erasure = try await Self.find(id, scope, in: transaction), erasure.status != "done",
                let replacement = erasure.replacement
            else { return [] }
            let files: [PersonExportID] = try await transaction.values(
                PersonExportID.self, "contacts.privacy.erasedExports",
                """
                SELECT id FROM marketing_person_exports
                WHERE workspace_id = \(scope.workspace) AND contact_id = \(erasure.contact)
                """)
            var outcome: [String: JSONValue] = [:]
            let people: [Contact] = try await everybody(erasure.contact, scope, in: transaction)
            for contact in people {
                let counts = try await erase(contact, replacement: replacement, scope, in: transaction)
                for (table, count) in counts {
                    if case .int(let before)? = outcome[table] {
                        outcome[table] = .int(before + count)
                    } else {
                        outcome[table] = .int(count)
                    }
                }
            }
            outcome["mentions"] = mentioned
            try await settle(erasure, outcome, scope, in: transaction)
            if !people.isEmpty { try await note(erasure, people, scope, in: transaction) }
            return files
        }
        for export in exports { PersonExports(services: services, tables: tables).remove(export) }
    }

    /// The line of the journal, written before the commit: a line too many does no harm, one too few would.
    private func note(
        _ erasure: ErasureRecord, _ people: [Contact], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        let sealed: [UInt8]? = try await ErasedAddresses.sealedKey(scope.workspace, in: transaction)
        let hashes = try await ErasedAddresses.load(scope.workspace, services: services, in: transaction)
        let others: [ContactID] = people.map(\.id).filter { $0 != erasure.contact }
        let entry = ErasureJournal.Entry(
            workspace: scope.workspace, erasure: erasure.id, contacts: [erasure.contact] + others,
            hashes: people.flatMap { Self.person($0, replacement: $0.id, scope, hashes).suppressionHashes },
            sealedKey: sealed.map { Hexadecimal.encode($0) }, at: Int(services.clock.now.timeIntervalSince1970))
        try ErasureJournal(varDirectory: services.varDirectory).append(entry)
    }

    /// The person, and whoever was made one with them: those stand under earlier ids.
    func everybody(
        _ contact: ContactID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [Contact] {
        let ids: [ContactID] = try await transaction.values(
            ContactID.self, "contacts.privacy.everybody",
            """
            WITH RECURSIVE all_ids AS (
                SELECT \(contact)::uuid AS id
                UNION
                SELECT a.loser_id FROM marketing_contact_aliases a JOIN all_ids i ON i.id = a.winner_id
                WHERE a.workspace_id = \(scope.workspace)
            )
            SELECT id FROM all_ids
            """)
        var people: [Contact] = []
        for id in ids {
            if let person = try await ContactQueries(scope: scope).findAny(id, in: transaction) {
                people.append(person)
            }
        }
        return people
    }

    private func erase(
        _ contact: Contact, replacement: ContactID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [String: Int] {
        // Whoever changes the person waits here, and finds nobody afterwards.
        try await transaction.run(
            "contacts.privacy.lock",
            """
            SELECT FROM marketing_contacts WHERE workspace_id = \(scope.workspace) AND id = \(contact.id) FOR UPDATE
            """)
        _ = try await ContactDeletion(scope: scope, now: services.clock.now).delete([contact.id], in: transaction)
        let hashes = try await ErasedAddresses.loadOrMake(scope.workspace, services: services, in: transaction)
        let person = Self.person(contact, replacement: replacement, scope, hashes)
        let hash: [UInt8]? =
            person.emailKey.map { hashes.hash("email", $0) } ?? person.phone.map { hashes.hash("sms", $0) }
        var counts: [String: Int] = [
            "marketing_consents": try await transaction.value(
                Int.self, "contacts.privacy.eraseConsents",
                "SELECT marketing_erase_consents(\(contact.id), \(hash)::bytea)")
        ]
        for table in tables {
            for sql in table.erasing(person) {
                counts[table.name, default: 0] += try await transaction.run("contacts.privacy.erase", sql)
            }
        }
        counts["marketing_contacts"] = try await transaction.run(
            "contacts.privacy.erasePerson",
            "DELETE FROM marketing_contacts WHERE workspace_id = \(scope.workspace) AND id = \(contact.id)")
        return counts
    }

    private func settle(
        _ erasure: ErasureRecord, _ outcome: [String: JSONValue], _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        let now: Date = services.clock.now
        try await transaction.run([
            Statement(
                "contacts.privacy.erased",
                """
                UPDATE marketing_erasures SET status = 'done', finished_at = \(now), outcome = \(JSONValue.object(outcome))
                WHERE workspace_id = \(scope.workspace) AND id = \(erasure.id)
                """),
            ContactTotals.adding(0, scope),
            AudienceChanges.record([erasure.contact], fields: [], scope.workspace, at: now),
        ])
        try await services.jobs.enqueue(
            ErasureCheckJob(erasureID: erasure.id), workspace: scope.workspace, key: "check:\(erasure.id)",
            at: now.addingTimeInterval(900), in: transaction)
        try await services.audit.record(
            "erased a person", subject: "certificate", href: "/privacy/erasures/\(erasure.id)", by: scope,
            in: transaction)
    }

    /// Runs the tables' work once more under the replacement, for what was on its way, and forgets it.
    func check(_ id: ErasureID, _ scope: WorkspaceScope) async throws {
        try await services.workerDatabase.write(scope.workspace) { transaction in
            guard let erasure = try await Self.find(id, scope, in: transaction), erasure.status == "done",
                let replacement = erasure.replacement
            else { return }
            let person = PersonalTable.Person(
                workspace: scope.workspace, contact: replacement, replacement: replacement, emailKey: nil, phone: nil,
                spellings: [])
            for table in tables where table.isCheckedAgain {
                for sql in table.erasing(person) { try await transaction.run("contacts.privacy.eraseAgain", sql) }
            }
            try await transaction.run(
                "contacts.privacy.checked",
                """
                UPDATE marketing_erasures SET replacement_id = NULL, checked_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
        }
    }

    private static func person(
        _ contact: Contact, replacement: ContactID, _ scope: WorkspaceScope, _ hashes: ErasedAddresses? = nil
    ) -> PersonalTable.Person {
        let key: String? = contact.email.flatMap { try? EmailAddress(parsing: $0).key }
        var spellings: [String] = [contact.email, contact.email?.lowercased(), key, contact.phone].compactMap { $0 }
        // A short or single name may be somebody else's too.
        if let name = contact.fullName, name.count >= 5, name.contains(" ") { spellings.append(name.lowercased()) }
        let names: [String] = [contact.firstName, contact.lastName].compactMap { $0?.lowercased() }
            .filter { $0.count > 1 }
        return PersonalTable.Person(
            workspace: scope.workspace, contact: contact.id, replacement: replacement, emailKey: key,
            phone: contact.phone, spellings: Array(Set(spellings)).sorted(), names: names.count == 2 ? names : [],
            suppressionHashes: hashes.map { hashes in
                [key.map { hashes.hash("email", $0) }, contact.phone.map { hashes.hash("sms", $0) }]
                    .compactMap { $0.map { Hexadecimal.encode($0) } }
            } ?? [])
    }
}
