import Core
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore

/// What a handler may know about a request: who asks, for what, with which input.
package struct WebRequest: Sendable {
    /// The request's id, as it stands in the log and on error pages.
    package let id: String
    package let method: HTTPRequest.Method
    /// The path without the query string, still percent-encoded.
    package let path: String
    package let query: FormValues
    package let headers: HTTPFields
    /// The client's address, taken from a proxy's header only when the peer is a trusted proxy.
    package let clientAddress: String
    /// The signed-in member; nil on public routes.
    package let principal: Principal?
    /// The browser's session; nil for API calls with a key and for public routes.
    package let session: BrowserSession?
    package let logger: Logger
    package let body: RequestBodyStream
    let parameters: [String: String]
    let formBytesLimit: Int
    let cursors: CursorCodec
    /// Checks the form token in the first part of an upload; nil where none is due.
    let formToken: (@Sendable (String) -> Bool)?

    /// The workspace that the member has open.
    /// - Throws: `WebError.notFound` on a route without a member.
    package var scope: WorkspaceScope {
        get throws(WebError) { WorkspaceScope(try member) }
    }

    /// The signed-in member.
    package var member: Principal {
        get throws(WebError) {
            guard let principal else { throw .notFound }
            return principal
        }
    }

    /// A path parameter, percent-decoded.
    package func parameter(_ name: String) -> String? {
        parameters[name]
    }

    /// An id from the path. A malformed one is a miss like any other.
    package func id<Tag>(_ name: String = "id") throws(WebError) -> Identifier<Tag> {
        guard let text = parameters[name], let id = Identifier<Tag>(text) else { throw .notFound }
        return id
    }

    /// The fields of a submitted form, urlencoded or multipart; files in it are skipped.
    package func form() async throws -> FormValues {
        let contentType = headers[.contentType] ?? ""
        if contentType.lowercased().hasPrefix("multipart/form-data") {
            let reader = try await multipart()
            var values = FormValues()
            while let part = try await reader.nextPart() {
                if part.fileName == nil { values.append(part.name, try await reader.text(limit: formBytesLimit)) }
            }
            return values
        }
        guard contentType.isEmpty || contentType.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            throw WebError.unsupportedMediaType(expected: "a form (application/x-www-form-urlencoded)")
        }
        let bytes = try await body.collect(upTo: formBytesLimit)
        return FormValues(urlEncoded: String(decoding: bytes, as: UTF8.self))
    }

    /// The parts of an upload, streamed. The form's token must come before everything else.
    package func multipart() async throws -> MultipartReader {
        let reader = try MultipartReader(contentType: headers[.contentType], body: body)
        if let formToken {
            guard try await reader.nextPart()?.name == "_csrf", formToken(try await reader.text(limit: 1024)) else {
                throw WebError(
                    .forbidden, code: "form_expired",
                    detail: "This form was open for too long. Go back, reload the page and send it again.")
            }
        }
        return reader
    }

    /// The whole body. Throws `WebError.tooLarge` beyond `limit` bytes.
    package func bytes(limit: Int) async throws -> [UInt8] {
        try await body.collect(upTo: limit)
    }

    /// The JSON body as a value. A wrong type or a missing member is a `ValidationErrors` that names the place.
    package func json<Value: Decodable>(_ type: Value.Type, limit: Int = 1 << 20) async throws -> Value {
        let contentType = (headers[.contentType] ?? "").lowercased()
        guard contentType.hasPrefix("application/json") || contentType.hasPrefix("application/merge-patch+json") else {
            throw WebError.unsupportedMediaType(expected: "JSON (application/json)")
        }
        return try JSONBody.decode(type, from: try await body.collect(upTo: limit))
    }

    /// The same request with its body read, so that it can be read again.
    /// - Throws: `WebError.tooLarge`.
    package func buffered(limit: Int) async throws -> WebRequest {
        let bytes = try await body.collect(upTo: limit)
        return copy(
            body: RequestBodyStream(RequestBody(buffer: ByteBuffer(bytes: bytes)), limit: body.limit),
            parameters: parameters)
    }

    /// The same request about something else.
    package func with(parameter name: String, _ value: String) -> WebRequest {
        var changed = parameters
        changed[name] = value
        return copy(body: body, parameters: changed)
    }

    private func copy(body: RequestBodyStream, parameters: [String: String]) -> WebRequest {
        WebRequest(
            id: id, method: method, path: path, query: query, headers: headers, clientAddress: clientAddress,
            principal: principal, session: session, logger: logger, body: body, parameters: parameters,
            formBytesLimit: formBytesLimit, cursors: cursors, formToken: formToken)
    }

    /// The JSON body as it is, read in one pass: for large batches.
    package func jsonTree(limit: Int = 1 << 20) async throws -> JSONValue {
        guard (headers[.contentType] ?? "").lowercased().hasPrefix("application/json") else {
            throw WebError.unsupportedMediaType(expected: "JSON (application/json)")
        }
        return try JSONTree.read(try await body.collect(upTo: limit))
    }

    /// Whether only this fragment of the page is wanted (a script updates part of it).
    package func wantsFragment(_ name: String) -> Bool {
        fragment == name
    }

    package var fragment: String? {
        headers[.fragment]
    }

    /// The page of a list that is asked for: `limit` (1–200, default 50) and `cursor`.
    /// - Throws: `WebError` 400 for a cursor that this server did not make for this workspace.
    package func pageRequest(defaultLimit: Int = 50) throws(WebError) -> PageRequest {
        if let text = query.optional("limit"), Int(text) == nil {
            throw .badRequest("limit must be a number from 1 to 200.", code: "bad_limit")
        }
        let limit = min(max(query.integer("limit") ?? defaultLimit, 1), 200)
        guard let cursor = query.optional("cursor") else { return PageRequest(limit: limit, after: nil) }
        guard let keys = cursors.decode(cursor, realm: cursorRealm) else {
            throw .badRequest("The cursor is not one that this server gave out in this workspace.", code: "bad_cursor")
        }
        return PageRequest(limit: limit, after: keys)
    }

    /// The cursor that leads to what follows the given keys.
    package func cursor(after keys: [String]) -> String {
        cursors.encode(keys, realm: cursorRealm)
    }

    /// Cursors hold in the workspace they were made in.
    private var cursorRealm: String { principal.map { "\($0.workspace)" } ?? "" }
}

