import Core
import FoundationEssentials
import TestSupport
import Testing
import Web

/// Rules that hold for every route of the table, also for those that are added tomorrow.
@Suite("Every route")
struct RouteMatrixTests {
    /// The path with a valid id in place of each parameter.
    private static func filled(_ path: String, with id: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("{") ? id : String($0) }.joined(separator: "/")
    }

    private static let nobodysID = "01920000-0000-7000-8000-000000000000"

    @Test("asks for a sign-in where it must, and never answers 500")
    func asksForSignIn() async throws {
        try await PortalFixture.with { portal in
            for route in portal.assembly.routes.routes where route.access != .anyone {
                let path = Self.filled(route.path, with: Self.nobodysID)
                let answer = try await portal.send(
                    route.method, path, headers: [.contentType: "application/json"], body: Array("{}".utf8))
                let isJSON = route.face == .api || route.face == .service
                let expected: [HTTPResponse.Status] = isJSON ? [.unauthorized] : [.seeOther]
                #expect(expected.contains(answer.status), "\(route.method) \(route.path) answers \(answer.status)")
            }
        }
    }

    @Test("answers an id that is nobody’s with 404, whoever asks and whatever is sent")
    func hidesForeignIDs() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            for route in portal.assembly.routes.routes where route.path.contains("{") && route.access != .anyone {
                let path = Self.filled(route.path, with: Self.nobodysID)
                let answer: TestResponse
                switch (route.face, route.method) {
                case (.service, .get), (.service, .delete): answer = try await portal.service(route.method, path)
                case (.service, _): answer = try await portal.service(route.method, path, "{}")
                case (.api, .get), (.api, .delete): answer = try await ana.api(route.method, path)
                case (.api, _): answer = try await ana.api(route.method, path, "{}")
                case (_, .get): answer = try await browser.get(path)
                default: answer = try await browser.post(path)
                }
                #expect(
                    [.notFound, .unprocessableContent, .badRequest].contains(answer.status),
                    "\(route.method) \(route.path) answers \(answer.status)")
            }
        }
    }

    @Test("refuses a malformed id like an unknown one")
    func refusesMalformedIDs() async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for route in portal.assembly.routes.routes where route.path.contains("{") && route.face == .api {
                let path = Self.filled(route.path, with: "..%2F..%2Fetc%2Fpasswd")
                let answer =
                    route.method == .get || route.method == .delete
                    ? try await ana.api(route.method, path) : try await ana.api(route.method, path, "{}")
                #expect(
                    [.notFound, .unprocessableContent, .badRequest].contains(answer.status),
                    "\(route.method) \(route.path) answers \(answer.status)")
            }
        }
    }

    @Test(
        "answers hostile query strings without an error of its own",
        arguments: [
            "limit=1e308&cursor=%00&q=%27%3B--", "limit=-1&cursor=AAAA&sort=%3Cscript%3E",
            "q=%F0%9F%8E%89&status=__proto__&listId=x",
            "cursor=eyJ2IjoxfQ&limit=999999999999999999999",
        ])
    func survivesQueries(query: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            let browser = try await ana.signIn()
            for route in portal.assembly.routes.routes
            where route.method == .get && !route.path.contains("{") && route.access != .anyone {
                let path = "\(route.path)?\(query)"
                let answer: TestResponse
                switch route.face {
                case .api: answer = try await ana.api(.get, path)
                case .service: answer = try await portal.service(.get, path)
                default: answer = try await browser.get(path)
                }
                #expect(answer.status.code < 500, "GET \(path) answers \(answer.status)")
            }
        }
    }

    @Test(
        "answers broken and hostile JSON with a problem, never with 500",
        arguments: [
            "[]", "null", "7", "\"x\"", #"{"__proto__":{}}"#, #"{"name":{"a":[1,2]}}"#, #"{"email":["a@b.example"]}"#,
            #"{"contactIds":["' OR 1=1 --"]}"#, #"{"name":"\u0000"}"#, #"{"limit":1e400}"#,
            #"{"id":-1,"workspaceId":"x","role":"owner"}"#,
        ])
    func survivesJSON(body: String) async throws {
        try await PortalFixture.with { portal in
            let ana = try await portal.register("Ana")
            for route in portal.assembly.routes.routes
            where [.api, .service].contains(route.face) && route.method != .get && route.method != .delete {
                let path = Self.filled(route.path, with: Self.nobodysID)
                let answer =
                    route.face == .api
                    ? try await ana.api(route.method, path, body)
                    : try await portal.service(route.method, path, body)
                #expect(answer.status.code < 500, "\(route.method) \(path) with \(body) answers \(answer.status)")
                if answer.status.code >= 400 {
                    #expect(answer.headers[.contentType] == "application/problem+json", "\(route.method) \(path)")
                }
            }
        }
    }
}
