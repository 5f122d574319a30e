import Hummingbird

/// The headers that every answer carries.
struct SecurityHeaders: Sendable {
    /// HTTPS is in front of us, so browsers may be told to insist on it.
    let secure: Bool

    private static let permissions =
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"

    /// For our own pages; scripts and styles need our origin or this response's nonce.
    func pagePolicy(nonce: String) -> String {
        "default-src 'none'; script-src 'self' 'nonce-\(nonce)'; style-src 'self' 'nonce-\(nonce)'; img-src 'self' data: https: http:; "
            + "font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
            + "object-src 'none'; frame-ancestors 'none'; manifest-src 'self'"
    }

    /// For everything that is not a page: nothing may run or load.
    static let lockedPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    func apply(to headers: inout HTTPFields, nonce: String?) {
        if headers[.contentSecurityPolicy] == nil {
            headers[.contentSecurityPolicy] = nonce.map(pagePolicy) ?? Self.lockedPolicy
        }
        headers[.xContentTypeOptions] = "nosniff"
        if headers[.frameOptions] == nil { headers[.frameOptions] = "DENY" }
        if headers[.referrerPolicy] == nil { headers[.referrerPolicy] = "strict-origin-when-cross-origin" }
        headers[.permissionsPolicy] = Self.permissions
        headers[.crossOriginOpenerPolicy] = "same-origin"
        if headers[.crossOriginResourcePolicy] == nil { headers[.crossOriginResourcePolicy] = "same-origin" }
        if secure { headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains" }
    }
}
