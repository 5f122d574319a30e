import CLibCurl

/// A URL taken apart by the parser that will also connect, so that both see the same host.
package struct OutboundURL: Sendable, Equatable {
    package let text: String
    package let scheme: String
    package let host: String
    package let port: Int

    private static let maximumLength = 2048

    /// - Throws: ``OutboundFailure/invalidURL(_:)``, or ``OutboundFailure/blockedAddress`` for a user's URL that
    ///   leads inside.
    package init(_ text: String, trust: OutboundRequest.Trust) throws(OutboundFailure) {
        guard text.utf8.count <= Self.maximumLength else { throw .invalidURL("The address is too long.") }
        guard text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }) else {
            throw .invalidURL("The address has a space or another character that is not allowed.")
        }
        let lowered: String = text.lowercased()
        guard lowered.hasPrefix("https://") || lowered.hasPrefix("http://"), let parser = curl_url() else {
            throw .invalidURL("The address must begin with https://.")
        }
        defer { curl_url_cleanup(parser) }
        let flags = UInt32(CURLU_NON_SUPPORT_SCHEME)
        guard curl_url_set(parser, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = Self.part(parser, CURLUPART_SCHEME), let host = Self.part(parser, CURLUPART_HOST),
            !host.isEmpty
        else { throw .invalidURL("This is not a valid address.") }
        guard scheme == "https" || scheme == "http" else { throw .invalidURL("The address must begin with https://.") }
        let explicit: Int? = Self.part(parser, CURLUPART_PORT).flatMap { Int($0) }
        self.text = text
        self.scheme = scheme
        self.host = host
        port = explicit ?? (scheme == "https" ? 443 : 80)
        guard trust != .operatorSetting else { return }
        guard scheme == "https" || trust == .publicWeb else {
            throw .invalidURL("The address must begin with https://.")
        }
        guard Self.part(parser, CURLUPART_USER) == nil, Self.part(parser, CURLUPART_PASSWORD) == nil,
            !Self.authority(text).contains("@")
        else { throw .invalidURL("The address must not contain a user name or password.") }
        guard port == (scheme == "https" ? 443 : 80) else {
            throw .invalidURL("The address must use port \(scheme == "https" ? 443 : 80).")
        }
        guard AddressGuard.allows(host: host) else { throw .blockedAddress }
    }

    /// The text between the two slashes and the path.
    private static func authority(_ text: String) -> Substring {
        guard let slashes = text.firstRange(of: "://") else { return "" }
        return text[slashes.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    private static func part(_ parser: OpaquePointer, _ part: CURLUPart) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parser, part, &value, 0) == CURLUE_OK, let value else { return nil }
        defer { curl_free(value) }
        return String(cString: value)
    }
}
