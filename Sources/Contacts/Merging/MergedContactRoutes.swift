import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Lets the ids of people who were merged into others go on answering: pages lead to the winner, the JSON face answers with
/// the winner. Looked up only when an id is not found, so that nobody else pays for it.
package enum MergedContactRoutes {
    /// Wraps every route about one person, of whatever slice. To be called when all slices have added theirs.
    package static func follow(_ services: AppServices, in table: inout RouteTable) {
        table.wrap { route in
            route.path.hasPrefix("/contacts/{id}") && route.method == .get
                || route.path.hasPrefix("/v1/contacts/{id}") && route.method != .delete
        } by: { route in
            let handler: Handler = route.handler
            let isPage: Bool = route.face == .page
            let hasBody: Bool = route.method != .get
            let limit: Int = route.body == .upload ? 1 << 20 : 16 << 20
            return { request in
                // The handler may read the body before it misses the person, and then it is read once more.
                let request: WebRequest = hasBody ? try await request.buffered(limit: limit) : request
                do {
                    return try await handler(request)
                } catch let error as WebError where error == .notFound {
                    guard let current = try await current(request, services) else { throw error }
                    if isPage {
                        return .redirect(to: request.path.replacing(request.parameter("id") ?? "", with: current))
                    }
                    return try await handler(request.with(parameter: "id", current))
                }
            }
        }
    }

    private static func current(_ request: WebRequest, _ services: AppServices) async throws -> String? {
        let scope = try request.scope
        guard let text = request.parameter("id"), let id = ContactID(text) else { return nil }
        return try await services.database.read(scope.workspace) { transaction in
            try await ContactAliases.current(id, scope, in: transaction)
        }?.description
    }
}
