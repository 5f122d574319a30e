import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// People who are to be made or changed together, with everything that belongs to it: one statement per table.
struct PersonBatch: Sendable {
    let services: AppServices
    let scope: WorkspaceScope
    /// Where new people come from, as `source` says it.
    let source: String

    /// A link that is to be stored.
    struct Link: Sendable {
        let key: IdentityKey
        let contact: ContactID
    }

    /// The properties that values were checked against; what is declared on the way is stored when somebody has it.
    var catalog: PropertyCatalog?
    private(set) var created: [PersonRecord] = []
    private(set) var changed: [(before: PersonRecord, after: PersonRecord)] = []
    private var links: [Link] = []
    private var pairs: Set<[ContactID]> = []

    init(services: AppServices, scope: WorkspaceScope, source: String) {
        self.services = services
        self.scope = scope
        self.source = source
    }

    mutating func create(_ record: PersonRecord) {
        created.append(record)
    }

    /// Gives those who are made what they did not bring.
    mutating func fill(_ defaults: [String: JSONValue]) {
        guard !defaults.isEmpty else { return }
        for place in created.indices { created[place].properties.merge(defaults) { own, _ in own } }
    }

    mutating func change(_ before: PersonRecord, into after: PersonRecord) {
        if before != after { changed.append((before, after)) }
    }

    mutating func link(_ keys: [IdentityKey], to contact: ContactID) {
        links += keys.map { Link(key: $0, contact: contact) }
    }

    /// Suggests that these two are one person.
    mutating func suggest(_ one: ContactID, _ other: ContactID) {
        if one != other { pairs.insert([min(one, other), max(one, other)]) }
    }

    // MARK: Writing

    /// Beyond so many people the search table follows by a job: making the entries costs as much as all the rest.
    static let searchLimit: Int = 100

    /// Whose entries in the search table change.
    private var searchable: [ContactID] {
        created.map(\.id)
            + changed.filter { pair in
                let (old, new) = pair
                return (old.email, old.phone, old.firstName, old.lastName) != (
                    new.email, new.phone, new.firstName, new.lastName
                )
                    || old.tags != new.tags
            }.map(\.after.id)
    }

    /// Writes everything in one round trip, or two where the search table follows later.
    /// - Parameters:
    ///   - others: statements of the caller that run first.
    ///   - last: statements of the caller that run last.
    ///   - kind: the kind of moment that changed people get.
    func write(
        after others: [Statement] = [], before last: [Statement] = [], change kind: ContactTimeline.Kind = .updated,
        in transaction: PostgresTransaction
    ) async throws {
        let waiting: [ContactID] = searchable
        if waiting.count > Self.searchLimit {
            try await services.jobs.enqueue(
                ContactReindexJob(contacts: waiting), workspace: scope.workspace, in: transaction)
        }
        try await transaction.run(others + statements(change: kind) + last)
    }

    /// Everything as statements, for one round trip. The totals come last: their row is locked until the commit.
    /// - Parameter kind: the kind of moment that changed people get; made ones get `created`.
    private func statements(change kind: ContactTimeline.Kind) -> [Statement] {
        var statements: [Statement] = []
        if let release { statements.append(release) }
        if !changed.isEmpty { statements.append(update) }
        if !created.isEmpty { statements.append(insertion) }
        if !links.isEmpty { statements.append(linking) }
        if !pairs.isEmpty { statements.append(suggestions) }
        let touched: [ContactID] = created.map(\.id) + changed.map(\.after.id)
        guard !touched.isEmpty else { return statements }
        statements += timeline(kind)
        statements += audience
        statements += vocabulary
        let waiting: [ContactID] = searchable
        if !waiting.isEmpty, waiting.count <= Self.searchLimit {
            statements.append(ContactSearchIndex.refresh(waiting, scope))
        }
        statements.append(ContactTotals.adding(created.count, scope))
        if waiting.count > Self.searchLimit { statements.append(ContactReindexJob.count(waiting.count, scope)) }
        return statements
    }

    private static let separator: String = "\u{1F}"

    private func arrays(_ records: [PersonRecord]) -> SQL {
        """
        unnest(\(records.map(\.id)), \(records.map(\.email)), \(records.map(\.emailKey)), \(records.map(\.phone)),
            \(records.map(\.firstName)), \(records.map(\.lastName)),
            \(records.map { JSONValue.object($0.properties) }),
            \(records.map { $0.tags.joined(separator: Self.separator) }), \(records.map(\.company)))
            AS n(id, email, email_key, phone, first_name, last_name, properties, tags, company_id)
        """
    }

    private var insertion: Statement {
        let now: Date = services.clock.now
        return Statement(
            "contacts.people.insert",
            """
            INSERT INTO marketing_contacts (workspace_id, id, email, email_key, phone, first_name, last_name, properties,
                tags, company_id, source, created_at, updated_at)
            SELECT \(scope.workspace), n.id, n.email, n.email_key, n.phone, n.first_name, n.last_name, n.properties,
                string_to_array(n.tags, E'\\x1f'), n.company_id, \(source), \(now), \(now)
            FROM \(arrays(created))
            """)
    }

    /// Addresses that go from one person of the batch to another are let go first: the unique key is checked row by row.
    private var release: Statement? {
        let taken = Set((created + changed.map(\.after)).compactMap(\.emailKey))
        let givers: [ContactID] = changed.compactMap { pair in
            guard let key = pair.before.emailKey, key != pair.after.emailKey, taken.contains(key) else { return nil }
            return pair.after.id
        }
        guard !givers.isEmpty else { return nil }
        return Statement(
            "contacts.people.release",
            """
            UPDATE marketing_contacts SET email = NULL, email_key = NULL
            WHERE workspace_id = \(scope.workspace) AND id = ANY (\(givers))
            """)
    }

