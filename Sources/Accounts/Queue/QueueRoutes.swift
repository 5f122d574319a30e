import Core
import Jobs
import Web

/// Looking at background work, trying again what failed, and letting it go.
struct QueueRoutes: Sendable {
    let services: AppServices
    private let admin: JobsAdmin

    init(services: AppServices) {
        self.services = services
        admin = JobsAdmin(services.database, clock: services.clock)
    }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/settings/queue", .admin, show)
        routes.page(.post, "/settings/queue/{id}/retry", .admin, retry)
        routes.page(.post, "/settings/queue/{id}/delete", .admin, delete)
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let workspace = try request.scope.workspace
        let counts = try await admin.counts(workspace: workspace)
        let failed = try await admin.dead(workspace: workspace, limit: 100)
        func count(_ state: String) -> Int { counts.filter { $0.state == state }.reduce(0) { $0 + $1.count } }
        return .page(
            QueuePage(
                waiting: count("ready"), running: count("running"), failed: failed.map(FailedJobRow.init)))
    }

    private func retry(_ request: WebRequest) async throws -> WebResponse {
        guard try await admin.retry(try request.id(), workspace: try request.scope.workspace) else {
            throw WebError.notFound
        }
        return .redirect(to: "/settings/queue", notice: "It is tried again now.")
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        guard try await admin.delete(try request.id(), workspace: try request.scope.workspace) else {
            throw WebError.notFound
        }
        return .redirect(to: "/settings/queue", notice: "It is removed.")
    }
}
