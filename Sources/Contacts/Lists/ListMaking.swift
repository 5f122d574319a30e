import Accounts
import Core
import Postgres

extension ContactLists {
    /// Makes a list with people on it, in the caller's transaction.
    /// - Throws: `ValidationErrors` for the name and the description.
    package static func create(
        name: String, description: String, members: [ContactID], _ scope: WorkspaceScope, services: AppServices,
        in transaction: PostgresTransaction
    ) async throws -> ContactList {
        let form = try ContactListForm(name: name, description: description)
        let actions = ListActions(services: services)
        let list: ContactList = try await actions.create(form, scope, in: transaction)
        _ = try await actions.add(members, to: list, scope, in: transaction)
        return list
    }
}
