import Accounts
import Core
import FoundationEssentials
import Postgres

/// What became of saving a company.
enum SavingCompany: Sendable {
    case saved(Company)
    /// Another company has the domain.
    case domainTaken(CompanyID)
    /// Somebody else changed it meanwhile: how it stands now, and how it would after this change.
    case changedMeanwhile(Company, yours: CompanyValues?)
    case missing
}

/// What uses a company: segments that name it. The slices above know; `Portal` hands the finder down.
package typealias CompanyUseFinder =
    @Sendable (_ company: Company, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws ->
    [ListUse]

/// Adding, changing and deleting companies, each with its history in one transaction.
struct CompanyActions: Sendable {
    let services: AppServices
    var uses: CompanyUseFinder = { _, _, _ in [] }

    private static let domainConstraint: String = "marketing_companies_domain"
    /// Up to so many people are noted one by one when their company changed; more of them as “anybody”.
    private static let noted: Int = 10_000

    // MARK: Saving

    func create(_ input: CompanyInput, source: String, _ scope: WorkspaceScope) async throws -> SavingCompany {
        let id: CompanyID = services.ids.next()
        let now: Date = services.clock.now
        return try await refusingTakenDomain(input, scope) {
            try await services.database.write(scope.workspace) { transaction in
                var catalog = try await PropertyCatalog.load(
                    .company, scope, ids: services.ids, at: now, in: transaction)
                let values = try CompanyValues(input, onto: nil, catalog: &catalog)
                try await check(owner: values.ownerID, scope, in: transaction)
                try await transaction.run(
                    catalog.declaration(scope) + [
                        Statement(
                            "contacts.companies.create",
                            """
                            INSERT INTO marketing_companies (
                                workspace_id, id, name, domain, phone, website, owner_id, properties, source, created_at,
                                updated_at)
                            VALUES (\(scope.workspace), \(id), \(values.name), \(values.domain), \(values.phone),
                                \(values.website), \(values.ownerID), \(JSONValue.object(values.properties)), \(source),
                                \(now), \(now))
                            """),
                        event("company.created", ["source": .string(source)], id, scope),
                    ])
                return try await saved(id, scope, in: transaction)
            }
        }
    }

    /// - Parameter revision: the state that the change was made on; nil to change whatever is there.
    func update(
        _ id: CompanyID, _ input: CompanyInput, revision: String?, _ scope: WorkspaceScope
    ) async throws -> SavingCompany {
        try await refusingTakenDomain(input, scope) {
            try await services.database.write(scope.workspace) { transaction in
                let (found, definitions) = try await transaction.pipeline(
                    Query(
                        Company.self, "contacts.companies.lock",
                        CompanyQueries(scope: scope).select(id) + " FOR NO KEY UPDATE"),
                    PropertyQueries(scope: scope).all(.company))
                guard let company = found.first else { return .missing }
                var catalog = PropertyCatalog(.company, definitions, ids: services.ids, at: services.clock.now)
                if let revision, revision != company.revision {
                    let yours = try? CompanyValues(input, onto: company, catalog: &catalog)
                    return .changedMeanwhile(company, yours: yours)
                }
                let values = try CompanyValues(input, onto: company, catalog: &catalog)
                let changes: [String: JSONValue] = Self.changes(from: company, to: values)
                if changes.isEmpty { return .saved(company) }
                if values.ownerID != company.ownerID { try await check(owner: values.ownerID, scope, in: transaction) }
                var statements: [Statement] = catalog.declaration(scope)
                statements.append(write(values, id, scope))
                statements.append(event("company.updated", changes, id, scope))
                let fields: [String] = changes.keys.sorted().map { "company.\($0)" }
                statements += try await note(company, fields, scope, in: transaction)
                try await transaction.run(statements)
                return try await saved(id, scope, in: transaction)
            }
        }
    }

    private func write(_ values: CompanyValues, _ id: CompanyID, _ scope: WorkspaceScope) -> Statement {
        Statement(
            "contacts.companies.update",
            """
            UPDATE marketing_companies
            SET name = \(values.name), domain = \(values.domain), phone = \(values.phone), website = \(values.website),
                owner_id = \(values.ownerID), properties = \(JSONValue.object(values.properties)),
                updated_at = \(services.clock.now), version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = \(id)
            """)
    }

    private func saved(
        _ id: CompanyID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> SavingCompany {
        guard let company = try await CompanyQueries(scope: scope).find(id, in: transaction) else { return .missing }
        return .saved(company)
    }

    private func refusingTakenDomain(
        _ input: CompanyInput, _ scope: WorkspaceScope, _ body: () async throws -> SavingCompany
    ) async throws -> SavingCompany {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.domainConstraint) {
            guard let domain = input.domain.applied(to: nil).flatMap({ CompanyDomain($0) }) else { throw error }
            let other: Company? = try await services.database.read(scope.workspace) { transaction in
                try await CompanyQueries(scope: scope).find(domain: domain, in: transaction)
            }
            return other.map { .domainTaken($0.id) } ?? .missing
        }
    }

    private func check(owner: UserID?, _ scope: WorkspaceScope, in transaction: PostgresTransaction) async throws {
        guard let owner else { return }
        let people: [WorkspacePerson] = try await transaction.pipeline(WorkspacePeople.all(scope))
        guard people.contains(where: { $0.id == owner }) else {
            throw ValidationErrors("ownerId", "There is no such person in this workspace.")
        }
    }

    /// Which fields differ, with the values before and after.
    static func changes(from old: Company, to new: CompanyValues) -> [String: JSONValue] {
        var changes: [String: JSONValue] = [:]
        func note(_ field: String, _ before: String?, _ after: String?) {
            guard before != after else { return }
            changes[field] = .array([before.map(JSONValue.string) ?? .null, after.map(JSONValue.string) ?? .null])
        }
        note("name", old.name, new.name)
        note("domain", old.domain, new.domain)
        note("phone", old.phone, new.phone)
        note("website", old.website, new.website)
        note("owner", old.ownerID?.description, new.ownerID?.description)
        for name in Set(old.properties.keys).union(new.properties.keys)
        where old.properties[name] != new.properties[name] {
            changes["properties.\(name)"] = .array([old.properties[name] ?? .null, new.properties[name] ?? .null])
        }
        return changes
    }

    // MARK: History and the note of what changed

    private func event(
        _ kind: String, _ data: [String: JSONValue], _ id: CompanyID, _ scope: WorkspaceScope
    ) -> Statement {
        var details: [String: JSONValue] = data
        if let actor = scope.actor { details["actorId"] = .string(actor.description) }
        return Statement(
            "contacts.companies.event",
            """
            INSERT INTO marketing_company_events (workspace_id, id, company_id, kind, occurred_at, data)
            VALUES (\(scope.workspace), \(services.ids.next(Identifier<ContactEventTag>.self)), \(id), \(kind),
                \(services.clock.now), \(JSONValue.object(details)))
            """)
    }

    private func people(
        of company: CompanyID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ContactID] {
        try await transaction.values(
            ContactID.self, "contacts.companies.people",
            """
            SELECT c.id FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.company_id = \(company) AND c.deleted_at IS NULL
            """)
    }

    /// The note that something about the people of a company changed.
    private func note(
        _ company: Company, _ fields: [String], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [Statement] {
        guard company.contactCount > 0 else { return [] }
        var ids: [ContactID]?
        if company.contactCount <= Self.noted { ids = try await people(of: company.id, scope, in: transaction) }
        return [AudienceChanges.record(ids, fields: fields, scope.workspace, at: services.clock.now)]
    }

    // MARK: Deleting

    enum Deletion: Sendable {
        case done(Company)
        case inUse([ListUse])
        case missing
    }

    /// Deletes a company; its people stay and belong to none. Refused while something needs it.
    func delete(_ id: CompanyID, _ scope: WorkspaceScope) async throws -> Deletion {
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let locked: SQL = CompanyQueries(scope: scope).select(id) + " FOR NO KEY UPDATE"
            guard
                let company = try await transaction.first(Company.self, "contacts.companies.lock", locked)
            else { return .missing }
            let found: [ListUse] = try await uses(company, scope, transaction)
            if found.contains(where: \.isBinding) { return .inUse(found) }
            let now: Date = services.clock.now
            let people: [ContactID] = try await people(of: id, scope, in: transaction)
            if !people.isEmpty {
                try await ContactTimeline(services).record(
                    .updated, people, ["company": .array([.string(company.name), .null])], scope, in: transaction)
            }
            try await transaction.run([
                Statement(
                    "contacts.companies.leave",
                    """
                    UPDATE marketing_contacts SET company_id = NULL, updated_at = \(now), version = version + 1
                    WHERE workspace_id = \(scope.workspace) AND id = ANY (\(people))
                    """),
                Statement(
                    "contacts.companies.delete",
                    """
                    UPDATE marketing_companies SET deleted_at = \(now), updated_at = \(now), version = version + 1
                    WHERE workspace_id = \(scope.workspace) AND id = \(id)
                    """),
                event("company.deleted", [:], id, scope),
                ContactTotals.adding(0, scope),
                AudienceChanges.record(
                    people.count <= Self.noted ? people : nil, fields: ["company"], scope.workspace, at: now),
            ])
            try await services.audit.record("deleted the company", subject: company.name, by: scope, in: transaction)
            return .done(company)
        }
    }
}
