import Contacts
import Core
import Postgres

/// The copies of what rules compare of people, for those who count everybody: narrow rows with properties in columns, of which
/// twice as many are read in a second as of people themselves.
struct RuleFacts: Sendable {
    let columns: [PropertyID: FactColumn]
    /// Whose copies no longer tell how they are.
    let stale: [ContactID]

    /// With more people whose copies are not up to date, as in an import, everybody is read themselves.
    private static let mostStale = 2_000

    /// Nothing where copies are not complete, or too few are up to date.
    /// - Note: To be asked in the transaction that reads the copies, seeing the same moment.
    static func query(_ workspace: WorkspaceID) -> Query<RuleFacts> {
        Query(
            RuleFacts.self, "segments.facts",
            """
            SELECT \(columns)
            FROM marketing_contact_facts_state s
            CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(property_id), '{}') AS properties, coalesce(array_agg(name), '{}') AS names,
                    coalesce(array_agg(kind), '{}') AS kinds
                FROM marketing_fact_columns
                WHERE workspace_id = \(workspace) AND is_filled AND property_id IS NOT NULL
            ) k
            CROSS JOIN LATERAL (
                SELECT sum(w.people) AS people, CASE WHEN sum(w.people) <= \(mostStale) THEN ARRAY(
                    SELECT DISTINCT unnest(a.contact_ids) FROM marketing_stale_facts a WHERE a.workspace_id = \(workspace))
                    END AS ids
                FROM (SELECT people FROM marketing_stale_facts WHERE workspace_id = \(workspace)
                    LIMIT \(mostStale + 1)) w
            ) n
            WHERE s.workspace_id = \(workspace) AND s.is_filled AND coalesce(n.people, 0) <= \(mostStale)
            """)
    }

    /// Whether they tell all that a rule asks of people's own rows.
    func answers(_ group: RuleGroup) -> Bool {
        group.leaves.allSatisfy { leaf in
            guard case .condition(let condition) = leaf else { return true }
            return answers(condition)
        }
    }

    private func answers(_ condition: RuleCondition) -> Bool {
        let column: FactColumn?
        switch condition.field {
        case .tags: column = .tags
        case .property(let property):
            column = columns[property.id]
            guard column?.kind == FactColumn.Kind(property.type) else { return false }
        default: return true
        }
        return !condition.value.texts.contains { text in
            // Looks like what stands between the choices of a list.
            text.contains(FactColumn.odd) || (column?.kind == .choices && text.hasPrefix(", "))
        }
    }
}

extension RuleFacts: PostgresRow {
    static let columns: SQL = "k.properties, k.names, k.kinds, coalesce(n.ids, '{}')"

    init(row: inout RowReader) throws {
        let properties: [PropertyID] = try row.next()
        let names: [String] = try row.next()
        let kinds: [String] = try row.next()
        var columns: [PropertyID: FactColumn] = [:]
        for (property, (name, kind)) in zip(properties, zip(names, kinds)) {
            columns[property] = FactColumn.Kind(rawValue: kind).map { FactColumn(name: name, kind: $0) }
        }
        self.columns = columns
        stale = try row.next()
    }
}
