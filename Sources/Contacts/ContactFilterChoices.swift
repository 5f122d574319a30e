import Core
import Postgres

/// What the list's page offers to filter by, and how many people there are: one row, because each statement costs more than
/// what it reads.
struct ContactFilterChoices: Sendable, PostgresRow {
    struct List: Sendable {
        let id: ContactListID
        let name: String
    }

    var state = ContactTotals.State()
    /// By name.
    var lists: [List] = []
    var tags: [String] = []
    /// The name of the company that is filtered by; nil when there is none.
    var company: String?

    static let columns: SQL = """
        coalesce(contact_count, 0), coalesce(revision, 0), coalesce(unindexed_count, 0), list_ids, list_names, tags, company
        """

    init() {}

    init(row: inout RowReader) throws {
        state = try ContactTotals.State(row: &row)
        let (ids, names): ([ContactListID], [String]) = (try row.next(), try row.next())
        lists = zip(ids, names).map(List.init)
        tags = try row.next()
        company = try row.next()
    }

    /// Workspaces have dozens of lists and tags, not thousands; the bounds keep a page a page.
    static func query(_ scope: WorkspaceScope, company: CompanyID?) -> Query<Self> {
        let workspace: WorkspaceID = scope.workspace
        return Query(
            Self.self, "contacts.choices",
            """
            WITH list AS (
                SELECT id, name FROM marketing_lists WHERE workspace_id = \(workspace) AND deleted_at IS NULL
                ORDER BY lower(name), id LIMIT 2000
            )
            SELECT \(columns) FROM (
                SELECT \(workspace)::uuid AS workspace_id, ARRAY(SELECT id FROM list) AS list_ids,
                    ARRAY(SELECT name FROM list) AS list_names, ARRAY(\(ContactVocabulary.selectTags(scope))) AS tags,
                    (SELECT name FROM marketing_companies
                        WHERE workspace_id = \(workspace) AND id = \(company) AND deleted_at IS NULL) AS company
            ) own LEFT JOIN marketing_contact_totals USING (workspace_id)
            """)
    }
}
