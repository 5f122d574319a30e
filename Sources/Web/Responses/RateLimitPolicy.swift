import HTTPTypes

/// A limit as clients are told of it: the headers `RateLimit-Policy` and `RateLimit` of the IETF's draft
/// (draft-ietf-httpapi-ratelimit-headers), both structured fields. Their names stand here only, because a draft may
/// still change.
package struct RateLimitPolicy: Sendable, Equatable {
    package let name: String
    /// How much is allowed in a window.
    package let quota: Int
    /// Seconds.
    package let window: Int

    package init(name: String, quota: Int, window: Int) {
        self.name = name
        self.quota = quota
        self.window = window
    }

    private static let policyField = HTTPField.Name("RateLimit-Policy")
    private static let limitField = HTTPField.Name("RateLimit")

    /// - Parameters:
    ///   - remaining: how much of the quota is left.
    ///   - reset: seconds until there is more.
    package func headers(remaining: Int, reset: Int) -> HTTPFields {
        var fields = HTTPFields()
        if let name = Self.policyField { fields[name] = "\"\(self.name)\";q=\(quota);w=\(window)" }
        if let name = Self.limitField { fields[name] = "\"\(self.name)\";r=\(remaining);t=\(reset)" }
        return fields
    }
}
