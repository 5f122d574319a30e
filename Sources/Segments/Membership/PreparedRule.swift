import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres

/// A rule with all that is needed to run and to explain it.
package struct PreparedRule: Sendable {
    package let group: RuleGroup
    package let catalog: FieldCatalog
    package let names: RuleNames
    package let clock: RuleClock

    package var words: RuleWords { RuleWords(catalog, names, clock: clock) }
    package var sentence: String { words.sentence(group) }
}

/// What other slices tell of things that rules refer to.
package struct RuleReferences: Sendable {
    /// The names of campaigns of a workspace; those that do not exist are left out. All of them without ids, the newest
    /// first, as far as a picker shows them.
    package typealias Campaigns =
        @Sendable (_ ids: [CampaignID]?, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws ->
        [(id: CampaignID, name: String)]

    package let campaigns: Campaigns

    package init(campaigns: @escaping Campaigns = { _, _, _ in [] }) {
        self.campaigns = campaigns
    }
}

/// Reads rules against a workspace: its fields, its time zone, and the things they refer to.
struct RuleDesk: Sendable {
    let services: AppServices
    let references: RuleReferences

    /// - Throws: `ValidationErrors` that name places in the rule, also for ids of things that are not there.
    func prepare(
        _ rules: JSONValue, _ scope: WorkspaceScope, requiresReferences: Bool = true,
        in transaction: PostgresTransaction
    ) async throws -> PreparedRule {
        let catalog = try await FieldCatalog.load(scope.workspace, in: transaction)
        let group: RuleGroup = try RuleParser.parse(rules, catalog)
        let names: RuleNames = try await names(of: group, scope, in: transaction)
        if requiresReferences { try Self.check(group, names) }
        return PreparedRule(group: group, catalog: catalog, names: names, clock: try await clock(scope.workspace))
    }

    func clock(_ workspace: WorkspaceID) async throws -> RuleClock {
        let zone: String = try await services.directory.workspace(workspace)?.timeZone ?? "UTC"
        return RuleClock(now: services.clock.now, zone: zone)
    }

    private struct Named: PostgresRow {
        static let columns: SQL = "id, name"
        let id: UUID
        let name: String

        init(row: inout RowReader) throws {
            id = try row.next()
            name = try row.next()
        }
    }

    func names(
        of group: RuleGroup, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> RuleNames {
        var names = RuleNames()
        let (lists, companies, users) = (
            group.ids(of: .list), group.ids(of: .company), group.ids(of: .companyField(.owner))
        )
        if !(lists + companies + users).isEmpty {
            let (foundLists, foundCompanies, foundUsers) = try await transaction.pipeline(
                Query(
                    Named.self, "segments.names.lists",
                    """
                    SELECT id, name FROM marketing_lists
                    WHERE workspace_id = \(scope.workspace) AND id = ANY (\(lists)) AND deleted_at IS NULL
                    """),
                Query(
                    Named.self, "segments.names.companies",
                    """
                    SELECT id, name FROM marketing_companies
                    WHERE workspace_id = \(scope.workspace) AND id = ANY (\(companies)) AND deleted_at IS NULL
                    """),
                Query(
                    Named.self, "segments.names.users",
                    """
                    SELECT u.id, u.name FROM marketing_users u
                    JOIN marketing_memberships m ON m.user_id = u.id AND m.workspace_id = \(scope.workspace)
                    WHERE u.id = ANY (\(users))
                    """))
            names.lists = Self.table(foundLists)
            names.companies = Self.table(foundCompanies)
            names.users = Self.table(foundUsers)
        }
        let campaigns: [CampaignID] = group.campaigns
        if !campaigns.isEmpty {
            for (id, name) in try await references.campaigns(campaigns, scope, transaction) {
                names.campaigns[id] = name
            }
        }
        return names
    }

    private static func table(_ rows: [Named]) -> [UUID: String] {
        Dictionary(rows.map { ($0.id, $0.name) }) { first, _ in first }
    }

    private static func check(_ group: RuleGroup, _ names: RuleNames) throws(ValidationErrors) {
        var errors = ValidationErrors()
        collect(group, names, "filterRules", into: &errors)
        try errors.throwIfAny()
    }

    private static func collect(
        _ group: RuleGroup, _ names: RuleNames, _ path: String, into errors: inout ValidationErrors
    ) {
        for (index, node) in group.nodes.enumerated() {
            let place: String = "\(path).\(group.match.rawValue)[\(index)]"
            switch node {
            case .group(let inner): collect(inner, names, place, into: &errors)
            case .condition(let condition):
                guard case .ids(let ids) = condition.value else { continue }
                let (known, word): ([UUID: String], String) =
                    switch condition.field.kind {
                    case .list: (names.lists, "list or segment")
                    case .company: (names.companies, "company")
                    default: (names.users, "member")
                    }
                if ids.contains(where: { known[$0] == nil }) {
                    errors.add("\(place).value", "There is no such \(word).")
                }
            case .behaviour(let behaviour):
                if let campaign = behaviour.campaign, names.campaigns[campaign] == nil {
                    errors.add("\(place).campaign", "There is no such campaign.")
                }
            }
        }
    }
}
