import Core
import Postgres

/// How a search finds its page in a few milliseconds among a million people.
///
/// Common words fill a page from the newest people: those are walked first, within bounds. Words of which the walk
/// finds few are rare enough for the index of pieces, which finds all of them at once. Words of one or two characters are
/// looked up as beginnings of addresses, names and numbers.
struct ContactSearchPlan: Sendable {
    let queries: ContactQueries
    let filter: ContactFilter
    let limit: Int

    /// How many of the newest people the first walk looks at, and the second when the first found enough to hope.
    private static let firstWalk: Int = 400
    private static let secondWalk: Int = 12_000
    /// From so many of the newest people the number of matches is estimated.
    private static let sampleSize: Int = 1_000
    /// So many people the index names at most.
    static let indexedLimit: Int = 20_000

    private var scope: WorkspaceScope { queries.scope }
    private var search: ContactSearch { ContactSearch(filter.query ?? "") }

    /// Whether nothing but words is asked for, and not the beginning of an address or a number.
    var isPlain: Bool { rest.isEmpty && addressRange == nil && !search.words.isEmpty }

    /// The filter without the words.
    private var rest: ContactFilter {
        var rest = filter
        rest.query = nil
        return rest
    }

    func page<Row: PostgresRow & KeyedByContact>(
        sort: ContactSort, after: [String]?, in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        if sort != .newest { return try await sorted(sort, after: after, in: session) }
        let before: ContactID? = after?.first.flatMap { ContactID($0) }
        if let range = addressRange {
            let rows: [Row] = try await beginning(range, before: before, in: session)
            if !rows.isEmpty { return cut(rows) }
        }
        var rows: [Row] = try await walk(Self.firstWalk, before: before, in: session)
        if rows.count > limit { return cut(rows) }
        // So many people have to be looked at to fill the page, if the others are like these.
        let needed: Int = rows.isEmpty ? .max : Self.firstWalk * (limit + 1) / rows.count * 3 / 2
        if needed <= Self.secondWalk {
            rows = try await walk(needed, before: before, in: session)
            if rows.count > limit { return cut(rows) }
        }
        return cut(try await indexed(before: before, in: session))
    }

    private func cut<Row: KeyedByContact>(_ rows: [Row]) -> ContactPage<Row> {
        queries.cut(rows, limit) { [$0.contactID.description] }
    }

    /// The page as one query when nothing but words is asked for. What begins like an address or a number goes another way.
    func single<Row: PostgresRow>(before: ContactID?) -> Query<Found<Row>>? {
        guard isPlain, search.canAskIndex else { return nil }
        return Query(
            Found<Row>.self, "contacts.search.page",
            """
            SELECT f.found, f.looked, \(Row.columns)
            FROM marketing_search_page(\(search.words), \(before), \(Int32(limit + 1))) AS f CROSS JOIN LATERAL (
                SELECT * FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.id = f.id LIMIT 1
            ) c WHERE c.deleted_at IS NULL ORDER BY c.id DESC
            """)
    }

    /// Those of the newest people who have the words; nil when they do not fill the page.
    func walk(_ newest: NewestTexts, before: ContactID?) -> NewestTexts.Walk? {
        newest.walk(search.words, before: before, atMost: limit + 1)
    }

    /// The people whom a walk has found.
    func page<Row: PostgresRow>(of walk: NewestTexts.Walk) -> Query<Found<Row>> {
        Query(
            Found<Row>.self, "contacts.search.newest",
            """
            SELECT \(walk.found)::bigint, \(walk.looked)::bigint, \(Row.columns) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.id = ANY (\(walk.people)) AND c.deleted_at IS NULL
            ORDER BY c.id DESC
            """)
    }

    /// The page from the index alone, for words that few people have. Nil when they are too short for it.
    func rare<Row: PostgresRow>(before: ContactID?) -> Query<Found<Row>>? {
        guard search.canAskIndex else { return nil }
        return Query(
            Found<Row>.self, "contacts.search.rare",
            """
            WITH found AS MATERIALIZED (
                SELECT ARRAY(SELECT marketing_search_contacts(\(search.words), \(before), \(Int32(Self.indexedLimit)))) AS ids
            )
            SELECT cardinality(found.ids)::bigint, NULL::bigint, \(Row.columns)
            FROM found CROSS JOIN unnest(found.ids[1:\(Int32(limit + 1))]) AS f(id) CROSS JOIN LATERAL (
                SELECT * FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.id = f.id LIMIT 1
            ) c WHERE c.deleted_at IS NULL ORDER BY c.id DESC
            """)
    }