    private var update: Statement {
        Statement(
            "contacts.people.update",
            """
            UPDATE marketing_contacts c
            SET email = n.email, email_key = n.email_key, phone = n.phone, first_name = n.first_name,
                last_name = n.last_name, properties = n.properties, tags = string_to_array(n.tags, E'\\x1f'),
                company_id = n.company_id, updated_at = \(services.clock.now), version = c.version + 1
            FROM \(arrays(changed.map(\.after)))
            WHERE c.workspace_id = \(scope.workspace) AND c.id = n.id
            """)
    }

    /// A link goes to somebody else only when whom it led to is deleted: nobody else gets here.
    private var linking: Statement {
        let sorted: [Link] = links.sorted { $0.key.value < $1.key.value }
        return Statement(
            "contacts.people.link",
            """
            INSERT INTO marketing_contact_identities AS i (workspace_id, kind, source, value, contact_id, created_at)
            SELECT \(scope.workspace), n.kind, n.source, n.value, n.contact_id, \(services.clock.now)
            FROM unnest(\(sorted.map(\.key.kind.rawValue)), \(sorted.map(\.key.source)), \(sorted.map(\.key.value)),
                \(sorted.map(\.contact))) AS n(kind, source, value, contact_id)
            ON CONFLICT (workspace_id, kind, source, value) DO UPDATE
                SET contact_id = EXCLUDED.contact_id, source_deleted = false
            WHERE i.contact_id <> EXCLUDED.contact_id
            """)
    }

    private var suggestions: Statement {
        let sorted: [[ContactID]] = pairs.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        return Statement(
            "contacts.people.suggest",
            """
            INSERT INTO marketing_contact_duplicates (workspace_id, first_id, second_id, reason, score, found_at)
            SELECT \(scope.workspace), n.first_id, n.second_id, 'identity', 90, \(services.clock.now)
            FROM unnest(\(sorted.map { $0[0] }), \(sorted.map { $0[1] })) AS n(first_id, second_id)
            ON CONFLICT (workspace_id, first_id, second_id) DO NOTHING
            """)
    }

    private func timeline(_ kind: ContactTimeline.Kind) -> [Statement] {
        var statements: [Statement] = []
        if !created.isEmpty {
            let data: [JSONValue] = created.map { _ in .object(["source": .string(source)]) }
            statements.append(moments(.created, created.map(\.id), data))
        }
        if !changed.isEmpty {
            let data: [JSONValue] = changed.map { .object(Self.changes(from: $0.before, to: $0.after)) }
            statements.append(moments(kind, changed.map(\.after.id), data))
        }
        return statements
    }

    private func moments(_ kind: ContactTimeline.Kind, _ people: [ContactID], _ data: [JSONValue]) -> Statement {
        let ids: [Identifier<ContactEventTag>] = people.map { _ in services.ids.next() }
        return Statement(
            "contacts.people.moments",
            """
            INSERT INTO marketing_contact_events (workspace_id, id, contact_id, kind, occurred_at, data)
            SELECT \(scope.workspace), e.id, e.contact_id, \(kind.name), \(services.clock.now), e.data
            FROM unnest(\(ids), \(people), \(data)) AS e(id, contact_id, data)
            """)
    }

    /// Fields with their values before and after.
    static func changes(from old: PersonRecord, to new: PersonRecord) -> [String: JSONValue] {
        var changes: [String: JSONValue] = [:]
        func text(_ value: String?) -> JSONValue { value.map { .string(String($0.prefix(500))) } ?? .null }
        func note(_ field: String, _ before: String?, _ after: String?) {
            if before != after { changes[field] = .array([text(before), text(after)]) }
        }
        note("email", old.email, new.email)
        note("phone", old.phone, new.phone)
        note("firstName", old.firstName, new.firstName)
        note("lastName", old.lastName, new.lastName)
        note("tags", old.tags.joined(separator: ", "), new.tags.joined(separator: ", "))
        guard old.properties != new.properties else { return changes }
        for name in Set(old.properties.keys).union(new.properties.keys)
        where old.properties[name] != new.properties[name] {
            changes["properties.\(name)"] = .array([old.properties[name] ?? .null, new.properties[name] ?? .null])
        }
        return changes
    }

    private var audience: [Statement] {
        var statements: [Statement] = []
        let now: Date = services.clock.now
        if !created.isEmpty {
            statements.append(AudienceChanges.record(created.map(\.id), fields: [], scope.workspace, at: now))
        }
        let fields: Set<String> = changed.reduce(into: []) { $0.formUnion($1.after.fieldsChanged(since: $1.before)) }
        if !fields.isEmpty {
            statements.append(
                AudienceChanges.record(changed.map(\.after.id), fields: fields.sorted(), scope.workspace, at: now))
        }
        return statements
    }

    private var vocabulary: [Statement] {
        let now: Date = services.clock.now
        let records: [PersonRecord] = created + changed.map(\.after)
        var samples: [String: JSONValue] = [:]
        for record in records { samples.merge(record.properties) { known, _ in known } }
        let tags: Set<String> = records.reduce(into: []) { $0.formUnion($1.tags) }
        var statements: [Statement] = []
        if let catalog {
            statements += catalog.declaration(scope, among: Set(samples.keys))
        } else {
            statements += PropertyCatalog.declaration(of: samples, .contact, scope, ids: services.ids, at: now)
        }
        if !tags.isEmpty { statements.append(ContactVocabulary.remember(tags: tags.sorted(), scope, at: now)) }
        return statements
    }
}
