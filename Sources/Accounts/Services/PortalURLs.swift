/// Where the portal is reached from outside.
package struct PortalURLs: Sendable {
    /// The pages, without a slash at the end.
    package let portalBase: String
    /// Tracking, unsubscribe and the API (`MARKETING_API_PUBLIC_URL`), without a slash at the end.
    package let publicBase: String

    package init(portalBase: String, publicBase: String) {
        self.portalBase = Self.withoutSlash(portalBase)
        self.publicBase = Self.withoutSlash(publicBase)
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
