import Accounts
import Core
import FoundationEssentials
import Tracking
import Web

/// Events of host products: taken in like all others; what fails is kept in the sync log.
struct ServiceEvents: Sendable {
    let services: AppServices
    let log: SyncLog
    let events: ActivityAPI

    /// - Returns: what became of the events, and the batch in the log if something failed.
    func record(
        _ body: JSONValue, caller: String, replayOf: SyncRunID? = nil, _ scope: WorkspaceScope
    ) async throws -> (result: ActivityAPI.Recorded, run: SyncRunID?) {
        let started = ContinuousClock.now
        let result: ActivityAPI.Recorded = try await events.record(body, source: "service", scope: scope)
        guard !result.failures.isEmpty else { return (result, nil) }
        var counts = SyncRun.Counts(received: result.received, created: result.stored)
        counts.unchanged = result.repeated
        counts.failed = result.failures.count
        let run = SyncRun(
            id: services.ids.next(), kind: .events, caller: caller, counts: counts,
            milliseconds: Int((ContinuousClock.now - started) / .milliseconds(1)), receivedAt: services.clock.now,
            replayOf: replayOf)
        let failures: [SyncFailure] = result.failures.map { failure in
            SyncFailure(
                row: failure.index, sourceType: failure.payload["name"]?.stringValue ?? "",
                sourceID: failure.payload["id"]?.stringValue ?? "", reason: failure.reason, payload: failure.payload)
        }
        try await log.record(run, failures, scope)
        return (result, run.id)
    }
}
