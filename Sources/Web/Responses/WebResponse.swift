import Core
import FoundationEssentials
import Hummingbird
import Templates

/// What a handler answers.
package struct WebResponse: Sendable {
    enum Content: Sendable {
        case page(@Sendable (PageRenderer.Rendering) throws -> [UInt8])
        case redirect(String)
        case bytes([UInt8])
        case stream(@Sendable (BodyWriter) async throws -> Void)
        case live(@Sendable (PageRenderer.Rendering, BodyWriter) async throws -> Void)
        case empty
    }

    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    /// Cookies to set: `Set-Cookie` values.
    var cookies: [SessionCookieChange] = []
    var flash: Flash?
    /// Whether a GET answer carries an entity tag and may be answered with 304.
    var isTagged = false
    let content: Content

    /// The body where it is there already, so that it can be kept; nil for pages and streams.
    var storableBody: [UInt8]? {
        switch content {
        case .bytes(let bytes): bytes
        case .empty: []
        case .page, .redirect, .stream, .live: nil
        }
    }

    /// A page of our own. Forms with errors come back with `.unprocessableContent`.
    package static func page(_ page: some ViewPage, status: HTTPResponse.Status = .ok) -> WebResponse {
        WebResponse(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            content: .page { rendering in try rendering.render(page) })
    }

    /// Post/redirect/get: 303 to a path of ours, with a message to show there.
    package static func redirect(to path: String, notice: String? = nil, alert: String? = nil) -> WebResponse {
        var response = WebResponse(status: .seeOther, headers: [.location: path], content: .redirect(path))
        if notice != nil || alert != nil { response.flash = Flash(notice: notice, alert: alert) }
        return response
    }

    /// A JSON value, camelCase, times in ISO 8601. Answers to GET carry an `ETag`.
    package static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> WebResponse {
        var fields = headers
        fields[.contentType] = "application/json; charset=utf-8"
        var response = WebResponse(status: status, headers: fields, content: .bytes(try JSONBody.encode(value)))
        response.isTagged = status == .ok
        return response
    }

    package static func empty(_ status: HTTPResponse.Status = .noContent) -> WebResponse {
        WebResponse(status: status, headers: [:], content: .empty)
    }

    package static func bytes(
        _ bytes: [UInt8], contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> WebResponse {
        var fields = headers
        fields[.contentType] = contentType
        return WebResponse(status: status, headers: fields, content: .bytes(bytes))
    }

    /// Foreign HTML, such as a message's preview, for an `<iframe>` on one of our pages: no script, no form, no access to
    /// the portal; only its own styles and images.
    package static func sandboxed(html: [UInt8]) -> WebResponse {
        bytes(
            html, contentType: "text/html; charset=utf-8",
            headers: [
                .contentSecurityPolicy:
                    "sandbox allow-popups; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; "
                    + "font-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
                .frameOptions: "SAMEORIGIN", .referrerPolicy: "no-referrer", .cacheControl: "no-store",
            ])
    }

    package static func text(_ text: String, status: HTTPResponse.Status = .ok) -> WebResponse {
        bytes(Array(text.utf8), contentType: "text/plain; charset=utf-8", status: status)
    }

    /// A body that is written as it is made: exports (with a file name) and server-sent events.
    package static func stream(
        contentType: String, fileName: String? = nil, _ write: @escaping @Sendable (BodyWriter) async throws -> Void
    ) -> WebResponse {
        var headers: HTTPFields = [.contentType: contentType, .cacheControl: "no-store"]
        if let fileName { headers[.contentDisposition] = ContentDisposition.attachment(fileName) }
        return WebResponse(status: .ok, headers: headers, content: .stream(write))
    }

    /// Signs the browser in with a token that was made for it.
    package func signingIn(token: String) -> WebResponse {
        var copy = self
        copy.cookies.append(.set(token))
        return copy
    }

    package func signingOut() -> WebResponse {
        var copy = self
        copy.cookies.append(.clear)
        copy.headers[.init("Clear-Site-Data") ?? .cacheControl] = "\"cache\", \"storage\""
        return copy
    }

    /// Keeps the colour scheme that the person chose: `system`, `light` or `dark`.
    package func choosingTheme(_ theme: String) -> WebResponse {
        var copy = self
        copy.cookies.append(.theme(theme))
        return copy
    }

    /// Tells when what is answered was changed last (RFC 9110 §8.8.2). To be asked for a change, clients use the `ETag`:
    /// it tells two changes within a second apart.
    package func lastModified(_ date: Date) -> WebResponse {
        header(.lastModified, HTTPDate.text(date))
    }

    package func header(_ name: HTTPField.Name, _ value: String) -> WebResponse {
        var copy = self
        copy.headers[name] = value
        return copy
    }
}

/// A change of the browser's cookies. Handlers name the change; the server knows names and attributes.
enum SessionCookieChange: Sendable {
    case set(String)
    case clear
    case theme(String)
}

/// Writes a streamed body; each call waits until the client has taken the bytes.
package final class BodyWriter {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    package func write(_ bytes: [UInt8]) async throws {
        try await writer.write(ByteBuffer(bytes: bytes))
    }

    package func write(_ text: String) async throws {
        try await writer.write(ByteBuffer(string: text))
    }

    func finish() async throws {
        try await writer.finish(nil)
    }

    /// One server-sent event (WHATWG HTML §9.2).
    package func event(_ name: String, data: String) async throws {
        let lines = data.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }.joined()
        try await write("event: \(name)\n\(lines)\n")
    }
}

/// The header that makes a browser save a file (RFC 6266), with an ASCII fallback.
package enum ContentDisposition {
    package static func attachment(_ fileName: String) -> String {
        let plain = String(
            fileName.unicodeScalars.map { scalar in
                scalar.isASCII && scalar.value >= 32 && scalar != "\"" && scalar != "\\" && scalar != "/"
                    ? Character(scalar) : "_"
            })
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(PercentEncoding.encode(fileName))"
    }
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986 §2.3).
package enum PercentEncoding {
    package static func encode(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                output += Hexadecimal.encode([byte]).uppercased().utf8
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// A query string from names and values; nil values are left out.
    package static func query(_ pairs: [(String, String?)]) -> String {
        let parts = pairs.compactMap { name, value in value.map { "\(encode(name))=\(encode($0))" } }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }
}
