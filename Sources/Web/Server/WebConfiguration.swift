import Core

/// What the web floor needs to know from outside.
package struct WebConfiguration: Sendable {
    /// Browsers reach the portal over HTTPS: cookies are `Secure` and HSTS is sent.
    package var isSecure: Bool
    /// Signs forgery tokens and cursors; 32 bytes.
    package var key: [UInt8]
    /// Keys of earlier secrets: forms and cursors that they signed still hold.
    package var earlierKeys: [[UInt8]]
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: Set<String>
    /// Origins whose scripts may call the JSON face; none unless set (`MARKETING_CORS_ORIGIN`).
    package var allowedOrigins: Set<String>
    package var navigation: [NavItem]
    package var clock: WallClock
    package var randomness: Randomness

    package init(
        isSecure: Bool, key: [UInt8], earlierKeys: [[UInt8]] = [], trustedProxies: Set<String> = [],
        allowedOrigins: Set<String> = [],
        navigation: [NavItem] = [], clock: WallClock = .system, randomness: Randomness = .system
    ) {
        self.isSecure = isSecure
        self.key = key
        self.earlierKeys = earlierKeys
        self.trustedProxies = trustedProxies
        self.allowedOrigins = allowedOrigins
        self.navigation = navigation
        self.clock = clock
        self.randomness = randomness
    }
}
