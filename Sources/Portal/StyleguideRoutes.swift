import Core
import Markup
import Web

/// The sampler of components, where a portal keeps its own database.
struct StyleguideRoutes: Sendable {
    let icons: [String]
    let clock: WallClock

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/styleguide", .viewer) { _ in .page(StyleguidePage(icons: icons, now: clock.now)) }
        routes.page(.post, "/styleguide/preview", .viewer, preview)
    }

    /// The sample editor's text as its preview frame shows it.
    private func preview(_ request: WebRequest) async throws -> WebResponse {
        let source = try await request.form().raw("html") ?? ""
        let clean = try HTMLSanitizer(policy: .emailBody).clean(source).html
        return .sandboxed(html: Array("<!doctype html><meta charset=\"utf-8\"><title>Preview</title>\(clean)".utf8))
    }
}
