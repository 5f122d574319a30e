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
        let failed: [BatchSettlement.Message] = entries.filter { $0.entry.state == .failed }
        guard !failed.isEmpty else { return }
        try await suppress(failed.filter { $0.entry.reason == .hardBounce }.map(\.id), run: run, in: tx, now: now)
        let soft: [MessageID] = failed.filter { $0.entry.reason == .softBounce || $0.entry.reason == .providerRejected }
            .map(\.id)
        try await SoftBounces(services: services)
            .suppress(soft, workspace: run.workspace, isReported: false, in: tx, now: now)
    }

    private func suppress(
        _ bounced: [MessageID], run: JournalRecord.Run, in tx: PostgresTransaction, now: Date
    ) async throws {
        guard !bounced.isEmpty else { return }
        let contacts: [ContactID] = try await SuppressionQueries(workspace: run.workspace, tx: tx)
            .addBounces(bounced, ids: services.ids, now: now)
        guard !contacts.isEmpty else { return }
        try await ContactEmailStatus.set(
            .bounced, of: contacts, data: ["detail": .string("The mail server does not know the address.")],
            WorkspaceScope(workspace: run.workspace), services: services, in: tx)
    }
}
