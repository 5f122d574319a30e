import Core
import Cryptography
import FoundationEssentials
import Hummingbird

/// The two walls against cross-site request forgery: a token in each form that only the browser's own cookie yields,
/// and the browser's word on where the request came from (Fetch Metadata; OWASP ASVS 5.0 §3.5).
struct ForgeryProtection: Sendable {
    private let key: [UInt8]
    private let earlier: [[UInt8]]

    /// - Parameter earlier: keys that were in force before; forms that were open then may still be sent.
    init(key: [UInt8], earlier: [[UInt8]] = []) {
        self.key = key
        self.earlier = earlier
    }

    /// A token for the browser that holds this cookie: HMAC of the cookie's value, masked anew for each page so that
    /// compression of the page tells nothing about it.
    func token(for cookieValue: String) -> String {
        let mask = SecureRandom.bytes(Self.length)
        return Base64URL.encode(mask + zip(mask, Self.secret(for: cookieValue, key)).map { $0 ^ $1 })
    }

    func accepts(_ token: String, for cookieValue: String) -> Bool {
        guard let bytes = Base64URL.decode(token), bytes.count == Self.length * 2 else { return false }
        let unmasked = zip(bytes.prefix(Self.length), bytes.suffix(Self.length)).map { $0 ^ $1 }
        return ([key] + earlier).contains { ConstantTime.equal(unmasked, Self.secret(for: cookieValue, $0)) }
    }

    private static let length = 24

    private static func secret(for cookieValue: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC.sha256(key: key, message: Array("csrf\n\(cookieValue)".utf8)).prefix(length))
    }

    /// Whether a request that changes something comes from one of our own pages.
    func isSameOrigin(_ request: Request) -> Bool {
        let headers = request.headers
        if let site = headers[.secFetchSite] { return site == "same-origin" || site == "none" }
        guard let host = request.head.authority else { return false }
        if let origin = headers[.origin] { return Self.host(of: origin) == host[...] }
        if let referer = headers[.referer] { return Self.host(of: referer) == host[...] }
        return false
    }

    private static func host(of url: String) -> Substring? {
        guard let scheme = url.range(of: "://") else { return nil }
        return url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }
}
