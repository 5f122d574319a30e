import Core
import FoundationEssentials
import Postgres

/// A page of people, with what leads to the next.
package struct ContactPage<Row: Sendable>: Sendable {
    package let rows: [Row]
    /// The sort keys of the last row when more follow.
    package let next: [String]?
}

/// All reading of people. Built from a scope and an open transaction; nothing here knows of pages or JSON.
struct ContactQueries: Sendable {
    let scope: WorkspaceScope

    // MARK: One person

    func find(_ id: ContactID, in session: some PostgresSession) async throws -> Contact? {
        try await session.first(Contact.self, "contacts.find", select(id))
    }

    func select(_ id: ContactID) -> SQL {
        """
        SELECT \(Contact.columns) FROM marketing_contacts c
        WHERE c.workspace_id = \(scope.workspace) AND c.id = \(id) AND c.deleted_at IS NULL LIMIT 1
        """
    }

    /// Also a deleted one, for undoing.
    func findAny(_ id: ContactID, in session: some PostgresSession) async throws -> Contact? {
        try await session.first(
            Contact.self, "contacts.findAny",
            """
            SELECT \(Contact.columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = \(id) LIMIT 1
            """)
    }

    func find(emailKey: String, in session: some PostgresSession) async throws -> ContactID? {
        try await session.value(
            ContactID?.self, "contacts.findByEmail",
            """
            SELECT c.id FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.email_key = \(emailKey) AND c.email_key IS NOT NULL
                AND c.deleted_at IS NULL LIMIT 1
            """)
    }

    // MARK: Filters

    /// The conditions of a filter other than its search words. Lists are probed by primary key.
    func conditions(_ filter: ContactFilter) -> SQL {
        var sql: SQL = "c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL"
        if let status = filter.status {
            sql += " AND c.email_status = \(status)"
            // Lets the planner use the partial index of those who are not active.
            if status != .active { sql += " AND c.email_status <> 'active'" }
        }
        if let tag = filter.tag { sql += " AND c.tags @> \([tag])::text[]" }
        if let date = filter.sinceDate { sql += " AND c.id >= \(Self.lowestID(at: date))" }
        if let list = filter.list {
            sql += """
                 AND EXISTS (
                    SELECT FROM marketing_list_members m
                    WHERE m.workspace_id = \(scope.workspace) AND m.list_id = \(list) AND m.contact_id = c.id)
                """
        }
        if filter.isInactive == true { sql += " AND c.inactive_since IS NOT NULL" }
        if let company = filter.company { sql += " AND c.company_id = \(company)" }
        if let fast = filter.fast {
            sql += " AND \(fast.matches(scope))"
        } else if let property = filter.property {
            sql += " AND \(PropertyMatch(property, filter.value).matches)"
        }
        if let query = filter.query { sql += " AND \(ContactSearch(query).matches)" }
        return sql
    }

    /// The smallest id that a person added at or after the time can have.
    static func lowestID(at date: Date) -> ContactID {
        let milliseconds: UInt64 = UInt64(max(0, date.timeIntervalSince1970 * 1000))
        return ContactID(UUID(high: milliseconds << 16, low: 0))
    }

    // MARK: Pages

