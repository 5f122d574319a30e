import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Looks for people who may be one. Suggestions stay until the two are merged or somebody says that they are two.
struct DuplicateFinder: Sendable {
    let services: AppServices

    /// Open suggestions of a workspace at most: nobody reads more.
    static let limit: Int = 10_000
    /// Groups larger than this are a common name, not one person.
    static let largestGroup: Int = 50

    private struct Group: PostgresRow {
        let ids: [ContactID]
        let emails: [String]

        static let columns: SQL = "ids, emails"

        init(row: inout RowReader) throws {
            ids = try row.next()
            emails = try row.next()
        }
    }

    /// Workspace by workspace, because the wall lets nobody see them all.
    func runEverywhere() async throws {
        let workspaces = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "contacts.duplicates.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces { try await run(WorkspaceScope(workspace: workspace)) }
    }

    func run(_ scope: WorkspaceScope) async throws {
        let typos: [(ContactID, ContactID)] = try await services.workerDatabase.read(
            scope.workspace, timeout: .seconds(300)
        ) { transaction in
            let groups: [Group] =
                try await transaction.all(Group.self, "contacts.duplicates.locals", sameLocalPart(scope))
                + (try await transaction.all(Group.self, "contacts.duplicates.names", sameName(scope)))
            return groups.flatMap(Self.typos)
        }
        try await services.workerDatabase.write(scope.workspace, timeout: .seconds(300)) { transaction in
            let now: Date = services.clock.now
            try await transaction.run(
                "contacts.duplicates.phones", neighbours("phone", 85, "phone", samePhone, scope, now))
            try await transaction.run(
                "contacts.duplicates.companies", neighbours("company", 80, Self.nameAndCompany, sameCompany, scope, now)
            )
            let pairs = typos.prefix(Self.limit).map { [min($0.0, $0.1), max($0.0, $0.1)] }
            try await transaction.run(
                "contacts.duplicates.emails",
                """
                INSERT INTO marketing_contact_duplicates (workspace_id, first_id, second_id, reason, score, found_at)
                SELECT DISTINCT \(scope.workspace), p.first_id, p.second_id, 'email', 75, \(now)
                FROM unnest(\(pairs.map { $0[0] }), \(pairs.map { $0[1] })) AS p(first_id, second_id)
                ON CONFLICT DO NOTHING
                """)
        }
    }

    private static let nameAndCompany: SQL = "company_id, lower(last_name), lower(first_name)"

    private var samePhone: SQL { "phone IS NOT NULL" }

    private var sameCompany: SQL { "company_id IS NOT NULL AND first_name IS NOT NULL AND last_name IS NOT NULL" }

    /// Each person with the next of those who are alike: three people with one number are two pairs.
    private func neighbours(
        _ reason: String, _ score: Int, _ key: SQL, _ condition: SQL, _ scope: WorkspaceScope, _ now: Date
    ) -> SQL {
        """
        INSERT INTO marketing_contact_duplicates (workspace_id, first_id, second_id, reason, score, found_at)
        SELECT \(scope.workspace), n.id, n.next_id, \(reason), \(score)::int, \(now)
        FROM (
            SELECT id, lead(id) OVER (PARTITION BY \(key) ORDER BY id) AS next_id FROM marketing_contacts
            WHERE workspace_id = \(scope.workspace) AND deleted_at IS NULL AND \(condition)
        ) n
        WHERE n.next_id IS NOT NULL LIMIT \(Self.limit)
        ON CONFLICT DO NOTHING
        """
    }

    /// ana.ruiz@gmail.com and ana.ruiz@gmial.com.
    private func sameLocalPart(_ scope: WorkspaceScope) -> SQL {
        """
        SELECT array_agg(id) AS ids, array_agg(email_key::text) AS emails FROM marketing_contacts
        WHERE workspace_id = \(scope.workspace) AND deleted_at IS NULL AND email_key IS NOT NULL
        GROUP BY split_part(email_key, '@', 1) HAVING count(*) BETWEEN 2 AND \(Self.largestGroup) LIMIT 20000
        """
    }

    private func sameName(_ scope: WorkspaceScope) -> SQL {
        """
        SELECT array_agg(id) AS ids, array_agg(email_key::text) AS emails FROM marketing_contacts
        WHERE workspace_id = \(scope.workspace) AND deleted_at IS NULL AND email_key IS NOT NULL
            AND first_name IS NOT NULL AND last_name IS NOT NULL
        GROUP BY lower(last_name), lower(first_name) HAVING count(*) BETWEEN 2 AND \(Self.largestGroup) LIMIT 20000
        """
    }

    private static func typos(_ group: Group) -> [(ContactID, ContactID)] {
        var pairs: [(ContactID, ContactID)] = []
        for one in group.ids.indices {
            for other in group.ids.indices where other > one {
                if isTypo(group.emails[one], group.emails[other]) { pairs.append((group.ids[one], group.ids[other])) }
            }
        }
        return pairs
    }

