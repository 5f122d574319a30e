import Accounts
import Core
import FoundationEssentials
import Postgres

/// Finds people by what is known of them, and makes those whom nobody knows.
package struct IdentityResolver: Sendable {
    let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    /// Who these people are; nil for those whom nobody knows. Changes nothing.
    package func find(
        _ clues: [PersonClues], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [IdentityMatch?] {
        let (book, _) = try await IdentityQueries(scope: scope).book(for: clues, locks: false, in: transaction)
        return clues.map { one in
            let decision = book.decide(one)
            return decision.contact.map {
                IdentityMatch(
                    contact: $0, isNew: false, matchedBy: decision.matchedBy, conflicts: decision.conflicts)
            }
        }
    }

    /// Who these people are, in order. Those whom nobody knows are made, blanks of the others are filled, and ids that
    /// nobody had are linked; a link that leads to somebody else stays. Two calls at once make one person: whoever may
    /// have to write waits for the others of the workspace until its transaction ends.
    ///
    /// Properties are brought into the form of their types, like those of a form; new people get the defaults.
    ///
    /// - Parameter source: where new people come from.
    /// - Throws: `ValidationErrors` of the first person whose properties do not fit; a unique violation of `marketing_contacts_email_key` when somebody was made at this moment by other
    ///   means: try the transaction again (`retryingTakenAddress`).
    package func resolve(
        _ clues: [PersonClues], source: String, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [IdentityMatch] {
        try await resolve(try await check(clues, scope, in: transaction), source: source, scope, in: transaction)
    }

    /// The same for clues that are checked already.
    package func resolve(
        _ checked: CheckedClues, source: String, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [IdentityMatch] {
        if let first = checked.errors.keys.min(), let errors = checked.errors[first] { throw errors }
        let clues: [PersonClues] = checked.clues
        guard !clues.isEmpty else { return [] }
        let queries = IdentityQueries(scope: scope)
        let (known, records) = try await queries.book(for: clues, locks: false, in: transaction)
        if let settled = Self.settled(clues, known, records) { return settled }
        try await transaction.run([queries.lock])
        var (book, people) = try await queries.book(for: clues, locks: true, in: transaction)
        let before: [ContactID: PersonRecord] = people
        var batch = PersonBatch(services: services, scope: scope, source: source)
        var matches: [IdentityMatch] = []
        for one in clues {
            matches.append(settle(one, &book, &people, &batch))
        }
        for id in Set(matches.map(\.contact)).sorted() {
            guard let after = people[id] else { continue }
            if let old = before[id] { batch.change(old, into: after) } else { batch.create(after) }
        }
        batch.catalog = checked.catalog
        if matches.contains(where: \.isNew) {
            var catalog: PropertyCatalog? = checked.catalog
            if catalog == nil {
                catalog = try await PropertyCatalog.load(
                    .contact, scope, ids: services.ids, at: services.clock.now, in: transaction)
            }
            batch.fill(catalog?.defaults ?? [:])
        }
        try await batch.write(in: transaction)
        return matches
    }

    /// The answer where everybody is known and there is nothing to write, as with most events: nobody waits then.
    private static func settled(
        _ clues: [PersonClues], _ book: IdentityBook, _ records: [ContactID: PersonRecord]
    ) -> [IdentityMatch]? {
        var book = book
        var matches: [IdentityMatch] = []
        for one in clues {
            let decision = book.decide(one)
            guard let id = decision.contact, decision.conflicts.isEmpty, let record = records[id],
                book.link(one, to: id).isEmpty, filled(record, with: one, &book) == record
            else { return nil }
            matches.append(IdentityMatch(contact: id, isNew: false, matchedBy: decision.matchedBy, conflicts: []))
        }
        return matches
    }

    private func settle(
        _ clues: PersonClues, _ book: inout IdentityBook, _ people: inout [ContactID: PersonRecord],
        _ batch: inout PersonBatch
    ) -> IdentityMatch {
        let decision = book.decide(clues)
        let id: ContactID = decision.contact ?? services.ids.next()
        batch.link(book.link(clues, to: id), to: id)
        for conflict in decision.conflicts { batch.suggest(id, conflict.contact) }
        people[id] = Self.filled(people[id] ?? PersonRecord(id: id), with: clues, &book)
        return IdentityMatch(
            contact: id, isNew: decision.contact == nil, matchedBy: decision.matchedBy, conflicts: decision.conflicts)
    }

    /// The person with blanks filled. An address that belongs to somebody else stays theirs.
    private static func filled(
        _ record: PersonRecord, with clues: PersonClues, _ book: inout IdentityBook
    ) -> PersonRecord {
        var record = record
        if record.emailKey == nil, let email = clues.email, book.take(email: email.key, for: record.id) {
            record.email = email.description
            record.emailKey = email.key
        }
        if record.phone == nil, let phone = clues.phone {
            record.phone = phone.e164
            book.take(phone: phone.e164, for: record.id)
        }
        record.firstName = record.firstName ?? clues.firstName
        record.lastName = record.lastName ?? clues.lastName
        record.properties.merge(clues.properties) { own, _ in own }
        return record
    }

    /// Runs a transaction in a workspace again when an address was given away at this moment by somebody who does not
    /// ask here first, such as a form: the second time it is found.
    package static func retryingTakenAddress<Value>(
        _ services: AppServices, _ scope: WorkspaceScope, timeout: Duration? = nil,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        for _ in 0..<2 {
            do {
                return try await services.database.write(
                    scope.workspace, timeout: timeout, keepsPlans: true, body)
            } catch let error as PostgresError
                where error.isUniqueViolation(constraint: "marketing_contacts_email_key")
            {
                continue
            }
        }
        return try await services.database.write(
            scope.workspace, timeout: timeout, keepsPlans: true, body)
    }

    /// One person in a transaction of its own.
    package func resolve(_ clues: PersonClues, source: String, _ scope: WorkspaceScope) async throws -> IdentityMatch? {
        try await Self.retryingTakenAddress(services, scope) { transaction in
            try await resolve([clues], source: source, scope, in: transaction).first
        }
    }
}
