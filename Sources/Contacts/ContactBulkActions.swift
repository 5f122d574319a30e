import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres
import Web

/// What can be done to many people at once.
enum BulkDeed: Sendable, Hashable, Codable {
    case addToList(ContactListID)
    case removeFromList(ContactListID)
    case addTag(String)
    case removeTag(String)
    case delete
}

/// To whom: those who were ticked, or everybody who matches the filter.
enum BulkTarget: Sendable, Hashable, Codable {
    case selected([ContactID])
    case matching(ContactFilter)
}

struct BulkOrder: Sendable, Hashable, Codable {
    let deed: BulkDeed
    let target: BulkTarget
}

/// A bulk deed that runs as a job, and how far it is.
struct BulkRun: Sendable, PostgresRow {
    let id: BulkRunID
    let status: String
    let total: Int
    let done: Int
    let order: BulkOrder

    static let columns: SQL = "id, status, total, done, options"

    init(row: inout RowReader) throws {
        id = try row.next()
        status = try row.next()
        total = try row.next()
        done = try row.next()
        order = try row.next(JSONB<BulkOrder>.self).value
    }
}

enum BulkRunTag {}
typealias BulkRunID = Identifier<BulkRunTag>

/// Works through a filter in the background.
struct ContactBulkJob: Job {
    static let kind = "contacts.bulk"
    static let lane: JobLane = .bulk
    static let timeout: Duration = .seconds(6 * 3600)

    let runID: BulkRunID
    let actor: UserID?
}

/// Deeds on many people: at once for a page full, as a job for more.
struct ContactBulkActions: Sendable {
    let services: AppServices

    /// Up to this many people are done while the person waits.
    static let immediate: Int = 1_000
    private static let batch: Int = 2_000

    enum Outcome: Sendable {
        case done(Int)
        case started(BulkRunID)
        /// The list is gone, or another workspace's.
        case noSuchList
    }

    func perform(_ order: BulkOrder, _ scope: WorkspaceScope) async throws -> Outcome {
        if let id = order.deed.list {
            let list: ContactList? = try await services.database.read(scope.workspace) { transaction in
                try await ListQueries(scope: scope).find(id, in: transaction)
            }
            if list == nil { return .noSuchList }
        }
        switch order.target {
        case .selected(let ids): return .done(try await apply(order.deed, to: Array(ids.prefix(10_000)), scope))
        case .matching(let filter):
            let ids: [ContactID] = try await self.ids(filter, after: nil, limit: Self.immediate + 1, scope)
            if ids.count <= Self.immediate { return .done(try await apply(order.deed, to: ids, scope)) }
            return .started(try await start(order, filter, scope))
        }
    }

    private func ids(
        _ filter: ContactFilter, after: ContactID?, limit: Int, _ scope: WorkspaceScope
    ) async throws -> [ContactID] {
        let position: SQL = after.map { " AND c.id > \($0)" } ?? ""
        return try await services.database.read(scope.workspace, timeout: .seconds(60)) { transaction in
            try await transaction.values(
                ContactID.self, "contacts.bulk.ids",
                """
                SELECT c.id FROM marketing_contacts c
                WHERE \(ContactQueries(scope: scope).conditions(filter))\(position) ORDER BY c.id LIMIT \(limit)
                """)
        }
    }

    /// Does the deed to these people; answers how many it changed.
    func apply(_ deed: BulkDeed, to ids: [ContactID], _ scope: WorkspaceScope) async throws -> Int {
        guard !ids.isEmpty else { return 0 }
        switch deed {
        case .addToList(let id), .removeFromList(let id):
            let list: ContactList? = try await services.database.read(scope.workspace) { transaction in
                try await ListQueries(scope: scope).find(id, in: transaction)
            }
            guard let list else { return 0 }
            let lists = ListActions(services: services)
            if case .addToList = deed { return try await lists.add(ids, to: list, scope) }
            return try await lists.remove(ids, from: list, scope)
        case .addTag(let tag): return try await tagged(tag, ids, adding: true, scope)
        case .removeTag(let tag): return try await tagged(tag, ids, adding: false, scope)
        case .delete: return try await ContactActions(services: services).delete(ids, scope).count
        }
    }

