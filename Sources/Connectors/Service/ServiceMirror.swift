import Core
import Web

/// Offers routes of the JSON face under `/v1/service/` too: the same handlers, asked with a service key.
package enum ServiceMirror {
    /// What host products may use: people, lists, companies, and what belongs to a person.
    static let prefixes: [String] = ["/v1/contacts", "/v1/lists", "/v1/companies", "/v1/merges"]

    /// Adds a mirror of each route that an editor may use. To be called when all slices have added theirs.
    package static func add(to table: inout RouteTable) {
        for route in table.routes where isMirrored(route) {
            guard let operation = route.operation else { continue }
            let handler: Handler = route.handler
            table.service(
                route.method, "/v1/service" + route.path.dropFirst(3), route.access, body: route.body,
                operation.renamed(
                    "service" + operation.id.prefix(1).uppercased() + operation.id.dropFirst(), tag: "Service")
            ) { request in
                let answer: WebResponse = try await handler(request)
                guard let location = answer.headers[.location], location.hasPrefix("/v1/") else { return answer }
                return answer.header(.location, "/v1/service" + location.dropFirst(3))
            }
        }
    }

    private static func isMirrored(_ route: Route) -> Bool {
        guard route.face == .api, route.access == .viewer || route.access == .editor else { return false }
        return prefixes.contains { route.path == $0 || route.path.hasPrefix($0 + "/") }
    }
}
