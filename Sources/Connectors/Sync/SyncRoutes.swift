import Accounts
import Core
import FoundationEssentials
import Tracking
import Web

/// The pages of the sync log, and trying failed rows again.
struct SyncRoutes: Sendable {
    let log: SyncLog
    let intake: SyncIntake
    let events: ActivityAPI

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/settings/sync", .admin, index)
        routes.page(.get, "/settings/sync/{id}", .admin, show)
        routes.page(.post, "/settings/sync/{id}/replay", .admin, replay)
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        let paging = try request.pageRequest()
        let before: SyncRunID? = paging.after?.first.flatMap { SyncRunID($0) }
        let runs: [SyncRun] = try await log.page(try request.scope, before: before, limit: paging.limit + 1)
        let shown = runs.prefix(paging.limit)
        var next: String?
        if runs.count > paging.limit, let last = shown.last {
            next = "/settings/sync" + PercentEncoding.query([("cursor", request.cursor(after: ["\(last.id)"]))])
        }
        let pager = Pager(
            summary: shown.isEmpty ? "Nothing here yet" : "Newest first",
            previousHref: before == nil ? nil : "/settings/sync", nextHref: next)
        return .page(SyncIndexPage(runs: shown.map(SyncRunRow.init), pager: pager))
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        guard let found = try await log.find(try request.id(), try request.scope) else { throw WebError.notFound }
        return .page(SyncShowPage(run: found.run, failures: found.failures.map(SyncFailureRow.init)))
    }

    private func replay(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        guard let found = try await log.find(try request.id(), scope) else { throw WebError.notFound }
        let back: String = "/settings/sync/\(found.run.id)"
        let rows: [JSONValue] = try await log.take(found.run.id, scope).compactMap(\.payload)
        guard !rows.isEmpty else { return .redirect(to: back, alert: "There is nothing left to try again.") }
        let caller: String = "Tried again by \(try request.member.name)"
        switch found.run.kind {
        case .contacts:
            let answer = try await intake.contacts(
                rows, defaultType: nil, caller: caller, replayOf: found.run.id, scope)
            return Self.answer(answer.syncId, failed: answer.failed, of: rows.count)
        case .companies:
            let answer = try await intake.companies(
                rows, defaultType: nil, caller: caller, replayOf: found.run.id, scope)
            return Self.answer(answer.syncId, failed: answer.failed, of: rows.count)
        case .events:
            let recorded = try await ServiceEvents(services: log.services, log: log, events: events).record(
                .array(rows), caller: caller, replayOf: found.run.id, scope)
            guard let run = recorded.run else {
                return .redirect(to: back, notice: "All of them worked this time.")
            }
            return Self.answer(run, failed: recorded.result.failures.count, of: rows.count)
        }
    }

    private static func answer(_ run: SyncRunID, failed: Int, of count: Int) -> WebResponse {
        let href: String = "/settings/sync/\(run)"
        if failed == 0 { return .redirect(to: href, notice: "All of them worked this time.") }
        return .redirect(
            to: href, alert: "\(NumberWords.grouped(failed)) of \(NumberWords.grouped(count)) failed again.")
    }
}
