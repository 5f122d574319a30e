import Accounts
import Core
import FoundationEssentials
import Web

/// The pages: overview, report, message log, one message.
struct AnalyticsRoutes: Sendable {
    let services: AppServices
    let reports: ReportReader
    let messages: MessageReader
    let dashboards: DashboardReader

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/", .viewer, dashboard)
        routes.page(.get, "/campaigns/{id}/report", .viewer, report)
        routes.page(.get, "/campaigns/{id}/report/live", .viewer, live)
        routes.page(.get, "/campaigns/{id}/messages", .viewer, log)
        routes.page(.get, "/campaigns/{id}/messages.csv", .viewer, export)
        routes.page(.get, "/messages/{id}", .viewer, message)
    }

    private func dashboard(_ request: WebRequest) async throws -> WebResponse {
        .page(DashboardPage(dashboard: try await dashboards.dashboard(try request.scope)))
    }

    private func report(_ request: WebRequest) async throws -> WebResponse {
        let unit: LocalBuckets.Unit = request.query.text("interval") == "day" ? .day : .hour
        return .page(try await reportPage(try request.id(), unit, try request.scope))
    }

    private func reportPage(
        _ id: CampaignID, _ unit: LocalBuckets.Unit, _ scope: WorkspaceScope
    ) async throws -> ReportPage {
        guard let workspace = try await services.directory.workspace(scope.workspace) else { throw WebError.notFound }
        let report: CampaignReport = try await reports.report(id, scope)
        let buckets = LocalBuckets(unit, zone: workspace.timeZone)
        let series = TimeSeries(
            report.breakdown, buckets: buckets, now: services.clock.now, limit: TimeSeries.limit(unit))
        return ReportPage(
            report: report, charts: ReportCharts(series, buckets: buckets, zone: workspace.timeZone), unit: unit,
            zone: workspace.timeZone)
    }

    /// The report again and again while the campaign goes out.
    private func live(_ request: WebRequest) async throws -> WebResponse {
        let id: CampaignID = try request.id()
        let scope: WorkspaceScope = try request.scope
        _ = try await reportPage(id, .hour, scope)
        return .live(fragment: "report", every: .seconds(2)) {
            let page: ReportPage = try await reportPage(id, .hour, scope)
            return LivePart(page, isLast: !page.report.totals.isLive)
        }
    }

    private func log(_ request: WebRequest) async throws -> WebResponse {
        let filter: MessageFilter = try MessageReader.filter(request.query)
        let asked: PageRequest = try request.pageRequest()
        let position: MessagePosition? = asked.after.flatMap { MessagePosition($0) }
        let found: MessageReader.Found = try await messages.page(
            try request.id(), filter, after: position, limit: asked.limit, try request.scope)
        return .page(
            MessageLogPage(
                totals: found.totals, rows: found.rows, filter: filter, isFirst: position == nil,
                next: found.next.map { request.cursor(after: $0.keys) }))
    }

    private func export(_ request: WebRequest) async throws -> WebResponse {
        let filter: MessageFilter = try MessageReader.filter(request.query)
        let id: CampaignID = try request.id()
        let scope: WorkspaceScope = try request.scope
        // A campaign that is not there is answered before the download begins.
        let first = try await messages.page(id, filter, after: nil, limit: 1, scope)
        let export = MessageExport(reader: messages, campaign: id, filter: filter, scope: scope)
        return .stream(contentType: "text/csv; charset=utf-8", fileName: "\(first.totals.name) – messages.csv") {
            writer in
            try await export.write(to: writer)
        }
    }

    private func message(_ request: WebRequest) async throws -> WebResponse {
        .page(try await messages.message(try request.id(), try request.scope))
    }
}
