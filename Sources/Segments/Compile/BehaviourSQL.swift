import Core
import FoundationEssentials
import Postgres

/// What the ledger of messages tells rules. Messaging stands beside Segments, so `Portal` brings the two together.
///
/// Each answer is a `SELECT` for use in brackets.
package protocol BehaviourLedger: Sendable {
    /// `contact_id, occurred_at` of every message that was handed over.
    func sent(_ campaign: CampaignID?, in workspace: WorkspaceID) -> SQL

    /// `contact_id, occurred_at` of every message that was opened or clicked, once each, with the time of the first.
    /// - Parameter humanOnly: machines left out; their hits have no time of their own and get that of the sending.
    func first(_ kind: RuleBehaviour.Kind, humanOnly: Bool, _ campaign: CampaignID?, in workspace: WorkspaceID) -> SQL

    /// `contact_id` of everybody who ever opened or clicked, as `p`, each once, machines left out; an index names them in
    /// order.
    func engaged(_ kind: RuleBehaviour.Kind, in workspace: WorkspaceID) -> SQL

    /// `id` of every message of a campaign.
    func messages(of campaign: CampaignID, in workspace: WorkspaceID) -> SQL
}

extension RuleCompiler {
    /// Whether people did it at least so often. Never NULL.
    func did(_ behaviour: RuleBehaviour, atLeast count: Int) -> SQL {
        let deeds: SQL = self.deeds(behaviour, once: count == 1)
        if count == 1 { return "EXISTS (SELECT FROM (\(deeds)) d WHERE d.contact_id = c.id)" }
        switch reach {
        case .everybody:
            return "c.id IN (\(people(who: behaviour, atLeast: count)))"
        case .few:
            return """
                (SELECT count(*) FROM (
                    SELECT FROM (\(deeds)) d WHERE d.contact_id = c.id LIMIT \(count)) n) >= \(count)
                """
        }
    }

    /// `contact_id, occurred_at` of all deeds that count.
    func deeds(_ behaviour: RuleBehaviour, once: Bool) -> SQL {
        let window: SQL =
            behaviour.window.map { " WHERE \(Self.within(MomentBounds($0, clock), "d.occurred_at"))" } ?? ""
        switch behaviour.kind {
        case .sent:
            return "SELECT d.contact_id FROM (\(ledger.sent(behaviour.campaign, in: workspace))) d\(window)"
        case .event(let name): return events(name, behaviour)
        case .opened, .clicked:
            // The ledger knows who did at all; how often, when and on which link is told by the single events.
            if once, behaviour.isEver {
                return "\(ledger.engaged(behaviour.kind, in: workspace))\(part("p.contact_id"))"
            }
            if once, behaviour.usesLedger {
                let first: SQL = ledger.first(
                    behaviour.kind, humanOnly: behaviour.humanOnly, behaviour.campaign, in: workspace)
                return "SELECT d.contact_id FROM (\(first)) d"
            }
            return engagements(behaviour)
        }
    }

    private func engagements(_ behaviour: RuleBehaviour) -> SQL {
        var sql: SQL = """
            SELECT e.contact_id FROM marketing_email_events e WHERE e.workspace_id = \(workspace)\(part("e.contact_id"))
            """
        sql += behaviour.kind == .clicked ? " AND e.kind = 'click'" : " AND e.kind IN ('open', 'click')"
        if let window = behaviour.window { sql += " AND \(Self.within(MomentBounds(window, clock), "e.occurred_at"))" }
        if behaviour.humanOnly { sql += " AND e.class = 'human'" }
        if let link = behaviour.link { sql += " AND e.url = \(link)" }
        if let campaign = behaviour.campaign {
            sql += " AND e.message_id IN (\(ledger.messages(of: campaign, in: workspace)))"
        }
        return sql
    }

    private func events(_ name: String, _ behaviour: RuleBehaviour) -> SQL {
        var sql: SQL = """
            SELECT e.contact_id FROM marketing_events e
            WHERE e.workspace_id = \(workspace) AND e.name = \(name)\(part("e.contact_id"))
            """
        if let window = behaviour.window { sql += " AND \(Self.within(MomentBounds(window, clock), "e.occurred_at"))" }
        if !behaviour.filters.isEmpty {
            sql += " AND \(likely(SQL.join(behaviour.filters.map(filter), separator: " AND ")))"
        }
        return sql
    }

    private func filter(_ filter: RuleEventFilter) -> SQL {
        let subject = RuleSubject.json("e.properties", filter.property)
        let kind: FieldKind = filter.value.kind
        if let opposite = filter.comparison.opposite {
            return "(\(predicate(kind, opposite, filter.value, subject))) IS NOT TRUE"
        }
        return "(\(predicate(kind, filter.comparison, filter.value, subject)))"
    }
}

extension RuleBehaviour {
    /// Asks only whether it happened at all: the ledger answers that from one row per message.
    var usesLedger: Bool {
        window == nil && link == nil && (kind == .opened || kind == .clicked)
    }

    /// Is answered from the ledger.
    var isOfLedger: Bool { kind == .sent || (threshold == 1 && usesLedger) }

    /// Asks only whether a person ever did it, with whatever message: there is a row for each who did.
    var isEver: Bool { usesLedger && humanOnly && campaign == nil && threshold == 1 }
}

extension RuleValue {
    /// What kind of values of events it is compared with.
    var kind: FieldKind {
        switch self {
        case .number, .numbers, .numberRange: .number
        case .flag: .boolean
        default: .text
        }
    }
}
