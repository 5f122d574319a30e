import Core
import Postgres
import Synchronization
import Web

/// What watchdogs, load balancers and Prometheus ask.
struct HealthRoutes: Sendable {
    let database: Database
    let readiness: Readiness
    let metrics: PrometheusRegistry

    func add(to routes: inout RouteTable) {
        routes.open(.get, "/healthz") { _ in .text("ok\n") }
        routes.open(.get, "/readyz") { _ in
            guard readiness.isReady else {
                throw WebError.unavailable("The portal is starting or shutting down.", retryAfter: 1)
            }
            _ = try await database.session(timeout: .seconds(2)) { session in
                try await session.value(Int.self, "portal.ready", "SELECT 1::bigint")
            }
            return .text("ready\n")
        }
        routes.open(.get, "/metrics") { _ in
            .bytes(Array(metrics.exposition().utf8), contentType: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}

/// Whether this node should be sent requests: not before it has started, not while it drains.
package final class Readiness: Sendable {
    private let ready = Mutex(false)

    package init() {}

    package var isReady: Bool { ready.withLock { $0 } }

    package func set(_ value: Bool) { ready.withLock { $0 = value } }
}