    /// The page as one query, where one finds it: the newest people, and those with words of three letters and more.
    func single<Row: PostgresRow & KeyedByContact>(
        _: Row.Type, _ filter: ContactFilter, sort: ContactSort, after: [String]?, limit: Int
    ) -> Query<Found<Row>>? {
        guard sort == .newest, filter.list == nil, filter.tag == nil else { return nil }
        let before: ContactID? = after?.first.flatMap { ContactID($0) }
        if filter.query != nil {
            return ContactSearchPlan(queries: self, filter: filter, limit: limit).single(before: before)
        }
        let position: SQL = before.map { " AND c.id < \($0)" } ?? ""
        return Query(
            Found<Row>.self, "contacts.page.newest",
            """
            SELECT NULL::bigint, NULL::bigint, \(Row.columns) FROM marketing_contacts c
            WHERE \(conditions(filter))\(position) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
    }

    /// A page of people that match a filter.
    func page<Row: PostgresRow & KeyedByContact>(
        _: Row.Type = Row.self, _ filter: ContactFilter, sort: ContactSort, after: [String]?, limit: Int,
        in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        if filter.query != nil {
            return try await ContactSearchPlan(queries: self, filter: filter, limit: limit).page(
                sort: sort, after: after, in: session)
        }
        switch sort {
        case .newest: return try await newest(filter, after: after, limit: limit, in: session)
        case .name: return try await byName(filter, after: after, limit: limit, in: session)
        case .email: return try await byEmail(filter, after: after, limit: limit, in: session)
        }
    }

    /// Newest first. A list is walked through its own primary key, everything else through that of the people.
    func newest<Row: PostgresRow & KeyedByContact>(
        _ filter: ContactFilter, after: [String]?, limit: Int, in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        let before: ContactID? = after?.first.flatMap { ContactID($0) }
        let rows: [Row]
        if let list = filter.list, filter.query == nil {
            var rest = filter
            rest.list = nil
            let position: SQL = before.map { " AND m.contact_id < \($0)" } ?? ""
            rows = try await session.all(
                Row.self, "contacts.page.list",
                """
                SELECT \(Row.columns) FROM marketing_list_members m
                JOIN marketing_contacts c ON c.workspace_id = m.workspace_id AND c.id = m.contact_id
                WHERE m.workspace_id = \(scope.workspace) AND m.list_id = \(list) AND \(conditions(rest))\(position)
                ORDER BY m.contact_id DESC LIMIT \(limit + 1)
                """)
        } else if filter.tag != nil {
            rows = try await tagged(filter, before: before, limit: limit, in: session)
        } else {
            let position: SQL = before.map { " AND c.id < \($0)" } ?? ""
            rows = try await session.all(
                Row.self, "contacts.page.newest",
                """
                SELECT \(Row.columns) FROM marketing_contacts c
                WHERE \(conditions(filter))\(position) ORDER BY c.id DESC LIMIT \(limit + 1)
                """)
        }
        return cut(rows, limit) { [$0.contactID.description] }
    }

    /// A common tag fills the page from the newest people; a rare one is looked up in its index, which the planner would
    /// not do by itself when it is asked for an order.
    private func tagged<Row: PostgresRow>(
        _ filter: ContactFilter, before: ContactID?, limit: Int, in session: some PostgresSession
    ) async throws -> [Row] {
        let position: SQL = before.map { " AND w.id < \($0)" } ?? ""
        let walked: [Row] = try await session.all(
            Row.self, "contacts.page.tag.walk",
            """
            SELECT \(Row.columns) FROM (
                SELECT * FROM marketing_contacts w
                WHERE w.workspace_id = \(scope.workspace)\(position) ORDER BY w.id DESC LIMIT 3000
            ) c WHERE \(conditions(filter)) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
        if walked.count > limit { return walked }
        return try await session.all(
            Row.self, "contacts.page.tag.index",
            """
            SELECT \(Row.columns)
            FROM marketing_tagged_contacts(\(filter.tag), \(before), 20000) AS f(id) CROSS JOIN LATERAL (
                SELECT * FROM marketing_contacts p
                WHERE p.workspace_id = \(scope.workspace) AND p.id = f.id OFFSET 0
            ) c WHERE \(conditions(filter)) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
    }

    private func byName<Row: PostgresRow & KeyedByContact>(
        _ filter: ContactFilter, after: [String]?, limit: Int, in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        var position: SQL = ""
        if let after, after.count == 2, let id = ContactID(after[1]) {
            position = " AND (s.name_key, s.contact_id) > (\(after[0])::text COLLATE \"C\", \(id)::uuid)"
        }
        let rows: [Named<Row>] = try await session.all(
            Named<Row>.self, "contacts.page.name",
            """
            SELECT s.name_key, \(Row.columns) FROM marketing_contact_search s
            JOIN marketing_contacts c ON c.workspace_id = s.workspace_id AND c.id = s.contact_id
            WHERE s.workspace_id = \(scope.workspace) AND \(conditions(filter))\(position)
            ORDER BY s.name_key, s.contact_id LIMIT \(limit + 1)
            """)
        let page = cut(rows, limit) { [$0.key, $0.row.contactID.description] }
        return ContactPage(rows: page.rows.map(\.row), next: page.next)
    }

    /// Those with an address in its order, then those without, newest first.
    private func byEmail<Row: PostgresRow & KeyedByContact>(
        _ filter: ContactFilter, after: [String]?, limit: Int, in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        var rows: [Named<Row>] = []
        if after?.first != "-" {
            let position: SQL = after?.first.map { " AND c.email_key > \($0)::text COLLATE \"C\"" } ?? ""
            rows = try await session.all(
                Named<Row>.self, "contacts.page.email",
                """
                SELECT c.email_key, \(Row.columns) FROM marketing_contacts c
                WHERE \(conditions(filter)) AND c.email_key IS NOT NULL\(position)
                ORDER BY c.email_key LIMIT \(limit + 1)
                """)
        }
        if rows.count <= limit {
            let before: ContactID? = after?.first == "-" ? after?.last.flatMap { ContactID($0) } : nil
            let position: SQL = before.map { " AND c.id < \($0)" } ?? ""
            rows += try await session.all(
                Named<Row>.self, "contacts.page.withoutEmail",
                """
                SELECT '', \(Row.columns) FROM marketing_contacts c
                WHERE \(conditions(filter)) AND c.email_key IS NULL\(position)
                ORDER BY c.id DESC LIMIT \(limit + 1 - rows.count)
                """)
        }
        let page = cut(rows, limit) { $0.key.isEmpty ? ["-", $0.row.contactID.description] : [$0.key] }
        return ContactPage(rows: page.rows.map(\.row), next: page.next)
    }

    func cut<Row>(_ rows: [Row], _ limit: Int, _ keys: (Row) -> [String]) -> ContactPage<Row> {
        guard rows.count > limit else { return ContactPage(rows: rows, next: nil) }
        let shown: [Row] = Array(rows.prefix(limit))
        return ContactPage(rows: shown, next: shown.last.map(keys))
    }

    // MARK: Counts

    /// How many people match: the settled totals where they answer it, else counted up to `MatchCount.limit`.
    func count(_ filter: ContactFilter, total: Int, in session: some PostgresSession) async throws -> MatchCount {
        if filter.isEmpty { return .exactly(total) }
        if let list = filter.list, filter == ContactFilter(list: list) {
            return .exactly(
                try await session.value(
                    Int?.self, "contacts.count.list",
                    """
                    SELECT member_count FROM marketing_lists
                    WHERE workspace_id = \(scope.workspace) AND id = \(list) AND deleted_at IS NULL LIMIT 1
                    """) ?? 0)
        }
        if filter == ContactFilter(status: .active) {
            let others = try await counted(
                "c.workspace_id = \(scope.workspace) AND c.deleted_at IS NULL AND c.email_status <> 'active'",
                in: session)
            if case .exactly(let count) = others { return .exactly(max(0, total - count)) }
        }
        if filter.tag != nil {
            return try await counted(
                conditions(filter),
                from: """
                    marketing_tagged_contacts(\(filter.tag), NULL, \(Int32(2 * MatchCount.limit))) AS f(id)
                    CROSS JOIN LATERAL (
                        SELECT * FROM marketing_contacts p
                        WHERE p.workspace_id = \(scope.workspace) AND p.id = f.id OFFSET 0) c
                    """, in: session)
        }
        return try await counted(conditions(filter), in: session)
    }

    private func counted(
        _ conditions: SQL, from source: SQL = "marketing_contacts c", in session: some PostgresSession
    ) async throws -> MatchCount {
        let count: Int = try await session.value(
            Int.self, "contacts.count",
            """
            SELECT count(*) FROM (
                SELECT FROM \(source) WHERE \(conditions) LIMIT \(MatchCount.limit + 1)
            ) matches
            """)
        return count > MatchCount.limit ? .moreThan(MatchCount.limit) : .exactly(count)
    }

    /// Exactly how many, however long it takes: asked before something is done to all of them.
    func exactCount(_ filter: ContactFilter, in session: some PostgresSession) async throws -> Int {
        try await session.value(
            Int.self, "contacts.count.exact", "SELECT count(*) FROM marketing_contacts c WHERE \(conditions(filter))")
    }
}

/// A row that knows whose it is.
package protocol KeyedByContact: Sendable {
    var contactID: ContactID { get }
}

extension Contact: KeyedByContact {
    package var contactID: ContactID { id }
}

extension ContactSummary: KeyedByContact {
    package var contactID: ContactID { id }
}

/// A row with the text it was sorted by in front.
struct Named<Row: PostgresRow>: PostgresRow {
    let key: String
    let row: Row

    static var columns: SQL { Row.columns }

    init(row reader: inout RowReader) throws {
        key = try reader.next()
        row = try Row(row: &reader)
    }
}
