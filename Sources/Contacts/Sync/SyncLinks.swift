import Core
import FoundationEssentials
import Postgres

/// What is known of a record of another system.
struct SyncLink: Sendable, Equatable {
    /// Whom it stands for; of a contact or a company that is gone, or nobody's, when it was deleted before it came.
    var target: UUID
    /// When the other system changed it last.
    var updatedAt: Date?
    var isDeleted: Bool

    /// Stands for nobody.
    static let nobody: UUID = .zero
}

/// Reading and writing the links of records to contacts and companies.
struct SyncLinks: Sendable {
    /// Which table: contacts and companies have one each of the same form.
    enum Kind: Sendable {
        case contacts, companies

        var table: SQL {
            switch self {
            case .contacts: "marketing_contact_identities"
            case .companies: "marketing_company_identities"
            }
        }

        var target: SQL {
            switch self {
            case .contacts: "contact_id"
            case .companies: "company_id"
            }
        }
    }

    let kind: Kind
    let scope: WorkspaceScope

    private struct Row: PostgresRow {
        let key: ExternalIdentity
        let link: SyncLink

        static let columns: SQL = "l.source, l.value, l.target, l.source_updated_at, l.source_deleted"

        init(row: inout RowReader) throws {
            key = ExternalIdentity(source: try row.next(), value: try row.next())
            link = SyncLink(target: try row.next(), updatedAt: try row.next(), isDeleted: try row.next())
        }
    }

    func find(
        _ keys: [ExternalIdentity], in transaction: PostgresTransaction
    ) async throws -> [ExternalIdentity: SyncLink] {
        let own: SQL = kind == .contacts ? "i.kind = 'external' AND " : ""
        let rows = try await transaction.all(
            Row.self, "contacts.sync.links",
            """
            SELECT \(Row.columns) FROM unnest(\(keys.map(\.source)), \(keys.map(\.value))) AS k(source, value)
            CROSS JOIN LATERAL (
                SELECT i.source, i.value, i.\(kind.target) AS target, i.source_updated_at, i.source_deleted
                FROM \(kind.table) i
                WHERE i.workspace_id = \(scope.workspace) AND \(own)i.source = k.source AND i.value = k.value LIMIT 1) l
            """)
        return Dictionary(rows.map { ($0.key, $0.link) }, uniquingKeysWith: { first, _ in first })
    }

    /// The records that stand for these, apart from deleted ones.
    func living(
        of targets: [UUID], in transaction: PostgresTransaction
    ) async throws -> [UUID: Set<ExternalIdentity>] {
        guard !targets.isEmpty else { return [:] }
        let own: SQL = kind == .contacts ? "i.kind = 'external' AND " : ""
        let rows = try await transaction.all(
            Row.self, "contacts.sync.living",
            """
            SELECT \(Row.columns) FROM (
                SELECT i.source, i.value, i.\(kind.target) AS target, i.source_updated_at, i.source_deleted
                FROM \(kind.table) i
                WHERE i.workspace_id = \(scope.workspace) AND i.\(kind.target) = ANY (\(targets)) AND \(own)
                    NOT i.source_deleted) l
            """)
        return rows.reduce(into: [:]) { $0[$1.link.target, default: []].insert($1.key) }
    }

    func store(_ links: [ExternalIdentity: SyncLink], at now: Date) -> Statement? {
        guard !links.isEmpty else { return nil }
        let sorted = links.sorted { ($0.key.source, $0.key.value) < ($1.key.source, $1.key.value) }
        let columns: SQL = kind == .contacts ? "workspace_id, kind" : "workspace_id"
        let values: SQL = kind == .contacts ? "\(scope.workspace), 'external'" : "\(scope.workspace)"
        return Statement(
            "contacts.sync.store",
            """
            INSERT INTO \(kind.table) AS i (\(columns), source, value, \(kind.target), source_updated_at, source_deleted,
                created_at)
            SELECT \(values), n.source, n.value, n.target, n.updated_at, n.deleted, \(now)
            FROM unnest(\(sorted.map(\.key.source)), \(sorted.map(\.key.value)), \(sorted.map(\.value.target)),
                \(sorted.map(\.value.updatedAt)), \(sorted.map(\.value.isDeleted)))
                AS n(source, value, target, updated_at, deleted)
            ON CONFLICT (\(columns), source, value) DO UPDATE
                SET \(kind.target) = EXCLUDED.\(kind.target), source_updated_at = EXCLUDED.source_updated_at,
                    source_deleted = EXCLUDED.source_deleted
            """)
    }
}
