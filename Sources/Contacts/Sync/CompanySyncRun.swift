import Accounts
import Core
import FoundationEssentials
import Postgres

/// One batch of companies: decided in memory, then written.
struct CompanySyncRun: SyncRun {
    let services: AppServices
    let scope: WorkspaceScope
    /// The properties that companies have.
    var catalog: PropertyCatalog
    var links: SyncLinkBook
    private var records: [UUID: CompanySync.Record]
    private var domains: [String: UUID]
    private let before: [UUID: CompanySync.Record]
    private var deleted: Set<UUID> = []
    private var touched: Set<UUID> = []

    init(
        services: AppServices, scope: WorkspaceScope, records: [CompanySync.Record],
        links: SyncLinkBook
    ) {
        self.services = services
        self.scope = scope
        catalog = PropertyCatalog(.company, [], ids: services.ids, at: services.clock.now)
        self.records = Dictionary(records.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.links = links
        before = self.records
        domains = [:]
        for record in records { if let domain = record.domain { domains[domain] = record.id } }
    }

    mutating func delete(_ key: ExternalIdentity, _ at: Date) -> SyncOutcome {
        let known: SyncLink? = links[key]
        let owner: UUID? = known.flatMap { $0.isDeleted || records[$0.target] == nil ? nil : $0.target }
        links.delete(key, of: owner, at)
        guard let owner else { return SyncOutcome(.unchanged, reason: "There was no such record.") }
        if links.stands(forAnother: owner) {
            return SyncOutcome(
                .deleted, id: owner, reason: "The company stays: another record stands for it too.")
        }
        if before[owner] != nil { deleted.insert(owner) }
        if let domain = records[owner]?.domain { domains[domain] = nil }
        records[owner] = nil
        return SyncOutcome(.deleted, id: owner)
    }

    mutating func upsert(_ row: SyncedCompany, _ at: Date) -> SyncOutcome {
        let linked: UUID? = links[row.key].flatMap { $0.isDeleted || records[$0.target] == nil ? nil : $0.target }
        var sameDomain: UUID?
        if case .set(let domain) = row.domain { sameDomain = domains[domain] }
        guard let known = linked ?? sameDomain else { return create(row, at) }
        let old: CompanySync.Record = records[known] ?? CompanySync.Record(id: known)
        var outcome = SyncOutcome(.unchanged, id: known)
        let record: CompanySync.Record = applied(row, to: old, &outcome)
        if record != old || links[row.key]?.target != known || links[row.key]?.isDeleted == true {
            outcome.status = .updated
        }
        keep(record, row.key, at)
        return outcome
    }

    private mutating func create(_ row: SyncedCompany, _ at: Date) -> SyncOutcome {
        let record: CompanySync.Record
        var outcome = SyncOutcome(.created)
        record = applied(row, to: CompanySync.Record(id: services.ids.next(ContactID.self).uuid), &outcome)
        guard !record.name.isEmpty else { return SyncOutcome(.failed, reason: "name: A new company needs a name.") }
        outcome.id = record.id
        keep(record, row.key, at)
        return outcome
    }

    private mutating func keep(_ record: CompanySync.Record, _ key: ExternalIdentity, _ at: Date) {
        records[record.id] = record
        touched.insert(record.id)
        links.set(key, to: record.id, at)
    }

    private mutating func applied(
        _ row: SyncedCompany, to old: CompanySync.Record, _ outcome: inout SyncOutcome
    ) -> CompanySync.Record {
        var record: CompanySync.Record = old
        record.name = row.name.applied(to: record.name) ?? record.name
        record.phone = row.phone.applied(to: record.phone)
        record.website = row.website.applied(to: record.website)
        for (name, value) in row.properties { record.properties[name] = value == .null ? nil : value }
        let wanted: String? = row.domain.applied(to: record.domain)
        if wanted != record.domain {
            if let wanted, let owner = domains[wanted], owner != record.id {
                outcome.reason = "The domain belongs to another company and stays with it."
            } else {
                if let old = record.domain { domains[old] = nil }
                if let wanted { domains[wanted] = record.id }
                record.domain = wanted
            }
        }
        return record
    }

    // MARK: Writing

    func statements() -> [Statement] {
        let now: Date = services.clock.now
        var statements: [Statement] = deletions(now) + catalog.declaration(scope)
        let ids: [UUID] = touched.filter { records[$0] != nil }.sorted { $0.uuidString < $1.uuidString }
        let made = ids.filter { before[$0] == nil }.compactMap { records[$0] }
        let changed = ids.filter { before[$0] != nil && before[$0] != records[$0] }.compactMap { records[$0] }
        // Domains that change hands are let go first: the unique key is checked row by row.
        let givers: [UUID] = changed.filter { before[$0.id]?.domain != $0.domain }.map(\.id)
        if !givers.isEmpty {
            statements.append(
                Statement(
                    "contacts.sync.companies.release",
                    """
                    UPDATE marketing_companies SET domain = NULL
                    WHERE workspace_id = \(scope.workspace) AND id = ANY (\(givers))
                    """))
        }
        if !changed.isEmpty { statements += update(changed, now) }
        if !made.isEmpty { statements.append(insertion(made, now)) }
        if let store = SyncLinks(kind: .companies, scope: scope).store(links.changed, at: now) {
            statements.append(store)
        }
        return statements
    }

    private func arrays(_ list: [CompanySync.Record]) -> SQL {
        """
        unnest(\(list.map(\.id)), \(list.map(\.name)), \(list.map(\.domain)), \(list.map(\.phone)),
            \(list.map(\.website)), \(list.map { JSONValue.object($0.properties) }))
            AS n(id, name, domain, phone, website, properties)
        """
    }

    private func insertion(_ made: [CompanySync.Record], _ now: Date) -> Statement {
        Statement(
            "contacts.sync.companies.insert",
            """
            INSERT INTO marketing_companies (workspace_id, id, name, domain, phone, website, properties, source, created_at,
                updated_at)
            SELECT \(scope.workspace), n.*, 'sync', \(now), \(now) FROM \(arrays(made))
            """)
    }

    /// Segments look again at the people of a company that changed.
    private func update(_ changed: [CompanySync.Record], _ now: Date) -> [Statement] {
        let fields: Set<String> = changed.reduce(into: []) { fields, record in
            if let old = before[record.id] { fields.formUnion(record.fieldsChanged(since: old)) }
        }
        return [
            Statement(
                "contacts.sync.companies.update",
                """
                UPDATE marketing_companies m
                SET name = n.name, domain = n.domain, phone = n.phone, website = n.website, properties = n.properties,
                    updated_at = \(now), version = m.version + 1
                FROM \(arrays(changed)) WHERE m.workspace_id = \(scope.workspace) AND m.id = n.id
                """),
            people(of: changed.map(\.id), fields: fields.sorted(), now),
        ]
    }

    private func people(of companies: [UUID], fields: [String], _ now: Date) -> Statement {
        Statement(
            "contacts.sync.companies.audience",
            """
            INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
            SELECT \(scope.workspace), array_agg(c.id), \(fields)::text[], \(now)
            FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.company_id = ANY (\(companies)) AND c.company_id IS NOT NULL
                AND c.deleted_at IS NULL
            HAVING count(*) > 0
            """)
    }

    private func deletions(_ now: Date) -> [Statement] {
        guard !deleted.isEmpty else { return [] }
        let ids: [UUID] = Array(deleted)
        return [
            people(of: ids, fields: ["company"], now),
            Statement(
                "contacts.sync.companies.leave",
                """
                UPDATE marketing_contacts SET company_id = NULL, updated_at = \(now), version = version + 1
                WHERE workspace_id = \(scope.workspace) AND company_id = ANY (\(ids)) AND company_id IS NOT NULL
                    AND deleted_at IS NULL
                """),
            Statement(
                "contacts.sync.companies.delete",
                """
                UPDATE marketing_companies SET deleted_at = \(now), updated_at = \(now), version = version + 1
                WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids)) AND deleted_at IS NULL
                """),
        ]
    }
}
