import Core
import Cryptography
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore

/// The way of a request: who asks, may they, is it really them, the handler, the answer.
struct RequestPipeline: Sendable {
    let configuration: WebConfiguration
    let sessions: SessionStore
    let responses: ResponseWriterRoom
    let forgery: ForgeryProtection
    let cookies: CookieJar
    let cursors: CursorCodec
    let idempotency: IdempotencyGate?
    let logger: Logger

    func serve(_ route: Route, _ request: Request, _ context: WebContext) async -> Response {
        if route.face == .raw { return await serveRaw(route, request, context) }
        let started = ContinuousClock.now
        let id = Hexadecimal.encode(withUnsafeBytes(of: configuration.randomness.next()) { Array($0) })
        var visit = Visit(id: id, request: request)
        let response: Response
        do {
            let answer = try await answer(route, request, context, &visit)
            response = try responses.response(answer, for: visit)
        } catch {
            response = responses.failure(error, on: route.face, for: visit)
        }
        log(request, response, visit, started)
        return sharing(response, with: request, on: route.face)
    }

    /// The hot path: no session and no log line; a failure is still an answer.
    private func serveRaw(_ route: Route, _ request: Request, _ context: WebContext) async -> Response {
        let visit = Visit(id: "", request: request)
        do {
            let body = RequestBodyStream(request.body, limit: route.body.bytes)
            let answer = try await route.handler(webRequest(request, context, visit, body, route))
            return try responses.raw(answer)
        } catch {
            return responses.failure(error, on: .raw, for: visit)
        }
    }

    private func answer(
        _ route: Route, _ request: Request, _ context: WebContext, _ visit: inout Visit
    ) async throws -> WebResponse {
        visit.cookie = cookies.value(of: cookies.sessionName, in: request.headers)
        var body = RequestBodyStream(request.body, limit: route.body.bytes)
        switch route.face {
        case .raw, .open:
            break
        case .visitor:
            try await identify(&visit)
            body = try await protect(route, request, &visit, body)
        case .page:
            try await identify(&visit)
            guard visit.principal != nil else { return signIn(afterwards: request) }
            try authorize(route, visit)
            body = try await protect(route, request, &visit, body)
        case .api, .service:
            try Self.checkContentNegotiation(route, request)
            if route.face == .service {
                visit.principal = try await serviceCaller(request, context)
            } else {
                try await identifyCaller(route, request, &visit)
            }
            try authorize(route, visit)
            try Self.checkFilters(route, request)
            if let claim = try claim(route, request, visit), let idempotency {
                return try await idempotency.answer(
                    claim, body: body, mayDrain: route.body != .upload,
                    refusal: { [visit] in responses.problemAnswer($0, id: visit.id, path: request.uri.path) },
                    handler: { [visit] in try await handle(route, webRequest(request, context, visit, $0, route)) })
            }
        }
        return try await handle(route, webRequest(request, context, visit, body, route))
    }

    /// The handler, and around it what records of deeds say of the request.
    private func handle(_ route: Route, _ request: WebRequest) async throws -> WebResponse {
        let trace = RequestTrace(id: request.id, address: request.clientAddress)
        return try await RequestTrace.$current.withValue(trace) { try await route.handler(request) }
    }

    /// What an `Idempotency-Key` stands for. Only methods that are not idempotent by themselves look at it, and only
    /// where a workspace is known: answers to signing in hold a token and are kept nowhere.
    private func claim(_ route: Route, _ request: Request, _ visit: Visit) throws -> IdempotencyClaim? {
        guard route.isRepeatedByKey, let workspace = visit.principal?.workspace,
            let key = try IdempotencyGate.key(in: request.headers)
        else { return nil }
        return IdempotencyClaim(
            workspace: workspace, route: "\(route.method.rawValue) \(route.path)", key: key,
            target: request.uri.description)
    }

