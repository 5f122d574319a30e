import Core
import Cryptography
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore
import Templates

/// Turns what handlers answer, and what they throw, into HTTP: page rendering, cookies, headers, compression.
struct ResponseWriterRoom: Sendable {
    let configuration: WebConfiguration
    let pages: PageRenderer
    let cookies: CookieJar
    let forgery: ForgeryProtection
    let security: SecurityHeaders
    let logger: Logger

    func response(_ answer: WebResponse, for visit: Visit) throws -> Response {
        var headers = answer.headers
        let nonce = SecureRandom.token(bytes: 16)
        var bytes: [UInt8]?
        switch answer.content {
        case .page(let render):
            let fragment = visit.request.headers[.fragment]
            let chrome = chrome(for: visit, nonce: nonce)
            bytes = try render(try pages.rendering(chrome: chrome, fragment: fragment))
            headers[.cacheControl] = "no-store"
            headers[.vary] = "Accept-Encoding, X-Fragment"
            security.apply(to: &headers, nonce: nonce)
            if fragment == nil { clearFlash(visit, &headers) }
        case .bytes(let content):
            bytes = content
            security.apply(to: &headers, nonce: nil)
        case .redirect, .stream, .live, .empty:
            security.apply(to: &headers, nonce: nil)
        }
        setCookies(answer, visit, &headers)
        headers[.requestID] = visit.id
        if headers[.cacheControl] == nil { headers[.cacheControl] = "private, no-cache" }
        if case .stream(let write) = answer.content {
            return Response(
                status: answer.status, headers: headers,
                body: ResponseBody { writer in
                    let body = BodyWriter(writer)
                    try await write(body)
                    try await body.finish()
                })
        }
        if case .live(let write) = answer.content {
            let rendering = try pages.rendering(chrome: chrome(for: visit, nonce: nonce), fragment: nil)
            return Response(
                status: answer.status, headers: headers,
                body: ResponseBody { writer in
                    let body = BodyWriter(writer)
                    try await write(rendering, body)
                    try await body.finish()
                })
        }
        guard let bytes else { return Response(status: answer.status, headers: headers) }
        return finish(bytes, answer, headers, visit)
    }

