import Hummingbird
import Metrics

/// How often a route is used, how it ends, and how long it takes. Made once per route, so that counting costs a lock and
/// an addition.
final class RouteMeter: Sendable {
    private let byClass: [Counter]
    private let duration: Metrics.Timer

    init(_ route: Route) {
        let dimensions = [("method", route.method.rawValue), ("route", route.path)]
        byClass = (1...5).map {
            Counter(label: "http_requests_total", dimensions: dimensions + [("status", "\($0)xx")])
        }
        duration = Metrics.Timer(label: "http_request_duration", dimensions: dimensions)
    }

    func record(_ status: HTTPResponse.Status, _ elapsed: Duration) {
        byClass[min(max(status.code / 100, 1), 5) - 1].increment()
        duration.recordNanoseconds(Int64(elapsed / .nanoseconds(1)))
    }
}