    /// Whether two addresses differ by one or two slips of a finger. Short names and endings are left alone: bo@ and jo@
    /// are two people, example.com and example.org two firms.
    static func isTypo(_ one: String, _ other: String) -> Bool {
        guard one != other, let left = parts(one), let right = parts(other) else { return false }
        if left.local == right.local {
            let shortest: Int = min(name(left.domain).count, name(right.domain).count)
            return shortest >= 4 && isNear(left.domain, right.domain, shortest >= 8 ? 2 : 1)
                && isNear(ending(left.domain), ending(right.domain), 1) && name(left.domain) != name(right.domain)
                || isNear(left.domain, right.domain, 1) && isSlip(ending(left.domain), ending(right.domain))
        }
        guard left.domain == right.domain, min(left.local.count, right.local.count) >= 4 else { return false }
        // Numbered addresses are numbered on purpose.
        guard digits(left.local) == digits(right.local) else { return false }
        return isNear(left.local, right.local, min(left.local.count, right.local.count) >= 8 ? 2 : 1)
    }

    private static func parts(_ email: String) -> (local: [UInt8], domain: [UInt8])? {
        guard let at = email.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        return (Array(email.utf8[..<at]), Array(email.utf8[email.utf8.index(after: at)...]))
    }

    private static func digits(_ text: [UInt8]) -> [UInt8] { text.filter { (0x30...0x39).contains($0) } }

    private static func ending(_ domain: [UInt8]) -> [UInt8] {
        domain.lastIndex(of: UInt8(ascii: ".")).map { Array(domain[($0 + 1)...]) } ?? domain
    }

    private static func name(_ domain: [UInt8]) -> [UInt8] {
        domain.lastIndex(of: UInt8(ascii: ".")).map { Array(domain[..<$0]) } ?? domain
    }

    /// `.con` and `.cmo` instead of `.com`; `.co` is a country.
    private static func isSlip(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let slips: Set<String> = ["con", "cmo", "ocm", "vom", "xom", "comm", "nte", "ent", "ogr", "prg"]
        return slips.contains(String(decoding: one, as: UTF8.self))
            || slips.contains(String(decoding: other, as: UTF8.self))
    }

    /// Whether so many insertions, deletions, replacements and swaps of neighbours make one of the other.
    static func isNear(_ one: [UInt8], _ other: [UInt8], _ limit: Int) -> Bool {
        guard abs(one.count - other.count) <= limit else { return false }
        var before: [Int] = []
        var last: [Int] = Array(0...other.count)
        for row in 0..<one.count {
            var next: [Int] = [row + 1]
            for column in 0..<other.count {
                var cost: Int = min(
                    last[column] + (one[row] == other[column] ? 0 : 1), last[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column] {
                    cost = min(cost, before[column - 1] + 1)
                }
                next.append(cost)
            }
            before = last
            last = next
        }
        return last[other.count] <= limit
    }
}

/// Looks for duplicates in a workspace.
struct FindDuplicatesJob: Job {
    static let kind = "contacts.duplicates"
    static let lane: JobLane = .maintenance
}

/// A pair that may be one person.
struct DuplicatePair: Sendable, PostgresRow {
    let first: ContactSummary
    let second: ContactSummary
    let reason: String
    let score: Int

    static var columns: SQL { "d.reason, d.score, \(ContactSummary.columns), \(secondColumns)" }

    private static let secondColumns: SQL =
        "e.id, e.email, e.phone, e.first_name, e.last_name, e.tags, e.email_status, e.created_at"

    init(row: inout RowReader) throws {
        reason = try row.next()
        score = try row.next()
        first = try ContactSummary(row: &row)
        second = try ContactSummary(row: &row)
    }

    init(first: ContactSummary, second: ContactSummary, reason: String, score: Int) {
        self.first = first
        self.second = second
        self.reason = reason
        self.score = score
    }

    /// Why they may be one.
    var words: String {
        switch reason {
        case "phone": "Same phone number"
        case "company": "Same name and company"
        case "email": "Nearly the same address"
        default: "Told to be one by their ids"
        }
    }
}

/// Reading and settling suggestions.
struct DuplicateQueries: Sendable {
    let services: AppServices
    let scope: WorkspaceScope

    /// The surest first.
    func page(after: [String]?, limit: Int, in transaction: PostgresTransaction) async throws -> [DuplicatePair] {
        var position: SQL = ""
        if let after, after.count == 3, let score = Int(after[0]), let first = ContactID(after[1]),
            let second = ContactID(after[2])
        {
            position = " AND (-d.score, d.first_id, d.second_id) > (\(-score)::int, \(first)::uuid, \(second)::uuid)"
        }
        return try await transaction.all(
            DuplicatePair.self, "contacts.duplicates.page",
            """
            SELECT \(DuplicatePair.columns) FROM marketing_contact_duplicates d
            JOIN marketing_contacts c ON c.workspace_id = d.workspace_id AND c.id = d.first_id AND c.deleted_at IS NULL
            JOIN marketing_contacts e ON e.workspace_id = d.workspace_id AND e.id = d.second_id AND e.deleted_at IS NULL
            WHERE d.workspace_id = \(scope.workspace) AND d.dismissed_at IS NULL\(position)
            ORDER BY d.score DESC, d.first_id, d.second_id LIMIT \(limit)
            """)
    }

    /// Says that they are two people. False when nobody suggested them.
    func dismiss(_ one: ContactID, _ other: ContactID) async throws -> Bool {
        let count: Int = try await services.database.write(
            scope.workspace, "contacts.duplicates.dismiss",
            """
            UPDATE marketing_contact_duplicates SET dismissed_at = \(services.clock.now)
            WHERE workspace_id = \(scope.workspace) AND first_id = \(min(one, other)) AND second_id = \(max(one, other))
                AND dismissed_at IS NULL
            """)
        return count > 0
    }
}