    /// The JSON face speaks its own types and takes no compressed bodies (RFC 9110 §12.5.1 and §15.5.16).
    private static func checkContentNegotiation(_ route: Route, _ request: Request) throws(WebError) {
        let type = route.operation?.responseType ?? "application/json"
        guard MediaRanges.accept(request.headers[.accept], anyOf: [type, "application/problem+json"]) else {
            throw WebError(.notAcceptable, code: "not_acceptable", detail: "This address answers \(type) only.")
        }
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw WebError(
                .unsupportedMediaType, code: "unsupported_media_type", detail: "Send the body uncompressed.",
                headers: [.acceptEncoding: "identity"])
        }
    }

    /// A list that is asked for with a filter it does not know would answer everything: rather it says so.
    private static func checkFilters(_ route: Route, _ request: Request) throws(WebError) {
        guard let known = route.operation?.query.map(\.name), known.contains("cursor"), let query = request.uri.query
        else { return }
        let unknown: [String] = FormValues(urlEncoded: query).names.filter { !known.contains($0) }
        guard let first = unknown.first else { return }
        throw .badRequest(
            "There is no parameter “\(first.visible.prefix(60))” here. Known are \(known.joined(separator: ", ")).",
            code: "unknown_parameter")
    }

    // MARK: Who asks

    func identify(_ visit: inout Visit) async throws {
        if let token = visit.cookie, let session = try await sessions.session(SHA256.hash(Array(token.utf8))) {
            visit.session = session
            visit.principal = session.principal
        } else {
            visit.cookie = cookies.value(of: cookies.visitorName, in: visit.request.headers)
            if (visit.cookie ?? "").utf8.count < 22 {
                visit.cookie = SecureRandom.token(bytes: 24)
                visit.newVisitorCookie = visit.cookie
            }
        }
    }

    /// A bearer token, or a script of our own pages with the session's cookie and the forgery token in a header.
    private func identifyCaller(_ route: Route, _ request: Request, _ visit: inout Visit) async throws {
        if let header = request.headers[.authorization] {
            guard header.lowercased().hasPrefix("bearer "),
                let principal = try await sessions.bearer(header.dropFirst(7).trimmed)
            else { throw Self.unauthorized }
            visit.principal = principal
            return
        }
        if route.access == .anyone { return }
        try await identify(&visit)
        guard visit.principal != nil else { throw Self.unauthorized }
        if Self.changesSomething(request) {
            guard let cookie = visit.cookie, forgery.isSameOrigin(request),
                forgery.accepts(request.headers[.csrfToken] ?? "", for: cookie)
            else { throw Self.forged }
        }
    }

    /// A host product with a service key; sessions and members' tokens open nothing here.
    private func serviceCaller(_ request: Request, _ context: WebContext) async throws -> Principal {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer "),
            let principal = try await sessions.service(
                ServiceCall(
                    token: header.dropFirst(7).trimmed, tenant: request.headers[.externalTenantID],
                    address: ClientAddress.of(
                        request.headers, peer: context.peerAddress, trustedProxies: configuration.trustedProxies)))
        else { throw Self.unauthorized }
        return principal
    }

    private func authorize(_ route: Route, _ visit: Visit) throws {
        guard case .role(let needed) = route.access else { return }
        guard let principal = visit.principal else { throw Self.unauthorized }
        guard principal.role >= needed else { throw WebError.forbidden }
    }

    private func signIn(afterwards request: Request) -> WebResponse {
        guard request.method == .get else { return .redirect(to: "/login", alert: "Sign in to go on.") }
        let wanted = request.uri.description
        return .redirect(to: wanted == "/" ? "/login" : "/login" + PercentEncoding.query([("next", wanted)]))
    }

    // MARK: Is it really them

    /// Checks origin and form token of a request that changes something. Ordinary forms are read for it and handed on;
    /// the first part of an upload is checked when the handler opens it.
    private func protect(
        _ route: Route, _ request: Request, _ visit: inout Visit, _ body: RequestBodyStream
    ) async throws -> RequestBodyStream {
        guard Self.changesSomething(request) else { return body }
        guard forgery.isSameOrigin(request), let cookie = visit.cookie else { throw Self.forged }
        if let token = request.headers[.csrfToken] {
            guard forgery.accepts(token, for: cookie) else { throw Self.forged }
            return body
        }
        let contentType = (request.headers[.contentType] ?? "").lowercased()
        if contentType.hasPrefix("multipart/form-data") {
            if route.body != .upload { return try await protectParts(route, request, body, cookie: cookie) }
            visit.formToken = { [forgery] in forgery.accepts($0, for: cookie) }
            return body
        }
        let bytes = try await body.collect(upTo: route.body == .upload ? 1 << 20 : route.body.bytes)
        let form = FormValues(urlEncoded: String(decoding: bytes, as: UTF8.self))
        guard forgery.accepts(form.text("_csrf"), for: cookie) else { throw Self.forged }
        return RequestBodyStream(RequestBody(buffer: ByteBuffer(bytes: bytes)), limit: route.body.bytes)
    }

    /// A form in parts that is no upload is read before its handler runs: many handlers never open a body.
    private func protectParts(
        _ route: Route, _ request: Request, _ body: RequestBodyStream, cookie: String
    ) async throws -> RequestBodyStream {
        let bytes: [UInt8] = try await body.collect(upTo: route.body.bytes)
        let again = RequestBodyStream(RequestBody(buffer: ByteBuffer(bytes: bytes)), limit: route.body.bytes)
        let reader = try MultipartReader(contentType: request.headers[.contentType], body: again)
        guard try await reader.nextPart()?.name == "_csrf",
            forgery.accepts(try await reader.text(limit: 1024), for: cookie)
        else { throw Self.forged }
        return RequestBodyStream(RequestBody(buffer: ByteBuffer(bytes: bytes)), limit: route.body.bytes)
    }

    private static func changesSomething(_ request: Request) -> Bool {
        switch request.method {
        case .get, .head, .options: false
        default: true
        }
    }

    private static let unauthorized = WebError(
        .unauthorized, code: "unauthorized", detail: "Sign in, or send a valid token as “Authorization: Bearer …”.",
        headers: [.wwwAuthenticate: "Bearer"])

    private static let forged = WebError(
        .forbidden, code: "form_expired",
        detail:
            "This form was open for too long or was sent from somewhere else. Go back, reload the page and send it again."
    )

    // MARK: The handler's view of the request

    private func webRequest(
        _ request: Request, _ context: WebContext, _ visit: Visit, _ body: RequestBodyStream, _ route: Route
    ) -> WebRequest {
        var parameters: [String: String] = [:]
        for (name, value) in context.parameters { parameters[String(name)] = String(value) }
        return WebRequest(
            id: visit.id, method: request.method, path: request.uri.path,
            query: request.uri.query.map { FormValues(urlEncoded: $0) } ?? FormValues(), headers: request.headers,
            clientAddress: ClientAddress.of(
                request.headers, peer: context.peerAddress, trustedProxies: configuration.trustedProxies),
            principal: visit.principal, session: visit.session,
            logger: logger, body: body, parameters: parameters, formBytesLimit: min(route.body.bytes, 8 << 20),
            cursors: cursors, formToken: visit.formToken)
    }

    private func log(_ request: Request, _ response: Response, _ visit: Visit, _ started: ContinuousClock.Instant) {
        let milliseconds = (ContinuousClock.now - started) / .milliseconds(1)
        var metadata: Logger.Metadata = [
            "request_id": .string(visit.id), "method": .string(request.method.rawValue),
            "path": .string(request.uri.path), "status": .stringConvertible(response.status.code),
            "ms": .stringConvertible((milliseconds * 100).rounded() / 100),
            "workspace": .string(visit.principal.map { "\($0.workspace)" } ?? "-"),
        ]
        if let reference = Self.clientReference(request.headers[.requestID]) {
            metadata["client_reference"] = .string(reference)
        }
        logger.log(level: response.status.code >= 500 ? .error : .info, "request", metadata: metadata)
    }

    /// The id that a client or a proxy gave the request, for the log: at most 64 letters, digits and `-_.:`.
    private static func clientReference(_ header: String?) -> String? {
        guard let header, (1...64).contains(header.utf8.count) else { return nil }
        let isSafe = header.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_.:".utf8.contains(byte)
        }
        return isSafe ? header : nil
    }
}

/// What is found out about a request on its way.
struct Visit {
    let id: String
    let request: Request
    /// The cookie that forms' tokens belong to: the session's, or an anonymous visitor's.
    var cookie: String?
    var newVisitorCookie: String?
    var session: BrowserSession?
    var principal: Principal?
    var formToken: (@Sendable (String) -> Bool)?
}
