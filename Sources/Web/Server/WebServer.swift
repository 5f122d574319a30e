import Core
import Cryptography
import Hummingbird
import Logging
import NIOCore

/// The router with everything around it: give it the route table, get what answers requests.
package struct WebServer: Sendable {
    package let routes: RouteTable
    private let pipeline: RequestPipeline
    private let assets: Assets
    private let direct: DirectRoutes

    package init(
        routes: RouteTable, configuration: WebConfiguration, sessions: SessionStore, pages: PageRenderer,
        assets: Assets, idempotency: IdempotencyStore? = nil, logger: Logger
    ) {
        self.routes = routes
        self.assets = assets
        direct = DirectRoutes(routes.routes, trustedProxies: configuration.trustedProxies)
        let cookies = CookieJar(secure: configuration.isSecure)
        let forgery = ForgeryProtection(key: configuration.key, earlier: configuration.earlierKeys)
        let responses = ResponseWriterRoom(
            configuration: configuration, pages: pages, cookies: cookies, forgery: forgery,
            security: SecurityHeaders(secure: configuration.isSecure), logger: logger)
        pipeline = RequestPipeline(
            configuration: configuration, sessions: sessions, responses: responses, forgery: forgery, cookies: cookies,
            cursors: CursorCodec(key: configuration.key, earlier: configuration.earlierKeys),
            idempotency: idempotency.map { IdempotencyGate(store: $0, clock: configuration.clock, logger: logger) },
            logger: logger)
    }

    /// Builds the responder; routes are looked up in Hummingbird's trie.
    package func responder() -> some HTTPResponder<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        for route in routes.routes {
            let meter = RouteMeter(route)
            router.on(RouterPath(route.path), method: route.method) { [pipeline] request, context in
                let started = ContinuousClock.now
                let response = await pipeline.serve(route, request, context)
                meter.record(response.status, ContinuousClock.now - started)
                return response
            }
        }
        router.get("/assets/{fingerprint}/**") { [assets, pipeline] request, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            let gzip = Gzip.isAccepted(by: request.headers[.acceptEncoding])
            if let response = assets.response(to: path, acceptsGzip: gzip) { return pipeline.secured(response) }
            return await pipeline.missing(request)
        }
        addWrongMethods(to: router)
        return FallbackResponder(router: router.buildResponder(), pipeline: pipeline)
    }

    /// What answers the direct routes; to be put into the pipeline of each connection, behind its parser.
    package func directAnswers() -> [any RemovableChannelHandler] {
        guard !direct.isEmpty else { return [] }
        let answers = DirectAnswers(routes: direct) { [pipeline] in pipeline.responses.direct($0, path: $1) }
        return [OrdinaryAnswers(answers)]
    }

    /// 405 with `Allow` for the methods that a path does not know, instead of a misleading 404 (RFC 9110 §15.5.6).
    private func addWrongMethods(to router: Router<WebContext>) {
        var methods: [String: Set<HTTPRequest.Method>] = [:]
        for route in routes.routes { methods[route.path, default: []].insert(route.method) }
        for (path, known) in methods {
            let allowed = known.contains(.get) ? known.union([.head]) : known
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .trace] where !known.contains(method) {
                router.on(RouterPath(path), method: method) { [pipeline] request, _ in
                    await pipeline.refuse(
                        WebError(
                            .methodNotAllowed, code: "method_not_allowed",
                            detail: "This address answers \(allow) only.",
                            headers: [.allow: allow]), request)
                }
            }
            router.on(RouterPath(path), method: .options) { [pipeline] request, _ in
                pipeline.options(request, allow: allow)
            }
        }
    }
}

/// Answers what no route answers: the router's own bare refusals become pages or problem documents.
private struct FallbackResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == WebContext {
    let router: Inner
    let pipeline: RequestPipeline

    func respond(to request: Request, context: WebContext) async throws -> Response {
        let response = try await router.respond(to: request, context: context)
        // Every answer of ours carries this header; the router's own do not.
        guard response.headers[.xContentTypeOptions] == nil, response.status.code >= 400 else { return response }
        if response.status == .notFound { return await pipeline.missing(request) }
        return await pipeline.refuse(
            WebError(response.status, code: "bad_request", detail: response.status.reasonPhrase), request)
    }
}

extension RequestPipeline {
    func missing(_ request: Request) async -> Response {
        await refuse(.notFound, request)
    }

    /// Answers what no route answers. A member sees it inside the portal, with the navigation to go on from.
    func refuse(_ error: WebError, _ request: Request) async -> Response {
        var visit = Visit(id: Hexadecimal.encode(SecureRandom.bytes(8)), request: request)
        if request.uri.path.hasPrefix("/v1/") { return responses.failure(error, on: .api, for: visit) }
        if let cookie = cookies.value(of: cookies.sessionName, in: request.headers) {
            visit.cookie = cookie
            do {
                try await identify(&visit)
            } catch {
                logger.warning("a session could not be read", metadata: ["error": .string("\(error)")])
            }
        }
        return responses.failure(error, on: .page, for: visit)
    }

    func secured(_ response: Response) -> Response {
        var copy = response
        responses.security.apply(to: &copy.headers, nonce: nil)
        return copy
    }

    /// Lets scripts of the origins that were allowed read answers of the JSON face (WHATWG Fetch); never with cookies.
    func sharing(_ response: Response, with request: Request, on face: Face) -> Response {
        guard face == .api, let origin = request.headers[.origin], configuration.allowedOrigins.contains(origin) else {
            return response
        }
        var copy = response
        copy.headers[.accessControlAllowOrigin] = origin
        copy.headers[.accessControlExposeHeaders] =
            "ETag, Idempotency-Replayed, Location, Retry-After, X-Request-Id"
        copy.headers[.vary] = "Origin, Accept-Encoding"
        return copy
    }

    /// Preflight of the JSON face for the origins that were allowed (WHATWG Fetch), else just `Allow`.
    func options(_ request: Request, allow: String) -> Response {
        var headers: HTTPFields = [.allow: allow]
        if let origin = request.headers[.origin], configuration.allowedOrigins.contains(origin),
            request.uri.path.hasPrefix("/v1/")
        {
            headers[.accessControlAllowOrigin] = origin
            headers[.accessControlAllowMethods] = allow
            headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key"
            headers[.accessControlMaxAge] = "600"
            headers[.vary] = "Origin"
        }
        return Response(status: .noContent, headers: headers)
    }
}