/// Which part of a list is wanted.
package struct PageRequest: Sendable, Equatable {
    package let limit: Int
    /// The sort keys of the last row of the page before; nil for the first page.
    package let after: [String]?

    package init(limit: Int, after: [String]? = nil) {
        self.limit = limit
        self.after = after
    }
}

/// A page of a list as the JSON face answers it.
package struct CursorPage<Item: Encodable & Sendable>: Encodable, Sendable {
    package let data: [Item]
    package let nextCursor: String?

    package init(data: [Item], nextCursor: String?) {
        self.data = data
        self.nextCursor = nextCursor
    }

    private enum CodingKeys: String, CodingKey { case data, nextCursor }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(nextCursor, forKey: .nextCursor)
    }
}

extension HTTPField.Name {
    /// Names the fragment of a page that a script wants.
    package static let fragment = field("X-Fragment")
    package static let requestID = field("X-Request-Id")
    package static let forwardedFor = field("X-Forwarded-For")
    /// The tenant of a host product.
    package static let externalTenantID = field("X-External-Tenant-Id")
    package static let csrfToken = field("X-CSRF-Token")
    package static let secFetchSite = field("Sec-Fetch-Site")
    package static let secPurpose = field("Sec-Purpose")
    package static let permissionsPolicy = field("Permissions-Policy")
    package static let referrerPolicy = field("Referrer-Policy")
    package static let crossOriginOpenerPolicy = field("Cross-Origin-Opener-Policy")
    package static let crossOriginResourcePolicy = field("Cross-Origin-Resource-Policy")
    package static let robots = field("X-Robots-Tag")
    package static let frameOptions = field("X-Frame-Options")

    /// The names above are constants of the right form, so this never falls back.
    private static func field(_ name: String) -> HTTPField.Name {
        HTTPField.Name(name) ?? .userAgent
    }
}
