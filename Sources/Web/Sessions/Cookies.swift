import Core
import Hummingbird

/// The cookies that the portal sets, and reading them back (RFC 6265).
struct CookieJar: Sendable {
    /// `__Host-` cookies need HTTPS; a portal that is tried out over plain HTTP uses plain names.
    let secure: Bool

    static let sessionLifetime = 7 * 86_400

    var sessionName: String { secure ? "__Host-sid" : "sid" }
    var visitorName: String { secure ? "__Host-visitor" : "visitor" }
    var flashName: String { secure ? "__Host-flash" : "flash" }
    let themeName = "theme"

    /// By bytes: every page asks for several cookies.
    func value(of name: String, in headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.utf8.split(separator: UInt8(ascii: ";")) {
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
                guard Self.withoutBlanks(pair[..<equals]).elementsEqual(name.utf8) else { continue }
                return String(Substring(Self.withoutBlanks(pair[pair.index(after: equals)...])))
            }
        }
        return nil
    }

    private static func withoutBlanks(_ part: Substring.UTF8View) -> Substring.UTF8View {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var part: Substring.UTF8View = part.drop(while: isBlank)
        while let last = part.last, isBlank(last) { part.removeLast() }
        return part
    }

    func set(_ name: String, _ value: String, maxAge: Int?) -> String {
        var text = "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax"
        if secure { text += "; Secure" }
        if let maxAge { text += "; Max-Age=\(maxAge)" }
        return text
    }
}

/// A message that survives one redirect.
struct Flash: Sendable, Equatable {
    var notice: String?
    var alert: String?

    /// Base64url of `n` or `a` and the text: it holds nothing secret and is shown escaped, so it needs no signature.
    var cookieValue: String {
        let text = alert.map { "a\($0)" } ?? "n\(notice ?? "")"
        return Base64URL.encode(Array(text.utf8.prefix(1500)))
    }

    init(notice: String? = nil, alert: String? = nil) {
        self.notice = notice
        self.alert = alert
    }

    init?(cookieValue: String) {
        guard let bytes = Base64URL.decode(cookieValue), let kind = bytes.first else { return nil }
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        switch kind {
        case UInt8(ascii: "a"): self.init(alert: text)
        case UInt8(ascii: "n"): self.init(notice: text)
        default: return nil
        }
    }
}