    /// An answer of the hot path: locked headers only.
    func raw(_ answer: WebResponse) throws -> Response {
        let headers = rawHeaders(answer)
        guard case .bytes(let bytes) = answer.content else { return Response(status: answer.status, headers: headers) }
        return Response(
            status: answer.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    func rawHeaders(_ answer: WebResponse) -> HTTPFields {
        var headers = answer.headers
        headers[.xContentTypeOptions] = "nosniff"
        if headers[.contentSecurityPolicy] == nil { headers[.contentSecurityPolicy] = SecurityHeaders.lockedPolicy }
        return headers
    }

    private func finish(_ bytes: [UInt8], _ answer: WebResponse, _ fields: HTTPFields, _ visit: Visit) -> Response {
        var headers = fields
        var bytes = bytes
        if answer.isTagged, headers[.eTag] == nil {
            headers[.eTag] = "\"\(Hexadecimal.encode(SHA256.hash(bytes).prefix(12)))\""
        }
        if let tag = headers[.eTag], visit.request.method == .get || visit.request.method == .head,
            EntityTags.matches(visit.request.headers[.ifNoneMatch], tag)
        {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        if bytes.count >= Gzip.worthwhile, Gzip.isAccepted(by: visit.request.headers[.acceptEncoding]),
            let compressed = Gzip.compress(bytes)
        {
            bytes = compressed
            headers[.contentEncoding] = "gzip"
            if headers[.vary] == nil { headers[.vary] = "Accept-Encoding" }
        }
        return Response(
            status: answer.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    // MARK: Failures

    /// The answer to an error: a page for people, problem+json for programs. What was thrown is logged, never shown.
    func failure(_ error: any Error, on face: Face, for visit: Visit) -> Response {
        if let mistakes = error as? ViewErrors { return developmentPage(mistakes) }
        let id = visit.id.isEmpty ? Hexadecimal.encode(SecureRandom.bytes(8)) : visit.id
        let wantsPage = visit.request.headers[.accept]?.contains("text/html") == true
        switch face {
        case .raw where !wantsPage, .open where !wantsPage:
            return problem(error, id: id, visit)
        case .api, .service:
            return problem(error, id: id, visit)
        case .raw, .open, .page, .visitor:
            return errorPage(refusal(for: error, id: id), id: id, visit)
        }
    }

    /// Mistakes in views that are being worked on; where views are read once at the start there are none to show.
    private func developmentPage(_ mistakes: ViewErrors) -> Response {
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        security.apply(to: &headers, nonce: nil)
        return Response(
            status: .internalServerError, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: mistakes.page)))
    }

    func refusal(for error: any Error, id: String) -> WebError {
        if let refusal = error as? WebError { return refusal }
        if let invalid = error as? ValidationErrors {
            let detail = invalid.entries.map(\.message).joined(separator: " ")
            return WebError(.unprocessableContent, code: "validation", detail: detail)
        }
        if let refusing = error as? any RefusingError { return refusing.refusal }
        logger.error(
            "request failed", metadata: ["request_id": .string(id), "error": .string(String(reflecting: error))])
        return WebError(
            .internalServerError, code: "internal",
            detail: "Something went wrong on our side. It has been noted; try again in a moment.")
    }

    private func problem(_ error: any Error, id: String, _ visit: Visit) -> Response {
        let answer = problemAnswer(error, id: id, path: visit.request.uri.path)
        var headers = answer.headers
        headers[.requestID] = id
        security.apply(to: &headers, nonce: nil)
        return Response(
            status: answer.status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.storableBody ?? [])))
    }

    /// The problem document of an error (RFC 9457), as a handler might have answered it.
    func problemAnswer(_ error: any Error, id: String, path: String) -> WebResponse {
        let problem: Problem
        var headers: HTTPFields = [:]
        if let invalid = error as? ValidationErrors {
            problem = Problem(invalid, requestID: id, path: path)
        } else {
            let refusal = refusal(for: error, id: id)
            headers = refusal.headers
            problem = Problem(refusal, requestID: id, path: path)
        }
        headers[.cacheControl] = "no-store"
        let bytes = (try? JSONBody.encode(problem)) ?? Array("{}".utf8)
        return .bytes(
            bytes, contentType: "application/problem+json", status: .init(code: problem.status), headers: headers)
    }

    private func errorPage(_ refusal: WebError, id: String, _ visit: Visit) -> Response {
        let page = ErrorPage(
            status: refusal.status.code, title: Self.heading(of: refusal.status), message: refusal.detail, requestId: id
        )
        var answer: WebResponse =
            visit.session == nil
            ? .page(PlainErrorPage(page: page), status: refusal.status) : .page(page, status: refusal.status)
        for field in refusal.headers { answer.headers[field.name] = field.value }
        do {
            return try response(answer, for: visit)
        } catch {
            logger.error("error page failed", metadata: ["request_id": .string(id), "error": .string("\(error)")])
            return Response(
                status: refusal.status, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: refusal.detail)))
        }
    }

    private static func heading(of status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound: "Page not found"
        case .forbidden: "Not allowed"
        case .tooManyRequests: "Too many tries"
        case .conflict: "Something changed meanwhile"
        case .serviceUnavailable: "Not available just now"
        case .internalServerError: "Something went wrong"
        default: status.code < 500 ? "That did not work" : "Something went wrong"
        }
    }

    // MARK: Around the page

    private func chrome(for visit: Visit, nonce: String) -> Chrome {
        var chrome = Chrome()
        chrome.now = configuration.clock.now
        chrome.nonce = nonce
        chrome.path = visit.request.uri.description
        if let cookie = visit.cookie { chrome.csrfToken = forgery.token(for: cookie) }
        let theme = cookies.value(of: cookies.themeName, in: visit.request.headers)
        chrome.theme = theme == "light" || theme == "dark" ? theme ?? "system" : "system"
        if let value = cookies.value(of: cookies.flashName, in: visit.request.headers) {
            let flash = Flash(cookieValue: value)
            chrome.notice = flash?.notice
            chrome.alert = flash?.alert
        }
        guard let session = visit.session else { return chrome }
        let principal = session.principal
        chrome.signedIn = true
        chrome.userName = principal.name
        chrome.userEmail = principal.email
        chrome.role = principal.role.rawValue
        chrome.canEdit = principal.role >= .editor
        chrome.canAdminister = principal.role >= .admin
        chrome.workspaceName = session.workspaceName
        chrome.workspaceId = "\(principal.workspace)"
        chrome.hasOtherWorkspaces = session.hasOtherWorkspaces
        chrome.timeZone = session.timeZone
        chrome.initials = Chrome.initials(of: principal.name)
        chrome.navigation = navigation(for: principal.role, at: visit.request.uri.path)
        return chrome
    }

    private func navigation(for role: Role, at path: String) -> [NavEntry] {
        let items = configuration.navigation.filter { role >= $0.minimumRole }.sorted { $0.order < $1.order }
        let matching = items.filter { path == $0.href || path.hasPrefix($0.href == "/" ? "//" : "\($0.href)/") }
        let current = matching.max { $0.href.count < $1.href.count }
        return items.map { item in
            NavEntry(title: item.title, icon: item.icon, href: item.href, current: item.href == current?.href)
        }
    }

    private func clearFlash(_ visit: Visit, _ headers: inout HTTPFields) {
        guard cookies.value(of: cookies.flashName, in: visit.request.headers) != nil else { return }
        headers.append(HTTPField(name: .setCookie, value: cookies.set(cookies.flashName, "", maxAge: 0)))
    }

    private func setCookies(_ answer: WebResponse, _ visit: Visit, _ headers: inout HTTPFields) {
        var values: [String] = []
        for change in answer.cookies {
            switch change {
            case .set(let token):
                values.append(cookies.set(cookies.sessionName, token, maxAge: CookieJar.sessionLifetime))
            case .clear: values.append(cookies.set(cookies.sessionName, "", maxAge: 0))
            case .theme(let theme): values.append(cookies.set(cookies.themeName, theme, maxAge: 365 * 86_400))
            }
        }
        if let flash = answer.flash { values.append(cookies.set(cookies.flashName, flash.cookieValue, maxAge: 60)) }
        if let visitor = visit.newVisitorCookie {
            values.append(cookies.set(cookies.visitorName, visitor, maxAge: nil))
        }
        for value in values { headers.append(HTTPField(name: .setCookie, value: value)) }
    }
}

/// An error of a lower floor that knows how it should be answered: a full pool, a query that took too long.
/// `Portal` adds the conformance, so that neither floor knows the other.
package protocol RefusingError: Error {
    var refusal: WebError { get }
}

/// Entity tags in `If-None-Match` and `If-Match` (RFC 9110 §13).
package enum EntityTags {
    package static func matches(_ header: String?, _ tag: String) -> Bool {
        guard let header else { return false }
        return header.trimmed == "*"
            || header.split(separator: ",").contains { $0.trimmed == tag || $0.trimmed == "W/\(tag)" }
    }
}

extension Chrome {
    /// The first letters of the first and the last word.
    package static func initials(of name: String) -> String {
        let words = name.split(separator: " ")
        let letters = [words.first, words.count > 1 ? words.last : nil].compactMap { $0?.first }
        return String(letters).uppercased()
    }
}