    private func tagged(_ tag: String, _ ids: [ContactID], adding: Bool, _ scope: WorkspaceScope) async throws -> Int {
        let change: SQL = adding ? "array_append(tags, \(tag)::text)" : "array_remove(tags, \(tag)::text)"
        let condition: SQL = adding ? "NOT tags @> \([tag])::text[]" : "tags @> \([tag])::text[]"
        return try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let changed: [ContactID] = try await transaction.values(
                ContactID.self, "contacts.bulk.tag",
                """
                UPDATE marketing_contacts
                SET tags = \(change), updated_at = \(services.clock.now), version = version + 1
                WHERE workspace_id = \(scope.workspace) AND id = ANY (\(ids)) AND deleted_at IS NULL AND \(condition)
                RETURNING id
                """)
            if adding {
                try await ContactTimeline(services).record(
                    .tagged, changed, ["tag": .string(tag)], scope, in: transaction)
            }
            try await transaction.run([
                ContactSearchIndex.refresh(changed, scope),
                ContactVocabulary.remember(tags: adding ? [tag] : [], scope, at: services.clock.now),
                ContactTotals.adding(0, scope),
                AudienceChanges.record(changed, fields: ["tags"], scope.workspace, at: services.clock.now),
            ])
            return changed.count
        }
    }

    private func start(_ order: BulkOrder, _ filter: ContactFilter, _ scope: WorkspaceScope) async throws -> BulkRunID {
        let id: BulkRunID = services.ids.next()
        try await services.database.write(scope.workspace, timeout: .seconds(60)) { transaction in
            let total: Int = try await ContactQueries(scope: scope).exactCount(filter, in: transaction)
            try await transaction.run(
                "contacts.bulk.create",
                """
                INSERT INTO marketing_contact_bulk_actions (
                    workspace_id, id, kind, options, status, total, created_by, created_at)
                VALUES (\(scope.workspace), \(id), \(order.deed.kind), \(JSONB(order)), 'queued', \(total), \(scope.actor),
                    \(services.clock.now))
                """)
            try await services.jobs.enqueue(
                ContactBulkJob(runID: id, actor: scope.actor), workspace: scope.workspace, key: "bulk-\(id)",
                in: transaction)
            try await services.audit.record(
                order.deed.auditWords, href: "/contacts/bulk/\(id)", details: ["people": .int(total)], by: scope,
                in: transaction)
        }
        return id
    }

    func find(_ id: BulkRunID, _ scope: WorkspaceScope) async throws -> BulkRun? {
        try await services.database.read(scope.workspace) { transaction in
            try await transaction.first(
                BulkRun.self, "contacts.bulk.find",
                """
                SELECT \(BulkRun.columns) FROM marketing_contact_bulk_actions
                WHERE workspace_id = \(scope.workspace) AND id = \(id) LIMIT 1
                """)
        }
    }

    /// Works through the filter by ascending id. The place is kept after each batch; doing a batch again after a crash
    /// changes nothing more.
    func run(_ id: BulkRunID, _ scope: WorkspaceScope) async throws {
        guard let run = try await find(id, scope), case .matching(let filter) = run.order.target, run.status != "done"
        else { return }
        while true {
            try Task.checkCancellation()
            let after: ContactID? = try await place(of: id, scope)
            let ids: [ContactID] = try await self.ids(filter, after: after, limit: Self.batch, scope)
            if !ids.isEmpty { _ = try await apply(run.order.deed, to: ids, scope) }
            try await keep(id, ids, scope)
            if ids.count < Self.batch { return }
        }
    }

    private func place(of id: BulkRunID, _ scope: WorkspaceScope) async throws -> ContactID? {
        try await services.database.read(scope.workspace) { transaction in
            let places: [ContactID?] = try await transaction.values(
                ContactID?.self, "contacts.bulk.place",
                """
                SELECT last_contact_id FROM marketing_contact_bulk_actions
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            return places.first ?? nil
        }
    }

    private func keep(_ id: BulkRunID, _ ids: [ContactID], _ scope: WorkspaceScope) async throws {
        let isLast: Bool = ids.count < Self.batch
        let finished: Date? = isLast ? services.clock.now : nil
        _ = try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.bulk.keep",
                """
                UPDATE marketing_contact_bulk_actions
                SET done = done + \(ids.count), last_contact_id = coalesce(\(ids.last), last_contact_id),
                    status = \(isLast ? "done" : "running"), finished_at = \(finished)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
        }
    }
}

extension BulkDeed {
    var list: ContactListID? {
        switch self {
        case .addToList(let id), .removeFromList(let id): id
        case .addTag, .removeTag, .delete: nil
        }
    }

    var kind: String {
        switch self {
        case .addToList: "addToList"
        case .removeFromList: "removeFromList"
        case .addTag: "addTag"
        case .removeTag: "removeTag"
        case .delete: "delete"
        }
    }

    var auditWords: String {
        switch self {
        case .addToList: "put many contacts on a list"
        case .removeFromList: "took many contacts off a list"
        case .addTag(let tag): "tagged many contacts “\(tag)”"
        case .removeTag(let tag): "took the tag “\(tag)” off many contacts"
        case .delete: "deleted many contacts"
        }
    }

    /// What was done to so many people.
    func done(_ count: Int) -> String {
        let people: String = count == 1 ? "1 contact" : "\(NumberWords.grouped(count)) contacts"
        switch self {
        case .addToList: return "\(people) put on the list."
        case .removeFromList: return "\(people) taken off the list."
        case .addTag(let tag): return "\(people) tagged “\(tag)”."
        case .removeTag(let tag): return "The tag “\(tag)” was taken off \(people)."
        case .delete: return "\(people) deleted."
        }
    }
}
