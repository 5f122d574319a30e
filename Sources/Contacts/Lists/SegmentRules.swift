import Accounts
import Core
import Postgres

/// Who keeps the rules of segments. Contacts declares what it needs for `/v1/lists`; Segments, a floor above, fulfils it,
/// and `Portal` hands it over.
package protocol SegmentRules: Sendable {
    /// Makes a list of kind segment with its rule; its members follow in the background.
    /// - Throws: `ValidationErrors` whose fields are places in the rule, or `name`, `description`.
    func create(
        name: String, description: String, rules: JSONValue, _ scope: WorkspaceScope
    ) async throws -> ContactList

    /// Replaces the rule of a segment.
    /// - Throws: `ValidationErrors`.
    func change(_ list: ContactListID, rules: JSONValue, _ scope: WorkspaceScope) async throws

    /// The rules and states of segments.
    func states(
        of lists: [ContactListID], _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> [ContactListID: SegmentState]

    /// Forgets the rule of a list that is being deleted.
    func forget(_ list: ContactListID, _ scope: WorkspaceScope, in transaction: PostgresTransaction) async throws
}

/// A segment's rule and how its membership is doing.
package struct SegmentState: Sendable {
    package let rules: JSONValue
    /// `filling`, `live` or `broken`.
    package let state: String
    /// Why it is broken.
    package let problem: String?

    package init(rules: JSONValue, state: String, problem: String?) {
        self.rules = rules
        self.state = state
        self.problem = problem
    }
}

extension ContactLists {
    /// Makes a segment's list, in the transaction that keeps its rule.
    /// - Throws: `ValidationErrors` for the name and the description.
    package static func createSegment(
        name: String, description: String, _ scope: WorkspaceScope, services: AppServices,
        in transaction: PostgresTransaction
    ) async throws -> ContactList {
        let form = try ContactListForm(name: name, description: description)
        return try await ListActions(services: services).create(form, kind: .segment, scope, in: transaction)
    }

    /// What became of a new name.
    package enum Renaming: Sendable {
        case saved, changedMeanwhile, missing
    }

    /// Renames a list.
    /// - Parameter version: the state that the change was made on; nil to change whatever is there.
    /// - Throws: `ValidationErrors`.
    package static func rename(
        _ id: ContactListID, name: String, description: String, version: Int? = nil, _ scope: WorkspaceScope,
        services: AppServices
    ) async throws -> Renaming {
        let form = try ContactListForm(name: name, description: description)
        switch try await ListActions(services: services).update(id, form, version: version, scope) {
        case .saved: return .saved
        case .changedMeanwhile: return .changedMeanwhile
        case .missing: return .missing
        }
    }

    /// Checks a name and a description without storing them.
    /// - Throws: `ValidationErrors`.
    package static func check(name: String, description: String) throws(ValidationErrors) {
        _ = try ContactListForm(name: name, description: description)
    }

    /// Runs what stores a list's name, and says it in words when the name is taken.
    package static func refusingTakenName<Value>(
        _ services: AppServices, _ body: () async throws -> Value
    ) async throws -> Value {
        try await ListActions(services: services).refusingTakenName(body)
    }
}
