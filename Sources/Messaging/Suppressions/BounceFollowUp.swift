import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres

/// What a refused address means beyond its message: it is not written to again, and the contact shows why.
struct BounceFollowUp: Sendable {
    let services: AppServices

    func take(
        _ entries: [BatchSettlement.Message], run: JournalRecord.Run, in tx: PostgresTransaction, now: Date
    ) async throws {
        let bounced: [MessageID] = entries.filter { $0.entry.reason == .hardBounce }.map(\.id)
        guard !bounced.isEmpty else { return }
        let contacts: [ContactID] = try await SuppressionQueries(workspace: run.workspace, tx: tx)
            .addBounces(bounced, ids: services.ids, now: now)
        guard !contacts.isEmpty else { return }
        try await ContactEmailStatus.set(
            .bounced, of: contacts, data: ["detail": .string("The mail server does not know the address.")],
            WorkspaceScope(workspace: run.workspace), services: services, in: tx)
    }
}
