import Accounts
import Core
import Templates
import Web

/// Offers the example to whoever has just begun.
struct DemoPage: ViewPage {
    static let view = "demo/index"
    static let fields = Fields<DemoPage> { f in
        f.text("name") { _ in DemoData.workspaceName }
        f.number("people") { _ in DemoData.peopleCount }
    }
    static var previews: [DemoPage] { [DemoPage()] }
}

struct DemoRoutes: Sendable {
    let demo: DemoWorkspace

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/demo", .viewer) { _ in .page(DemoPage()) }
        routes.page(.post, "/demo", .viewer, make)
    }

    private func make(_ request: WebRequest) async throws -> WebResponse {
        switch try await demo.make(for: try request.member.user) {
        case .made:
            .redirect(
                to: "/workspaces", notice: "The demo workspace is ready. Open it here, and come back the same way.")
        case .exists:
            .redirect(to: "/workspaces", notice: "Your demo workspace is there already. Open it here.")
        }
    }
}
