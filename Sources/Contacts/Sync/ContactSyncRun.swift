import Accounts
import Core
import FoundationEssentials
import Postgres

/// One batch of people.
struct ContactSyncRun: SyncRun {
    let services: AppServices
    let scope: WorkspaceScope
    var book: IdentityBook
    /// People as they are to be.
    var people: [ContactID: PersonRecord]
    var links: SyncLinkBook
    var companies: [ExternalIdentity: UUID] = [:]
    var companiesByDomain: [String: UUID] = [:]
    /// The properties that people have.
    var catalog: PropertyCatalog
    private let before: [ContactID: PersonRecord]
    private var deleted: Set<ContactID> = []
    private var touched: Set<ContactID> = []
    private var batch: PersonBatch
    private var decisions: [(contact: ContactID, decision: ConsentDecision)] = []

    init(
        services: AppServices, scope: WorkspaceScope, book: IdentityBook, people: [ContactID: PersonRecord],
        links: SyncLinkBook
    ) {
        self.services = services
        self.scope = scope
        self.book = book
        self.people = people
        self.links = links
        before = people
        batch = PersonBatch(services: services, scope: scope, source: "sync")
        catalog = PropertyCatalog(.contact, [], ids: services.ids, at: services.clock.now)
    }

    // MARK: Deciding

    mutating func delete(_ key: ExternalIdentity, _ at: Date) -> SyncOutcome {
        let owner: ContactID? = links[key]?.isDeleted == true ? nil : book.owner(of: .external(key))
        links.delete(key, of: owner?.uuid, at)
        guard let owner else { return SyncOutcome(.unchanged, reason: "There was no such record.") }
        if links.stands(forAnother: owner.uuid) {
            return SyncOutcome(
                .deleted, id: owner.uuid, reason: "The contact stays: another record stands for them too.")
        }
        if before[owner] != nil { deleted.insert(owner) }
        people[owner] = nil
        book.forget(owner)
        return SyncOutcome(.deleted, id: owner.uuid)
    }

    mutating func upsert(_ row: SyncedContact, _ at: Date) -> SyncOutcome {
        let decision = book.decide(row.clues)
        let id: ContactID = decision.contact ?? services.ids.next()
        let old: PersonRecord = people[id] ?? PersonRecord(id: id)
        var outcome = SyncOutcome(decision.contact == nil ? .created : .unchanged, id: id.uuid)
        outcome.matchedBy = decision.matchedBy
        outcome.conflicts = decision.conflicts.map(\.contact)
        let new: [IdentityKey] = book.link(row.clues, to: id)
        batch.link(new.filter { $0 != .external(row.key) }, to: id)
        let record: PersonRecord = applied(row, to: old, &outcome)
        people[id] = record
        touched.insert(id)
        // A record that another contact holds by a stronger link stays theirs.
        let owner: ContactID = book.owner(of: .external(row.key)) ?? id
        let isRelinked: Bool = links[row.key]?.target != owner.uuid || links[row.key]?.isDeleted == true
        links.set(row.key, to: owner.uuid, at)
        decisions += row.consents.map { (id, $0) }
        for other in outcome.conflicts { batch.suggest(id, other) }
        if outcome.status == .unchanged, record != old || isRelinked || !new.isEmpty { outcome.status = .updated }
        return outcome
    }

    private mutating func applied(
        _ row: SyncedContact, to old: PersonRecord, _ outcome: inout SyncOutcome
    ) -> PersonRecord {
        var record: PersonRecord = old
        switch row.email {
        case .unchanged: break
        case .clear:
            if let key = record.emailKey { book.drop(email: key, of: record.id) }
            record.email = nil
            record.emailKey = nil
        case .set(let email): take(email, for: &record, &outcome)
        }
        switch row.phone {
        case .unchanged: break
        case .clear: record.phone = nil
        case .set(let phone):
            record.phone = phone.e164
            book.take(phone: phone.e164, for: record.id)
        }
        record.firstName = row.firstName.applied(to: record.firstName)
        record.lastName = row.lastName.applied(to: record.lastName)
        for (name, value) in row.properties { record.properties[name] = value == .null ? nil : value }
        record.tags = row.tags.applied(to: record.tags) ?? []
        switch row.company {
        case .unchanged:
            if record.company == nil, case .set(let email) = row.email, !companiesByDomain.isEmpty {
                record.company = CompanyDomain(ofAddress: email).flatMap { companiesByDomain[$0.text] }
            }
        case .clear: record.company = nil
        case .set(let key):
            if let company = companies[key] {
                record.company = company
            } else {
                outcome.reason = "The company “\(key.value)” is not known yet; send it first, then the contact again."
            }
        }
        return record
    }

    /// An address that somebody else has stays theirs; the record keeps what it had.
    private mutating func take(_ email: EmailAddress, for record: inout PersonRecord, _ outcome: inout SyncOutcome) {
        if record.emailKey == email.key, record.email == email.description { return }
        if book.take(email: email.key, for: record.id) {
            record.email = email.description
            record.emailKey = email.key
        } else {
            outcome.reason = "The address belongs to another contact and stays with them."
            if let owner = book.owner(ofEmail: email.key), !outcome.conflicts.contains(owner) {
                outcome.conflicts.append(owner)
            }
        }
    }

    // MARK: Writing

    /// Deletions come first: the addresses they free may be somebody else's now.
    mutating func write(in transaction: PostgresTransaction) async throws {
        if !deleted.isEmpty {
            let gone = try await ContactDeletion(scope: scope, now: services.clock.now)
                .delete(deleted.sorted(), in: transaction)
            try await ContactTimeline(services).record(
                .deleted, gone, ["detail": .string("Deleted in the connected system")], scope, in: transaction)
            try await transaction.run([
                AudienceChanges.record(gone, fields: [], scope.workspace, at: services.clock.now)
            ])
        }
        for id in touched.sorted() {
            guard let after = people[id] else { continue }
            if let old = before[id] { batch.change(old, into: after) } else { batch.create(after) }
        }
        batch.fill(catalog.defaults)
        var first: [Statement] = catalog.declaration(scope)
        if let store = SyncLinks(kind: .contacts, scope: scope).store(links.changed, at: services.clock.now) {
            first.append(store)
        }
        let kept = decisions.filter { people[$0.contact] != nil }
        let last: [Statement] = ConsentLedger(services).statements(kept, onlyIfNew: true, scope)
        try await batch.write(after: first, before: last, change: .synced, in: transaction)
    }
}
