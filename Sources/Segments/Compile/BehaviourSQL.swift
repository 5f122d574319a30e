import Core
import FoundationEssentials
import Postgres

/// What the ledger of messages tells rules. Messaging stands beside Segments, so `Portal` brings the two together.
///
/// Each answer is a `SELECT` for use in brackets.
package protocol BehaviourLedger: Sendable {
    /// `contact_id, occurred_at` of every message that was handed over; an index names those of all campaigns in the order
    /// of people, with `message_id`.
    func sent(_ campaign: CampaignID?, in rows: WorkspaceRows) -> SQL

    /// `contact_id, occurred_at` of every message that was opened or clicked, once each, with the time of the first.
    /// - Parameter humanOnly: machines left out; their hits have no time of their own and get that of the sending.
    func first(_ kind: RuleBehaviour.Kind, humanOnly: Bool, _ campaign: CampaignID?, in rows: WorkspaceRows) -> SQL

    /// `contact_id` of everybody who ever opened or clicked, as `e`, in stretches of which an index names each in the order of
    /// people. Somebody may stand in two of them.
    /// - Parameter humanOnly: machines left out.
    func engaged(_ kind: RuleBehaviour.Kind, humanOnly: Bool, in rows: WorkspaceRows) -> [SQL]

    /// `id` of every message of a campaign; messages are `m`, with `contact_id`.
    func messages(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL

    /// The moment before which nobody did anything with messages of a campaign.
    func launch(of campaign: CampaignID, in rows: WorkspaceRows) -> SQL
}

extension RuleCompiler {
    /// Whether people did it at least so often. Never NULL.
    func did(_ behaviour: RuleBehaviour, atLeast count: Int) -> SQL {
        switch reach {
        case .everybody:
            // Opens are so many for each person that naming everybody once, as neighbours pass by, is worth it for a set.
            let isNamedOnce: Bool =
                count > 1 || behaviour.campaign != nil || (isInSets && behaviour.kind == .opened)
            let people: SQL =
                isNamedOnce ? people(who: behaviour, atLeast: count) : deeds(behaviour, once: true)
            return isInSets || count > 1
                ? "c.id IN (\(people))" : "EXISTS (SELECT FROM (\(people)) d WHERE d.contact_id = c.id)"
        case .few:
            let own: SQL = "SELECT FROM (\(deedsOfFew(behaviour, once: count == 1))) d WHERE d.contact_id = c.id"
            return count == 1
                ? "EXISTS (\(own)\(fence))" : "(SELECT count(*) FROM (\(own) LIMIT \(count)) n) >= \(count)"
        }
    }

    /// `contact_id` of all deeds that count, of everybody.
    func deeds(_ behaviour: RuleBehaviour, once: Bool) -> SQL {
        if let told = toldByLedger(behaviour, once: once) { return told }
        return SQL.join(stretches(behaviour), separator: " UNION ALL ")
    }

    /// The same for people who are looked up one by one, in as few indexes as will do.
    private func deedsOfFew(_ behaviour: RuleBehaviour, once: Bool) -> SQL {
        if let told = toldByLedger(behaviour, once: once) { return told }
        guard case .event(let name) = behaviour.kind else {
            return SQL.join(stretches(behaviour), separator: " UNION ALL ")
        }
        return events(name, behaviour, filters(behaviour, in: "e.properties"))
    }

    /// What the ledger knows of a campaign without a look at single events: who did it at all. How often, when and on which
    /// link is told by those.
    private func toldByLedger(_ behaviour: RuleBehaviour, once: Bool) -> SQL? {
        guard once, behaviour.isOfLedger, let campaign = behaviour.campaign else { return nil }
        let (told, isWithin): (SQL, SQL) =
            behaviour.kind == .sent
            ? (ledger.sent(campaign, in: rows), within(behaviour, "d.occurred_at"))
            : (ledger.first(behaviour.kind, humanOnly: behaviour.humanOnly, campaign, in: rows), "true")
        return "SELECT d.contact_id FROM (\(told)) d WHERE \(isWithin)\(part("d.contact_id"))"
    }

    /// All single deeds that count, of everybody, each once, in stretches of which indexes name each in the order of people.
    func stretches(_ behaviour: RuleBehaviour, in order: RuleSet.IDOrder) -> [SQL] {
        guard let campaign = behaviour.campaign else {
            return stretches(behaviour).map { "\($0) ORDER BY e.contact_id\(order.sql)\(order.fence)" }
        }
        // Joined with messages, deeds would come in another order; so those are looked for in a set.
        let messages: SQL = ledger.messages(of: campaign, in: rows)
        let isLater: SQL = " AND e.occurred_at >= (\(ledger.launch(of: campaign, in: rows)))"
        return stretches(behaviour.ofAllCampaigns, "e.contact_id, e.message_id").map {
            """
            SELECT e.contact_id FROM (\($0)\(isLater) ORDER BY e.contact_id\(order.sql)\(order.fence)) e
            WHERE (e.message_id IN (\(messages)\(part("m.contact_id")))) IS TRUE
            """
        }
    }

    /// All single deeds that count, of everybody, each once, as `e`.
    private func stretches(_ behaviour: RuleBehaviour, _ columns: SQL = "e.contact_id") -> [SQL] {
        if behaviour.isEver {
            return ledger.engaged(behaviour.kind, humanOnly: behaviour.humanOnly, in: rows).map {
                "\($0)\(part("e.contact_id"))"
            }
        }
        let name: String
        switch behaviour.kind {
        case .sent: return [sendings(behaviour, columns)]
        case .opened, .clicked: return [engagements(behaviour, columns)]
        case .event(let named): name = named
        }
        if behaviour.filters.isEmpty { return [events(name, behaviour, "")] }
        let isShort: SQL = " AND e.short_properties IS NOT NULL\(filters(behaviour, in: "e.short_properties"))"
        let isLong: SQL = " AND e.short_properties IS NULL\(filters(behaviour, in: "e.properties"))"
        return [events(name, behaviour, isShort), events(name, behaviour, isLong)]
    }

    private func sendings(_ behaviour: RuleBehaviour, _ columns: SQL) -> SQL {
        """
        SELECT \(columns) FROM (\(ledger.sent(nil, in: rows))) e
        WHERE \(within(behaviour, "e.occurred_at"))\(part("e.contact_id"))\(isOfCampaign(behaviour))
        """
    }

    private func engagements(_ behaviour: RuleBehaviour, _ columns: SQL) -> SQL {
        var sql: SQL = """
            SELECT \(columns) FROM marketing_email_events e WHERE \(rows.of("e"))\(part("e.contact_id"))
            """
        if behaviour.kind == .clicked {
            sql += " AND e.kind = 'click'"
            if behaviour.humanOnly { sql += " AND e.class = 'human'" }
        } else {
            // A click counts as an open too: images may be off.
            sql += behaviour.humanOnly ? " AND e.hit <= 2" : " AND e.hit <= 4"
        }
        if behaviour.window != nil { sql += " AND \(within(behaviour, "e.occurred_at"))" }
        if let link = behaviour.link { sql += " AND e.url = \(link)" }
        return sql + isOfCampaign(behaviour)
    }

    /// Whether a deed `e` was done with a message of the campaign; begins with `AND`.
    private func isOfCampaign(_ behaviour: RuleBehaviour) -> SQL {
        guard let campaign = behaviour.campaign else { return "" }
        let messages: SQL = ledger.messages(of: campaign, in: rows)
        return switch reach {
        case .everybody: " AND e.message_id IN (\(messages)\(part("m.contact_id")))"
        case .few: " AND EXISTS (\(messages) AND m.id = e.message_id\(fence))"
        }
    }

    private func events(_ name: String, _ behaviour: RuleBehaviour, _ filters: SQL) -> SQL {
        var sql: SQL = """
            SELECT e.contact_id FROM marketing_events e
            WHERE \(rows.of("e")) AND e.name = \(name)\(part("e.contact_id"))
            """
        if behaviour.window != nil { sql += " AND \(within(behaviour, "e.occurred_at"))" }
        return sql + filters
    }

    private func within(_ behaviour: RuleBehaviour, _ moment: SQL) -> SQL {
        behaviour.window.map { Self.within(MomentBounds($0, clock), moment) } ?? "true"
    }

    /// What the properties of an event must say; begins with `AND`.
    private func filters(_ behaviour: RuleBehaviour, in properties: SQL) -> SQL {
        guard !behaviour.filters.isEmpty else { return "" }
        let all: [SQL] = behaviour.filters.map { filter($0, in: properties) }
        return " AND \(likely(SQL.join(all, separator: " AND ")))"
    }

    private func filter(_ filter: RuleEventFilter, in properties: SQL) -> SQL {
        let subject = RuleSubject.json(properties, filter.property)
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

    /// Is answered from the ledger, in which messages stand as they were sent.
    var isOfLedger: Bool { threshold == 1 && campaign != nil && (usesLedger || kind == .sent) }

    /// Asks only whether a person ever opened or clicked whatever message: there is a row for each who did.
    var isEver: Bool { usesLedger && campaign == nil && threshold == 1 }
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
