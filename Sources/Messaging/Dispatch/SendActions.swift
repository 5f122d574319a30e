import Accounts
import Core
import FoundationEssentials
import Jobs
import Postgres

/// Starting, pausing, resuming and cancelling sends, inside the transaction of whoever decides it.
package struct SendActions: Sendable {
    let services: AppServices

    package init(services: AppServices) {
        self.services = services
    }

    /// Begins a send: from this transaction's commit on, workers write the ledger and send.
    package func launch(
        campaign: CampaignID?, content: SendContent, audience: SendAudience, workspace: WorkspaceID,
        in tx: PostgresTransaction
    ) async throws -> SendID {
        let id: SendID = services.ids.next()
        let queries = SendQueries(workspace: workspace, tx: tx)
        try await queries.insert(id, campaign: campaign, content: content, audience: audience, now: services.clock.now)
        try await services.jobs.enqueue(
            SnapshotSend(workspace: workspace, send: id), workspace: workspace, key: "snapshot:\(id)", in: tx)
        return id
    }

    /// - Returns: false when the send is in no state for it.
    package func pause(
        _ id: SendID, notice: String? = nil, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> Bool {
        try await move(id, to: .paused, notice: notice, workspace: workspace, in: tx) { queries in
            try await queries.rest(id)
        }
    }

    package func resume(_ id: SendID, workspace: WorkspaceID, in tx: PostgresTransaction) async throws -> Bool {
        try await move(id, to: .sending, notice: nil, workspace: workspace, in: tx) { queries in
            try await queries.wake(id, at: services.clock.now)
            try await services.jobs.enqueue(
                SnapshotSend(workspace: workspace, send: id), workspace: workspace, key: "snapshot:\(id)", in: tx)
            try await services.jobs.enqueue(
                DispatchSend(workspace: workspace, send: id), workspace: workspace, key: "dispatch:\(id):0", in: tx)
        }
    }

    /// What was handed over stays handed over; the rest is marked as cancelled by a job.
    package func cancel(_ id: SendID, workspace: WorkspaceID, in tx: PostgresTransaction) async throws -> Bool {
        try await move(id, to: .cancelled, notice: nil, workspace: workspace, in: tx) { queries in
            try await queries.rest(id)
            try await services.jobs.enqueue(
                CancelSend(workspace: workspace, send: id), workspace: workspace, key: "cancel:\(id)", in: tx)
        }
    }

    private func move(
        _ id: SendID, to state: SendState, notice: String?, workspace: WorkspaceID, in tx: PostgresTransaction,
        _ effects: (SendQueries) async throws -> Void
    ) async throws -> Bool {
        let queries = SendQueries(workspace: workspace, tx: tx)
        guard let current = try await queries.lockedState(id), current.canBecome(state) else { return false }
        try await queries.setState(id, state, notice: notice, now: services.clock.now)
        try await effects(queries)
        return true
    }

    /// Settles uncertain messages as a person decided: as sent, or to be sent again.
    /// - Returns: how many there were.
    package func resolveUncertain(
        _ id: SendID, sendAgain: Bool, messages: [MessageID]?, workspace: WorkspaceID, in tx: PostgresTransaction
    ) async throws -> Int {
        let queries = UncertainQueries(workspace: workspace, send: id, tx: tx)
        let now: Date = services.clock.now
        guard sendAgain else { return try await queries.treatAsSent(messages, now: now) }
        let again: [MessageID] = try await queries.sendAgain(messages)
        guard !again.isEmpty else { return 0 }
        let sends = SendQueries(workspace: workspace, tx: tx)
        try await SettlementQueries(workspace: workspace, send: id, tx: tx)
            .addRetries([RetryBatch(id: services.ids.next(), due: now, messages: again)])
        if try await sends.state(id) == .sent {
            try await sends.setState(id, .sending, notice: nil, now: now)
            try await services.jobs.enqueue(
                SendStateChanged(workspace: workspace, send: id, state: .sending, notice: nil), workspace: workspace,
                in: tx)
        }
        try await sends.wake(id, at: now)
        try await services.jobs.enqueue(
            DispatchSend(workspace: workspace, send: id), workspace: workspace, key: "dispatch:\(id):0", in: tx)
        return again.count
    }
}
