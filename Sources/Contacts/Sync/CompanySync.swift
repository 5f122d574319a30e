import Accounts
import Core
import FoundationEssentials
import Postgres

/// A company as another system tells of it.
package struct SyncedCompany: Sendable {
    package let key: ExternalIdentity
    package let updatedAt: Date?
    package let isDeleted: Bool
    var name: ContactInput.Field<String> = .unchanged
    /// Lower case, ASCII, without “www.”.
    var domain: ContactInput.Field<String> = .unchanged
    var phone: ContactInput.Field<String> = .unchanged
    var website: ContactInput.Field<String> = .unchanged
    /// A null takes the property away.
    var properties: [String: JSONValue] = [:]
}

extension SyncReader {
    private static let companyMembers: Set<String> = keyMembers.union([
        "name", "domain", "phone", "website", "properties",
    ])

    /// - Throws: `ValidationErrors` that name the members.
    package func company(_ value: JSONValue) throws(ValidationErrors) -> SyncedCompany {
        guard case .object(let json) = value else { throw ValidationErrors("", "A record is an object.") }
        var errors = ValidationErrors()
        for name in json.keys.sorted() where !Self.companyMembers.contains(name) {
            errors.add(name, "There is no member called “\(name.prefix(60))” here.")
        }
        let head: Head = head(json, &errors)
        var company = SyncedCompany(key: head.key, updatedAt: head.updatedAt, isDeleted: head.isDeleted)
        if !head.isDeleted {
            company.name = Self.name("name", json, &errors)
            if case .clear = company.name { errors.add("name", "A company needs a name.") }
            company.domain = Self.domain(json, &errors)
            company.phone = Self.name("phone", longest: 40, json, &errors)
            company.website = Self.name("website", longest: 2000, json, &errors)
            switch json["properties"] {
            case nil, .null: break
            case .object(let members): company.properties = members
            default: errors.add("properties", "This must be an object.")
            }
        }
        try errors.throwIfAny()
        return company
    }

    private static func domain(
        _ json: [String: JSONValue], _ errors: inout ValidationErrors
    ) -> ContactInput.Field<String> {
        let field: ContactInput.Field<String> = name("domain", longest: 260, json, &errors)
        guard case .set(let text) = field else { return field }
        if let domain = CompanyDomain(text) { return .set(domain.text) }
        errors.add("domain", "This is no domain, like example.com.")
        return .unchanged
    }
}

/// Brings companies into step with another system, like `ContactSync` does people.
package struct CompanySync: Sendable {
    private let services: AppServices

    package init(_ services: AppServices) {
        self.services = services
    }

    struct Record: Sendable, Equatable, PostgresRow {
        let id: UUID
        var name: String
        var domain: String?
        var phone: String?
        var website: String?
        var properties: [String: JSONValue] = [:]

        static let columns: SQL = "m.id, m.name, m.domain, m.phone, m.website, m.properties"

        init(id: UUID) {
            self.id = id
            name = ""
        }

        init(row: inout RowReader) throws {
            id = try row.next()
            name = try row.next()
            domain = try row.next()
            phone = try row.next()
            website = try row.next()
            if case .object(let members) = try row.next(JSONValue.self) { properties = members }
        }

        func fieldsChanged(since old: Record) -> Set<String> {
            var fields: Set<String> = []
            if name != old.name { fields.insert("company.name") }
            if domain != old.domain { fields.insert("company.domain") }
            if phone != old.phone { fields.insert("company.phone") }
            if website != old.website { fields.insert("company.website") }
            for name in Set(properties.keys).union(old.properties.keys) where properties[name] != old.properties[name] {
                fields.insert("company.properties.\(name)")
            }
            return fields
        }
    }

    /// What became of each record, in order.
    package func apply(_ rows: [SyncedCompany], _ scope: WorkspaceScope) async throws -> [SyncOutcome] {
        guard !rows.isEmpty else { return [] }
        for _ in 0..<2 {
            do {
                return try await attempt(rows, scope)
            } catch let error as PostgresError
                where error.isUniqueViolation(constraint: "marketing_companies_domain")
            {
                continue
            }
        }
        return try await attempt(rows, scope)
    }

    private func attempt(_ rows: [SyncedCompany], _ scope: WorkspaceScope) async throws -> [SyncOutcome] {
        try await services.database.write(scope.workspace, timeout: .seconds(60), keepsPlans: true) { transaction in
            try await transaction.run([IdentityQueries(scope: scope).lock])
            let links = SyncLinks(kind: .companies, scope: scope)
            let known = try await links.find(Array(Set(rows.map(\.key))), in: transaction)
            let ids: [UUID] = Array(Set(known.values.map(\.target)))
            let domains: [String] = rows.compactMap { if case .set(let domain) = $0.domain { domain } else { nil } }
            let records = try await transaction.all(
                Record.self, "contacts.sync.companies",
                """
                SELECT \(Record.columns) FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.deleted_at IS NULL AND m.id = ANY (\(ids))
                UNION
                SELECT \(Record.columns) FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.deleted_at IS NULL AND m.domain = ANY (\(domains))
                """)
            var run = CompanySyncRun(services: services, scope: scope, records: records, links: known)
            run.living = try await links.living(of: ids, in: transaction)
            run.catalog = try await PropertyCatalog.load(
                .company, scope, ids: services.ids, at: services.clock.now, in: transaction)
            let outcomes: [SyncOutcome] = rows.map { run.settle($0) }
            try await transaction.run(run.statements())
            return outcomes
        }
    }
}

