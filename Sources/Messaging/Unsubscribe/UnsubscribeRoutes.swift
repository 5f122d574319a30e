import Accounts
import Core
import FoundationEssentials
import Templates
import Web

/// The page behind the unsubscribe link: branded, without sign-in, one button.
struct UnsubscribePage: ViewPage {
    enum State: Sendable {
        case asking, unsubscribed, broken
    }

    let state: State
    let token: String
    /// Masked.
    let email: String
    let brandName: String
    let brandColor: String?
    let brandLogo: String?
    let postalAddress: String?

    static let view = "unsubscribe/show"
    static let fields = Fields<UnsubscribePage> { f in
        f.flag("asking") { $0.state == .asking }
        f.flag("unsubscribed") { $0.state == .unsubscribed }
        f.text("token") { $0.token }
        f.text("email") { $0.email }
        f.text("brandName") { $0.brandName }
        f.optionalText("brandColor") { $0.brandColor }
        f.optionalLink("brandLogo") { $0.brandLogo }
        f.optionalText("postalAddress") { $0.postalAddress }
    }
    static var previews: [UnsubscribePage] {
        [State.asking, .unsubscribed, .broken].map { state in
            UnsubscribePage(
                state: state, token: "token", email: "a•••@example.com", brandName: "Acme", brandColor: nil,
                brandLogo: nil,
                postalAddress: "1 High Street, Oldtown")
        }
    }

    init(
        state: State, token: String, email: String, brandName: String, brandColor: String?, brandLogo: String?,
        postalAddress: String?
    ) {
        self.state = state
        self.token = token
        self.email = email
        self.brandName = brandName
        self.brandColor = brandColor
        self.brandLogo = brandLogo
        self.postalAddress = postalAddress
    }

    init(_ standing: UnsubscribeActions.Standing, token: String) {
        let workspace = standing.workspace
        self.init(
            state: standing.isUnsubscribed ? .unsubscribed : .asking, token: token,
            email: EmailAddress.masked(standing.email),
            brandName: workspace.publicName, brandColor: Self.present(workspace.brandColor),
            brandLogo: Self.present(workspace.brandLogo), postalAddress: Self.present(workspace.postalAddress))
    }

    /// What stands beside the button that begins campaigns again: the words that the ledger of consent keeps.
    static let againWording = "You are unsubscribed. Was this a mistake? Subscribe again"

    static let broken = UnsubscribePage(
        state: .broken, token: "", email: "", brandName: "E-mail preferences", brandColor: nil, brandLogo: nil,
        postalAddress: nil)

    private static func present(_ text: String) -> String? {
        text.isEmpty ? nil : text
    }
}

/// `GET` shows, `POST` acts: mail scanners follow links, so looking never changes anything (RFC 8058 §3).
struct UnsubscribeRoutes: Sendable {
    let actions: UnsubscribeActions

    static let path = "/v1/public/unsubscribe"

    func add(to routes: inout RouteTable) {
        routes.open(.get, Self.path, operation: Self.showOperation, show)
        routes.open(.post, Self.path, operation: Self.unsubscribeOperation, unsubscribe)
        routes.open(.post, "/v1/public/resubscribe", operation: Self.resubscribeOperation, resubscribe)
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let token = request.query.text("token")
        guard let standing = try await actions.standing(token: token) else { return Self.brokenLink }
        return Self.guarded(.page(UnsubscribePage(standing, token: token)))
    }

    private func unsubscribe(_ request: WebRequest) async throws -> WebResponse {
        let form = try await request.form()
        let isOneClick = form.text("List-Unsubscribe") == "One-Click"
        let token = request.query.optional("token") ?? form.text("token")
        guard let standing = try await actions.standing(token: token) else {
            return isOneClick ? .empty(.notFound) : Self.brokenLink
        }
        try await actions.unsubscribe(
            standing, source: isOneClick ? "one_click" : "link", evidence: Self.evidence(request))
        // The mail program wants a plain yes, without a redirect (RFC 8058 §3.1).
        if isOneClick { return Self.guarded(.text("You are unsubscribed.\n")) }
        return Self.backToPage(token)
    }

    private func resubscribe(_ request: WebRequest) async throws -> WebResponse {
        let token = try await request.form().text("token")
        guard let standing = try await actions.standing(token: token) else { return Self.brokenLink }
        _ = try await actions.resubscribe(standing, evidence: Self.evidence(request))
        return Self.backToPage(token)
    }

    private static func evidence(_ request: WebRequest) -> [String: JSONValue] {
        [
            "ip": .string(request.clientAddress),
            "userAgent": .string(String((request.headers[.userAgent] ?? "").prefix(300))),
        ]
    }

    private static func backToPage(_ token: String) -> WebResponse {
        guarded(.redirect(to: path + PercentEncoding.query([("token", token)])))
    }

    private static let brokenLink = guarded(.page(UnsubscribePage.broken, status: .notFound))

    /// The token is in the address: it must not leak to other sites, caches or search engines.
    private static func guarded(_ response: WebResponse) -> WebResponse {
        response.header(.referrerPolicy, "no-referrer").header(.cacheControl, "no-store").header(.robots, "noindex")
    }

    private static let token = APIOperation.Parameter("token", .string, "The token of the link.", required: true)

    private static let showOperation = APIOperation(
        id: "showUnsubscribe", tag: "Unsubscribe", summary: "The page that asks before it unsubscribes",
        details: "Looking at it changes nothing.", query: [token], response: .string, responseType: "text/html",
        problems: [404])

    private static let unsubscribeOperation = APIOperation(
        id: "unsubscribe", tag: "Unsubscribe", summary: "Unsubscribe: one-click of mail programs, or the page’s button",
        details: "With the form field List-Unsubscribe=One-Click the answer is a plain 200 (RFC 8058).", query: [token],
        otherBodies: ["application/x-www-form-urlencoded", "multipart/form-data"], response: .string,
        responseType: "text/plain", problems: [404])

    private static let resubscribeOperation = APIOperation(
        id: "resubscribe", tag: "Unsubscribe", summary: "Get campaigns again",
        otherBodies: ["application/x-www-form-urlencoded"], status: 303, problems: [404])
}
