import Contacts
import Core
import FoundationEssentials
import Postgres

/// Reads what a rule asks of one person, and nothing else.
struct FactsReader {
    let workspace: WorkspaceID
    let clock: RuleClock
    let ledger: any BehaviourLedger
    let transaction: PostgresTransaction

    /// More deeds of one kind than this are not looked at.
    private static let deedLimit = 10_000

    /// Nil for a person who is deleted or of another workspace.
    func facts(of contact: ContactID, for group: RuleGroup) async throws -> PersonFacts? {
        let lists: [ContactListID] = group.lists
        let own: Query<PersonRow> = Query(
            PersonRow.self, "segments.facts.person",
            """
            SELECT \(PersonRow.columns) FROM marketing_contacts c
            LEFT JOIN marketing_companies k
                ON k.workspace_id = \(workspace) AND k.id = c.company_id AND k.deleted_at IS NULL
            WHERE c.workspace_id = \(workspace) AND c.id = \(contact) AND c.deleted_at IS NULL LIMIT 1
            """)
        let memberships: Query<UUID> = .values(
            UUID.self, "segments.facts.lists",
            """
            SELECT m.list_id FROM marketing_list_members m
            WHERE m.workspace_id = \(workspace) AND m.list_id = ANY (\(lists)) AND m.contact_id = \(contact)
            """)
        let (people, on) = try await transaction.pipeline(own, memberships)
        guard let person = people.first else { return nil }
        var facts = PersonFacts(person: person, lists: Set(on))
        for leaf in group.leaves {
            guard case .behaviour(let behaviour) = leaf, facts.deeds[behaviour] == nil else { continue }
            facts.deeds[behaviour] = try await deeds(of: contact, behaviour)
        }
        return facts
    }

    /// The condition that a deed lies within the behaviour's time, so that other months are not looked at.
    private func within(_ behaviour: RuleBehaviour) -> SQL {
        behaviour.window.map { " AND \(RuleCompiler.within(MomentBounds($0, clock), "e.occurred_at"))" } ?? ""
    }

    private func deeds(of contact: ContactID, _ behaviour: RuleBehaviour) async throws -> [PersonFacts.Deed] {
        switch behaviour.kind {
        case .sent:
            let times: [Date] = try await transaction.values(
                Date.self, "segments.facts.sent",
                """
                SELECT d.occurred_at FROM (\(ledger.sent(behaviour.campaign, in: WorkspaceRows(workspace)))) d
                WHERE d.contact_id = \(contact) LIMIT \(Self.deedLimit)
                """)
            return times.map { PersonFacts.Deed(at: $0) }
        case .event(let name):
            let rows = try await transaction.rows(
                as: (Date, JSONValue).self, "segments.facts.events",
                """
                SELECT e.occurred_at, e.properties FROM marketing_events e
                WHERE e.workspace_id = \(workspace) AND e.contact_id = \(contact) AND e.name = \(name)
                    \(within(behaviour))
                ORDER BY e.occurred_at DESC LIMIT \(Self.deedLimit)
                """)
            return rows.map { PersonFacts.Deed(at: $0.0, properties: PersonRow.members($0.1)) }
        case .opened, .clicked:
            return behaviour.usesLedger && behaviour.threshold == 1
                ? try await firsts(of: contact, behaviour) : try await engagements(of: contact, behaviour)
        }
    }

    private func firsts(of contact: ContactID, _ behaviour: RuleBehaviour) async throws -> [PersonFacts.Deed] {
        let first: SQL = ledger.first(
            behaviour.kind, humanOnly: behaviour.humanOnly, behaviour.campaign, in: WorkspaceRows(workspace))
        let times: [Date] = try await transaction.values(
            Date.self, "segments.facts.firsts",
            "SELECT d.occurred_at FROM (\(first)) d WHERE d.contact_id = \(contact) LIMIT \(Self.deedLimit)")
        let kind: String = behaviour.kind == .clicked ? "click" : "open"
        return times.map { PersonFacts.Deed(at: $0, kind: kind) }
    }

    private func engagements(of contact: ContactID, _ behaviour: RuleBehaviour) async throws -> [PersonFacts.Deed] {
        let isOfCampaign: SQL =
            behaviour.campaign.map {
                "e.message_id IN (\(ledger.messages(of: $0, in: WorkspaceRows(workspace))))"
            } ?? "true"
        let rows = try await transaction.rows(
            as: (Date, String, Bool, String?, Bool).self, "segments.facts.engagements",
            """
            SELECT e.occurred_at, e.kind, e.class = 'human', e.url, \(isOfCampaign) FROM marketing_email_events e
            WHERE e.workspace_id = \(workspace) AND e.contact_id = \(contact)\(within(behaviour))
            ORDER BY e.occurred_at DESC LIMIT \(Self.deedLimit)
            """)
        return rows.map {
            PersonFacts.Deed(at: $0.0, kind: $0.1, isHuman: $0.2, link: $0.3, isOfCampaign: $0.4)
        }
    }
}

extension RuleBehaviour {
    /// How many deeds decide.
    var threshold: Int {
        switch times {
        case .atLeast(let count): count
        case .atMost(let count): count + 1
        case .never: 1
        }
    }
}