/// One batch of companies: decided in memory, then written.
struct CompanySyncRun {
    let services: AppServices
    let scope: WorkspaceScope
    /// The properties that companies have.
    var catalog: PropertyCatalog
    /// The records that stand for each company.
    var living: [UUID: Set<ExternalIdentity>] = [:]
    private var records: [UUID: CompanySync.Record]
    private var domains: [String: UUID]
    private var links: [ExternalIdentity: SyncLink]
    private let before: [UUID: CompanySync.Record]
    private var changedLinks: [ExternalIdentity: SyncLink] = [:]
    private var deleted: Set<UUID> = []
    private var touched: Set<UUID> = []

    init(
        services: AppServices, scope: WorkspaceScope, records: [CompanySync.Record],
        links: [ExternalIdentity: SyncLink]
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

    mutating func settle(_ row: SyncedCompany) -> SyncOutcome {
        let link: SyncLink? = links[row.key]
        if let at = row.updatedAt, let known = link?.updatedAt, at < known {
            return SyncOutcome(.stale, id: link.flatMap { $0.isDeleted ? nil : $0.target })
        }
        let at: Date = row.updatedAt ?? services.clock.now
        if row.isDeleted { return delete(row.key, at) }
        var row: SyncedCompany = row
        var errors = ValidationErrors()
        row.properties = catalog.take(row.properties, &errors)
        guard errors.isEmpty else { return SyncOutcome(.failed, reason: SyncOutcome.words(errors)) }
        return upsert(row, at)
    }

    private mutating func note(_ key: ExternalIdentity, _ link: SyncLink) {
        if links[key] != link { changedLinks[key] = link }
        links[key] = link
    }

    private mutating func delete(_ key: ExternalIdentity, _ at: Date) -> SyncOutcome {
        let known: SyncLink? = links[key]
        let owner: UUID? = known.flatMap { $0.isDeleted || records[$0.target] == nil ? nil : $0.target }
        note(key, SyncLink(target: owner ?? known?.target ?? SyncLink.nobody, updatedAt: at, isDeleted: true))
        guard let owner else { return SyncOutcome(.unchanged, reason: "There was no such record.") }
        living[owner]?.remove(key)
        if living[owner]?.isEmpty == false {
            return SyncOutcome(
                .deleted, id: owner, reason: "The company stays: another record stands for it too.")
        }
        if before[owner] != nil { deleted.insert(owner) }
        if let domain = records[owner]?.domain { domains[domain] = nil }
        records[owner] = nil
        return SyncOutcome(.deleted, id: owner)
    }

    private mutating func upsert(_ row: SyncedCompany, _ at: Date) -> SyncOutcome {
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
        settle(record, row.key, at)
        return outcome
    }

    private mutating func create(_ row: SyncedCompany, _ at: Date) -> SyncOutcome {
        let record: CompanySync.Record
        var outcome = SyncOutcome(.created)
        record = applied(row, to: CompanySync.Record(id: services.ids.next(ContactID.self).uuid), &outcome)
        guard !record.name.isEmpty else { return SyncOutcome(.failed, reason: "name: A new company needs a name.") }
        outcome.id = record.id
        settle(record, row.key, at)
        return outcome
    }

    private mutating func settle(_ record: CompanySync.Record, _ key: ExternalIdentity, _ at: Date) {
        records[record.id] = record
        touched.insert(record.id)
        living[record.id, default: []].insert(key)
        note(key, SyncLink(target: record.id, updatedAt: at, isDeleted: false))
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
        if let store = SyncLinks(kind: .companies, scope: scope).store(changedLinks, at: now) {
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
