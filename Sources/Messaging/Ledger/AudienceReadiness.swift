import Accounts
import Contacts
import Core
import Postgres

/// A segment of an audience whose members are not those that its rule finds.
package struct AudienceGap: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        /// Everybody is looked at for it at the moment.
        case filling
        /// Its rule cannot be read any more, so nobody keeps it; why, in words.
        case broken(String)
    }

    package let list: ContactListID
    package let name: String
    /// How many are in it now.
    package let members: Int
    package let cause: Cause

    package init(list: ContactListID, name: String, members: Int, cause: Cause) {
        self.list = list
        self.name = name
        self.members = members
        self.cause = cause
    }
}

/// Tells whether the segments of an audience are complete, so that nothing is promised of them or sent to them before.
struct AudienceReadiness: Sendable {
    /// Nil where there are no segments.
    let segments: (any SegmentRules)?

    /// The segments that are filling or broken among those of an audience, wanted or excluded, and among those that their
    /// rules ask for. By name.
    func gaps(
        _ audience: SendAudience, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> [AudienceGap] {
        guard let segments else { return [] }
        let scope = WorkspaceScope(workspace: workspace)
        var waiting: Set<ContactListID> = Set(audience.listIds + audience.excludeListIds)
        var seen: Set<ContactListID> = []
        var causes: [ContactListID: AudienceGap.Cause] = [:]
        while !waiting.isEmpty {
            seen.formUnion(waiting)
            let states: [ContactListID: SegmentState] = try await segments.states(of: Array(waiting), scope, in: tx)
            for (list, state) in states {
                switch state.state {
                case "filling": causes[list] = .filling
                case "broken": causes[list] = .broken(state.problem ?? "Its rule cannot be read.")
                default: break
                }
            }
            waiting = Set(states.values.flatMap { Self.lists(askedForBy: $0.rules) }).subtracting(seen)
        }
        guard !causes.isEmpty else { return [] }
        return try await ContactLists.all(scope, in: tx).compactMap { list in
            causes[list.id].map { AudienceGap(list: list.id, name: list.name, members: list.memberCount, cause: $0) }
        }
    }

    /// The ids in the conditions of a rule that ask for lists.
    static func lists(askedForBy rule: JSONValue) -> [ContactListID] {
        switch rule {
        case .array(let members): return members.flatMap(lists)
        case .object(let members) where members["field"] == .string("list"):
            switch members["value"] {
            case .string(let id)?: return ContactListID(id).map { [$0] } ?? []
            case .array(let ids)?: return ids.compactMap { $0.stringValue.flatMap { ContactListID($0) } }
            default: return []
            }
        case .object(let members): return members.values.flatMap(lists)
        default: return []
        }
    }
}
