import Accounts
import Core
import FoundationEssentials
import Postgres

/// Consent that was given for a time ends by itself: the ledger gets a decision that says so.
struct ConsentExpiry: Sendable {
    let services: AppServices

    private static let batch: Int = 1_000

    func expire(_ workspace: WorkspaceID) async throws {
        while try await expireSome(workspace) == Self.batch { try Task.checkCancellation() }
    }

    /// The grants that are the last word of their channel and purpose and whose time is over.
    private func expireSome(_ workspace: WorkspaceID) async throws -> Int {
        let now: Date = services.clock.now
        let scope = WorkspaceScope(workspace: workspace)
        return try await services.workerDatabase.write(workspace) { transaction in
            let over: [(ContactID, ConsentChannel, String, Date)] = try await transaction.rows(
                as: (ContactID, ConsentChannel, String, Date).self, "contacts.consent.over",
                """
                SELECT k.contact_id, k.channel, k.purpose, k.expires_at FROM marketing_consents k
                JOIN marketing_contacts c ON c.workspace_id = k.workspace_id AND c.id = k.contact_id
                WHERE k.workspace_id = \(workspace) AND k.expires_at <= \(now) AND k.contact_id IS NOT NULL
                    AND k.action IN ('granted', 'confirmed', 'imported') AND \(ConsentLedger.counts(workspace))
                    AND NOT EXISTS (
                        SELECT FROM marketing_consents l
                        WHERE l.workspace_id = \(workspace) AND l.retracts IS NULL AND l.contact_id = k.contact_id AND l.channel = k.channel
                            AND l.purpose = k.purpose
                            AND (l.occurred_at, l.recorded_at, l.id) > (k.occurred_at, k.recorded_at, k.id))
                LIMIT \(Self.batch)
                """)
            try await ConsentLedger(services).record(
                over.map { contact, channel, purpose, end in
                    (
                        contact,
                        ConsentDecision(
                            .expired, channel, purpose: purpose, source: "time", by: .system, occurredAt: end)
                    )
                }, scope, in: transaction)
            return over.count
        }
    }
}
