import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// What can be chosen in the builder of a workspace.
struct BuilderVocabulary: Sendable {
    var catalog = FieldCatalog()
    var lists: [(id: UUID, name: String)] = []
    var campaigns: [(id: CampaignID, name: String)] = []
    var members: [(id: UUID, name: String)] = []
    var tags: [String] = []

    static func load(
        _ scope: WorkspaceScope, _ references: RuleReferences, in transaction: PostgresTransaction
    ) async throws -> BuilderVocabulary {
        var vocabulary = BuilderVocabulary()
        vocabulary.catalog = try await FieldCatalog.load(scope.workspace, in: transaction)
        vocabulary.lists = try await ContactLists.all(scope, in: transaction).map { ($0.id.uuid, $0.name) }
        vocabulary.campaigns = try await references.campaigns(nil, scope, transaction)
        vocabulary.members = try await transaction.rows(
            as: (UUID, String).self, "segments.builder.members",
            """
            SELECT u.id, u.name FROM marketing_memberships m JOIN marketing_users u ON u.id = m.user_id
            WHERE m.workspace_id = \(scope.workspace) ORDER BY u.name LIMIT 500
            """
        ).map { (id: $0.0, name: $0.1) }
        vocabulary.tags = try await transaction.values(
            String.self, "segments.builder.tags",
            "SELECT name FROM marketing_contact_tags WHERE workspace_id = \(scope.workspace) ORDER BY name LIMIT 1000")
        return vocabulary
    }

    /// Companies that are called or found under what somebody typed, in lower case.
    static func companies(
        named names: [String], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [String: UUID] {
        guard !names.isEmpty else { return [:] }
        let wanted: [String] = names.map { $0.lowercased() }
        let rows = try await transaction.rows(
            as: (UUID, String, String?).self, "segments.builder.companies",
            """
            SELECT id, lower(name), lower(domain) FROM marketing_companies
            WHERE workspace_id = \(scope.workspace) AND deleted_at IS NULL
                AND (lower(name) = ANY (\(wanted)) OR domain = ANY (\(wanted)))
            ORDER BY id DESC LIMIT 1000
            """)
        var companies: [String: UUID] = [:]
        for (id, name, domain) in rows {
            companies[name] = id
            if let domain { companies[domain] = id }
        }
        return companies
    }

    /// Everything that a condition can be about, under headings.
    func subjects(_ chosen: String) -> [BuilderOptions] {
        func option(_ value: String, _ label: String) -> SelectOption {
            SelectOption(value: value, label: label, selected: value == chosen)
        }
        func fields(_ fields: [RuleField]) -> [SelectOption] { fields.map { option($0.path, catalog.label($0)) } }
        let person: [RuleField] = [
            .email, .firstName, .lastName, .phone, .tags, .emailStatus, .source, .createdAt, .trackingAllowed,
            .consent(.email), .consent(.sms),
        ]
        let company: [RuleField] = [.company] + RuleField.CompanyField.allCases.map(RuleField.companyField)
        let own: [RuleField] = catalog.definitions.filter { !$0.isOfCompany }.map(FieldCatalog.field)
        let theirs: [RuleField] = catalog.definitions.filter(\.isOfCompany).map(FieldCatalog.field)
        return [
            BuilderOptions(label: "", options: [option("", "Choose what it is about")]),
            BuilderOptions(label: "Person", options: fields(person)),
            BuilderOptions(label: "Properties", options: fields(own)),
            BuilderOptions(
                label: "What they did",
                options: [
                    option("did.sent", "Got an e-mail"), option("did.opened", "Opened an e-mail"),
                    option("did.clicked", "Clicked a link"), option("did.event", "Did something else (event)"),
                ]),
            BuilderOptions(label: "Lists and segments", options: fields([.list])),
            BuilderOptions(label: "Company", options: fields(company) + fields(theirs)),
        ].filter { !$0.options.isEmpty }
    }

    /// The values of a field that can be ticked; empty where they are typed.
    func options(_ field: RuleField) -> [(value: String, label: String)] {
        switch field.kind {
        case .list: lists.map { ($0.id.lowercased, $0.name) }
        case .user: members.map { ($0.id.lowercased, $0.name) }
        default:
            field == .tags ? tags.map { ($0, $0) } : catalog.options(field).map { ($0.value, $0.label) }
        }
    }
}
