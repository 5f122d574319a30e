import Accounts
import Core
import FoundationEssentials
import Web

/// The JSON face of reports.
struct AnalyticsAPI: Sendable {
    let services: AppServices
    let reports: ReportReader
    let messages: MessageReader
    let dashboards: DashboardReader

    func add(to routes: inout RouteTable) {
        routes.schema("CampaignAnalytics", AnalyticsSchemas.analytics)
        routes.schema("CampaignMessage", AnalyticsSchemas.message)
        routes.api(.get, "/v1/campaigns/{id}/analytics", .viewer, AnalyticsSchemas.analyticsOperation, analytics)
        routes.api(.get, "/v1/campaigns/{id}/messages", .viewer, AnalyticsSchemas.messagesOperation, log)
        routes.api(.get, "/v1/campaigns/{id}/time-series", .viewer, AnalyticsSchemas.seriesOperation, series)
        routes.api(.get, "/v1/dashboard", .viewer, AnalyticsSchemas.dashboardOperation, dashboard)
    }

    private func analytics(_ request: WebRequest) async throws -> WebResponse {
        try .json(AnalyticsOutput(try await reports.report(try request.id(), try request.scope)))
    }

    private func log(_ request: WebRequest) async throws -> WebResponse {
        let filter: MessageFilter = try MessageReader.filter(request.query)
        let asked: PageRequest = try request.pageRequest()
        let found: MessageReader.Found = try await messages.page(
            try request.id(), filter, after: asked.after.flatMap { MessagePosition($0) }, limit: asked.limit,
            try request.scope)
        return try .json(
            CursorPage(
                data: found.rows,
                nextCursor: found.next.map { request.cursor(after: $0.keys) }))
    }

    private func series(_ request: WebRequest) async throws -> WebResponse {
        let word: String = request.query.optional("interval") ?? "hour"
        guard let unit = LocalBuckets.Unit(rawValue: word) else {
            throw WebError.badRequest("interval must be hour or day.", code: "bad_interval")
        }
        let scope: WorkspaceScope = try request.scope
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let report: CampaignReport = try await reports.report(try request.id(), scope)
        let series = TimeSeries(
            report.breakdown, buckets: LocalBuckets(unit, zone: workspace.timeZone), now: services.clock.now,
            limit: 2000)
        return try .json(SeriesOutput(interval: word, timeZone: workspace.timeZone, points: series.points))
    }

    private func dashboard(_ request: WebRequest) async throws -> WebResponse {
        try .json(DashboardOutput(try await dashboards.dashboard(try request.scope)))
    }
}
