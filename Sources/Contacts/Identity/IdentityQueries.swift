import Core
import FoundationEssentials
import Postgres

/// Looks up everybody whom the clues of a batch fit: two statements, whatever the number of people.
struct IdentityQueries: Sendable {
    let scope: WorkspaceScope

    /// Makes everybody who finds or makes people of this workspace wait for each other until the transaction ends: two
    /// at once would both find nobody, and make two.
    var lock: Statement {
        Statement("contacts.identity.lock", lockSQL)
    }

    private var lockSQL: SQL {
        "SELECT pg_advisory_xact_lock(hashtextextended(\("people of \(scope.workspace)"), 0))"
    }

    private struct Hit: PostgresRow {
        let kind: String
        let source: String
        let value: String
        let contact: ContactID

        static let columns: SQL = "h.kind, h.source, h.value, h.contact_id"

        init(row: inout RowReader) throws {
            kind = try row.next()
            source = try row.next()
            value = try row.next()
            contact = try row.next()
        }
    }

    /// What the database knows of these people.
    /// - Parameter locks: whether the people found stay as they are until the transaction ends.
    func book(
        for clues: [PersonClues], and known: [ContactID] = [], locks: Bool, in transaction: PostgresTransaction
    ) async throws -> (book: IdentityBook, records: [ContactID: PersonRecord]) {
        let hits: [Hit] = try await transaction.all(Hit.self, "contacts.identity.hits", hits(clues))
        let ids: [ContactID] = Array(Set(hits.map(\.contact)).union(known)).sorted()
        guard !ids.isEmpty else { return (IdentityBook(), [:]) }
        let (rows, users) = try await transaction.pipeline(
            Query(PersonRecord.self, "contacts.identity.people", PersonRecord.select(ids, locks: locks, scope)),
            Query<(ContactID, String)>.rows(
                as: (ContactID, String).self, "contacts.identity.users",
                """
                SELECT contact_id, value FROM marketing_contact_identities
                WHERE workspace_id = \(scope.workspace) AND contact_id = ANY (\(ids)) AND kind = 'user'
                """))
        var book = IdentityBook()
        var records: [ContactID: PersonRecord] = [:]
        records.reserveCapacity(rows.count)
        for row in rows {
            records[row.id] = row
            book.note(row.id, IdentityBook.Person(emailKey: row.emailKey, phone: row.phone))
            if let key = row.emailKey { book.note(email: key, of: row.id) }
        }
        for (id, user) in users {
            guard var person = book.people[id] else { continue }
            person.userIDs.insert(user)
            book.note(id, person)
        }
        for hit in hits where records[hit.contact] != nil { Self.note(hit, in: &book) }
        return (book, records)
    }

    private static func note(_ hit: Hit, in book: inout IdentityBook) {
        switch hit.kind {
        case "address": book.note(email: hit.value, of: hit.contact)
        case "number": book.note(phone: hit.value, of: hit.contact)
        default:
            guard let kind = IdentityKey.Kind(rawValue: hit.kind) else { return }
            book.note(IdentityKey(kind: kind, source: hit.source, value: hit.value), of: hit.contact)
        }
    }

    /// Every look-up is a LATERAL with a LIMIT, which cannot be planned as a scan of the whole table.
    private func hits(_ clues: [PersonClues]) -> SQL {
        let keys: [IdentityKey] = Array(Set(clues.flatMap(Self.keys)))
        let emails: [String] = Array(Set(clues.compactMap { $0.email?.key }))
        let phones: [String] = Array(Set(clues.compactMap { $0.phone?.e164 }))
        return """
            SELECT \(Hit.columns) FROM (
                SELECT k.kind, k.source, k.value, i.contact_id
                FROM unnest(\(keys.map(\.kind.rawValue)), \(keys.map(\.source)), \(keys.map(\.value)))
                    AS k(kind, source, value)
                CROSS JOIN LATERAL (
                    SELECT contact_id FROM marketing_contact_identities
                    WHERE workspace_id = \(scope.workspace) AND kind = k.kind AND source = k.source AND value = k.value
                    LIMIT 1) i
                UNION ALL
                SELECT 'address', '', e.key, c.id FROM unnest(\(emails)) AS e(key)
                CROSS JOIN LATERAL (
                    SELECT id FROM marketing_contacts
                    WHERE workspace_id = \(scope.workspace) AND email_key = e.key AND email_key IS NOT NULL
                        AND deleted_at IS NULL
                    LIMIT 1) c
                UNION ALL
                SELECT 'number', '', p.number, c.id FROM unnest(\(phones)) AS p(number)
                CROSS JOIN LATERAL (
                    SELECT id FROM marketing_contacts
                    WHERE workspace_id = \(scope.workspace) AND phone = p.number AND phone IS NOT NULL
                        AND deleted_at IS NULL
                    ORDER BY id LIMIT 1) c
            ) h
            """
    }

    private static func keys(_ clues: PersonClues) -> [IdentityKey] {
        var keys: [IdentityKey] = clues.externals.map(IdentityKey.external)
        if let user = clues.userID { keys.append(.user(user)) }
        if let key = clues.email?.key { keys.append(.formerEmail(key)) }
        if let number = clues.phone?.e164 { keys.append(.formerPhone(number)) }
        return keys
    }
}