    /// A single word that is the beginning of an address or a phone number is looked up in the index of those: nobody
    /// who types `ana@` or `+49171` means the middle of something else. Who only has it in the middle is looked for when
    /// nobody begins with it.
    private var addressRange: SQL? {
        guard search.words.count == 1, let word = search.words.first, let upper = ContactSearch.upperBound(word) else {
            return nil
        }
        if word.first == "+", word.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) {
            return "p.phone IS NOT NULL AND p.phone >= \(word) AND p.phone < \(upper)"
        }
        // No address begins with a dot (RFC 5321 §4.1.2).
        guard word.contains("@"), word.first != "@", word.first != "." else { return nil }
        return "p.email_key IS NOT NULL AND p.email_key >= \(word) AND p.email_key < \(upper)"
    }

    private func beginning<Row: PostgresRow>(
        _ range: SQL, before: ContactID?, in session: some PostgresSession
    ) async throws -> [Row] {
        let position: SQL = before.map { " AND c.id < \($0)" } ?? ""
        return try await session.all(
            Row.self, "contacts.search.address",
            """
            SELECT \(Row.columns) FROM (
                SELECT * FROM marketing_contacts p
                WHERE p.workspace_id = \(scope.workspace) AND p.deleted_at IS NULL AND \(range) LIMIT 5000
            ) c WHERE \(queries.conditions(rest))\(position) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
    }

    /// Looks at so many of the newest people, one by one.
    private func walk<Row: PostgresRow>(
        _ count: Int, before: ContactID?, in session: some PostgresSession
    ) async throws -> [Row] {
        let position: SQL = before.map { " AND w.id < \($0)" } ?? ""
        return try await session.all(
            Row.self, "contacts.search.walk",
            """
            SELECT \(Row.columns) FROM (
                SELECT * FROM marketing_contacts w
                WHERE w.workspace_id = \(scope.workspace)\(position) ORDER BY w.id DESC LIMIT \(count)
            ) c WHERE \(queries.conditions(filter)) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
    }

    /// The ids that the indexes know for the words, newest first as far as they are cut off.
    private func candidates(before: ContactID? = nil, atMost: Int = ContactSearchPlan.indexedLimit) -> SQL {
        if search.canAskIndex {
            return "SELECT f.id FROM marketing_search_contacts(\(search.words), \(before), \(Int32(atMost))) AS f(id)"
        }
        let word: String = search.words.first ?? ""
        let upper: String? = ContactSearch.upperBound(word)
        func range(_ column: SQL) -> SQL {
            let end: SQL = upper.map { " AND \(column) < \($0)" } ?? ""
            return "\(column) >= \(word)\(end)"
        }
        // Each kind of beginning has its own index; two thousand of each are more than anybody pages through.
        return """
            (SELECT p.id FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.deleted_at IS NULL
                AND p.email_key IS NOT NULL AND \(range("p.email_key")) LIMIT 2000)
            UNION (SELECT s.contact_id FROM marketing_contact_search s WHERE s.workspace_id = \(scope.workspace)
                AND \(range("s.name_key")) LIMIT 2000)
            UNION (SELECT p.id FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.deleted_at IS NULL
                AND p.phone IS NOT NULL AND \(range("p.phone")) LIMIT 2000)
            """
    }

    private func indexed<Row: PostgresRow>(before: ContactID?, in session: some PostgresSession) async throws -> [Row] {
        let position: SQL = before.map { " AND c.id < \($0)" } ?? ""
        // When nothing else is asked, what the index finds is what is shown.
        let fillsPage: Bool = search.canAskIndex && rest.isEmpty
        let candidates: SQL = candidates(before: before, atMost: fillsPage ? limit + 1 : Self.indexedLimit)
        return try await session.all(
            Row.self, "contacts.search.indexed",
            """
            WITH candidate AS MATERIALIZED (\(candidates)),
            ordered AS MATERIALIZED (
                SELECT id FROM candidate c WHERE true\(position) ORDER BY id DESC LIMIT \(Self.indexedLimit)
            )
            SELECT \(Row.columns) FROM ordered o CROSS JOIN LATERAL (
                SELECT * FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.id = o.id LIMIT 1
            ) c WHERE \(queries.conditions(filter)) ORDER BY c.id DESC LIMIT \(limit + 1)
            """)
    }

    /// In another order: all that the index finds, up to a bound, then sorted.
    private func sorted<Row: PostgresRow & KeyedByContact>(
        _ sort: ContactSort, after: [String]?, in session: some PostgresSession
    ) async throws -> ContactPage<Row> {
        let key: SQL =
            sort == .email
            ? "coalesce(c.email_key, '')"
            : """
            coalesce(nullif(btrim(lower(concat_ws(' ', c.last_name, c.first_name))), ''), c.email_key, '') COLLATE "C"
            """
        var position: SQL = ""
        if let after, after.count == 2, let id = ContactID(after[1]) {
            position = " WHERE (c.sort_key, c.id) > (\(after[0])::text COLLATE \"C\", \(id)::uuid)"
        }
        let rows: [Named<Row>] = try await session.all(
            Named<Row>.self, "contacts.search.sorted",
            """
            WITH candidate AS MATERIALIZED (\(candidates()) LIMIT 20000)
            SELECT c.sort_key, \(Row.columns) FROM (
                SELECT c.*, \(key) AS sort_key FROM candidate o CROSS JOIN LATERAL (
                    SELECT * FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.id = o.id LIMIT 1
                ) c WHERE \(queries.conditions(filter))
            ) c\(position) ORDER BY c.sort_key, c.id LIMIT \(limit + 1)
            """)
        let page = queries.cut(rows, limit) { [$0.key, $0.row.contactID.description] }
        return ContactPage(rows: page.rows.map(\.row), next: page.next)
    }

    /// How many people the words find. Exact up to the limit; for common words an estimate from the newest people,
    /// because counting them would take longer than the page.
    func count(total: Int, in session: some PostgresSession) async throws -> MatchCount {
        if let range = addressRange {
            let count: Int = try await session.value(
                Int.self, "contacts.search.address.count",
                """
                SELECT count(*) FROM (
                    SELECT * FROM marketing_contacts p
                    WHERE p.workspace_id = \(scope.workspace) AND p.deleted_at IS NULL AND \(range)
                    LIMIT \(MatchCount.limit + 1)
                ) c WHERE \(queries.conditions(rest))
                """)
            if count > 0 { return count > MatchCount.limit ? .moreThan(MatchCount.limit) : .exactly(count) }
        }
        let sample: Int = try await session.value(
            Int.self, "contacts.search.sample",
            """
            SELECT count(*) FROM (
                SELECT * FROM marketing_contacts w
                WHERE w.workspace_id = \(scope.workspace) ORDER BY w.id DESC LIMIT \(Self.sampleSize)
            ) c WHERE \(queries.conditions(filter))
            """)
        if total <= Self.sampleSize { return .exactly(sample) }
        let estimate: Int = total * sample / Self.sampleSize
        // Short words that many people have are not looked up, so there is nothing to count them by.
        if sample >= 20, estimate > 2 * MatchCount.limit || !search.canAskIndex { return .about(estimate) }
        let count: Int = try await session.value(
            Int.self, "contacts.search.count",
            """
            WITH candidate AS MATERIALIZED (\(candidates(atMost: MatchCount.limit + 1)) LIMIT \(MatchCount.limit + 1))
            SELECT count(*) FROM candidate o CROSS JOIN LATERAL (
                SELECT * FROM marketing_contacts p WHERE p.workspace_id = \(scope.workspace) AND p.id = o.id LIMIT 1
            ) c WHERE \(queries.conditions(filter))
            """)
        return count > MatchCount.limit ? .moreThan(MatchCount.limit) : .exactly(count)
    }
}
