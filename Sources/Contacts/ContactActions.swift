import Accounts
import Core
import FoundationEssentials
import Postgres

/// What became of saving a person.
enum SavingContact: Sendable {
    case saved(Contact)
    /// Another person has the address.
    case emailTaken(ContactID)
    /// Another person had the address before a merge, and is still found by it.
    case emailFormer(ContactID)
    /// Somebody else changed the person since the form was opened: how they stand now, and how they would after this change.
    case changedMeanwhile(Contact, yours: ContactValues?)
    case missing
}

/// Adding, changing and deleting people, each with everything that belongs to it in one transaction: the person, the
/// search table, the counts, the timeline.
struct ContactActions: Sendable {
    let services: AppServices

    // MARK: Saving

    /// Adds a person. Without a company they join the one that has the domain of their address.
    func create(
        _ input: ContactInput, source: String, region: String? = nil, _ scope: WorkspaceScope
    ) async throws -> SavingContact {
        let id: ContactID = services.ids.next()
        var values: ContactValues?
        do {
            return try await services.database.write(scope.workspace) { transaction in
                let (definitions, matches) = try await transaction.pipeline(
                    PropertyQueries(scope: scope).all(.contact),
                    CompanyLinks.matching(input.email.applied(to: nil), scope))
                var catalog = PropertyCatalog(.contact, definitions, ids: services.ids, at: services.clock.now)
                var wanted = try ContactValues(input, onto: nil, region: region, catalog: &catalog)
                let company: Company? = try await CompanyLinks.chosen(wanted.companyID, scope, in: transaction)
                wanted.companyID = company?.id ?? matches.first
                values = wanted
                try await insert(wanted, id, source, scope, in: transaction)
                try await refuseFormer(wanted.email, id, scope, in: transaction)
                try await ContactTimeline(services).record(
                    .created, id, ["source": .string(source)], scope, in: transaction)
                try await decide(ConsentEdits.decisions(from: nil, to: wanted, source: source), id, scope, transaction)
                return try await settle(id, wanted, catalog, adding: 1, changed: [], scope, in: transaction)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.emailConstraint) {
            guard let values else { throw error }
            return try await taken(values, scope)
        } catch let former as FormerAddress {
            return .emailFormer(former.owner)
        }
    }

    private func insert(
        _ values: ContactValues, _ id: ContactID, _ source: String, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        let now: Date = services.clock.now
        try await transaction.run(
            "contacts.create",
            """
            INSERT INTO marketing_contacts (
                workspace_id, id, email, email_key, phone, first_name, last_name, properties, tags, email_status,
                tracking_allowed, consent_basis, source, company_id, created_at, updated_at)
            VALUES (\(scope.workspace), \(id), \(values.emailText), \(values.email?.key), \(values.phone?.e164),
                \(values.firstName), \(values.lastName), \(JSONValue.object(values.properties)), \(values.tags),
                \(values.emailStatus), \(values.trackingAllowed), \(values.consentBasis), \(source),
                \(values.companyID), \(now), \(now))
            """)
    }

    /// Takes the transaction back: the address leads to somebody else.
    private struct FormerAddress: Error {
        let owner: ContactID
    }

    /// An address that somebody had before a merge finds them, as everywhere; it makes no second person.
    private func refuseFormer(
        _ email: EmailAddress?, _ id: ContactID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        guard let key = email?.key else { return }
        let owner = try await ContactAliases.formerOwner(ofEmail: key, besides: id, scope, in: transaction)
        if let owner { throw FormerAddress(owner: owner) }
    }

    private static let emailConstraint: String = "marketing_contacts_email_key"

    /// - Parameter revision: the state that the change was made on; nil to change whatever is there.
    func update(
        _ id: ContactID, _ input: ContactInput, revision: String?, region: String? = nil, _ scope: WorkspaceScope
    ) async throws -> SavingContact {
        let queries = ContactQueries(scope: scope)
        var values: ContactValues?
        do {
            return try await services.database.write(scope.workspace) { transaction in
                // The person as they are once their row is held: a change under way is waited for.
                let (found, definitions) = try await transaction.pipeline(
                    Query(Contact.self, "contacts.lock", queries.select(id) + " FOR NO KEY UPDATE"),
                    PropertyQueries(scope: scope).all(.contact))
                guard let contact = found.first else { return .missing }
                var catalog = PropertyCatalog(.contact, definitions, ids: services.ids, at: services.clock.now)
                if let revision, revision != contact.revision {
                    let yours = try? ContactValues(input, onto: contact, region: region, catalog: &catalog)
                    return .changedMeanwhile(contact, yours: yours)
                }
                let wanted = try ContactValues(input, onto: contact, region: region, catalog: &catalog)
                values = wanted
                var changes: [String: JSONValue] = Self.changes(from: contact, to: wanted)
                if wanted.companyID != contact.companyID {
                    changes["company"] = try await CompanyLinks.change(
                        from: contact.companyID, to: wanted.companyID, scope, in: transaction)
                }
                if changes.isEmpty { return .saved(contact) }
                try await write(wanted, id, scope, in: transaction)
                if wanted.emailText != contact.email {
                    try await refuseFormer(wanted.email, id, scope, in: transaction)
                }
                try await ContactTimeline(services).record(.updated, id, changes, scope, in: transaction)
                try await decide(
                    ConsentEdits.decisions(from: contact, to: wanted, source: "manual"), id, scope, transaction)
                try await services.audit.record(
                    "changed the contact", subject: contact.displayName, href: ContactPaths.contact(id),
                    before: Self.side(0, of: changes), after: Self.side(1, of: changes), by: scope, in: transaction)
                return try await settle(
                    id, wanted, catalog, adding: 0, changed: changes.keys.sorted(), scope, in: transaction)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.emailConstraint) {
            guard let values else { throw error }
            return try await taken(values, scope)
        } catch let former as FormerAddress {
            return .emailFormer(former.owner)
        }
    }

    private static func side(_ place: Int, of changes: [String: JSONValue]) -> [String: JSONValue] {
        changes.compactMapValues { change in
            guard case .array(let values) = change, values.indices.contains(place) else { return nil }
            return values[place]
        }
    }

    /// What an edit decides about consent goes on record.
    private func decide(
        _ decisions: [ConsentDecision], _ id: ContactID, _ scope: WorkspaceScope, _ transaction: PostgresTransaction
    ) async throws {
        try await ConsentLedger(services).record(decisions.map { (id, $0) }, scope, in: transaction)
    }

    private func write(
        _ values: ContactValues, _ id: ContactID, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws {
        try await transaction.run(
            "contacts.update",
            """
            UPDATE marketing_contacts
            SET email = \(values.emailText), email_key = \(values.email?.key), phone = \(values.phone?.e164),
                first_name = \(values.firstName), last_name = \(values.lastName),
                properties = \(JSONValue.object(values.properties)), tags = \(values.tags),
                email_status = \(values.emailStatus), tracking_allowed = \(values.trackingAllowed),
                consent_basis = \(values.consentBasis), company_id = \(values.companyID), updated_at = \(services.clock.now), version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = \(id)
            """)
    }

    private func settle(
        _ id: ContactID, _ values: ContactValues, _ catalog: PropertyCatalog, adding count: Int,
        changed fields: [String],
        _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> SavingContact {
        try await transaction.run(
            catalog.declaration(scope) + [
                ContactSearchIndex.refresh([id], scope),
                ContactVocabulary.remember(tags: values.tags, scope, at: services.clock.now),
                ContactTotals.adding(count, scope),
                AudienceChanges.record([id], fields: fields, scope.workspace, at: services.clock.now),
            ])
        guard let contact = try await ContactQueries(scope: scope).find(id, in: transaction) else { return .missing }
        return .saved(contact)
    }

    private func taken(_ values: ContactValues, _ scope: WorkspaceScope) async throws -> SavingContact {
        guard let key = values.email?.key else { return .missing }
        let other: ContactID? = try await services.database.read(scope.workspace) { transaction in
            try await ContactQueries(scope: scope).find(emailKey: key, in: transaction)
        }
        return other.map(SavingContact.emailTaken) ?? .missing
    }

    /// Which fields differ, with the values before and after, for the timeline.
    static func changes(from old: Contact, to new: ContactValues) -> [String: JSONValue] {
        var changes: [String: JSONValue] = [:]
        func note(_ field: String, _ before: String?, _ after: String?) {
            if before != after { changes[field] = .array([text(before), text(after)]) }
        }
        func text(_ value: String?) -> JSONValue { value.map { .string(String($0.prefix(500))) } ?? .null }
        note("email", old.email, new.emailText)
        note("phone", old.phone, new.phone?.e164)
        note("firstName", old.firstName, new.firstName)
        note("lastName", old.lastName, new.lastName)
        note("emailStatus", old.emailStatus.rawValue, new.emailStatus.rawValue)
        note("consentBasis", old.consentBasis, new.consentBasis)
        note("tags", old.tags.joined(separator: ", "), new.tags.joined(separator: ", "))
        note("trackingAllowed", "\(old.trackingAllowed)", "\(new.trackingAllowed)")
        for name in Set(old.properties.keys).union(new.properties.keys)
        where old.properties[name] != new.properties[name] {
            changes["properties.\(name)"] = .array([old.properties[name] ?? .null, new.properties[name] ?? .null])
        }
        return changes
    }

    // MARK: Deleting

    /// Deletes people; answers whom. Those of other workspaces and those deleted already are passed over.
    @discardableResult
    func delete(_ ids: [ContactID], _ scope: WorkspaceScope) async throws -> [ContactID] {
        try await services.database.write(scope.workspace) { transaction in
            let only: Contact? =
                ids.count == 1 ? try await ContactQueries(scope: scope).find(ids[0], in: transaction) : nil
            let gone: [ContactID] = try await ContactDeletion(scope: scope, now: services.clock.now)
                .delete(ids, in: transaction)
            try await ContactTimeline(services).record(.deleted, gone, [:], scope, in: transaction)
            if gone.count == 1, let id = gone.first {
                try await services.audit.record(
                    "deleted the contact", subject: only?.displayName, href: ContactPaths.contact(id) + "/restore",
                    by: scope,
                    in: transaction)
            }
            return gone
        }
    }

    func undoDeletion(of id: ContactID, _ scope: WorkspaceScope) async throws -> SavingContact {
        let queries = ContactQueries(scope: scope)
        do {
            return try await services.database.write(scope.workspace) { transaction in
                guard try await ContactDeletion(scope: scope, now: services.clock.now).restore(id, in: transaction)
                else {
                    return .missing
                }
                try await ContactTimeline(services).record(.restored, id, [:], scope, in: transaction)
                guard let contact = try await queries.find(id, in: transaction) else { return .missing }
                return .saved(contact)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.emailConstraint) {
            let contact: Contact? = try await services.database.read(scope.workspace) { transaction in
                try await queries.findAny(id, in: transaction)
            }
            guard let email = contact?.email, let key = try? EmailAddress(parsing: email).key else { return .missing }
            let other: ContactID? = try await services.database.read(scope.workspace) { transaction in
                try await queries.find(emailKey: key, in: transaction)
            }
            return other.map(SavingContact.emailTaken) ?? .missing
        }
    }
}
